//! Bodies that a partner may have signed before its HTTP client, or something on the way, wrote them again.

use serde_json::Value;

use super::normal_forms::{composed, decomposed};
use crate::text::percent::decode_form;

/// How long a body may become for each of its bytes: brackets in brackets, each in a line of its own, would be most of
/// the memory that there is.
const MOST_GROWTH: usize = 4;

/// By how much a short body may grow besides.
const ROOM: usize = 1024;

/// What other libraries make of this body, and what that would mean: the likeliest first. Each is made when it is asked
/// for.
pub(super) fn other_bodies(body: &str) -> impl Iterator<Item = (String, Vec<u8>)> + Send + '_ {
    let json = if is_json(body) { SERIALIZED.as_slice() } else { &[] };
    let text = if body.is_empty() { &[] } else { WRITTEN.as_slice() };
    let (usual, rare) = json.split_at(json.len().min(USUAL));
    let json = |&(spacing, escapes): &(Spacing, Escapes)| {
        serialized(body, spacing, escapes).map(|(cause, text)| (cause, text.into_bytes()))
    };
    let text = text.iter().map(|(cause, write)| ((*cause).to_owned(), write(body)));
    let all = usual.iter().filter_map(json).chain(text).chain(rare.iter().filter_map(json));
    all.filter(move |(_, other)| other != body.as_bytes())
}

pub(super) fn is_json(body: &str) -> bool {
    body.trim_start().starts_with(['{', '['])
}

const WRITTEN: [(&str, fn(&str) -> Vec<u8>); 13] = [
    ("the signed body ended with a line feed", |body| format!("{body}\n").into()),
    ("the signed body did not have the white space at its end", |body| body.trim_end().into()),
    ("the signed body ended with a carriage return and a line feed", |body| format!("{body}\r\n").into()),
    ("the signed body began with a byte order mark", |body| format!("\u{feff}{body}").into()),
    ("the body begins with a byte order mark, which was not signed", |body| {
        body.strip_prefix('\u{feff}').unwrap_or(body).into()
    }),
    ("the line ends of the body were changed after it was signed", |body| body.replace("\r\n", "\n").into()),
    ("the line ends of the body were changed after it was signed", |body| body.replace('\n', "\r\n").into()),
    ("the form was decoded before it was signed", |body| {
        decode_form(body).map(|decoded| decoded.into_owned().into()).unwrap_or_default()
    }),
    ("the form was signed with its spaces as `%20`, and sent with a plus", |body| body.replace('+', "%20").into()),
    ("the body was signed in UTF-16, as `Encoding.Unicode` of C# writes it, and sent in UTF-8", |body| {
        body.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }),
    ("the body was signed in Latin-1, and sent in UTF-8", |body| {
        body.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect()
    }),
    ("the body was signed in another Unicode normal form: its accents joined to their letters (NFC)", |body| {
        normalized(body, composed)
    }),
    ("the body was signed in another Unicode normal form: its accents apart from their letters (NFD)", |body| {
        normalized(body, decomposed)
    }),
];

