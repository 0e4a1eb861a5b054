//! Structured fields (RFC 8941), as far as signatures need them. The canonical spelling alone is read: what is signed
//! is the text as it was received.

use std::fmt;

use http::{HeaderMap, HeaderName};

use crate::rejection::Reason;

/// In bytes, of each of the headers.
const LONGEST: usize = 8 * 1024;
/// How many members a dictionary may have.
const MOST_MEMBERS: usize = 8;
/// How many components a signature may cover.
const MOST_COMPONENTS: usize = 64;
/// How many parameters a signature may have.
const MOST_PARAMETERS: usize = 16;

/// What one signature covers, and its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Input {
    /// The inner list and its parameters as received.
    pub(super) text: String,
    pub(super) components: Vec<Component>,
    pub(super) created: Option<u64>,
    pub(super) expires: Option<u64>,
    pub(super) keyid: Option<String>,
    pub(super) alg: Option<String>,
    pub(super) tag: Option<String>,
}

/// What a signature covers: a header, or a component that is derived from the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) name: String,
    /// The name of a query parameter, percent-encoded, of `@query-param`.
    pub(super) parameter: Option<String>,
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.name)?;
        self.parameter.iter().try_for_each(|parameter| write!(f, ";name=\"{parameter}\""))
    }
}

/// A dictionary's members; empty if there is no such header.
type Members<T> = Vec<(String, T)>;

/// `Signature-Input` (RFC 9421, 4.1).
pub(super) fn inputs(headers: &HeaderMap, name: &HeaderName) -> Result<Members<Input>, Reason> {
    dictionary(headers, name, input)
}

/// `Signature` and `Content-Digest`: byte sequences, still in base64 (RFC 9421, 4.2; RFC 9530, 2).
pub(super) fn sequences(headers: &HeaderMap, name: &HeaderName) -> Result<Members<String>, Reason> {
    dictionary(headers, name, |scanner| scanner.sequence().map(str::to_owned))
}

/// Whether a dictionary may have this name.
pub(super) fn is_label(name: &str) -> bool {
    let mut scanner = Scanner(name);
    scanner.key() == Some(name)
}

