//! `[connections]`: how long the server waits for its clients, and for how many of them.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Connections {
    /// How many at once. The next one waits until one of them ends.
    #[serde(deserialize_with = "number")]
    pub(crate) most: usize,
    /// From the last answer, or from the beginning, to the end of a request's head. So a connection is idle for as long.
    #[serde(deserialize_with = "timeout")]
    pub(crate) head_timeout: Duration,
    /// How long a client may take nothing of its answer.
    #[serde(deserialize_with = "timeout")]
    pub(crate) write_timeout: Duration,
    /// How long requests that are under way have when the portal is asked to stop.
    #[serde(deserialize_with = "super::duration")]
    pub(crate) shutdown_timeout: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            most: 10_000,
            head_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(20),
        }
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    match usize::deserialize(deserializer)? {
        0 => Err(serde::de::Error::custom("must be above zero: nobody could connect")),
        number => Ok(number.min(tokio::sync::Semaphore::MAX_PERMITS)),
    }
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let timeout = super::duration(deserializer)?;
    if timeout.is_zero() {
        return Err(serde::de::Error::custom("must be above zero: nobody could be in time"));
    }
    Ok(timeout)
}
