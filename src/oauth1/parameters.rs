use std::collections::HashMap;
use std::sync::LazyLock;

use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Method, Version};
use memchr::memmem::Finder;

use super::base_string::{self, BaseString, Order};
use super::pairs::Pairs;
use super::quirks::Quirks;
use crate::query::Query;
use crate::received;
use crate::rejection::Reason;
use crate::text::headers::once;
use crate::text::percent::{decode_escapes, decode_form};

/// Where the OAuth parameters may be.
///
/// ```
/// use tower_sso::oauth1::Transport;
///
/// assert_ne!(Transport::Query, Transport::Header);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// The query (RFC 5849, 3.5.3).
    Query,
    /// The `Authorization` header (RFC 5849, 3.5.1).
    Header,
    /// A body of type `application/x-www-form-urlencoded` (RFC 5849, 3.5.2), as LTI 1.1 launches use it.
    Form,
}

/// The indices of the protocol's parameters in [`PROTOCOL`].
pub(super) mod protocol {
    pub(crate) const CONSUMER_KEY: usize = 0;
    pub(crate) const NONCE: usize = 1;
    pub(crate) const TIMESTAMP: usize = 2;
    pub(crate) const SIGNATURE_METHOD: usize = 3;
    pub(crate) const SIGNATURE: usize = 4;
    pub(crate) const VERSION: usize = 5;
    pub(crate) const TOKEN: usize = 6;
    pub(crate) const BODY_HASH: usize = 8;
}

/// The prefix of the protocol's parameters.
const PREFIX: &[u8] = b"oauth_";

/// The parameters that the protocol defines.
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

/// The parameters, decoded, in order of arrival.
pub(super) struct Parameters {
    all: Pairs,
    /// The place of each protocol parameter that is present.
    protocol: [Option<usize>; PROTOCOL.len()],
    /// How many are in the query, and how many in the query and the form.
    ends: [usize; 2],
}

/// A text that may have been signed, and which parameters of the query it leaves out, as they are in the form too.
pub(super) struct Reading {
    pub(super) base_string: BaseString,
    copies: Vec<usize>,
}

/// Whether the parameters are in a place where the layer accepts them.
pub(super) fn are_present(head: &Parts, transports: &[Transport]) -> bool {
    static OAUTH: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(PREFIX));
    // Escaped spellings, such as `oauth%5Fsignature`, name the same parameter.
    let in_query = || {
        let query = received::uri(head).query().unwrap_or_default().as_bytes();
        // Fast path: the usual spelling.
        let at = OAUTH.find(query).and_then(|at| query.get(..at));
        if at.is_some_and(|before| before.last().is_none_or(|byte| *byte == b'&')) {
            return true;
        }
        let mut names = Query::of(received::uri(head)).pairs().map(|(name, _)| name);
        let is_escaped = |name: &str| {
            name.bytes().any(|byte| byte == b'%') && decode_form(name).is_ok_and(|name| is_protocol(&name))
        };
        names.any(|name| is_protocol(name) || is_escaped(name))
    };
    transports.iter().any(|transport| match transport {
        Transport::Query => in_query(),
        Transport::Header => is_oauth_header(head),
        Transport::Form => is_form(head),
    })
}

/// Whether the head has a hash of the body. Unreadable parameters are refused later, in `extract`.
pub(super) fn state_body_hash(head: &Parts, transports: &[Transport]) -> bool {
    may_have_body(head)
        && Parameters::read(head, &[], transports).is_ok_and(|read| read.protocol(protocol::BODY_HASH).is_some())
}

/// Fast path: a link that is followed. Before HTTP/2, a request that announces no body has none (RFC 9112, 6.3).
fn may_have_body(head: &Parts) -> bool {
    let announced_by = [CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING];
    head.method != Method::GET
        || head.version > Version::HTTP_11
        || announced_by.iter().any(|name| head.headers.contains_key(name))
}

