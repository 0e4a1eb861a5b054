use std::borrow::Cow;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use memchr::memmem;

use super::text::Text;
use crate::clock::UnixTime;
use crate::fields::Texts;
use crate::form::Presence;
use crate::query::{self, Query};
use crate::rejection::Reason;

/// Where the OAuth parameters may stand.
///
/// ```
/// use tower_sso::oauth1::Transport;
///
/// assert_ne!(Transport::Query, Transport::Header);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The query (RFC 5849, 3.5.3).
    Query,
    /// The `Authorization` header (RFC 5849, 3.5.1).
    Header,
    /// A body of type `application/x-www-form-urlencoded` (RFC 5849, 3.5.2): what LTI 1.1 launches use.
    Form,
}

/// Where the protocol's parameters stand in [`PROTOCOL`].
pub(super) mod protocol {
    pub(crate) const CONSUMER_KEY: usize = 0;
    pub(crate) const NONCE: usize = 1;
    pub(crate) const TIMESTAMP: usize = 2;
    pub(crate) const SIGNATURE_METHOD: usize = 3;
    pub(crate) const SIGNATURE: usize = 4;
    pub(crate) const VERSION: usize = 5;
    pub(crate) const TOKEN: usize = 6;
}

/// The parameters that the protocol itself knows.
pub(super) const PROTOCOL: [&str; 9] = [
    "oauth_consumer_key",
    "oauth_nonce",
    "oauth_timestamp",
    "oauth_signature_method",
    "oauth_signature",
    "oauth_version",
    "oauth_token",
    "oauth_callback",
    "oauth_body_hash",
];

/// All that is signed, decoded, in the order of its arrival; and the signature.
pub(super) struct Parameters<'a> {
    all: Pairs<'a>,
    /// Where each of the protocol's own stands, if it is there.
    protocol: [Option<usize>; PROTOCOL.len()],
}

pub(super) fn presence(head: &Parts, transports: &[Transport]) -> Presence {
    // In whatever spelling: what is signed in the query or the header signs a form body too, which must then be read.
    let in_query = || {
        let query = head.uri.query().unwrap_or_default().as_bytes();
        // Where it is spelled as everybody spells it, it is found at once.
        let at = memmem::find(query, b"oauth_").and_then(|at| query.get(..at));
        if at.is_some_and(|before| before.last().is_none_or(|byte| *byte == b'&')) {
            return true;
        }
        let mut names = Query::of(&head.uri).pairs().map(|(name, _)| name);
        let is_escaped = |name: &str| {
            name.bytes().any(|byte| byte == b'%') && query::decode(name).is_ok_and(|name| is_protocol(&name))
        };
        names.any(|name| is_protocol(name) || is_escaped(name))
    };
    let is_form = is_form(head);
    let present = transports.iter().any(|transport| match transport {
        Transport::Query => in_query(),
        Transport::Header => is_oauth_header(head),
        Transport::Form => is_form,
    });
    match (present, is_form) {
        (false, _) => Presence::Absent,
        (true, true) => Presence::InBody,
        (true, false) => Presence::InHead,
    }
}

impl<'a> Parameters<'a> {
    pub(super) fn read(head: &'a Parts, body: &'a Bytes, transports: &[Transport]) -> Result<Self, Reason> {
        if head.headers.get_all(CONTENT_TYPE).iter().nth(1).is_some() {
            // The application could take for a form what is not one here, and so was not signed.
            return Err(Reason::DuplicateParameter("content-type".into()));
        }
        let mut all = decode_form(head.uri.query().unwrap_or_default(), "query")?;
        let in_body = if is_form(head) {
            let body = std::str::from_utf8(body).map_err(|_| Reason::Malformed("body".into(), "is not UTF-8"))?;
            decode_form(body, "body")?
        } else {
            Vec::new()
        };
        let in_header = header(head)?;
        let has_protocol = |pairs: &Pairs<'_>| pairs.iter().any(|(name, _)| is_protocol(name));
        let used = [
            (Transport::Query, has_protocol(&all)),
            (Transport::Form, has_protocol(&in_body)),
            (Transport::Header, !in_header.is_empty()),
        ];
        let mut used = used.into_iter().filter_map(|(transport, used)| used.then_some(transport));
        match (used.next(), used.next()) {
            (None, _) => Err(Reason::MissingParameter("oauth_signature".into())),
            (Some(transport), None) if transports.contains(&transport) => {
                all.extend(in_body.into_iter().chain(in_header));
                Self::unambiguous(all)
            }
            (Some(_), None) => Err(Reason::Malformed("oauth_signature".into(), "is where this layer does not take it")),
            (Some(_), Some(_)) => Err(Reason::DuplicateParameter("oauth_signature".into())),
        }
    }

