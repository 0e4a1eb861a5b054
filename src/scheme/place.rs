use std::borrow::Cow;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::ConfigProblem;
use crate::form::Presence;
use crate::query::Query;
use crate::rejection::Reason;
use crate::text::cookies::{cookie, remove_cookie};
use crate::text::headers::{check_content, once_text};
use crate::text::json::Object;

/// Where in a request a value is: a token, a signature, a payload.
///
/// A value that is there twice is refused. Values of queries and forms are decoded as form data.
///
/// ```
/// use tower_sso::scheme::Place;
///
/// let places = [
///     Place::query("sso_jwt"),                                             // ?sso_jwt=…
///     Place::form("jwt"),                                                  // a form's field
///     Place::header(http::HeaderName::from_static("x-app-token")),         // X-App-Token: …
///     Place::bearer(),                                                     // Authorization: Bearer …
///     Place::cookie("CF_Authorization"),                                   // Cookie: CF_Authorization=…
///     Place::json("token"),                                                // {"token": "…"}
///     Place::body("application/jwt"),                                      // a body that is the value
/// ];
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(pub(crate) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Query(Cow<'static, str>),
    Form(Cow<'static, str>),
    Header {
        name: HeaderName,
        word: Option<Cow<'static, str>>,
    },
    Cookie(Cow<'static, str>),
    Json(Cow<'static, str>),
    /// The type of the body, without parameters.
    Body(Cow<'static, str>),
}

pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const JSON: &str = "application/json";

impl Place {
    /// The query parameter of this name. URLs end up in logs: take another place for a value that works again.
    pub fn query(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Query(name.into()))
    }

    /// The field of this name in a body of type `application/x-www-form-urlencoded`.
    pub fn form(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Form(name.into()))
    }

    /// The whole value of this header.
    pub fn header(name: HeaderName) -> Self {
        Self(Kind::Header { name, word: None })
    }

    /// The rest of this header's value after a word and one space, such as `Token`. The word is read in either case of
    /// letters (RFC 9110, 11.1). A header with another word is taken for another scheme's.
    pub fn header_after(name: HeaderName, word: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Header { name, word: Some(word.into()) })
    }

    /// `Authorization: Bearer …` (RFC 6750, 2.1).
    pub fn bearer() -> Self {
        Self::header_after(AUTHORIZATION, "Bearer")
    }

    /// `Authorization: Basic …` (RFC 7617, 2), whose value is base64 of `user:password`.
    pub fn basic() -> Self {
        Self::header_after(AUTHORIZATION, "Basic")
    }

    /// The cookie of this name. Browsers send it with every request to the host: protect what it signs in from forged
    /// cross-site requests.
    pub fn cookie(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Cookie(name.into()))
    }

    /// The text of this member of a JSON object that is the body.
    pub fn json(member: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Json(member.into()))
    }

    /// The whole body, of this content type with any parameters: `application/jwt`, `text/plain`. It is UTF-8, and
    /// nothing is decoded, stripped or added.
    pub fn body(content_type: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Body(content_type.into()))
    }

    /// Its name, for refusals.
    pub(crate) fn name(&self) -> Cow<'static, str> {
        match &self.0 {
            Kind::Query(name) | Kind::Form(name) | Kind::Cookie(name) | Kind::Json(name) => name.clone(),
            Kind::Header { name, .. } => name.as_str().to_owned().into(),
            Kind::Body(_) => "body".into(),
        }
    }

    /// The query parameter to be taken out of the URI.
    pub(crate) fn parameter(&self) -> Option<Cow<'static, str>> {
        match &self.0 {
            Kind::Query(name) => Some(name.clone()),
            _ => None,
        }
    }

    /// The member of a JSON object that is the body.
    pub(crate) fn json_member(&self) -> Option<&str> {
        match &self.0 {
            Kind::Json(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn is_form(&self) -> bool {
        matches!(self.0, Kind::Form(_))
    }

    pub(crate) fn is_cookie(&self) -> bool {
        matches!(self.0, Kind::Cookie(_))
    }

    /// Whether the value is in the body.
    pub(crate) fn is_in_body(&self) -> bool {
        self.body_type().is_some()
    }

    /// The type of the body that the value is in.
    pub(crate) fn body_type(&self) -> Option<&str> {
        match &self.0 {
            Kind::Form(_) => Some(FORM),
            Kind::Json(_) => Some(JSON),
            Kind::Body(essence) => Some(essence),
            Kind::Query(_) | Kind::Header { .. } | Kind::Cookie(_) => None,
        }
    }

    /// Whether the value is all of the body.
    pub(crate) fn is_whole_body(&self) -> bool {
        matches!(self.0, Kind::Body(_))
    }

    /// Whether a body that holds this value holds something else too.
    pub(crate) fn leaves_some_of(&self, body: &[u8]) -> bool {
        match &self.0 {
            Kind::Form(_) => std::str::from_utf8(body).is_ok_and(|text| Query::new(text).pairs().nth(1).is_some()),
            Kind::Json(_) => Object::read(body).is_ok_and(|object| object.fields().nth(1).is_some()),
            _ => false,
        }
    }

    /// The problem of a name that no request can hold.
    pub(crate) fn check(&self, setting: &'static str) -> Result<(), ConfigProblem> {
        let is_bad = match &self.0 {
            Kind::Query(name) | Kind::Form(name) | Kind::Json(name) => name.is_empty(),
            Kind::Cookie(name) => !is_token(name),
            Kind::Header { word, .. } => word.as_deref().is_some_and(|word| !is_token(word)),
            Kind::Body(essence) => !essence.split_once('/').is_some_and(|(kind, of)| is_token(kind) && is_token(of)),
        };
        match is_bad {
            true => Err(ConfigProblem::setting(
                setting,
                "has a name that no request can have: write it as the partner's page does",
            )),
            false => Ok(()),
        }
    }

    /// Whether the head has the value, or says that the body is of the type that may hold it.
    pub(crate) fn presence(&self, head: &Parts) -> Result<Presence, Reason> {
        let body = |essence| {
            if !head.headers.contains_key(CONTENT_TYPE) {
                return Ok(Presence::Absent);
            }
            check_content(&head.headers, Some(essence)).map(|()| Presence::InBody)
        };
        let in_head = |is_there| if is_there { Presence::InHead } else { Presence::Absent };
        match &self.0 {
            Kind::Form(_) => body(FORM),
            Kind::Json(_) => body(JSON),
            Kind::Body(essence) => body(essence),
            Kind::Query(name) => Ok(in_head(Query::of(&head.uri).raw_value(name)?.is_some())),
            _ => Ok(in_head(self.find(head, &[])?.is_some())),
        }
    }

    /// The value; `None` if it is not there.
    pub(crate) fn find<'a>(&self, head: &'a Parts, body: &'a [u8]) -> Result<Option<Cow<'a, str>>, Reason> {
        match &self.0 {
            Kind::Query(name) => Query::of(&head.uri).value(name),
            Kind::Form(name) => {
                check_content(&head.headers, Some(FORM))?;
                Query::new(text_of(body)?).value(name)
            }
            Kind::Body(essence) => {
                check_content(&head.headers, Some(essence))?;
                Ok(Some(text_of(body)?).filter(|text| !text.is_empty()).map(Cow::Borrowed))
            }
            Kind::Header { name, word } => {
                let Some(value) = once_text(&head.headers, name, "is not ASCII text")? else { return Ok(None) };
                Ok(match word {
                    None => Some(value),
                    Some(word) => after(value, word),
                }
                .map(Cow::Borrowed))
            }
            Kind::Cookie(name) => Ok(cookie(&head.headers, name)?.map(Cow::Borrowed)),
            Kind::Json(member) => {
                check_content(&head.headers, Some(JSON))?;
                let object = Object::read(body)
                    .map_err(|_| Reason::Malformed("body".into(), "is not one JSON object without duplicate names"))?;
                match object.get(member) {
                    Some(Value::String(text)) => Ok(Some(text.into())),
                    None => Ok(None),
                    Some(_) => Err(Reason::Malformed(member.clone(), "is not a string")),
                }
            }
        }
    }

    /// The value, which must be there.
    pub(crate) fn required<'a>(&self, head: &'a Parts, body: &'a [u8]) -> Result<Cow<'a, str>, Reason> {
        self.find(head, body)?.ok_or_else(|| Reason::MissingParameter(self.name()))
    }

    /// Takes the value out of the headers. What is in the query is taken out by [`Self::parameter`]; a body stays as it
    /// came, since its length and digests cover it.
    pub(crate) fn redact(&self, head: &mut Parts) {
        match &self.0 {
            Kind::Header { name, word: None } => _ = head.headers.remove(name),
            Kind::Header { name, word: Some(word) } => {
                let is_ours = |value: &HeaderValue| value.to_str().is_ok_and(|value| after(value, word).is_some());
                if head.headers.get(name).is_some_and(is_ours) {
                    head.headers.remove(name);
                }
            }
            Kind::Cookie(name) => remove_cookie(&mut head.headers, name),
            Kind::Query(_) | Kind::Form(_) | Kind::Json(_) | Kind::Body(_) => {}
        }
    }
}

fn text_of(body: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(body).map_err(|_| Reason::Malformed("body".into(), "is not UTF-8"))
}

/// What follows the word and one space.
fn after<'a>(value: &'a str, word: &str) -> Option<&'a str> {
    let (scheme, rest) = value.split_at_checked(word.len())?;
    rest.strip_prefix(' ').filter(|_| scheme.eq_ignore_ascii_case(word)).map(str::trim_ascii_start)
}

