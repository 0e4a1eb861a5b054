//! What the cards' forms have in common: a person fills one in, presses a button, and finds it as it was.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::problem::Problem;

/// The fields of a card's form. Their defaults are what it shows at first.
pub(crate) trait Fields: Default + Serialize + DeserializeOwned {
    /// Where the session keeps them.
    const KEY: &'static str;
}

/// What the page remembers between two buttons.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Draft<U> {
    pub(crate) user: U,
    /// The last link.
    pub(crate) link: Option<String>,
}

/// A form with its button.
#[derive(Deserialize)]
pub(crate) struct Pressed<U> {
    pub(crate) press: String,
    #[serde(flatten)]
    pub(crate) user: U,
}

impl<U: Fields> Draft<U> {
    pub(crate) async fn of(session: &Session) -> Result<Self, Problem> {
        Ok(session.get(U::KEY).await?.unwrap_or_default())
    }

    pub(crate) async fn keep(&self, session: &Session) -> Result<(), Problem> {
        Ok(session.insert(U::KEY, self).await?)
    }
}
