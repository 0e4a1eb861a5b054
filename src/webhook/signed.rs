use crate::config::ConfigError;

/// What is signed: the body, with what stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(&'static str),
    Timestamp,
    Id,
    Body,
}

impl Template {
    pub(super) fn body_alone() -> Self {
        Self(vec![Part::Body])
    }

    /// Reads `"v0:{timestamp}:{body}"`.
    pub(super) fn parse(mut text: &'static str) -> Result<Self, ConfigError> {
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
                return problem("has another part than {timestamp}, {id} and {body}");
            }
            parts.push(Part::Literal(literal));
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

    /// Two of the variable parts side by side could be cut in another place and still have the same MAC.
    pub(super) fn is_ambiguous(&self) -> bool {
        let variable = |part: &Part| !matches!(part, Part::Literal(_));
        let beside = self.0.iter().zip(self.0.iter().skip(1)).any(|(one, next)| variable(one) && variable(next));
        // The body can hold anything, separators too, so nothing that varies may come after it.
        let after_body = self.0.iter().skip_while(|part| **part != Part::Body).skip(1).any(variable);
        beside || after_body
    }

    pub(super) fn fill<'a>(&'a self, bytes: impl Fn(&'a Part) -> &'a [u8]) -> Vec<&'a [u8]> {
        self.0.iter().map(bytes).collect()
    }
}

fn problem<T>(problem: &'static str) -> Result<T, ConfigError> {
    Err(ConfigError::Setting { setting: "signed", problem: problem.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        use Part::{Body, Id, Literal, Timestamp};
        for (text, expected) in [
            ("{body}", Some(vec![Body])),
            ("v0:{timestamp}:{body}", Some(vec![Literal("v0:"), Timestamp, Literal(":"), Body])),
            ("{id}.{timestamp}.{body}", Some(vec![Id, Literal("."), Timestamp, Literal("."), Body])),
            ("{body}é", Some(vec![Body, Literal("é")])),
            ("", None),
            ("{timestamp}", None),
            ("{body}{body}", None),
            ("{nonce}.{body}", None),
            ("{body", None),
            ("}{body}", None),
        ] {
            assert_eq!(Template::parse(text).ok(), expected.map(Template), "{text}");
        }
    }

    #[test]
    fn templates_that_can_be_cut_in_two_ways() {
        for (text, ambiguous) in [
            ("{id}.{timestamp}.{body}", false),
            ("{timestamp}{body}", true),
            ("{id}{timestamp}.{body}", true),
            ("{body}.{timestamp}", true),
            ("{body}.end", false),
        ] {
            assert_eq!(Template::parse(text).map(|template| template.is_ambiguous()), Ok(ambiguous), "{text}");
        }
    }
}
