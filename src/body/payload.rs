use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::query::Query;
use crate::rejection::Reason;
use crate::text::percent::decode_form;
use crate::text::{fields, json};

/// Claims that can be read from an authentic body.
///
/// Every `DeserializeOwned` type is read from a JSON object without duplicate names, [`JsonBody`] from any JSON value,
/// [`FormBody`] from a form, [`JsonOrForm`] from either. [`RawBody`] takes any bytes: parse them yourself.
///
/// ```
/// use bytes::Bytes;
/// use tower_sso::body::FromBody;
/// use tower_sso::rejection::Reason;
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
                Reason::BadPayload("is not an object: for a list or another value, take `JsonBody`".into())
            }
            other => other,
        })
    }
}

/// Claims from an authentic form, `application/x-www-form-urlencoded`: each field is text. Fields that `T` lacks are
/// ignored. A field of `T` that comes twice is refused.
///
/// ```
/// use bytes::Bytes;
/// use tower_sso::body::{FormBody, FromBody};
///
/// #[derive(serde::Deserialize)]
/// struct Sale { email: String }
///
/// let FormBody(sale) = FormBody::<Sale>::from_body(&Bytes::from("email=ada%40example.com&price=500"))?;
/// assert_eq!(sale.email, "ada@example.com");
/// # Ok::<(), tower_sso::rejection::Reason>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormBody<T>(pub T);

impl<T: DeserializeOwned> FromBody for FormBody<T> {
    fn from_body(body: &Bytes) -> Result<Self, Reason> {
        let bad = |what: &'static str| Reason::BadPayload(what.into());
        let text = std::str::from_utf8(body).map_err(|_| bad("is not UTF-8"))?;
        let decoded = |(name, value)| Ok((decode_form(name).map_err(bad)?, decode_form(value).map_err(bad)?));
        let pairs = Query::new(text).pairs().map(decoded).collect::<Result<Vec<_>, Reason>>()?;
        fields::read(pairs.iter().map(|(name, value)| (&**name, &**value))).map(Self)
    }
}

/// Claims from any authentic JSON value, such as a list in which a sender batches events. Like objects, it has no
/// duplicate names at any depth. An empty body, where a layer takes one, is read as `null`: into `Option<T>` or `()`.
///
/// ```
/// use bytes::Bytes;
/// use tower_sso::body::{FromBody, JsonBody};
///
/// #[derive(serde::Deserialize)]
/// struct Event { id: u64 }
///
/// let JsonBody(events) = JsonBody::<Vec<Event>>::from_body(&Bytes::from(r#"[{"id":1},{"id":2}]"#))?;
/// assert_eq!(events.len(), 2);
/// # Ok::<(), tower_sso::rejection::Reason>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromBody for JsonBody<T> {
    fn from_body(body: &Bytes) -> Result<Self, Reason> {
        let json = if body.is_empty() { b"null" } else { &body[..] };
        json::value(json).map(Self)
    }
}

/// Claims from an authentic body that is JSON or a form, for senders that send both to one address.
///
/// The body itself tells which it is, as the content type is not signed: an object or a list of JSON begins with a
/// brace or a bracket, and in forms both are escaped.
///
/// ```
/// use bytes::Bytes;
/// use tower_sso::body::{FromBody, JsonOrForm};
///
/// #[derive(serde::Deserialize)]
/// struct Event { event_id: String }
/// #[derive(serde::Deserialize)]
/// struct Command { text: String }
///
/// let JsonOrForm::Form(command) = JsonOrForm::<Event, Command>::from_body(&Bytes::from("text=hi+there"))? else {
///     panic!("is a form")
/// };
/// assert_eq!(command.text, "hi there");
/// # Ok::<(), tower_sso::rejection::Reason>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonOrForm<J, F = J> {
    /// It is an object or a list of JSON.
    Json(J),
    /// It is a form.
    Form(F),
}

impl<J: DeserializeOwned, F: DeserializeOwned> FromBody for JsonOrForm<J, F> {
    fn from_body(body: &Bytes) -> Result<Self, Reason> {
        match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => JsonBody::from_body(body).map(|JsonBody(json)| Self::Json(json)),
            _ => FormBody::from_body(body).map(|FormBody(form)| Self::Form(form)),
        }
    }
}

/// An authentic body as received, whatever it holds. At a webhook, set
/// [`any_content_type`](crate::Builder::any_content_type) if it is not JSON.
///
/// ```
/// # #[cfg(all(feature = "moka", feature = "webhook"))] {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_strictly() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Sale {
            id: String,
            note: Option<String>,
        }
        let sale = |note: Option<&str>| Some(Sale { id: "7".into(), note: note.map(str::to_owned) });
        for (body, expected, why) in [
            (&b"id=7"[..], sale(None), "plain"),
            (b"id=7&note=a+%26%20b&x=1&x=2", sale(Some("a & b")), "decoded, with fields that the claims lack"),
            (b"%69d=7", sale(None), "an escaped name"),
            (b"id=7&%69d=8", None, "a field twice"),
            (b"note=a", None, "a field is missing"),
            (b"id=%zz", None, "a bad escape"),
            (b"id=7&x=%ff", None, "not UTF-8, once it is decoded"),
            (b"id=\xff", None, "not UTF-8"),
            (b"", None, "empty"),
        ] {
            let read = FormBody::from_body(&Bytes::from_static(body)).ok().map(|FormBody(sale)| sale);
            assert_eq!(read, expected, "{why}");
        }
    }

    #[test]
    fn any_json_is_read_strictly() {
        use serde_json::{Value, json};
        for (body, expected, why) in [
            ("[1, {\"a\":null}]\r\n", Some(json!([1, {"a": null}])), "a list"),
            ("{}", Some(json!({})), "an object"),
            ("7", Some(json!(7)), "a number"),
            ("", Some(Value::Null), "nothing"),
            (" ", None, "a space"),
            ("[{\"a\":1,\"a\":2}]", None, "a name twice"),
            ("[1] [2]", None, "two values"),
            ("[1", None, "half a list"),
        ] {
            let read = JsonBody::<Value>::from_body(&Bytes::from_static(body.as_bytes())).ok();
            assert_eq!(read, expected.map(JsonBody), "{why}");
        }
    }

    #[test]
    fn the_body_tells_what_it_is() {
        type Pairs = std::collections::BTreeMap<String, String>;
        let pairs = |value: &str| Some(Pairs::from([("a".into(), value.into())]));
        for (body, json, form) in [
            (r#" {"a":"1"}"#, pairs("1"), None),
            ("a=1", None, pairs("1")),
            ("a=%7B%7D", None, pairs("{}")),
            ("{=1", None, None),
        ] {
            let read = match JsonOrForm::<Pairs>::from_body(&Bytes::from_static(body.as_bytes())) {
                Ok(JsonOrForm::Json(json)) => (Some(json), None),
                Ok(JsonOrForm::Form(form)) => (None, Some(form)),
                Err(_) => (None, None),
            };
            assert_eq!(read, (json, form), "{body}");
        }
    }
}
