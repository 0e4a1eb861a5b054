//! Whether a signed text can be cut into its parts in only one way. If there were two, whoever has recorded a request
//! could send another one with the same signature.
//!
//! A part's end is known if the part has a fixed shape, or if it ends before a character that it cannot hold:
//!
//! | part | holds |
//! |---|---|
//! | time | a fixed shape, for each format; with a fraction, digits and a point |
//! | SHA-256 of the body | 64 hexadecimal digits |
//! | CRC-32 of the body | digits |
//! | id | letters, digits, `_` and `-` |
//! | method | characters of a token (RFC 9110, 5.6.2) |
//! | URL, path, query | characters of a URI (RFC 3986), checked for each request |
//! | body | anything |
//! | headers | no control characters but tabs |
//! | form | anything |
//!
//! A URI holds no brackets and no braces. So an object or a list of JSON may stand right behind one, or before one.

use super::TimeFormat;
use super::signed::{Part, Template};

impl Template {
    /// Whether the same signed bytes could be split into other parts.
    pub(super) fn is_ambiguous(&self, time: TimeFormat) -> bool {
        let mut rest = &self.0[..];
        while let [part, after @ ..] = rest {
            let is_ambiguous = match part {
                Part::Timestamp => time == TimeFormat::FractionalSeconds && !ends_before(after, is_fraction),
                Part::Literal(_) | Part::BodySha256 => false,
                // Ids hold no colon, and the first colon of such a time is its fourteenth character.
                Part::Id if after.first() == Some(&Part::Timestamp) => time != TimeFormat::Rfc3339,
                Part::Id => !ends_before(after, is_id),
                Part::BodyCrc32 => !ends_before(after, |c| c.is_ascii_digit()),
                // A URL begins with its scheme and a colon, which no method holds.
                Part::Method => after.first() != Some(&Part::Url) && !ends_before(after, is_token),
                Part::Url | Part::Query | Part::EncodedUri => !ends_before(after, is_uri) && !is_before_json(after),
                Part::Path => !ends_before(after, is_path) && !is_before_json(after),
                // The body could end in a longer time's first digits.
                Part::Body if time == TimeFormat::FractionalSeconds && after.contains(&Part::Timestamp) => true,
                // Between two parts of a URI, an empty body would have no place.
                Part::Body => !after.iter().all(is_fixed) && (!is_one_uri(after) || self.needs_json() == [true; 2]),
                Part::Headers => !ends_before(after, |c| c == '\t' || !c.is_ascii_control()),
                Part::Form => true,
            };
            if is_ambiguous {
                return true;
            }
            rest = after;
        }
        false
    }

    /// Whether only the length of the time tells where it ends or begins.
    pub(super) fn needs_fixed_time(&self) -> bool {
        let Some(at) = self.0.iter().position(|part| *part == Part::Timestamp) else { return false };
        let (before, after) = (self.0.get(..at).unwrap_or_default(), self.0.get(at + 1..).unwrap_or_default());
        before.contains(&Part::Body) || !ends_before(after, |c| c.is_ascii_digit())
    }

    /// Whether only the first, or the last, character of the JSON tells where the body begins or ends.
    pub(super) fn needs_json(&self) -> [bool; 2] {
        let Some(at) = self.0.iter().position(|part| *part == Part::Body) else { return [false; 2] };
        let (before, after) = self.0.split_at(at);
        // What ends before a character that it cannot hold has its end from there.
        let last_uri = before.iter().rposition(is_uri_part).and_then(|at| before.get(at..));
        let starts = last_uri.is_some_and(|rest| match rest {
            [Part::Path, after @ ..] => !ends_before(after, is_path) || after.is_empty(),
            [_, after @ ..] => !ends_before(after, is_uri) || after.is_empty(),
            [] => false,
        });
        [starts, after.iter().any(is_uri_part)]
    }
}

/// Whether a part that holds only such characters must end where the next part begins.
fn ends_before(after: &[Part], holds: fn(char) -> bool) -> bool {
    match after.first() {
        Some(Part::Literal(literal)) => !literal.chars().next().is_some_and(holds),
        Some(Part::Path | Part::EncodedUri) => !holds('/'),
        Some(Part::Url) => !holds('h'),
        Some(_) => false,
        None => true,
    }
}

