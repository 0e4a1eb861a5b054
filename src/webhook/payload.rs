use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::rejection::Reason;
use crate::text::json;

/// Claims that can be read from an authentic body.
///
/// Every `DeserializeOwned` type is read from a JSON object without duplicate names. [`RawBody`] takes any bytes, such
/// as the JSON list in which some senders batch events: parse it yourself, and check every element.
///
/// ```
/// use bytes::Bytes;
/// use tower_sso::rejection::Reason;
/// use tower_sso::webhook::FromBody;
///
/// /// One line of text.
/// struct Line(String);
///
/// impl FromBody for Line {
///     fn from_body(body: &Bytes) -> Result<Self, Reason> {
///         let text = std::str::from_utf8(body).map_err(|_| Reason::BadPayload("is not text".into()))?;
///         Ok(Self(text.trim_end().to_owned()))
///     }
/// }
/// ```
pub trait FromBody: Sized {
    /// Reads the claims.
    ///
    /// # Errors
    /// [`Reason::BadPayload`] and [`Reason::MissingField`].
    fn from_body(body: &Bytes) -> Result<Self, Reason>;
}

impl<C: DeserializeOwned> FromBody for C {
    fn from_body(body: &Bytes) -> Result<Self, Reason> {
        json::object(body, &[""; 0]).map_err(|reason| match reason {
            Reason::BadPayload(what) if what == json::NOT_AN_OBJECT => {
                Reason::BadPayload("is not an object: for a list or another value, take `webhook::RawBody`".into())
            }
            other => other,
        })
    }
}

/// An authentic body as received, whatever it holds. Set [`any_content_type`](crate::Builder::any_content_type) if it
/// is not JSON.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{replay::MemoryReplay, webhook};
///
/// let verify = webhook::layer::<webhook::RawBody>()
///     .any_content_type()
///     .secrets(["whsec-shared"])
///     .replay(MemoryReplay::new())
///     .handler_remembers()
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBody(pub Bytes);

impl FromBody for RawBody {
    fn from_body(body: &Bytes) -> Result<Self, Reason> {
        Ok(Self(body.clone()))
    }
}