/// All lines of the header count as one, and no name comes twice.
fn dictionary<T>(
    headers: &HeaderMap,
    name: &HeaderName,
    value: impl Fn(&mut Scanner<'_>) -> Option<T>,
) -> Result<Members<T>, Reason> {
    let malformed = |what| Reason::Malformed(name.as_str().to_owned().into(), what);
    let lines: Result<Vec<&str>, _> = headers.get_all(name).iter().map(http::HeaderValue::to_str).collect();
    let text = lines.map_err(|_| malformed("is not ASCII text"))?.join(",");
    if text.len() > LONGEST {
        return Err(malformed("is longer than 8 KiB"));
    }
    let (mut scanner, mut members) = (Scanner(&text), Members::new());
    while !scanner.0.is_empty() {
        if members.len() == MOST_MEMBERS {
            return Err(malformed("has more members than any sender writes"));
        }
        let member = scanner.member(&value).ok_or_else(|| malformed("is not written as RFC 8941 demands"))?;
        if members.iter().any(|(key, _)| *key == member.0) {
            return Err(malformed("has a name twice"));
        }
        members.push(member);
    }
    Ok(members)
}

/// `("@method" "date");created=1700000000;keyid="one"`.
fn input(scanner: &mut Scanner<'_>) -> Option<Input> {
    let start = scanner.0;
    let mut input = Input::default();
    scanner.skip('(')?;
    while scanner.skip(')').is_none() {
        if !input.components.is_empty() {
            scanner.skip(' ')?;
        }
        let component = scanner.component()?;
        if input.components.len() == MOST_COMPONENTS || input.components.contains(&component) {
            return None;
        }
        input.components.push(component);
    }
    let mut seen = Vec::new();
    while scanner.skip(';').is_some() {
        let key = scanner.key()?;
        if seen.len() == MOST_PARAMETERS || seen.contains(&key) {
            return None;
        }
        seen.push(key);
        scanner.parameter(key, &mut input)?;
    }
    input.text = start.strip_suffix(scanner.0)?.to_owned();
    Some(input)
}

/// The rest of a text.
struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    /// `key=value`, and the comma after it.
    fn member<T>(&mut self, value: impl Fn(&mut Self) -> Option<T>) -> Option<(String, T)> {
        let key = self.key()?.to_owned();
        self.skip('=')?;
        let value = value(self)?;
        self.0 = self.0.trim_start_matches([' ', '\t']);
        if !self.0.is_empty() {
            self.skip(',')?;
            self.0 = self.0.trim_start_matches([' ', '\t']);
            // Nothing follows a comma at the end.
            if self.0.is_empty() {
                return None;
            }
        }
        Some((key, value))
    }

    /// `;req`, `;sf`, `;key=…` and their like are not supported.
    fn component(&mut self) -> Option<Component> {
        let name = self.string()?;
        let parameter = match &*name {
            "@query-param" => {
                self.0 = self.0.strip_prefix(";name=")?;
                Some(self.string()?)
            }
            _ => None,
        };
        Some(Component { name, parameter })
    }

    /// The value of a parameter, `true` if it has none. Unknown ones are covered like the others.
    fn parameter(&mut self, key: &str, input: &mut Input) -> Option<()> {
        let known = ["created", "expires", "keyid", "alg", "tag", "nonce"].contains(&key);
        if self.skip('=').is_none() {
            return (!known).then_some(());
        }
        match key {
            "created" => input.created = Some(self.integer()?),
            "expires" => input.expires = Some(self.integer()?),
            "keyid" => input.keyid = Some(self.string()?),
            "alg" => input.alg = Some(self.string()?),
            "tag" => input.tag = Some(self.string()?),
            "nonce" => drop(self.string()?),
            _ => self.any()?,
        }
        Some(())
    }

    fn any(&mut self) -> Option<()> {
        match self.0.chars().next()? {
            '"' => self.string().map(drop),
            ':' => self.sequence().map(drop),
            '?' => self.skip('?').and_then(|()| self.skip('0').or_else(|| self.skip('1'))),
            _ => self.take(|c| c.is_ascii_graphic() && !"\"(),;:<=>?@[\\]{}".contains(c)).map(drop),
        }
    }

    /// A whole number that is not negative, of 15 digits at most.
    fn integer(&mut self) -> Option<u64> {
        let digits = self.take(|c| c.is_ascii_digit())?;
        let has_one_spelling = digits.len() <= 15 && (digits == "0" || !digits.starts_with('0'));
        has_one_spelling.then(|| digits.parse().ok())?
    }

    fn string(&mut self) -> Option<String> {
        self.skip('"')?;
        let mut text = String::new();
        let mut letters = self.0.char_indices();
        loop {
            let letter = match letters.next()? {
                (at, '"') => {
                    self.0 = self.0.get(at + 1..)?;
                    return Some(text);
                }
                (_, '\\') => letters.next().map(|(_, escaped)| escaped).filter(|c| matches!(c, '"' | '\\'))?,
                (_, letter @ ' '..='~') => letter,
                _ => return None,
            };
            text.push(letter);
        }
    }

    fn sequence(&mut self) -> Option<&'a str> {
        self.skip(':')?;
        let (inside, rest) = self.0.split_once(':')?;
        self.0 = rest;
        Some(inside)
    }

    fn key(&mut self) -> Option<&'a str> {
        let starts = |c: char| c.is_ascii_lowercase() || c == '*';
        let goes_on = |c: char| starts(c) || c.is_ascii_digit() || "_-.".contains(c);
        self.take(goes_on).filter(|key| key.starts_with(starts))
    }

    /// One such character or more.
    fn take(&mut self, is_part: impl Fn(char) -> bool) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at(self.0.find(|c| !is_part(c)).unwrap_or(self.0.len()));
        self.0 = rest;
        Some(taken).filter(|taken| !taken.is_empty())
    }

    fn skip(&mut self, letter: char) -> Option<()> {
        self.0 = self.0.strip_prefix(letter)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const NAME: HeaderName = HeaderName::from_static("signature-input");

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        lines.iter().for_each(|line| _ = headers.append(NAME, HeaderValue::from_str(line).unwrap()));
        headers
    }

    #[test]
    fn inputs_in_their_canonical_spelling() {
        let components =
            |count: usize| format!("a=({})", (0..count).map(|n| format!("\"b{n}\"")).collect::<Vec<_>>().join(" "));
        let of_length = |length: usize| format!("a=();x=\"{}\"", "x".repeat(length - 9));
        let parameters = format!("a=(){}", (0..17).map(|n| format!(";a{n}")).collect::<String>());
        let unknown = r#"a=("b");created=1;x;y="z";u=?1;v=:AA==:;w=tok*en"#;
        for (line, expected, why) in [
            ("a=();created=1", true, "nothing covered"),
            (r#"a=("@method" "date");created=1618884473;keyid="k"#, false, "a string without an end"),
            (r#"a=("@method" "date");created=1618884473;keyid="k""#, true, "as libraries write it"),
            (r#"sig-b.1*=("b");nonce="x\"\\y";alg="ed25519";expires=2;tag="t""#, true, "escapes"),
            ("a=(\"b\");keyid=\"x\ty\"", false, "a tab in a text"),
            (unknown, true, "unknown parameters"),
            (r#"a=("b"),  c=("d");created=1"#, true, "two"),
            (r#"a=("b"), a=("d")"#, false, "a name twice"),
            (r#"a=("b"),"#, false, "a comma at the end"),
            (r#"a=("b"  "c")"#, false, "two spaces"),
            (r#"a=( "b")"#, false, "a space"),
            (r#"a=("b" "b")"#, false, "a component twice"),
            (r#"a=("b";req)"#, false, "a parameter of a component"),
            (r#"a=("@query-param";name="b" "@query-param";name="c")"#, true, "query parameters"),
            (r#"a=("@query-param";name="b" "@query-param";name="b")"#, false, "a query parameter twice"),
            (r#"a=("@query-param")"#, false, "no name of a query parameter"),
            (r#"a=("@query-param";name="b";req)"#, false, "a second parameter"),
            (r#"a=("b");created=01"#, false, "a zero in front"),
            (r#"a=("b");created=-1"#, false, "negative"),
            (r#"a=("b");created=1.5"#, false, "a fraction"),
            (r#"a=("b");created="1""#, false, "text"),
            (r#"a=("b");created"#, false, "no value"),
            (r#"a=("b");created=1;created=2"#, false, "a parameter twice"),
            (r#"a=("b"); created=1"#, false, "a space before a parameter"),
            (r#"A=("b")"#, false, "an upper-case name"),
            (r#"=("b")"#, false, "no name"),
            (r#"a="b""#, false, "no list"),
            ("a", false, "no value"),
            (&components(MOST_COMPONENTS), true, "as many components as there may be"),
            (&components(MOST_COMPONENTS + 1), false, "one component too many"),
            ("a=();created=999999999999999", true, "15 digits"),
            ("a=();created=1000000000000000", false, "16 digits"),
            (&parameters, false, "too many parameters"),
            (&of_length(LONGEST), true, "as long as it may be"),
            (&of_length(LONGEST + 1), false, "too long"),
        ] {
            assert_eq!(inputs(&headers(&[line]), &NAME).is_ok(), expected, "{why}");
        }
        let read = inputs(&headers(&[r#"a=("@method" "date");created=7;keyid="k\"""#, "b=()"]), &NAME).unwrap();
        let (label, input) = &read[0];
        assert_eq!((label.as_str(), read.len()), ("a", 2), "two lines are one");
        assert_eq!(input.text, r#"("@method" "date");created=7;keyid="k\"""#);
        assert_eq!(input.components.iter().map(|component| &*component.name).collect::<Vec<_>>(), ["@method", "date"]);
        assert_eq!((input.created, input.keyid.as_deref()), (Some(7), Some("k\"")));
        assert_eq!(inputs(&HeaderMap::new(), &NAME).unwrap(), []);
        let many: Vec<String> = (0..9).map(|n| format!("a{n}=()")).collect();
        assert!(inputs(&headers(&[&many.join(", ")]), &NAME).is_err(), "too many members");
    }

    #[test]
    fn byte_sequences() {
        for (line, expected) in [
            ("a=:AA==:", Some(vec![("a", "AA==")])),
            ("sha-256=:AA==:, sha-512=:BB==:", Some(vec![("sha-256", "AA=="), ("sha-512", "BB==")])),
            ("a=AA==", None),
            ("a=:AA==", None),
            ("a=:AA==:;x", None),
        ] {
            let read = sequences(&headers(&[line]), &NAME).ok();
            let expected = expected.map(|all| all.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect());
            assert_eq!(read, expected, "{line}");
        }
    }
}
