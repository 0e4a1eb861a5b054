//! What is signed of a request besides its body, time and id.

use std::borrow::Cow;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use super::cuts::{is_uri, is_uri_byte};
use super::listed::Listed;
use super::signed::{Part, Template};
use crate::ConfigProblem;
use crate::query::Query;
use crate::received;
use crate::rejection::Reason;
use crate::replay::FingerprintHasher;
use crate::scheme::Origin;
use crate::text::crc32::crc32;
use crate::text::headers::check_content;
use crate::text::hex::{decode_hex_into, encode_hex};
use crate::text::percent::{decode_form, unescape};

pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// How many fields a signed form may have. They are decoded and sorted before the signature is checked, so anyone can
/// have that done; senders send a few dozen.
const MOST_FIELDS: usize = 1_000;

/// How the request is read for the signed text.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) origin: Option<Origin>,
    /// Whether the sender may sign the URL with or without a port.
    pub(super) any_port: bool,
    /// The characters whose escapes the sender may decode before it signs the URL.
    pub(super) decoded: &'static str,
    /// What the sender leaves out in front of the path.
    pub(super) base_path: Cow<'static, str>,
    /// The query parameter that holds the SHA-256 of the body.
    pub(super) body_digest: Option<Cow<'static, str>>,
    pub(super) listed: Option<Listed>,
}

/// The parts of one request. What the template does not name is empty.
#[derive(Clone, Default)]
pub(super) struct Requested {
    method: Method,
    /// The second is another spelling.
    urls: (String, Option<String>),
    path: String,
    query: String,
    form: String,
    body_sha256: String,
    body_crc32: String,
    encoded_uri: String,
    headers: String,
}

impl Reading {
    pub(super) fn new() -> Self {
        Self { origin: None, any_port: false, decoded: "", base_path: "".into(), body_digest: None, listed: None }
    }

    pub(super) fn check(&self, template: &Template) -> Result<(), ConfigProblem> {
        match &self.origin {
            None if template.has(&Part::Url) => {
                return Err(ConfigProblem::setting(
                    "origin",
                    "is not set, but the URL is signed: give the address that the sender is given, without its path",
                ));
            }
            Some(_) if !template.has(&Part::Url) => {
                return Err(ConfigProblem::setting("origin", "is set, but no URL is signed: put {url} into `signed`"));
            }
            Some(origin) => origin.check_url()?,
            None => {}
        }
        let is_path = |base: &str| base.starts_with('/') && base.chars().all(|c| is_uri_byte(c) && c != '?');
        let is_below = template.has(&Part::Path) && is_path(&self.base_path);
        if !(self.base_path.is_empty() || is_below) {
            return Err(ConfigProblem::setting("path_below", "is not a path like `/app`, or no {path} is in `signed`"));
        }
        if template.has(&Part::Headers) != self.listed.is_some() {
            return Err(ConfigProblem::setting(
                "signed_headers",
                "goes with {headers} in `signed`: name the header that lists those which are signed",
            ));
        }
        if !self.decoded.chars().all(is_uri) {
            return Err(ConfigProblem::setting(
                "url_decoded",
                "names characters that no URI holds: they could end the URL in the signed text",
            ));
        }
        if self.any_port && !self.decoded.is_empty() {
            return Err(ConfigProblem::setting(
                "url_decoded",
                "goes with `url_with_or_without_port` only if four spellings were tried: take one of them",
            ));
        }
        Ok(())
    }

