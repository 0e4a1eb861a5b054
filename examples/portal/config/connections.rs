//! `[connections]`: limits on connections and on slow clients.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Connections {
    /// Concurrent connections. Further ones wait in the listener's queue.
    #[serde(deserialize_with = "number")]
    pub(crate) most: usize,
    /// For a request's head to arrive completely, counted from the last response or the start of the connection. Also the
    /// longest that a connection may idle.
    #[serde(deserialize_with = "timeout")]
    pub(crate) head_timeout: Duration,
    /// How long a client may read nothing of its response.
    #[serde(deserialize_with = "timeout")]
    pub(crate) write_timeout: Duration,
    /// How long requests in progress may take to finish at shutdown.
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
        return Err(serde::de::Error::custom("must be above zero: every connection would time out"));
    }
    Ok(timeout)
}
