//! Other requests that a partner may have signed.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::NearMiss;
use super::bodies::{is_json, other_bodies};
use super::normal_forms::{composed, decomposed};
use crate::near_miss::orders;
use crate::query::Query;
use crate::received;
use crate::text::base64::decode_base64url;
use crate::text::name::shown;
use crate::text::percent::{decode_escapes, decode_form, percent_encoded, quote_plus};

/// How many parameters are looked at. Partners have a dozen.
const MOST_PARAMETERS: usize = 24;

/// How many headers are looked at.
const MOST_HEADERS: usize = 4;

/// How many parameters are swapped and put into another order: the tries grow faster than their number.
const MOST_SWAPPED: usize = 8;

/// Of a longer query or form, no fields are changed: each change is a copy.
const LONGEST_FORM: usize = 16 * 1024;

/// Names that a request may have got wrong.
pub(super) struct Names {
    /// The parameter that was not found.
    pub(super) missing: Option<String>,
    /// The tenant that the request names, and others that there are.
    pub(super) tenant: Option<String>,
    pub(super) other_tenants: Vec<String>,
}

/// Requests that differ from this one in one slip. Each is made when it is asked for.
pub(super) fn other_requests<'r, F: Send + 'r>(
    head: &'r Parts,
    body: &'r Bytes,
    names: &'r Names,
) -> impl Iterator<Item = NearMiss<F>> + Send + 'r {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let (form, json) = if is_json(text) { ("", text) } else { (text, "") };
    let with_head = |(cause, head): (String, Option<Parts>)| Some(NearMiss::request(cause, head?, body.clone()));
    let with_form = |(cause, form): (String, String)| NearMiss::request(cause, head.clone(), form.into());
    let with_body = |(cause, body): (String, Vec<u8>)| NearMiss::request(cause, head.clone(), body.into());
    let paths = other_paths(head.uri.path()).into_iter();
    let paths = paths.map(|(cause, path)| (cause.to_owned(), with_path(head, &path)));
    let other_method = if head.method == Method::GET { Method::POST } else { Method::GET };
    let method = std::iter::once_with(move || {
        let cause = format!("it was signed as a {other_method} request, and came as {}", head.method);
        let mut other = head.clone();
        other.method = other_method;
        (cause, Some(other))
    });
    let headers = other_headers(head).map(|(cause, head)| (cause, Some(head)));
    let query = other_pairs(head.uri.query().unwrap_or_default(), "query", names);
    let query = query.map(|(cause, query)| (cause, with_query(head, &query)));
    (other_bodies(json).map(with_body))
        .chain(headers.chain(paths).chain(method).chain(query).filter_map(with_head))
        .chain(other_pairs(form, "form", names).map(with_form))
        .chain(other_bodies(form).map(with_body))
}

/// Headers that have a signature in another wrapping.
fn other_headers(head: &Parts) -> impl Iterator<Item = (String, Parts)> + Send + '_ {
    let signatures = head.headers.iter().filter(|(name, _)| is_like_a_signature(name)).take(MOST_HEADERS);
    signatures.flat_map(move |(name, value)| {
        let value = value.to_str().unwrap_or_default();
        // Behind `sha256=`, `v1,` or a word.
        let at = value.trim_end_matches(['=', '"', '\'']).rfind(['=', ',', ' ']).map_or(0, |at| at + 1);
        let (before, signature) = value.split_at(at);
        let others = unwrapped(signature).into_iter().filter(move |(_, other)| other != signature && !other.is_empty());
        others.filter_map(move |(what, other)| {
            let mut head = head.clone();
            head.headers.insert(name, HeaderValue::try_from(format!("{before}{other}")).ok()?);
            Some((format!("the signature in the header `{name}` {what}"), head))
        })
    })
}

/// Whether a header's name is like a signature's.
pub(super) fn is_like_a_signature(name: &HeaderName) -> bool {
    ["signature", "hmac", "sign", "digest"].iter().any(|word| name.as_str().contains(word))
}

fn other_paths(path: &str) -> Vec<(&'static str, String)> {
    let slash = match path.strip_suffix('/') {
        Some(shorter) => ("it was signed without the slash at the path's end", shorter.to_owned()),
        None => ("it was signed with a slash at the path's end", format!("{path}/")),
    };
    let mut others = vec![
        slash,
        ("it was signed with one slash where the path has two", path.replace("//", "/")),
        ("it was signed with a second slash before the path", format!("/{path}")),
        ("its path was signed in lower case", path.to_lowercase()),
    ];
    if let Ok(decoded) = decode_escapes(path) {
        others.push(("its path was signed decoded", decoded.into_owned()));
    }
    others.retain(|(_, other)| !other.is_empty() && other != path);
    others
}