    /// The parts that the template names.
    ///
    /// If the sender lists the headers that it signs, these must be among them.
    pub(super) fn of(
        &self,
        template: &Template,
        head: &Parts,
        body: &Bytes,
        stated: [&Option<HeaderName>; 2],
    ) -> Result<Requested, Reason> {
        let uri = received::uri(head);
        let mut found = Requested::default();
        if template.has(&Part::Method) {
            found.method = head.method.clone();
        }
        if [Part::Url, Part::Path, Part::Query, Part::EncodedUri].iter().any(|part| template.has(part)) {
            let target = uri.path_and_query().map_or("/", |target| target.as_str());
            if !target.chars().all(is_uri_byte) {
                return Err(Reason::Malformed("URI".into(), "has characters that no URI has"));
            }
        }
        if let (Some(origin), true) = (&self.origin, template.has(&Part::Url)) {
            let (url, other_port) = origin.urls(head)?;
            let other = if self.any_port { Some(other_port) } else { decode(&url, self.decoded) };
            found.urls = (url, other);
        }
        if template.has(&Part::Path) {
            let path = received::path_below(uri, &self.base_path);
            let path =
                path.ok_or(Reason::Malformed("path".into(), "does not begin with the app's own: see `path_below`"));
            path?.clone_into(&mut found.path);
        }
        if template.has(&Part::Query) {
            uri.query().unwrap_or_default().clone_into(&mut found.query);
        }
        if template.has(&Part::EncodedUri) {
            found.encoded_uri = encode_twice(uri)?;
        }
        if let (Some(listed), true) = (&self.listed, template.has(&Part::Headers)) {
            found.headers = listed.text(&head.headers, stated.into_iter().flatten())?;
        }
        let is_form = check_content(&head.headers, Some(FORM)).is_ok();
        if template.has(&Part::Form) && is_form {
            found.form = sorted_form(body)?;
        }
        if template.has(&Part::BodySha256) {
            found.body_sha256 = encode_hex(&Sha256::digest(body));
        }
        if template.has(&Part::BodyCrc32) {
            found.body_crc32 = crc32(body).to_string();
        }
        if let Some(name) = &self.body_digest {
            let is_signed = template.covers_any_body() || (template.has(&Part::Form) && is_form);
            check_digest(uri, name, body, is_signed)?;
        }
        let (starts, ends) = template.needs_json().into();
        let is_json = |byte: Option<&u8>, among: [u8; 2]| byte.is_none_or(|byte| among.contains(byte));
        if (starts && !is_json(body.first(), *b"{[")) || (ends && !is_json(body.last(), *b"}]")) {
            return Err(Reason::Malformed("body".into(), "is neither an object nor a list of JSON, and nothing else"));
        }
        Ok(found)
    }
}

/// Compares a signed statement about the body with the body. Without one, an unsigned body is refused.
///
/// If nothing else signs the body, the statement ends the query: a form's text that was moved to the query would go on.
fn check_digest(uri: &http::Uri, name: &str, body: &Bytes, is_signed: bool) -> Result<(), Reason> {
    let Some(stated) = Query::of(uri).value(name)? else {
        return if is_signed || body.is_empty() {
            Ok(())
        } else {
            Err(Reason::MissingParameter(name.to_owned().into()))
        };
    };
    let last = uri.query().and_then(|query| query.rsplit('&').next()).and_then(|last| last.strip_prefix(name));
    if !is_signed && !last.is_some_and(|rest| rest.starts_with('=')) {
        return Err(Reason::Malformed(name.to_owned().into(), "is not the query's last parameter"));
    }
    let mut digest = [0; 32];
    let is_right = decode_hex_into(&stated, &mut digest).is_some() && digest == *Sha256::digest(body);
    if is_right { Ok(()) } else { Err(Reason::Malformed(name.to_owned().into(), "is not the body's SHA-256")) }
}

/// Names and values, decoded, sorted by name, one after the other.
fn sorted_form(body: &[u8]) -> Result<String, Reason> {
    let malformed = |what| Reason::Malformed("body".into(), what);
    let text = std::str::from_utf8(body).map_err(|_| malformed("is not UTF-8"))?;
    if Query::new(text).pairs().nth(MOST_FIELDS).is_some() {
        return Err(malformed("has more fields than any sender signs"));
    }
    let decode = |(name, value)| Ok((decode_form(name)?, decode_form(value)?));
    let mut pairs = Query::new(text).pairs().map(decode).collect::<Result<Vec<_>, _>>().map_err(malformed)?;
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut sorted = String::with_capacity(body.len());
    pairs.iter().for_each(|(name, value)| sorted.extend([&**name, &**value]));
    Ok(sorted)
}

/// Path and query as JavaScript's `encodeURI` writes them, the query escaped once more before that.
fn encode_twice(uri: &http::Uri) -> Result<String, Reason> {
    const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'!')
        .remove(b'~')
        .remove(b'*')
        .remove(b'\'')
        .remove(b'(')
        .remove(b')');
    const URI: &AsciiSet = &COMPONENT
        .remove(b';')
        .remove(b',')
        .remove(b'/')
        .remove(b'?')
        .remove(b':')
        .remove(b'@')
        .remove(b'&')
        .remove(b'=')
        .remove(b'+')
        .remove(b'$')
        .remove(b'#');
    let query = uri.query().unwrap_or_default();
    if query.contains('?') {
        return Err(Reason::Malformed("URI".into(), "has a second question mark, and what follows is not signed"));
    }
    let query = utf8_percent_encode(query, COMPONENT).to_string();
    let question_mark = if query.is_empty() { "" } else { "?" };
    Ok(utf8_percent_encode(&[uri.path(), question_mark, &query].concat(), URI).to_string())
}