/// Whether JSON is next, or after literals that could not be its beginning.
fn is_before_json(after: &[Part]) -> bool {
    let next = after.iter().find(|part| match part {
        Part::Literal(literal) => literal.contains(['{', '[']),
        _ => true,
    });
    next == Some(&Part::Body)
}

fn is_uri_part(part: &Part) -> bool {
    matches!(part, Part::Url | Part::Path | Part::Query | Part::EncodedUri)
}

fn is_fixed(part: &Part) -> bool {
    matches!(part, Part::Literal(_) | Part::Timestamp | Part::BodySha256)
}

/// Whether only literals and a single part of a URI are left, so that the last bracket or brace ends the body.
fn is_one_uri(after: &[Part]) -> bool {
    let literals = after.iter().filter(|part| matches!(part, Part::Literal(text) if !text.contains(['}', ']'])));
    let uris = after.iter().filter(|part| is_uri_part(part)).count();
    uris == 1 && literals.count() + uris == after.len()
}

fn is_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// What a time with a fraction holds.
fn is_fraction(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

/// The characters of a token (RFC 9110, 5.6.2).
pub(super) fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// The characters of a URI, and those that some senders decode in one before they sign it.
pub(super) fn is_uri(c: char) -> bool {
    is_uri_byte(c) || "\"<>`".contains(c)
}

fn is_path(c: char) -> bool {
    is_uri(c) && c != '?'
}

/// The characters of a path and a query as sent (RFC 3986, 3.3 and 3.4).
pub(super) fn is_uri_byte(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?@!$&'()*+,;=%".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_that_can_be_cut_in_two_ways() {
        use TimeFormat::{FractionalSeconds, HttpDate, Milliseconds, Rfc3339, Seconds};
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
            ("{method}{url}{body}{timestamp}", Milliseconds, false, true),
            ("{timestamp}{url}{body}", Seconds, false, false),
            ("{timestamp}{method} {body}", Seconds, false, true),
            ("{url}{timestamp}{body}", Seconds, true, true),
            ("{method}{timestamp}{body}", Seconds, true, true),
            ("{timestamp}.{body}", FractionalSeconds, true, false),
            ("{timestamp}:{body}", FractionalSeconds, false, false),
            ("{id}:{timestamp}/{body}", FractionalSeconds, false, false),
            ("{body}:{timestamp}", FractionalSeconds, true, true),
            ("{body:sha256}:{timestamp}", FractionalSeconds, false, false),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.is_ambiguous(time), ambiguous, "{text} {time:?}");
            assert_eq!(template.needs_fixed_time(), needs_fixed_time, "{text}");
        }
    }

    #[test]
    fn a_uri_beside_a_body_needs_json_or_a_separator() {
        for (text, ambiguous, needs_json, why) in [
            ("{url}{body}", false, [true, false], "an object begins with a brace, which no URI holds"),
            ("{body}{url}", false, [false, true], "and it ends with one"),
            ("{method}{url}{body}", false, [true, false], "a URL's scheme ends with a colon"),
            ("{url}:{body}", false, [true, false], "a URL holds colons"),
            ("{url}[{body}", false, [false, false], "no URI holds a bracket"),
            ("{url}:[{body}", true, [true, false], "the bracket could begin the body"),
            ("{method}\n{path}\n{body}", false, [false, false], "no URI holds a line feed"),
            ("{path}?{query}\n{body}", false, [false, false], "no path holds a question mark"),
            ("{path}?{query}{body}", false, [true, false], "the query is beside the body"),
            ("{path}{query}\n{body}", true, [false, false], "where does the path end?"),
            ("{path}&{query}\n{body}", true, [false, false], "paths hold ampersands"),
            ("{id}{url}{body}", true, [true, false], "an id may end in the scheme"),
            ("{id}{path}{body}", false, [true, false], "ids hold no slash"),
            ("{method}{path}{body}", false, [true, false], "methods hold no slash"),
            ("{method}\n{uri:encoded}\n{headers}\n{body}", false, [false, false], "no header holds a line feed"),
            ("{headers};{body}", true, [false, false], "headers hold semicolons"),
            ("{headers}\t{body}", true, [false, false], "and tabs"),
            ("{url}{body}{query}", true, [true, true], "where is an empty body?"),
            ("{path}\n{body}{query}", false, [false, true], "behind the line feed"),
            ("{method}{body}", true, [false, false], "what begins the body?"),
            ("{method}.{body}", true, [false, false], "methods hold points"),
            ("{method} {body}", false, [false, false], "methods hold no spaces"),
            ("{body}{method}", true, [false, false], "what ends the body?"),
            ("{body}{path}?{query}", true, [false, true], "a query may hold what begins a path"),
            ("{body}{url}{timestamp}", true, [false, true], "where does the URL end?"),
            ("{body}]{url}", true, [false, true], "the bracket could end the body"),
            ("{url}{body:sha256}", true, [false, false], "a URL holds digits"),
            ("{body:sha256}{url}", false, [false, false], "64 characters"),
            ("{url}\n{body:sha256}", false, [false, false], "a line feed"),
            ("{url}{form}", true, [false, false], "names and values hold anything"),
            ("{form}", true, [false, false], "a name may end anywhere"),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.is_ambiguous(TimeFormat::Seconds), ambiguous, "{text}: {why}");
            assert_eq!(template.needs_json(), needs_json, "{text}: {why}");
        }
    }

    /// Of every template that builds, over values that were chosen to run into each other.
    #[test]
    fn no_two_requests_have_one_text() {
        const PLACES: [&str; 6] = ["{method}", "{url}", "{path}", "{query}", "{id}", "{timestamp}"];
        let mut templates = Vec::new();
        for first in PLACES {
            for second in PLACES {
                for separator in ["", ":", "\n", "1", "/a"] {
                    templates.push(format!("{first}{separator}{second}{separator}{{body}}"));
                    templates.push(format!("{first}{separator}{{body}}{separator}{second}"));
                }
            }
        }
        let parsed = templates.iter().filter_map(|text| Template::parse(text).ok());
        let safe: Vec<Template> = parsed.filter(|template| !template.is_ambiguous(TimeFormat::Seconds)).collect();
        assert!(safe.len() > 60, "{}", safe.len());
        for template in safe {
            let mut seen = std::collections::HashMap::new();
            for parts in requests(&template) {
                let other = seen.entry(parts.concat()).or_insert_with(|| parts.clone());
                assert_eq!(*other, parts, "{template}");
            }
        }
    }

    /// The parts of requests that the template takes.
    fn requests(template: &Template) -> Vec<Vec<String>> {
        const URIS: [(&str, &str); 6] =
            [("/", ""), ("/a", ""), ("/a:", "b"), ("/ahttps://x/", ""), ("/a", "1700000000"), ("/a", "/a?b")];
        const BODIES: [&str; 10] =
            ["", "{}", "{}{}", "[]", "[{}/a]", "{}https://x/a]", "{}1700000000{}", "0", ":{}", "\n/a\n{}"];
        let [starts, ends] = template.needs_json();
        let is_taken = |body: &&str| {
            let (first, last) = (body.bytes().next(), body.bytes().last());
            (!starts || first.is_none_or(|byte| b"{[".contains(&byte)))
                && (!ends || last.is_none_or(|byte| b"}]".contains(&byte)))
        };
        let mut all = vec![Vec::new()];
        for part in &template.0 {
            let texts: Vec<String> = match part {
                Part::Literal(literal) => vec![literal.to_string()],
                Part::Method => ["GET", "GETh", "POST"].map(str::to_owned).into(),
                Part::Url => URIS.map(|(path, query)| format!("https://x{path}?{query}")).into(),
                Part::Path => URIS.map(|(path, _)| path.to_owned()).into(),
                Part::Query => URIS.map(|(_, query)| query.to_owned()).into(),
                Part::Id => ["1", "11", "a-1700000000", "https"].map(str::to_owned).into(),
                Part::Timestamp => ["1700000000", "1111111111"].map(str::to_owned).into(),
                _ => BODIES.into_iter().filter(is_taken).map(str::to_owned).collect(),
            };
            let with = |parts: &Vec<String>| {
                texts.iter().map(|text| [&parts[..], std::slice::from_ref(text)].concat()).collect()
            };
            all = all.iter().flat_map(|parts| -> Vec<Vec<String>> { with(parts) }).collect();
        }
        all
    }
}
