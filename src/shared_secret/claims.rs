//! What claims are read from: [`FromCall`].

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::body::{FormBody, FromBody, RawBody};
use crate::rejection::Reason;
use crate::text::json;

/// An authentic call, as claims are read from it.
pub struct Rest<'a> {
    pub(super) user: Option<&'a str>,
    pub(super) body: &'a Bytes,
    /// The body's fields without the token, if the token is one of them.
    pub(super) fields: Option<Map<String, Value>>,
    pub(super) required: &'a [Cow<'static, str>],
}

impl Rest<'_> {
    /// The user name beside the secret, if the secret is a password.
    pub fn user(&self) -> Option<&str> {
        self.user
    }

    /// The body as received, **with the token** if the token is in the body. Empty if it was not read.
    pub fn body(&self) -> &Bytes {
        self.body
    }

    /// Claims from the body, which is a JSON object without duplicate names. The token is not among them.
    ///
    /// # Errors
    /// [`Reason::BadPayload`] and [`Reason::MissingField`].
    pub fn json<C: DeserializeOwned>(self) -> Result<C, Reason> {
        let Some(fields) = self.fields else { return json::object(self.body, self.required) };
        let is_missing = |name: &&Cow<'static, str>| fields.get(name.as_ref()).is_none_or(Value::is_null);
        if let Some(missing) = self.required.iter().find(is_missing) {
            return Err(Reason::MissingField(missing.clone()));
        }
        C::deserialize(Value::Object(fields))
            .map_err(|_| Reason::BadPayload("does not have the shape that the claims require".into()))
    }
}

/// Leaves everything out, as the body may hold the token.
impl fmt::Debug for Rest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").finish_non_exhaustive()
    }
}

/// Claims that can be read from a call that holds a secret.
///
/// | claims | are read from |
/// |---|---|
/// | any `DeserializeOwned` type | the body's JSON object, without the token |
/// | [`FormBody`] | a form |
/// | [`RawBody`] | a body of any type, such as a list or lines of JSON |
/// | [`UserName`] | the user name beside the password that is the secret |
/// | [`NoClaims`] | nothing |
///
/// ```
/// use tower_sso::rejection::Reason;
/// use tower_sso::shared_secret::{FromCall, Rest};
///
/// /// A line of text, and who sent it.
/// struct Message { from: String, text: String }
///
/// impl FromCall for Message {
///     const NEEDS_A_USER: bool = true;
///
///     fn from_call(rest: Rest<'_>) -> Result<Self, Reason> {
///         let text = std::str::from_utf8(rest.body()).map_err(|_| Reason::BadPayload("is not text".into()))?;
///         Ok(Self { from: rest.user().unwrap_or_default().to_owned(), text: text.to_owned() })
///     }
/// }
/// ```
pub trait FromCall: Sized {
    /// Whether the layer reads the body. Without it, a body of any size and type goes on to the inner service unread.
    const READS_BODY: bool = true;

    /// Whether there must be a user name: then the layer builds only if the secret is a password.
    const NEEDS_A_USER: bool = false;

    /// Reads the claims.
    ///
    /// # Errors
    /// [`Reason::BadPayload`] and [`Reason::MissingField`].
    fn from_call(rest: Rest<'_>) -> Result<Self, Reason>;
}

impl<C: DeserializeOwned> FromCall for C {
    fn from_call(rest: Rest<'_>) -> Result<Self, Reason> {
        rest.json()
    }
}

impl<T: DeserializeOwned> FromCall for FormBody<T> {
    fn from_call(rest: Rest<'_>) -> Result<Self, Reason> {
        Self::from_body(rest.body())
    }
}

impl FromCall for RawBody {
    fn from_call(rest: Rest<'_>) -> Result<Self, Reason> {
        Self::from_body(rest.body())
    }
}

/// The user name beside the password that is the secret, for claims. The partner vouches for it. May be empty.
///
/// ```
/// use tower_sso::{scheme::Place, shared_secret::{self, UserName}};
///
/// let layer = shared_secret::by_tenant::<UserName>().password_in(Place::basic());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName(pub String);

impl FromCall for UserName {
    const READS_BODY: bool = false;
    const NEEDS_A_USER: bool = true;

    fn from_call(rest: Rest<'_>) -> Result<Self, Reason> {
        Ok(Self(rest.user().unwrap_or_default().to_owned()))
    }
}

/// No claims: the secret says who calls, and the layer does not read the body.
///
/// ```
/// use tower_sso::{scheme::Place, shared_secret::{self, NoClaims}};
///
/// let layer = shared_secret::by_tenant::<NoClaims>().token_in(Place::bearer());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoClaims;

impl FromCall for NoClaims {
    const READS_BODY: bool = false;

    fn from_call(_: Rest<'_>) -> Result<Self, Reason> {
        Ok(Self)
    }
}
