//! Bodies that a partner may have signed before its HTTP client, or something on the way, wrote them again.

use serde_json::Value;

/// How long a body may become for each of its bytes: brackets in brackets, each in a line of its own, would be most of
/// the memory that there is.
const MOST_GROWTH: usize = 4;

/// By how much a short body may grow besides.
const ROOM: usize = 1024;

/// What other libraries make of this body, and what that would mean.
pub(super) fn other_bodies(body: &str) -> Vec<(String, String)> {
    let mut others = vec![
        ("the signed body did not have the white space at its end".to_owned(), body.trim_end().to_owned()),
        ("the signed body ended with a line feed".to_owned(), format!("{body}\n")),
        ("the signed body ended with a carriage return and a line feed".to_owned(), format!("{body}\r\n")),
        ("the line ends of the body were changed after it was signed".to_owned(), body.replace("\r\n", "\n")),
        ("the line ends of the body were changed after it was signed".to_owned(), body.replace('\n', "\r\n")),
        ("the signed body began with a byte order mark".to_owned(), format!("\u{feff}{body}")),
    ];
    if is_json(body) {
        others.extend(other_json(body));
    }
    others.retain(|(_, other)| other != body);
    others
}

pub(super) fn is_json(body: &str) -> bool {
    body.trim_start().starts_with(['{', '['])
}

/// JSON with other white space, other order of names and other escapes.
fn other_json(body: &str) -> Vec<(String, String)> {
    // `serde_json` sorts the names of an object.
    let sorted = serde_json::from_str::<Value>(body).ok().map(|value| value.to_string());
    let spacings = [
        ("as it came", Some(body.to_owned())),
        ("without white space", spaced(body, "", "")),
        ("with a space behind colons and commas, as Python's `json.dumps` writes it", spaced(body, " ", " ")),
        ("in lines that are indented by two spaces", indented(body, "  ")),
        ("in lines that are indented by four spaces", indented(body, "    ")),
        ("without white space, and sorted by names", sorted.clone()),
        (
            "with a space behind colons and commas, and sorted by names",
            sorted.as_deref().and_then(|sorted| spaced(sorted, " ", " ")),
        ),
    ];
    let mut others = Vec::new();
    for (spacing, text) in spacings.into_iter().filter_map(|(spacing, text)| Some((spacing, text?))) {
        let unescaped = unescaped(&text);
        for (escapes, text) in [
            ("", text),
            (", its non-ASCII characters and slashes not escaped", unescaped.clone()),
            (", its non-ASCII characters escaped", escaped(&unescaped)),
            (", its slashes escaped, as PHP's `json_encode` writes them", escaped(&unescaped).replace('/', "\\/")),
            (", its slashes escaped and its other characters not", unescaped.replace('/', "\\/")),
        ] {
            let cause = format!("the body was serialized again after it was signed: it was signed {spacing}{escapes}");
            others.push((cause, text));
        }
    }
    others
}

/// JSON with these separators behind its colons and commas, and no other white space.
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
            let bytes: usize = other_bodies(&body).iter().map(|(_, other)| other.len()).sum();
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