/// The head with the URI that the client sent, which other middleware may have put aside.
pub(super) fn as_received(head: &Parts) -> Parts {
    let mut received = head.clone();
    received.uri = received::uri(head).clone();
    #[cfg(feature = "axum")]
    received.extensions.remove::<::axum::extract::OriginalUri>();
    received
}

fn with_query(head: &Parts, query: &str) -> Option<Parts> {
    with_path_and_query(head, format!("{}?{query}", head.uri.path()))
}

fn with_path(head: &Parts, path: &str) -> Option<Parts> {
    let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    with_path_and_query(head, format!("{path}{query}"))
}

fn with_path_and_query(head: &Parts, text: String) -> Option<Parts> {
    let mut parts = head.uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    let mut head = head.clone();
    head.uri = Uri::from_parts(parts).ok()?;
    Some(head)
}

/// Form data as a partner may have signed it.
fn other_pairs<'r>(
    form: &'r str,
    place: &'static str,
    names: &'r Names,
) -> impl Iterator<Item = (String, String)> + Send + 'r {
    let form = if form.len() > LONGEST_FORM { "" } else { form };
    let mut pairs: Vec<(&str, &str)> = Query::new(form).pairs().take(MOST_PARAMETERS + 1).collect();
    if pairs.len() > MOST_PARAMETERS {
        pairs.clear();
    }
    let all: Arc<[(&str, &str)]> = pairs.into();
    let (one, others) = (Arc::clone(&all), Arc::clone(&all));
    let values = (0..all.len()).flat_map(move |position| other_pair(&one, position, place, names));
    let orders = std::iter::once_with(move || swapped(&others, place).into_iter().chain(reordered(&others, place)));
    values.chain(orders.flatten()).filter(move |(_, other)| other != form)
}

/// Form data in which one pair is another.
fn other_pair(pairs: &[(&str, &str)], position: usize, place: &str, names: &Names) -> Vec<(String, String)> {
    let Some((name, raw)) = pairs.get(position).copied() else { return Vec::new() };
    let (shown, mut others) = (shown(name), Vec::new());
    if pairs.len() > 1 {
        let cause = format!("`{shown}` in the {place} was not signed: something added it on the way");
        others.push((
            cause,
            joined(&[pairs.get(..position), pairs.get(position + 1..)].map(Option::unwrap_or_default).concat()),
        ));
    }
    let mut replace = |cause, name: &str, value: &str| {
        let mut pairs = pairs.to_vec();
        if let Some(pair) = pairs.get_mut(position) {
            *pair = (name, value);
        }
        others.push((cause, joined(&pairs)));
    };
    for (what, other) in other_values(raw) {
        replace(format!("`{shown}` in the {place} {what}"), name, &other);
    }
    if let Some(missing) = &names.missing {
        replace(format!("`{missing}` is sent under the name `{shown}`"), missing, raw);
    }
    if decode_form(raw).ok().as_deref() == names.tenant.as_deref() {
        for other in &names.other_tenants {
            let cause =
                format!("`{shown}` in the {place} names another tenant: it was made with the key of tenant {other:?}");
            replace(cause, name, &percent_encoded(other));
        }
    }
    others
}

