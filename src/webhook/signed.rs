use std::borrow::Cow;

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

    /// Whether the same signed bytes could be split into other parts. They cannot if each part is followed by a
    /// character that the part cannot hold, and nothing variable follows the body, which can hold anything.
    pub(super) fn is_ambiguous(&self) -> bool {
        let after = self.0.iter().skip(1).map(Some).chain([None]);
        self.0.iter().zip(after).any(|(part, next)| {
            let ends = |holds: fn(&char) -> bool| match next {
                Some(Part::Literal(literal)) => !literal.chars().next().is_some_and(|first| holds(&first)),
                Some(_) => false,
                None => true,
            };
            match part {
                Part::Literal(_) => false,
                Part::Timestamp => !ends(char::is_ascii_digit),
                Part::Id => !ends(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')),
                Part::Body => {
                    let rest = self.0.iter().skip_while(|part| **part != Part::Body).skip(1);
                    rest.into_iter().any(|part| !matches!(part, Part::Literal(_)))
                }
            }
        })
    }

    pub(super) fn fill<'a>(&'a self, bytes: impl Fn(&'a Part) -> &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().map(bytes)
    }
}

fn problem<T>(problem: impl Into<Cow<'static, str>>) -> Result<T, ConfigProblem> {
    Err(ConfigProblem::Setting { setting: "signed", problem: problem.into() })
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
        for (text, ambiguous) in [
            ("{id}.{timestamp}.{body}", false),
            ("{timestamp}{body}", true),
            ("{id}{timestamp}.{body}", true),
            ("{body}.{timestamp}", true),
            ("{body}.end", false),
            ("{id}-{body}", true),
            ("{id}_{timestamp}_{body}", true),
            ("{timestamp}0{body}", true),
            ("{timestamp}-{body}", false),
            ("{id}:{body}", false),
            ("v0{timestamp}.{body}", false),
        ] {
            assert_eq!(Template::parse(text).map(|template| template.is_ambiguous()), Ok(ambiguous), "{text}");
        }
    }
}