/// A token of HTTP (RFC 9110, 5.6.2), as the names of cookies and schemes are.
fn is_token(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    const FORM_BODY: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    const JWT_BODY: (&str, &str) = ("content-type", "Application/JWT; charset=utf-8");
    const JSON_BODY: (&str, &str) = ("content-type", "application/json");

    #[test]
    fn values_are_found_once() {
        let token = || Place::header(HeaderName::from_static("x-token"));
        let (bearer, cookie, jwt) = (Place::bearer(), Place::cookie("sso"), || Place::body("application/jwt"));
        for (place, uri, headers, body, expected) in [
            (Place::query("t"), "/?t=a%2Bb", &[][..], "", Ok(Some("a+b"))),
            (Place::query("t"), "/?t=1&%74=2", &[], "", Err("twice")),
            (Place::query("t"), "/", &[], "", Ok(None)),
            (Place::form("t"), "/?t=no", &[FORM_BODY], "x=1&t=a+b", Ok(Some("a b"))),
            (Place::form("t"), "/", &[FORM_BODY], "t=1&t=1", Err("twice")),
            (Place::form("t"), "/", &[JSON_BODY], "t=1", Err("another type")),
            (token(), "/", &[("x-token", "abc")], "", Ok(Some("abc"))),
            (token(), "/", &[("x-token", "a"), ("x-token", "a")], "", Err("twice")),
            (token(), "/", &[], "", Ok(None)),
            (bearer.clone(), "/", &[("authorization", "bearer abc")], "", Ok(Some("abc"))),
            (bearer.clone(), "/", &[("authorization", "Basic abc")], "", Ok(None)),
            (bearer.clone(), "/", &[("authorization", "Bearerabc")], "", Ok(None)),
            (bearer, "/", &[("authorization", "Bearer a"), ("authorization", "Basic b")], "", Err("twice")),
            (cookie.clone(), "/", &[("cookie", "a=1; sso=x=y; ssob=2")], "", Ok(Some("x=y"))),
            (cookie.clone(), "/", &[("cookie", "a=1"), ("cookie", "sso=2")], "", Ok(Some("2"))),
            (cookie.clone(), "/", &[("cookie", "sso=1; sso=2")], "", Err("twice")),
            (cookie.clone(), "/", &[("cookie", "%73so=1; sso=2")], "", Err("twice, in another spelling")),
            (cookie.clone(), "/", &[("cookie", "sso =1")], "", Err("another spelling")),
            (cookie, "/", &[("cookie", "xsso=1")], "", Ok(None)),
            (Place::json("t"), "/", &[JSON_BODY], r#"{"t":"a"}"#, Ok(Some("a"))),
            (Place::json("t"), "/", &[JSON_BODY], r#"{"t":"a","t":"b"}"#, Err("twice")),
            (Place::json("t"), "/", &[JSON_BODY], r#"{"t":1}"#, Err("no text")),
            (Place::json("t"), "/", &[JSON_BODY], r#"{"u":"a"}"#, Ok(None)),
            (Place::json("t"), "/", &[JSON_BODY], r#"["t"]"#, Err("no object")),
            (jwt(), "/", &[JWT_BODY], "a.b=c%20+&", Ok(Some("a.b=c%20+&"))),
            (jwt(), "/", &[JWT_BODY], "", Ok(None)),
            (jwt(), "/", &[JSON_BODY], "a", Err("another type")),
            (jwt(), "/", &[], "a", Err("no type")),
        ] {
            let head = head(uri, headers);
            let found = place.find(&head, body.as_bytes());
            assert_eq!(
                found.as_ref().map(Option::as_deref).map_err(drop),
                expected.map_err(drop),
                "{place:?} {uri} {headers:?} {body}: {found:?}"
            );
        }
    }

    #[test]
    fn only_the_value_is_taken_out_of_headers() {
        let headers = [
            ("cookie", "a=1; sso=2; %73so=3"),
            ("cookie", "sso =4; b=3"),
            ("authorization", "Basic abc"),
            ("x-token", "t"),
        ];
        let mut all = head("/", &headers);
        for place in [Place::cookie("sso"), Place::bearer(), Place::header(HeaderName::from_static("x-token"))] {
            place.redact(&mut all);
        }
        let left: Vec<_> = all.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(all.headers.len(), 2, "{left:?}");
        assert!(left.contains(&("cookie", "a=1; b=3")) && left.contains(&("authorization", "Basic abc")), "{left:?}");
        let mut mine = head("/", &[("authorization", "Bearer abc"), ("cookie", "sso=2")]);
        Place::bearer().redact(&mut mine);
        Place::cookie("sso").redact(&mut mine);
        assert!(mine.headers.is_empty());
    }

    #[test]
    fn names_that_no_request_has() {
        for place in [Place::query(""), Place::form(""), Place::json(""), Place::cookie("a=b"), Place::cookie("")] {
            assert!(place.check("place").is_err(), "{place:?}");
        }
        assert!(Place::header_after(AUTHORIZATION, "a b").check("place").is_err());
        for body in ["", "jwt", "application/", "/jwt", "application/jwt; charset=utf-8", "a/b/c"] {
            assert!(Place::body(body).check("place").is_err(), "{body}");
        }
        assert!(Place::bearer().check("place").is_ok());
        assert!(Place::body("application/jwt").check("place").is_ok());
    }

    #[test]
    fn a_body_is_text() {
        let head = head("/", &[JWT_BODY]);
        assert!(Place::body("application/jwt").find(&head, b"a\xff").is_err());
        assert_eq!(Place::body("application/jwt").presence(&head), Ok(Presence::InBody));
    }
}