/// A signature or token that was written in one more way than it should.
fn unwrapped(value: &str) -> [(&'static str, String); 4] {
    [
        ("is in quotes", value.trim_matches(['"', '\'']).to_owned()),
        ("is in base64 once more", decoded_once_more(value).unwrap_or_default()),
        (
            "has hyphens between its bytes, as C#'s `BitConverter.ToString` writes them",
            without_hyphens(value).unwrap_or_default(),
        ),
        ("begins with `0x`", value.strip_prefix("0x").unwrap_or_default().to_owned()),
    ]
}

/// One value as it may have been signed.
fn other_values(raw: &str) -> Vec<(&'static str, String)> {
    let Ok(value) = decode_form(raw) else { return Vec::new() };
    let normal = |form: fn(&str) -> String| if value.is_ascii() { String::new() } else { form(&value) };
    let mut others = Vec::new();
    for decoded in [decode_form(&value), decode_escapes(&value)].into_iter().flatten() {
        if decoded != value {
            let what = "is encoded once more than it was signed: the partner encodes it twice";
            others.push((what, percent_encoded(&decoded)));
        }
    }
    others.push((
        "is encoded once less than it was signed",
        utf8_percent_encode(&percent_encoded(&value), NON_ALPHANUMERIC).to_string(),
    ));
    for (what, other) in [
        ("was signed in lower case, and sent as it is", value.to_lowercase()),
        ("was signed in upper case, and sent as it is", value.to_uppercase()),
        ("was signed without the white space around it", value.trim().to_owned()),
        ("was signed with a plus where a space arrived: in a query, a plus is written `%2B`", value.replace(' ', "+")),
        ("was signed with a space where a plus arrived", value.replace('+', " ")),
        ("is written as base64, and has to be base64url", value.replace(['+', ' '], "-").replace('/', "_")),
        ("is written as base64url, and has to be base64", value.replace('-', "+").replace('_', "/")),
        ("lost the padding of its base64", padded(&value)),
        ("has padding behind its base64 that does not belong there", value.trim_end_matches('=').to_owned()),
        (
            "has punctuation behind it: a mail or chat program made it part of the link",
            value.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '>', '\'', '"']).to_owned(),
        ),
        (
            "begins with `3D`: it was copied from a mail's source, where `=3D` is an equals sign",
            value.strip_prefix("3D").unwrap_or(&value).replace("=\r\n", "").replace("=\n", ""),
        ),
        ("was signed in another Unicode normal form: its accents joined to their letters (NFC)", normal(composed)),
        ("was signed in another Unicode normal form: its accents apart from their letters (NFD)", normal(decomposed)),
    ]
    .into_iter()
    .chain(unwrapped(&value))
    {
        if other != value && !other.is_empty() {
            others.push((what, percent_encoded(&other)));
        }
    }
    let mut form_encoded = Vec::new();
    quote_plus(value.as_bytes(), &mut form_encoded);
    others.push(("was signed with spaces written as plus", String::from_utf8(form_encoded).unwrap_or_default()));
    others.push(("was signed with spaces written as `%20`", percent_encoded(&value)));
    if !raw.is_empty() {
        others.push(("was signed as empty", String::new()));
    }
    others
}

/// The text that this is the base64 of.
fn decoded_once_more(value: &str) -> Option<String> {
    let bare = value.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let text = String::from_utf8(decode_base64url(&bare)?).ok()?;
    text.bytes().all(|byte| byte.is_ascii_graphic()).then_some(text)
}

/// `AB-CD-EF` without its hyphens.
fn without_hyphens(value: &str) -> Option<String> {
    let mut bytes = value.split('-');
    let is_byte = |byte: &str| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit());
    (value.contains('-') && bytes.all(is_byte)).then(|| value.replace('-', ""))
}

fn padded(base64: &str) -> String {
    let bare = base64.trim_end_matches('=');
    format!("{bare}{}", "=".repeat((4 - bare.len() % 4) % 4))
}

/// Two values in each other's place.
fn swapped(pairs: &[(&str, &str)], place: &str) -> Vec<(String, String)> {
    let few = if pairs.len() <= MOST_SWAPPED { pairs.len() } else { 0 };
    let mut others = Vec::new();
    for one in 0..few {
        for other in one + 1..few {
            let mut swapped = pairs.to_vec();
            if let [(one, value), .., (other, other_value)] = swapped.get_mut(one..=other).unwrap_or_default() {
                std::mem::swap(value, other_value);
                let (one, other) = (shown(one), shown(other));
                let cause = format!("the values of `{one}` and `{other}` in the {place} are in each other's place");
                others.push((cause, joined(&swapped)));
            }
        }
    }
    others
}

/// All orders of a few parameters; of more, those in which one is moved.
fn reordered(pairs: &[(&str, &str)], place: &str) -> Vec<(String, String)> {
    let cause =
        || format!("the parameters in the {place} were signed in another order: something sorts them on the way");
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let mut caseless = pairs.to_vec();
    caseless.sort_by_key(|(name, _)| name.to_ascii_lowercase());
    let moved = || {
        let positions = || 0..pairs.len();
        positions().flat_map(move |from| positions().map(move |to| (from, to))).map(|(from, to)| {
            let mut moved = pairs.to_vec();
            let pair = moved.remove(from);
            moved.insert(to, pair);
            moved
        })
    };
    let others = match pairs.len() {
        ..=5 => orders(pairs),
        6..=MOST_SWAPPED => moved().chain([sorted, caseless]).collect(),
        _ => vec![sorted, caseless],
    };
    others.into_iter().map(|pairs| (cause(), joined(&pairs))).collect()
}

fn joined(pairs: &[(&str, &str)]) -> String {
    let mut joined = String::with_capacity(pairs.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
    for (at, (name, value)) in pairs.iter().enumerate() {
        joined.extend([if at == 0 { "" } else { "&" }, name, "=", value]);
    }
    joined
}
