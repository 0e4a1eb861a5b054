//! Other requests that a partner may have signed.

use bytes::Bytes;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::NearMiss;
use crate::query::Query;
use crate::received;
use crate::text::percent::{decode_form, percent_encoded};

/// How many parameters are looked at. Partners have a dozen.
const MOST_PARAMETERS: usize = 24;

/// Of a longer form, no fields are changed: each change is a copy.
const LONGEST_FORM: usize = 16 * 1024;

/// Requests that differ from this one in one slip.
pub(crate) fn other_requests<F>(head: &Parts, body: &Bytes) -> Vec<NearMiss<F>> {
    let head = as_received(head);
    let mut others = Vec::new();
    for (cause, query) in other_pairs(head.uri.query().unwrap_or_default(), "query") {
        others.extend(with_query(&head, &query).map(|head| NearMiss::request(cause, head, body.clone())));
    }
    let text = std::str::from_utf8(body).unwrap_or_default();
    let is_json = text.trim_start().starts_with(['{', '[']);
    if (1..=LONGEST_FORM).contains(&text.len()) && !is_json {
        let forms = other_pairs(text, "form");
        others.extend(forms.map(|(cause, form)| NearMiss::request(cause, head.clone(), form.into())));
    }
    others.extend(other_bodies(text, is_json).map(|(cause, body)| NearMiss::request(cause, head.clone(), body.into())));
    let path = head.uri.path();
    let other_path = match path.strip_suffix('/') {
        Some("") => None,
        Some(shorter) => Some(("it was signed without the slash at the path's end", shorter.to_owned())),
        None => Some(("it was signed with a slash at the path's end", format!("{path}/"))),
    };
    others.extend(other_path.and_then(|(cause, path)| {
        let head = with_path(&head, &path)?;
        Some(NearMiss::request(cause, head, body.clone()))
    }));
    let other_method = if head.method == Method::GET { Method::POST } else { Method::GET };
    let cause = format!("it was signed as a {other_method} request, and came as {}", head.method);
    let mut other_head = head;
    other_head.method = other_method;
    others.push(NearMiss::request(cause, other_head, body.clone()));
    others
}

/// The head with the URI that the client sent, which other middleware may have put aside.
fn as_received(head: &Parts) -> Parts {
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

/// Form data in which one parameter is spelled as a partner may have signed it.
fn other_pairs(form: &str, place: &'static str) -> impl Iterator<Item = (String, String)> {
    let pairs: Vec<(&str, &str)> = Query::new(form).pairs().take(MOST_PARAMETERS + 1).collect();
    let few = pairs.len() <= MOST_PARAMETERS;
    let mut others = Vec::new();
    for (position, (name, raw)) in pairs.iter().enumerate().filter(|_| few) {
        let Ok(value) = decode_form(raw) else { continue };
        let mut add = |what: &str, other: String| {
            if other != *raw {
                let cause = format!("`{name}` in the {place} {what}");
                let spelled = pairs.iter().enumerate().map(|(at, (name, raw))| match at == position {
                    true => format!("{name}={other}"),
                    false => format!("{name}={raw}"),
                });
                others.push((cause, spelled.collect::<Vec<_>>().join("&")));
            }
        };
        if let Some(decoded) = decode_form(&value).ok().filter(|decoded| *decoded != value) {
            add("is encoded once more than it was signed: the partner encodes it twice", percent_encoded(&decoded));
        }
        add(
            "is encoded once less than it was signed",
            utf8_percent_encode(&percent_encoded(&value), NON_ALPHANUMERIC).to_string(),
        );
        for (what, other) in [
            ("was signed in lower case, and sent as it is", value.to_lowercase()),
            ("was signed in upper case, and sent as it is", value.to_uppercase()),
            ("was signed without the white space around it", value.trim().to_owned()),
            (
                "was signed with a plus where a space arrived: in a query, a plus is written `%2B`",
                value.replace(' ', "+"),
            ),
            ("was signed with a space where a plus arrived", value.replace('+', " ")),
        ] {
            if other != value {
                add(what, percent_encoded(&other));
            }
        }
        if !raw.is_empty() {
            add("was signed as empty", String::new());
        }
    }
    others.into_iter()
}

/// Bodies that a partner may have signed before its HTTP client wrote them anew.
fn other_bodies(body: &str, is_json: bool) -> impl Iterator<Item = (&'static str, String)> {
    let trimmed = body.trim_end();
    let mut others = vec![
        ("the signed body did not have the white space at its end", trimmed.to_owned()),
        ("the signed body ended with a line feed", format!("{body}\n")),
        ("nothing was signed where the body is", String::new()),
    ];
    if is_json {
        others.push((
            "the body was written anew after it was signed: it was signed without white space",
            spaced(body, "", ""),
        ));
        others.push((
            "the body was written anew after it was signed: it was signed as Python's `json.dumps` writes it",
            spaced(body, " ", " "),
        ));
        others.push((
            "the body was written anew after it was signed: its non-ASCII letters were escaped then",
            escaped(body),
        ));
    }
    let body = body.to_owned();
    others.into_iter().filter(move |(_, other)| *other != body)
}

/// JSON with these separators behind its colons and commas, and no other white space.
fn spaced(json: &str, after_colon: &str, after_comma: &str) -> String {
    let (mut out, mut in_text, mut is_escaped) = (String::with_capacity(json.len()), false, false);
    for letter in json.chars() {
        if in_text {
            out.push(letter);
            in_text = is_escaped || letter != '"';
            is_escaped = letter == '\\' && !is_escaped;
            continue;
        }
        match letter {
            ' ' | '\t' | '\n' | '\r' => continue,
            '"' => in_text = true,
            _ => {}
        }
        out.push(letter);
        match letter {
            ':' => out.push_str(after_colon),
            ',' => out.push_str(after_comma),
            _ => {}
        }
    }
    out
}

fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter.is_ascii() {
            true => out.push(letter),
            false => letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_anew() {
        let json = r#"{ "a" : "x, \" : y\\", "b": [1, 2] }"#;
        assert_eq!(spaced(json, "", ""), r#"{"a":"x, \" : y\\","b":[1,2]}"#);
        assert_eq!(spaced(json, " ", " "), r#"{"a": "x, \" : y\\", "b": [1, 2]}"#);
        assert_eq!(escaped("é😀"), "\\u00e9\\ud83d\\ude00");
    }
}