/// Of a long body, no other normal form is made: that takes much longer than signing it.
fn normalized(body: &str, form: fn(&str) -> String) -> Vec<u8> {
    const LONGEST: usize = 4 * 1024;

    if body.is_ascii() || body.len() > LONGEST { body.into() } else { form(body).into() }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spacing {
    AsItCame,
    Compact,
    Python,
    Indented(&'static str),
    CompactSorted,
    PythonSorted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escapes {
    AsTheyCame,
    None,
    Characters,
    CharactersAndSlashes,
    Slashes,
}

/// How many of [`SERIALIZED`] come before all else.
const USUAL: usize = 6;

/// The usual ones of each language first.
const SERIALIZED: [(Spacing, Escapes); 34] = {
    use Escapes::{AsTheyCame, Characters, CharactersAndSlashes, None, Slashes};
    use Spacing::{AsItCame, Compact, CompactSorted, Indented, Python, PythonSorted};
    [
        (Compact, AsTheyCame),
        (Python, AsTheyCame),
        (Compact, CharactersAndSlashes),
        (Python, Characters),
        (CompactSorted, AsTheyCame),
        (Indented("  "), AsTheyCame),
        (AsItCame, None),
        (AsItCame, Characters),
        (AsItCame, CharactersAndSlashes),
        (AsItCame, Slashes),
        (Compact, None),
        (Compact, Characters),
        (Compact, Slashes),
        (PythonSorted, AsTheyCame),
        (PythonSorted, Characters),
        (CompactSorted, None),
        (CompactSorted, Characters),
        (CompactSorted, CharactersAndSlashes),
        (CompactSorted, Slashes),
        (Indented("    "), AsTheyCame),
        (Python, None),
        (Python, CharactersAndSlashes),
        (Python, Slashes),
        (Indented("  "), None),
        (Indented("  "), Characters),
        (Indented("  "), CharactersAndSlashes),
        (Indented("  "), Slashes),
        (Indented("    "), None),
        (Indented("    "), Characters),
        (Indented("    "), CharactersAndSlashes),
        (Indented("    "), Slashes),
        (PythonSorted, None),
        (PythonSorted, CharactersAndSlashes),
        (PythonSorted, Slashes),
    ]
};

/// JSON with other white space, other order of names and other escapes; `None` if it does not differ by the escapes.
fn serialized(body: &str, spacing: Spacing, escapes: Escapes) -> Option<(String, String)> {
    // `serde_json` sorts the names of an object.
    let sorted = || serde_json::from_str::<Value>(body).ok().map(|value| value.to_string());
    let (spaced, text) = match spacing {
        Spacing::AsItCame => ("as it came", body.to_owned()),
        Spacing::Compact => ("without white space", spaced(body, "", "")?),
        Spacing::Python => {
            ("with a space behind colons and commas, as Python's `json.dumps` writes it", spaced(body, " ", " ")?)
        }
        Spacing::Indented("  ") => ("in lines that are indented by two spaces", indented(body, "  ")?),
        Spacing::Indented(indent) => ("in lines that are indented by four spaces", indented(body, indent)?),
        Spacing::CompactSorted => ("without white space, and sorted by names", sorted()?),
        Spacing::PythonSorted => {
            ("with a space behind colons and commas, and sorted by names", spaced(&sorted()?, " ", " ")?)
        }
    };
    let (written, other) = match escapes {
        Escapes::AsTheyCame => ("", text.clone()),
        Escapes::None => (", its non-ASCII characters and slashes not escaped", unescaped(&text)),
        Escapes::Characters => (", its non-ASCII characters escaped", escaped(&unescaped(&text))),
        Escapes::CharactersAndSlashes => (
            ", its slashes escaped, as PHP's `json_encode` writes them",
            escaped(&unescaped(&text)).replace('/', "\\/"),
        ),
        Escapes::Slashes => {
            (", its slashes escaped and its other characters not", unescaped(&text).replace('/', "\\/"))
        }
    };
    if escapes != Escapes::AsTheyCame && other == text {
        return None;
    }
    Some((format!("the body was serialized again after it was signed: it was signed {spaced}{written}"), other))
}

/// JSON with these separators after its colons and commas, and no other white space.
fn spaced(json: &str, after_colon: &str, after_comma: &str) -> Option<String> {
    rewritten(json, |character, out| {
        out.push(character);
        match character {
            ':' => out.push_str(after_colon),
            ',' => out.push_str(after_comma),
            _ => {}
        }
    })
}

/// JSON in lines, as JavaScript's `JSON.stringify` and Python's `json.dumps` write it if told to indent.
fn indented(json: &str, indent: &str) -> Option<String> {
    let (mut depth, mut before) = (0_usize, ' ');
    rewritten(json, |character, out| {
        let line = |depth: usize, out: &mut String| {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        };
        match character {
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !matches!(before, '{' | '[') {
                    line(depth, out);
                }
            }
            _ if matches!(before, '{' | '[') => line(depth, out),
            _ => {}
        }
        out.push(character);
        match character {
            '{' | '[' => depth = (depth + 1).min(64),
            ',' => line(depth, out),
            ':' => out.push(' '),
            _ => {}
        }
        before = character;
    })
}

/// Copies JSON strings as they are; outside strings, drops white space and passes every other character, the opening
/// quote included, to `write`. `None` if it becomes too long.
fn rewritten(json: &str, mut write: impl FnMut(char, &mut String)) -> Option<String> {
    let longest = json.len() * MOST_GROWTH + ROOM;
    let (mut out, mut in_string, mut is_escaped) = (String::with_capacity(json.len()), false, false);
    for character in json.chars() {
        if in_string {
            out.push(character);
            in_string = is_escaped || character != '"';
            is_escaped = character == '\\' && !is_escaped;
        } else if !matches!(character, ' ' | '\t' | '\n' | '\r') {
            in_string = character == '"';
            write(character, &mut out);
            if out.len() > longest {
                return None;
            }
        }
    }
    Some(out)
}

fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

/// Unescapes all that JSON lets one unescape.
fn unescaped(json: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(json.len()), json);
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        out.push_str(plain);
        let (text, length) = match character_of(escape) {
            Some((character, length)) => (character.to_string(), length),
            None if escape.starts_with("\\/") => ("/".to_owned(), 2),
            None => {
                let length = escape.chars().take(2).map(char::len_utf8).sum();
                (escape.get(..length).unwrap_or_default().to_owned(), length)
            }
        };
        out.push_str(&text);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character that `\u00e9`, or a pair such as `\ud83d\ude00`, stands for, unless it is ASCII; and their length.
fn character_of(escape: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let units = [Some(unit(0)?), unit(6)];
    let mut characters = char::decode_utf16(units.into_iter().flatten());
    let character = characters.next()?.ok().filter(|character| !character.is_ascii())?;
    Some((character, 6 * character.len_utf16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_serialized_again() {
        let json = r#"{ "a" : "x, \" : y\\", "b": [1, 2], "c":{} }"#;
        assert_eq!(spaced(json, "", "").unwrap(), r#"{"a":"x, \" : y\\","b":[1,2],"c":{}}"#);
        assert_eq!(spaced(json, " ", " ").unwrap(), r#"{"a": "x, \" : y\\", "b": [1, 2], "c": {}}"#);
        let lines = serde_json::to_string_pretty(&serde_json::from_str::<Value>(json).unwrap()).unwrap();
        assert_eq!(indented(json, "  "), Some(lines));
    }

    #[test]
    fn no_body_grows_beyond_bounds() {
        for piece in ["[", "{[", "[1,", "{}", "\u{e9}/"] {
            let body = format!("[{}", piece.repeat(60_000 / piece.len()));
            let bytes: usize = other_bodies(&body).map(|(_, other)| other.len()).sum();
            assert!(bytes < 10_000_000, "{piece}: {bytes}");
        }
    }

    #[test]
    fn characters_are_escaped_and_back() {
        for (plain, escapes) in [("é😀", "\\u00e9\\ud83d\\ude00"), ("a\\\"b\\n", "a\\\"b\\n"), ("", "")] {
            assert_eq!(escaped(plain), escapes);
            assert_eq!(unescaped(escapes), plain);
        }
        for (escapes, plain) in [
            ("\\/a\\\\/", "/a\\\\/"),
            ("\\u000a\\ud83dx", "\\u000a\\ud83dx"),
            ("\\", "\\"),
            ("\\u12", "\\u12"),
            ("\\é", "\\é"),
        ] {
            assert_eq!(unescaped(escapes), plain, "{escapes}");
        }
    }
}