/// The URL with the escapes of these characters decoded, if it has any.
fn decode(url: &str, characters: &str) -> Option<String> {
    if characters.is_empty() || !url.contains('%') {
        return None;
    }
    let (mut decoded, mut rest, mut has_any) = (String::with_capacity(url.len()), url, false);
    while let Some(at) = rest.find('%') {
        let (plain, escape) = rest.split_at(at);
        let found = unescape(escape.as_bytes()).ok().map(|(byte, length)| (char::from(byte), length));
        let (text, length) = match found.filter(|(character, _)| characters.contains(*character)) {
            Some((character, length)) => (Cow::from(character.to_string()), length),
            None => (Cow::from("%"), 1),
        };
        has_any |= length > 1;
        decoded.extend([plain, &*text]);
        rest = escape.get(length..).unwrap_or_default();
    }
    decoded.push_str(rest);
    has_any.then_some(decoded)
}

impl Requested {
    /// How many spellings of the signed text are tried.
    pub(super) fn spellings(&self) -> usize {
        1 + usize::from(self.urls.1.is_some())
    }

    /// The text of a part. Parts that are not read from the request as a whole have none.
    pub(super) fn text(&self, part: &Part, spelling: usize) -> &str {
        match (part, &self.urls) {
            (Part::Url, (_, Some(other))) if spelling > 0 => other,
            (Part::Url, (url, _)) => url,
            (Part::Method, _) => self.method.as_str(),
            (Part::Path, _) => &self.path,
            (Part::Query, _) => &self.query,
            (Part::Form, _) => &self.form,
            (Part::BodySha256, _) => &self.body_sha256,
            (Part::BodyCrc32, _) => &self.body_crc32,
            (Part::EncodedUri, _) => &self.encoded_uri,
            (Part::Headers, _) => &self.headers,
            (Part::Literal(_) | Part::Timestamp | Part::Id | Part::Body, _) => "",
        }
    }

    /// Adds all that was signed, in the spelling that was signed.
    pub(super) fn add_to(&self, fingerprint: &mut FingerprintHasher, spelling: usize) {
        use Part::{BodyCrc32, BodySha256, EncodedUri, Form, Headers, Method, Path, Query, Url};
        for part in [Method, Url, Path, Query, EncodedUri, Headers, Form, BodySha256, BodyCrc32] {
            fingerprint.part(self.text(&part, spelling).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_sorted_by_name() {
        for (form, expected) in [
            ("b=2&a=1", Some("a1b2")),
            ("a=2&a=1", Some("a2a1")),
            ("a=%2B1&B=x+y", Some("Bx ya+1")),
            ("", Some("")),
            ("a", Some("a")),
            ("a=%zz", None),
        ] {
            assert_eq!(sorted_form(form.as_bytes()).ok().as_deref(), expected, "{form}");
        }
    }

    #[test]
    fn forms_of_more_fields_than_a_sender_has_are_refused() {
        for (form, is_read) in [
            ("a=1&".repeat(MOST_FIELDS), true),
            ("a=1&".repeat(MOST_FIELDS + 1), false),
            ("a".to_owned() + &"&".repeat(MOST_FIELDS + 1), true),
            (format!("a={}", "1".repeat(1024 * 1024)), true),
        ] {
            assert_eq!(sorted_form(form.as_bytes()).is_ok(), is_read, "{} bytes", form.len());
        }
    }

    #[test]
    fn only_these_escapes_are_decoded() {
        for (url, expected) in [
            ("https://a.example/x", None),
            ("https://a.example/x?a=%20b", None),
            ("https://a.example/x?a=%3a%20%2F%", Some("https://a.example/x?a=:%20/%")),
            ("https://a.example/%253A%3A", Some("https://a.example/%253A:")),
        ] {
            assert_eq!(decode(url, ":/").as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn uris_are_encoded_as_in_javascript() {
        for (uri, expected) in [
            ("/api/resources/1", Some("/api/resources/1")),
            ("/a%20b", Some("/a%2520b")),
            ("/a?b=1&c=d", Some("/a?b%253D1%2526c%253Dd")),
            ("/a?", Some("/a")),
            ("/a?b?c", None),
        ] {
            assert_eq!(encode_twice(&uri.parse().unwrap()).ok().as_deref(), expected, "{uri}");
        }
    }
}
