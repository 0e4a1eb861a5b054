use std::borrow::Cow;
use std::fmt;

use crate::ConfigProblem;

/// The signed content: parts of the request, and the text around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(Box<str>),
    Timestamp,
    Id,
    Body,
    BodySha256,
    BodyCrc32,
    Form,
    Method,
    Url,
    Path,
    Query,
    EncodedUri,
    Headers,
}

const PLACES: [(&str, Part); 12] = [
    ("{timestamp}", Part::Timestamp),
    ("{id}", Part::Id),
    ("{body}", Part::Body),
    ("{body:sha256}", Part::BodySha256),
    ("{body:crc32}", Part::BodyCrc32),
    ("{form}", Part::Form),
    ("{method}", Part::Method),
    ("{url}", Part::Url),
    ("{path}", Part::Path),
    ("{query}", Part::Query),
    ("{uri:encoded}", Part::EncodedUri),
    ("{headers}", Part::Headers),
];

impl Template {
    pub(super) fn body_alone() -> Self {
        Self(vec![Part::Body])
    }

    /// Reads `"v0:{timestamp}:{body}"`.
    pub(super) fn parse(mut text: &str) -> Result<Self, ConfigProblem> {
        let mut parts = Vec::new();
        while !text.is_empty() {
            let place = PLACES.iter().find_map(|(place, part)| Some((text.strip_prefix(place)?, part)));
            if let Some((rest, part)) = place {
                if parts.contains(part) {
                    return problem("names a part twice");
                }
                parts.push(part.clone());
                text = rest;
                continue;
            }
            let end = text.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(text.len(), |(at, _)| at);
            let (literal, rest) = text.split_at(end);
            if literal.contains(['{', '}']) {
                let part = literal.split_inclusive('}').next().unwrap_or(literal);
                let known = PLACES.map(|(place, _)| place).join(", ");
                return problem(format!("has `{part}`, which is none of its parts: {known}"));
            }
            parts.push(Part::Literal(literal.into()));
            text = rest;
        }
        Ok(Self(parts))
    }

    pub(super) fn has(&self, part: &Part) -> bool {
        self.0.contains(part)
    }

    /// Whether every byte of every body is signed.
    pub(super) fn covers_any_body(&self) -> bool {
        self.has(&Part::Body) || self.has(&Part::BodySha256)
    }

    /// Whether a part is read from the request line, or from the body as a whole.
    pub(super) fn needs_request(&self) -> bool {
        self.0.iter().any(|part| !matches!(part, Part::Literal(_) | Part::Timestamp | Part::Id | Part::Body))
    }

    /// Whether anything but the body differs from one request to the next.
    pub(super) fn has_more_than_the_body(&self) -> bool {
        use Part::{Body, BodyCrc32, BodySha256, Form, Literal};
        self.0.iter().any(|part| !matches!(part, Literal(_) | Body | BodySha256 | BodyCrc32 | Form))
    }

    pub(super) fn fill<'a>(&'a self, bytes: impl Fn(&'a Part) -> &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().map(bytes)
    }
}

/// As it is written in [`signed`](crate::Builder::signed).
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(literal) => f.write_str(literal),
            part => f.write_str(PLACES.iter().find(|(_, other)| other == part).map_or("", |(place, _)| place)),
        })
    }
}

fn problem<T>(problem: impl Into<Cow<'static, str>>) -> Result<T, ConfigProblem> {
    Err(ConfigProblem::setting("signed", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        use Part::{Body, BodySha256, Id, Literal, Method, Timestamp, Url};
        for (text, expected) in [
            ("{body}", Some(vec![Body])),
            ("v0:{timestamp}:{body}", Some(vec![Literal("v0:".into()), Timestamp, Literal(":".into()), Body])),
            ("{id}.{timestamp}.{body}", Some(vec![Id, Literal(".".into()), Timestamp, Literal(".".into()), Body])),
            ("{method}{url}{body:sha256}", Some(vec![Method, Url, BodySha256])),
            ("{body}é", Some(vec![Body, Literal("é".into())])),
            ("", Some(vec![])),
            ("{body}{body}", None),
            ("{nonce}.{body}", None),
            ("{body", None),
            ("}{body}", None),
        ] {
            assert_eq!(Template::parse(text).ok(), expected.map(Template), "{text}");
        }
        let said = Template::parse("{id}.{ts}.{body}").unwrap_err().to_string();
        assert!(said.contains("has `{ts}`"), "{said}");
    }
}
