use std::borrow::Cow;
use std::fmt;

use super::TimeFormat;
use crate::ConfigProblem;

/// The signed content: the body and the text around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(Box<str>),
    Timestamp,
    Id,
    Body,
}

impl Template {
    pub(super) fn body_alone() -> Self {
        Self(vec![Part::Body])
    }

    /// Reads `"v0:{timestamp}:{body}"`.
    pub(super) fn parse(mut text: &str) -> Result<Self, ConfigProblem> {
        const PLACES: [(&str, Part); 3] =
            [("{timestamp}", Part::Timestamp), ("{id}", Part::Id), ("{body}", Part::Body)];
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
                return problem(format!(
                    "has `{part}`, which is none of its parts: it takes {{timestamp}}, {{id}} and {{body}}"
                ));
            }
            parts.push(Part::Literal(literal.into()));
            text = rest;
        }
        if !parts.contains(&Part::Body) {
            return problem("has no {body}: what is not signed could be exchanged");
        }
        Ok(Self(parts))
    }

    pub(super) fn has(&self, part: &Part) -> bool {
        self.0.contains(part)
    }

    /// Whether the same signed bytes could be split into other parts.
    ///
    /// They cannot if each part before the body has a fixed shape or ends before a character that it cannot hold, and
    /// only literals and a time of a fixed shape follow the body, which can hold anything. An id may stand right before
    /// an RFC 3339 time: ids hold no colon, and the first colon of such a time is its fourteenth character.
    pub(super) fn is_ambiguous(&self, time: TimeFormat) -> bool {
        let after = self.0.iter().skip(1).map(Some).chain([None]);
        self.0.iter().zip(after).any(|(part, next)| match (part, next) {
            (Part::Literal(_) | Part::Timestamp, _) => false,
            (Part::Id, Some(Part::Timestamp)) => time != TimeFormat::Rfc3339,
            (Part::Id, next) => !ends_before(next, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')),
            (Part::Body, _) => {
                let rest = self.0.iter().skip_while(|part| **part != Part::Body).skip(1);
                rest.into_iter().any(|part| !matches!(part, Part::Literal(_) | Part::Timestamp))
            }
        })
    }

    /// Whether only the length of the time tells where it ends or begins.
    pub(super) fn needs_fixed_time(&self) -> bool {
        let after_time = self.0.iter().skip_while(|part| **part != Part::Timestamp).nth(1);
        let body_first = self.0.iter().find(|part| matches!(part, Part::Timestamp | Part::Body)) == Some(&Part::Body);
        self.has(&Part::Timestamp) && (body_first || !ends_before(after_time, |c| c.is_ascii_digit()))
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
            Part::Timestamp => f.write_str("{timestamp}"),
            Part::Id => f.write_str("{id}"),
            Part::Body => f.write_str("{body}"),
        })
    }
}

/// Whether a part that holds only such characters must end where the next part begins.
fn ends_before(next: Option<&Part>, holds: fn(char) -> bool) -> bool {
    match next {
        Some(Part::Literal(literal)) => !literal.chars().next().is_some_and(holds),
        Some(_) => false,
        None => true,
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
        use Part::{Body, Id, Literal, Timestamp};
        for (text, expected) in [
            ("{body}", Some(vec![Body])),
            ("v0:{timestamp}:{body}", Some(vec![Literal("v0:".into()), Timestamp, Literal(":".into()), Body])),
            ("{id}.{timestamp}.{body}", Some(vec![Id, Literal(".".into()), Timestamp, Literal(".".into()), Body])),
            ("{body}é", Some(vec![Body, Literal("é".into())])),
            ("", None),
            ("{timestamp}", None),
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

    #[test]
    fn templates_that_can_be_cut_in_two_ways() {
        use TimeFormat::{HttpDate, Milliseconds, Rfc3339, Seconds};
        for (text, time, ambiguous, needs_fixed_time) in [
            ("{id}.{timestamp}.{body}", Seconds, false, false),
            ("{timestamp}{body}", Seconds, false, true),
            ("{body}{timestamp}", Milliseconds, false, true),
            ("{body}{timestamp}", Rfc3339, false, true),
            ("{id}{timestamp}{body}", Rfc3339, false, true),
            ("{id}{timestamp}.{body}", Seconds, true, false),
            ("{id}{timestamp}{body}", HttpDate, true, true),
            ("{body}.{timestamp}", Seconds, false, true),
            ("{body}.end", Seconds, false, false),
            ("{body}{id}", Seconds, true, false),
            ("{id}-{body}", Seconds, true, false),
            ("{id}{body}", Seconds, true, false),
            ("{id}_{timestamp}_{body}", Seconds, true, false),
            ("{timestamp}0{body}", Seconds, false, true),
            ("{timestamp}-{body}", Seconds, false, false),
            ("{id}:{body}", Seconds, false, false),
            ("v0{timestamp}.{body}", Seconds, false, false),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.is_ambiguous(time), ambiguous, "{text} {time:?}");
            assert_eq!(template.needs_fixed_time(), needs_fixed_time, "{text}");
        }
    }
}