    /// A parameter of the protocol may be there once, whether this form knows it or not.
    fn unambiguous(all: Pairs<'a>) -> Result<Self, Reason> {
        let (mut protocol, mut unknown) = ([None; PROTOCOL.len()], Vec::new());
        let twice = |name: &str| Err(Reason::DuplicateParameter(name.to_owned().into()));
        for (position, (name, _)) in all.iter().enumerate().filter(|(_, (name, _))| is_protocol(name)) {
            match PROTOCOL.iter().zip(&mut protocol).find(|(known, _)| ***known == **name) {
                Some((_, Some(_))) => return twice(name),
                Some((_, place)) => *place = Some(position),
                None => unknown.push(&**name),
            }
        }
        // Equal ones come to stand side by side, however many there are.
        unknown.sort_unstable();
        if let Some([name, _]) = unknown.array_windows().find(|[one, next]| one == next) {
            return twice(name);
        }
        Ok(Self { all, protocol })
    }

    /// A parameter of the protocol.
    pub(super) fn protocol(&self, which: usize) -> Option<&str> {
        let place = self.protocol.get(which).copied().flatten()?;
        self.all.get(place).map(|(_, value)| &**value)
    }

    pub(super) fn required(&self, which: usize) -> Result<&str, Reason> {
        let name = PROTOCOL.get(which).copied().unwrap_or_default();
        self.protocol(which).ok_or(Reason::MissingParameter(name.into()))
    }

    /// What is signed: all but the signature itself.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Text<'a>, &Text<'a>)> {
        let signature = self.protocol.get(protocol::SIGNATURE).copied().flatten();
        let others = self.all.iter().enumerate().filter(move |(position, _)| Some(*position) != signature);
        others.map(|(_, (name, value))| (name, value))
    }

    /// What is signed and not of the protocol: names and values in turn.
    pub(super) fn claims(&self) -> Texts {
        let claims = || self.all.iter().filter(|(name, _)| !is_protocol(name)).flat_map(|(name, value)| [name, value]);
        let mut texts = Texts::with_capacity(claims().count(), claims().map(|text| text.len()).sum());
        claims().for_each(|text| texts.push(text));
        texts
    }
}

/// Digits in their one spelling.
pub(super) fn timestamp(text: &str) -> Option<UnixTime> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten().map(UnixTime::from_secs)
}

pub(super) fn is_oauth_header(head: &Parts) -> bool {
    head.headers.get_all(AUTHORIZATION).iter().any(|value| scheme_and_rest(value.as_bytes()).is_some())
}

fn is_protocol(name: &str) -> bool {
    name.starts_with("oauth_")
}

fn is_form(head: &Parts) -> bool {
    let Some(given) = head.headers.get(CONTENT_TYPE) else { return false };
    let essence = given.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

type Pairs<'a> = Vec<(Text<'a>, Text<'a>)>;

/// Everything is signed, so everything must be decodable.
fn decode_form<'a>(form: &'a str, what: &'static str) -> Result<Pairs<'a>, Reason> {
    let decode = |text| Text::decode(text).map_err(|problem| Reason::Malformed(what.into(), problem));
    let mut pairs = Vec::with_capacity(16);
    for [name, value] in query::spelled(form) {
        pairs.push((decode(name)?, decode(value)?));
    }
    Ok(pairs)
}

/// The credentials after `OAuth `, in any case of letters (RFC 7235, 2.1).
fn scheme_and_rest(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(6)?;
    scheme.eq_ignore_ascii_case(b"OAuth ").then_some(rest)
}

/// The parameters of the `Authorization` header (RFC 5849, 3.5.1), less `realm`, which is not signed.
fn header(head: &Parts) -> Result<Pairs<'_>, Reason> {
    let malformed = |what| Reason::Malformed("authorization".into(), what);
    let mut values = head.headers.get_all(AUTHORIZATION).iter().filter_map(|value| scheme_and_rest(value.as_bytes()));
    let Some(value) = values.next() else { return Ok(Vec::new()) };
    if values.next().is_some() {
        return Err(Reason::DuplicateParameter("authorization".into()));
    }
    let value = std::str::from_utf8(value).map_err(|_| malformed("is not text"))?;
    let mut pairs = Vec::new();
    for pair in outside_quotes(value).map(str::trim).filter(|pair| !pair.is_empty()) {
        let quoted =
            pair.split_once('=').and_then(|(name, value)| Some((name.trim(), value.trim().strip_prefix('"')?)));
        let (name, value) = quoted
            .and_then(|(name, value)| Some((name, value.strip_suffix('"')?)))
            .ok_or_else(|| malformed("is not a list of name=\"value\""))?;
        if name.eq_ignore_ascii_case("realm") {
            continue;
        }
        // Percent-encoded, not form data: a plus is a plus.
        let decode = |text: &str| -> Result<Cow<'_, str>, Reason> {
            let text = text.replace('+', "%2B");
            query::decode(&text).map(|text| Cow::Owned(text.into_owned())).map_err(malformed)
        };
        let (name, value) = (decode(name)?, decode(value)?);
        if !is_protocol(&name) {
            return Err(malformed("has a parameter that is not OAuth's"));
        }
        pairs.push((name.into(), value.into()));
    }
    Ok(pairs)
}

/// Parts a list at its commas; `realm` may have some between its quotes.
fn outside_quotes(list: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    list.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        c == ',' && !quoted
    })
}