impl Parameters {
    pub(super) fn read(head: &Parts, body: &[u8], transports: &[Transport]) -> Result<Self, Reason> {
        // With two, the application could read an unsigned body as a form.
        once(&head.headers, &CONTENT_TYPE)?;
        let malformed = |what: &'static str| move |problem| Reason::Malformed(what.into(), problem);
        let query = received::uri(head).query().unwrap_or_default();
        let in_body = if is_form(head) { body } else { &[] };
        let mut all = Pairs::with_room_for(query.len() + in_body.len());
        let mut protocol = Protocol::default();
        all.push_form(query).map_err(malformed("query"))?;
        let in_query = protocol.find_in(&all);
        let end_of_query = all.len();
        if !in_body.is_empty() {
            let body = std::str::from_utf8(in_body).map_err(|_| malformed("body")("is not UTF-8"))?;
            all.push_form(body).map_err(malformed("body"))?;
        }
        let in_body = protocol.find_in(&all);
        let ends = [end_of_query, all.len()];
        header(head, &mut all)?;
        let in_header = protocol.find_in(&all);
        let used = [(Transport::Query, in_query), (Transport::Form, in_body), (Transport::Header, in_header)];
        let mut used = used.into_iter().filter_map(|(transport, used)| used.then_some(transport));
        match (used.next(), used.next()) {
            (None, _) => Err(Reason::MissingParameter("oauth_signature".into())),
            (Some(transport), None) if transports.contains(&transport) => {
                Ok(Self { protocol: protocol.unambiguous(&all)?, all, ends })
            }
            (Some(_), None) => Err(Reason::Malformed("oauth_signature".into(), "is where this layer does not take it")),
            (Some(_), Some(_)) => Err(Reason::DuplicateParameter("oauth_signature".into())),
        }
    }

    /// A protocol parameter.
    pub(super) fn protocol(&self, which: usize) -> Option<&str> {
        let place = self.protocol.get(which).copied().flatten()?;
        self.all.value(place)
    }

    pub(super) fn required(&self, which: usize) -> Result<&str, Reason> {
        let name = PROTOCOL.get(which).copied().unwrap_or_default();
        self.protocol(which).ok_or(Reason::MissingParameter(name.into()))
    }

    /// The signature base string, of all parameters but the signature itself: by the RFC, and by each of the quirks
    /// that makes another one.
    pub(super) fn readings(&self, method: &str, base_uri: (&str, &str), quirks: Quirks) -> (Reading, Vec<Reading>) {
        let signature = self.protocol.get(protocol::SIGNATURE).copied().flatten();
        let read = |copies: Vec<usize>, order| {
            let is_left_out = |position| Some(position) == signature || copies.binary_search(&position).is_ok();
            Reading { base_string: base_string::build(method, base_uri, &self.all, is_left_out, order), copies }
        };
        let mut others = Vec::new();
        if quirks.caseless_names {
            others.push(read(Vec::new(), Order::Caseless));
        }
        if quirks.copied_query {
            let copies = self.copies();
            if !copies.is_empty() {
                others.push(read(copies, Order::Bytes));
            }
        }
        #[cfg(feature = "explain")]
        if quirks.unsigned_query {
            let [end_of_query, _] = self.ends;
            others.push(read((0..end_of_query).collect(), Order::Bytes));
        }
        (read(Vec::new(), Order::Bytes), others)
    }

    /// The places of the query's pairs that are in the form too, each as often.
    fn copies(&self) -> Vec<usize> {
        let [query, form] = self.ends;
        let mut in_form = HashMap::<_, usize>::new();
        for pair in self.all.iter().take(form).skip(query) {
            *in_form.entry(pair).or_default() += 1;
        }
        let mut copies = Vec::new();
        for (position, pair) in self.all.iter().take(query).enumerate() {
            if let Some(left) = in_form.get_mut(&pair).filter(|left| **left > 0) {
                *left -= 1;
                copies.push(position);
            }
        }
        copies
    }

    /// The names of all parameters, in order of arrival.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.all.iter().map(|(name, _)| name)
    }

    /// Every signed pair that is not the protocol's, wherever it is: a signature does not cover the place.
    /// A pair that was signed once for two places is one claim.
    pub(super) fn claims<'a>(&'a self, reading: &'a Reading) -> impl Iterator<Item = (&'a str, &'a str)> {
        let is_copy = |position: usize| reading.copies.binary_search(&position).is_ok();
        let signed = self.all.iter().enumerate().filter(move |(position, _)| !is_copy(*position));
        signed.map(|(_, pair)| pair).filter(|(name, _)| !is_protocol(name))
    }
}

