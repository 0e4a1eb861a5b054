//! Keeps what a person typed into a card's form, so that it is still there after a button was pressed.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::problem::Problem;

/// The fields of a card's form. `Default` gives the initial values.
pub(crate) trait Fields: Default + Serialize + DeserializeOwned {
    /// The key in the session.
    const KEY: &'static str;
}

/// A form's state in the session.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Draft<U> {
    pub(crate) user: U,
    /// The last fresh link, for "send it again".
    pub(crate) link: Option<String>,
}

/// A submitted form, with the button that was pressed.
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