/// The protocol's parameters among all parameters.
#[derive(Default)]
struct Protocol {
    /// How many parameters have been scanned.
    seen: usize,
    known: [Option<usize>; PROTOCOL.len()],
    unknown: Vec<usize>,
    /// A duplicate protocol parameter.
    twice: Option<&'static str>,
}

impl Protocol {
    /// Scans the parameters added since. Returns whether one of the protocol's is among them.
    fn find_in(&mut self, all: &Pairs) -> bool {
        let mut found = false;
        for position in self.seen..all.len() {
            let name = all.name(position);
            if !is_protocol(name) {
                continue;
            }
            found = true;
            match PROTOCOL.iter().zip(&mut self.known).find(|(known, _)| **known == name) {
                Some((known, Some(_))) => _ = self.twice.get_or_insert(known),
                Some((_, place)) => *place = Some(position),
                None => self.unknown.push(position),
            }
        }
        self.seen = all.len();
        found
    }

    /// A protocol parameter may appear once, even if this form does not know it.
    fn unambiguous(self, all: &Pairs) -> Result<[Option<usize>; PROTOCOL.len()], Reason> {
        let mut unknown: Vec<_> = self.unknown.into_iter().map(|position| all.name(position)).collect();
        // Sorted, so that equal names are neighbours.
        unknown.sort_unstable();
        let side_by_side = unknown.array_windows().any(|[one, next]| one == next);
        // An unknown name comes from anybody and must not be repeated.
        match self.twice.or(side_by_side.then_some("oauth_…")) {
            Some(name) => Err(Reason::DuplicateParameter(name.into())),
            None => Ok(self.known),
        }
    }
}

pub(super) fn is_oauth_header(head: &Parts) -> bool {
    head.headers.get_all(AUTHORIZATION).iter().any(|value| scheme_and_rest(value.as_bytes()).is_some())
}

pub(super) fn is_protocol(name: &str) -> bool {
    name.as_bytes().starts_with(PREFIX)
}

/// Whether the body is a form, and so signed. A type that only begins like a form's counts: axum's `Form` reads such a
/// body, so a handler could mistake an unsigned one for signed.
pub(super) fn is_form(head: &Parts) -> bool {
    const FORM: &[u8] = b"application/x-www-form-urlencoded";
    let given = head.headers.get(CONTENT_TYPE).map_or(&[][..], |given| given.as_bytes().trim_ascii_start());
    given.get(..FORM.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(FORM))
}

/// The credentials after `OAuth `, case-insensitive (RFC 7235, 2.1).
fn scheme_and_rest(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(6)?;
    scheme.eq_ignore_ascii_case(b"OAuth ").then_some(rest)
}

/// Adds the parameters of the `Authorization` header (RFC 5849, 3.5.1) except `realm`, which is not signed. All others
/// are signed, OAuth's or not (3.4.1.3.1).
fn header(head: &Parts, all: &mut Pairs) -> Result<(), Reason> {
    let malformed = |what| Reason::Malformed("authorization".into(), what);
    let mut values = head.headers.get_all(AUTHORIZATION).iter().filter_map(|value| scheme_and_rest(value.as_bytes()));
    let Some(value) = values.next() else { return Ok(()) };
    if values.next().is_some() {
        return Err(Reason::DuplicateParameter("authorization".into()));
    }
    let value = std::str::from_utf8(value).map_err(|_| malformed("is not text"))?;
    for pair in outside_quotes(value).map(str::trim).filter(|pair| !pair.is_empty()) {
        let quoted =
            pair.split_once('=').and_then(|(name, value)| Some((name.trim(), value.trim().strip_prefix('"')?)));
        let (name, value) = quoted
            .and_then(|(name, value)| Some((name, value.strip_suffix('"')?)))
            .ok_or_else(|| malformed("is not a list of name=\"value\""))?;
        if name.eq_ignore_ascii_case("realm") {
            continue;
        }
        if name.is_empty() || name.contains(|c: char| c == '"' || c.is_whitespace()) {
            return Err(malformed("has a parameter without a name"));
        }
        // Percent-encoding, not form data: `+` stays `+`.
        let decode = |text| decode_escapes(text).map_err(malformed);
        let (name, value) = (decode(name)?, decode(value)?);
        all.push(&name, &value).map_err(malformed)?;
    }
    Ok(())
}

/// Splits a list at its commas; `realm` may contain commas between its quotes.
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
