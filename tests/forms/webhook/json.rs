//! How strictly claims are read from JSON.

mod agreement;

use std::collections::HashMap;

use bytes::Bytes;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use tower_sso::webhook::FromBody;

fn read<C: FromBody>(json: impl AsRef<[u8]>) -> Result<C, String> {
    let read = C::from_body(&Bytes::copy_from_slice(json.as_ref()));
    read.map_err(|reason| format!("{}: {reason}", reason.as_str()))
}

/// A refusal's message, without the position.
fn refused<C: FromBody>(json: impl AsRef<[u8]>) -> Option<String> {
    let said = read::<C>(json).err()?;
    Some(said.strip_prefix("bad_payload: the payload: ").unwrap().split(" (line").next().unwrap().to_owned())
}

const TWICE: &str = "has a name twice";
const NO_JSON: &str = "is not JSON";
const RESERVED: &str = "has a name that serde_json keeps for itself";
const NO_OBJECT: &str = "is not an object: for a list or another value, take `JsonBody`";

/// Accepts any value as it is sent.
#[derive(Debug, Deserialize)]
struct Nothing {}

#[derive(Debug, Deserialize)]
struct Flat {
    #[serde(flatten)]
    _rest: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Any(IgnoredAny),
}

/// Ignores an error and reads on.
struct Tolerant;

impl<'de> Deserialize<'de> for Tolerant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Tolerant;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tolerant, A::Error> {
                // An object that is cut off has no end.
                for _ in 0..8 {
                    let Ok(Some(_)) = map.next_key::<Option<String>>() else { break };
                    _ = map.next_value::<Option<u8>>();
                }
                Ok(Tolerant)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Refused for every claims type.
#[test]
fn what_can_be_read_in_two_ways_is_refused_whoever_reads_it() {
    let many: String = (0..40).map(|n| format!(r#""n{n}":{n},"#)).collect();
    for (json, what, why) in [
        (r#"{"a":1,"a":2}"#.to_owned(), TWICE, "twice"),
        (r#"{"a":1,"a":1}"#.into(), TWICE, "twice with one value"),
        (r#"{"":1,"":1}"#.into(), TWICE, "an empty name"),
        (r#"{"a":1,"\u0061":2}"#.into(), TWICE, "in two spellings"),
        (r#"{"\u0061":1,"a":2}"#.into(), TWICE, "in two spellings, the odd one first"),
        (r#"{"é":1,"\u00E9":2}"#.into(), TWICE, "in two spellings, outside of ASCII"),
        (r#"{"\u00e9":1,"\u00E9":2}"#.into(), TWICE, "in two cases of hexadecimal digits"),
        (r#"{"😀":1,"\ud83d\ude00":2}"#.into(), TWICE, "a surrogate pair"),
        (r#"{"\"":1,"\u0022":2}"#.into(), TWICE, "a quote"),
        (r#"{"\\":1,"\u005c":2}"#.into(), TWICE, "a backslash"),
        (r#"{"\/":1,"/":2}"#.into(), TWICE, "a slash"),
        (r#"{"x":{"a":1,"a":1}}"#.into(), TWICE, "in an object"),
        (r#"{"x":[[{"a":1,"\u0061":1}]]}"#.into(), TWICE, "in a list"),
        (r#"{"a":1,"x":[{"a":1}],"a":1}"#.into(), TWICE, "around another object"),
        (r#"{"x":{"a":1},"y":{"b":1,"b":1}}"#.into(), TWICE, "in the second of two objects"),
        (format!(r#"{{{many}"n39":0}}"#), TWICE, "among many"),
        (format!(r#"{{{many}"n\u0030":0}}"#), TWICE, "among many, in two spellings"),
        (format!(r#"{{"x":[{{{many}"n7":0}}]}}"#), TWICE, "among many, deeper"),
        (r#"{"a":{"$serde_json::private::RawValue":"{\"b\":1,\"b\":2}"}}"#.into(), RESERVED, "JSON in a string"),
        (r#"{"a":{"\u0024serde_json::private::Number":"1"}}"#.into(), RESERVED, "a number in a string"),
        (r#"{"$serde_json::private::Number":"1"}"#.into(), RESERVED, "outermost"),
        ("[]".into(), NO_OBJECT, "a list"),
        ("[{}]".into(), NO_OBJECT, "a list of objects"),
        ("null".into(), NO_OBJECT, "null"),
        (" true".into(), NO_OBJECT, "a boolean"),
        ("1".into(), NO_OBJECT, "a number"),
        (r#""{}""#.into(), NO_OBJECT, "a string"),
        ("".into(), NO_JSON, "nothing"),
        (" ".into(), NO_JSON, "white space"),
        ("\u{feff}{}".into(), NO_JSON, "a byte order mark"),
        ("\u{a0}{}".into(), NO_JSON, "white space that JSON does not have"),
        ("\u{c}{}".into(), NO_JSON, "a form feed"),
        ("{}x".into(), NO_JSON, "something after it"),
        ("{}{}".into(), NO_JSON, "another object after it"),
        ("{}\0".into(), NO_JSON, "a zero byte after it"),
        (r#"{"a":1,}"#.into(), NO_JSON, "a comma too many"),
        (r#"{,"a":1}"#.into(), NO_JSON, "a comma too early"),
        (r#"{"a":[1,]}"#.into(), NO_JSON, "a comma too many in a list"),
        (r#"{"a":[1 2]}"#.into(), NO_JSON, "no comma"),
        (r#"{"a":1]"#.into(), NO_JSON, "another bracket"),
        (r#"{"a":[1}"#.into(), NO_JSON, "another bracket of a list"),
        (r#"{"a" 1}"#.into(), NO_JSON, "no colon"),
        (r#"{"a"::1}"#.into(), NO_JSON, "two colons"),
        (r#"{a:1}"#.into(), NO_JSON, "a name without quotes"),
        (r#"{1:1}"#.into(), NO_JSON, "a number for a name"),
        (r#"{'a':1}"#.into(), NO_JSON, "other quotes"),
        (r#"{"a":1/**/}"#.into(), NO_JSON, "a comment"),
        (r#"{"a":NaN}"#.into(), NO_JSON, "not a number"),
        (r#"{"a":-Infinity}"#.into(), NO_JSON, "infinity"),
        (r#"{"a":nul}"#.into(), NO_JSON, "half a word"),
        (r#"{"a":nulll}"#.into(), NO_JSON, "more than a word"),
        (r#"{"a":True}"#.into(), NO_JSON, "a capital"),
        (r#"{"a":01}"#.into(), NO_JSON, "a leading zero"),
        (r#"{"a":-}"#.into(), NO_JSON, "a sign alone"),
        (r#"{"a":+1}"#.into(), NO_JSON, "a plus sign"),
        (r#"{"a":.5}"#.into(), NO_JSON, "a point first"),
        (r#"{"a":1.}"#.into(), NO_JSON, "a point last"),
        (r#"{"a":1e}"#.into(), NO_JSON, "no exponent"),
        (r#"{"a":1-1}"#.into(), NO_JSON, "two numbers"),
        (r#"{"a":0x10}"#.into(), NO_JSON, "hexadecimal digits"),
        (r#"{"a":1e400}"#.into(), NO_JSON, "beyond an f64"),
        (r#"{"a":[-1E+400]}"#.into(), NO_JSON, "far below zero"),
        (format!(r#"{{"a":{}}}"#, "9".repeat(400)), NO_JSON, "400 digits"),
        (r#"{"a":"\ud800"}"#.into(), NO_JSON, "half a surrogate pair"),
        (r#"{"a":"\ud800\ud800"}"#.into(), NO_JSON, "two first halves"),
        (r#"{"a":"\udc00"}"#.into(), NO_JSON, "the other half"),
        (r#"{"\ud800":1}"#.into(), NO_JSON, "half a surrogate pair in a name"),
        (r#"{"a":"\x41"}"#.into(), NO_JSON, "an escape that JSON does not have"),
        (r#"{"a":"\u12"}"#.into(), NO_JSON, "half an escape"),
        ("{\"a\":\"\n\"}".into(), NO_JSON, "a line end in a string"),
        ("{\"a\\u0062\0\":1}".into(), NO_JSON, "a zero byte in a name with an escape"),
        (r#"{"a":"#.into(), NO_JSON, "cut short before a value"),
        (r#"{"a":"b"#.into(), NO_JSON, "cut short in a string"),
        (r#"{"a":"b\"#.into(), NO_JSON, "cut short in an escape"),
        (r#"{"a":"b\"}"#.into(), NO_JSON, "cut short after an escaped quote"),
        (r#"{"a":1"#.into(), NO_JSON, "cut short after a value"),
        ("[".repeat(100_000), NO_JSON, "too deep, without a stack overflow"),
        (r#"{"a":"#.repeat(100_000), NO_JSON, "objects too deep"),
        (format!(r#"{{"a":{}{}}}"#, "[".repeat(127), "]".repeat(127)), NO_JSON, "one level too deep"),
    ] {
        assert_eq!(refused::<Value>(&json).as_deref(), Some(what), "{why}");
        assert_eq!(refused::<Nothing>(&json).as_deref(), Some(what), "{why}: no field");
        assert_eq!(refused::<Flat>(&json).as_deref(), Some(what), "{why}: flattened");
        assert_eq!(refused::<Untagged>(&json).as_deref(), Some(what), "{why}: untagged");
        assert_eq!(refused::<Option<Value>>(&json).as_deref(), Some(what), "{why}: an option");
        assert_eq!(refused::<HashMap<String, IgnoredAny>>(&json).as_deref(), Some(what), "{why}: ignored");
        assert_eq!(refused::<Tolerant>(&json).as_deref(), Some(what), "{why}: errors ignored");
    }
    for text in [b"{\"a\":\"\xff\"}".as_slice(), b"{\"\xc0\x80\":1}", b"{\"a\":\"\xed\xa0\x80\"}", b"{}\xff"] {
        assert_eq!(refused::<Nothing>(text).as_deref(), Some("is not JSON: it is not UTF-8"));
    }
}

#[test]
fn what_can_be_read_in_one_way_is_read() {
    let many: Map<String, Value> = (0..40).map(|n| (format!("n{n}"), n.into())).collect();
    for (json, value, why) in [
        ("{}".to_owned(), json!({}), "empty"),
        (" \t\r\n{ } \n".into(), json!({}), "white space"),
        (
            r#"{"a":{"b":[{"c":1},{"c":2}]},"c":3}"#.into(),
            json!({"a": {"b": [{"c": 1}, {"c": 2}]}, "c": 3}),
            "one name",
        ),
        (r#"{"a":{"a":{"a":1}}}"#.into(), json!({"a": {"a": {"a": 1}}}), "one name, one in the other"),
        (r#"{"a":1,"A":2}"#.into(), json!({"a": 1, "A": 2}), "another case"),
        (r#"{"é":1,"e\u0301":2}"#.into(), json!({"é": 1, "e\u{301}": 2}), "another composition"),
        (r#"{"\\u0061":1,"a":2}"#.into(), json!({r"\u0061": 1, "a": 2}), "an escaped backslash"),
        (r#"{"a":"\"}","b":"\\"}"#.into(), json!({"a": "\"}", "b": "\\"}), "escapes at the end of a string"),
        (r#"{"a":"\ud83d\ude00"}"#.into(), json!({"a": "😀"}), "a surrogate pair"),
        (r#"{"a":"$serde_json::private::RawValue"}"#.into(), json!({"a": "$serde_json::private::RawValue"}), "a value"),
        (r#"{"a":[0,-0,1e3,-1.5E-3]}"#.into(), json!({"a": [0, -0.0, 1e3, -1.5e-3]}), "numbers"),
        (r#"{"a":[true,false,null]}"#.into(), json!({"a": [true, false, null]}), "words"),
        (Value::from(many.clone()).to_string(), many.into(), "many names"),
    ] {
        assert_eq!(read::<Value>(&json), Ok(value), "{why}");
    }
    let deepest = format!(r#"{{"a":{}{}}}"#, "[".repeat(126), "]".repeat(126));
    assert!(read::<Value>(&deepest).is_ok(), "as deep as serde_json reads");
}

#[test]
fn a_refusal_says_where_and_does_not_quote() {
    for (json, place, why) in [
        (r#"{"bob":1,"bob":2}"#, "(line 1, column 14)", "after the second name"),
        ("{\"bob\":1,\n \"bob\":2}", "(line 2, column 6)", "on the second line"),
        ("{\"bob\":1,\n,}", "(line 2, column 1)", "what is no name"),
        ("{\"bob\":\n1e400}", "(line 2, column 5)", "at the end of a number"),
        ("{\"bob\":\n \"\\ud800\"}", "(line 2, column 9)", "in a string"),
        (r#"{"bob":nil}"#, "(line 1, column 9)", "in a word"),
        (r#"{"bob":}"#, "(line 1, column 8)", "in place of a value"),
        (r#"{"bob":1"#, "(line 1, column 8)", "at the end"),
        (r#"{"bob":"bob@example.com"}"#, "(line 1, column 24)", "of the wrong type"),
    ] {
        let said = read::<HashMap<String, u8>>(json).unwrap_err();
        assert!(said.ends_with(place), "{why}: {said}");
        if let Err(error) = serde_json::from_str::<Value>(json) {
            assert_eq!(place, format!("(line {}, column {})", error.line(), error.column()), "{why}");
        }
        assert!(!said.contains("bob"), "{why}: {said}");
    }
}

#[test]
fn a_refusal_names_the_field_and_no_value() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct User {
        name: String,
        age: Option<u8>,
        address: Option<Address>,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Address {
        city: String,
    }
    for (json, expected) in [
        (r#"{"age": 7}"#, ": `name` is missing (line"),
        (r#"{"name": "ada", "age": "s3cret"}"#, ": `age` has another type or value (line"),
        (r#"{"name": "ada", "age": 700}"#, ": `age` has another type or value (line"),
        (r#"{"name": "ada", "address": {"s3cret": 1}}"#, ": `city` is missing in `address` (line"),
        (r#"{"name": "ada", "address": {"city": ["s3cret"]}}"#, ": `address` has another type or value (line"),
    ] {
        let said = read::<User>(json).unwrap_err();
        assert!(said.contains(expected) && !said.contains("s3cret"), "{said}");
    }
}

#[test]
fn one_that_comes_twice_is_found_among_any_number() {
    for count in 1..=40 {
        let names: Vec<_> = (0..count).map(|n| format!(r#""{n:02}":0"#)).collect();
        let object = names.join(",");
        assert!(read::<Nothing>(format!("{{{object}}}")).is_ok(), "{count}");
        for twice in 0..count {
            for name in [format!("{twice:02}"), format!(r"\u003{}{}", twice / 10, twice % 10)] {
                let said = refused::<Nothing>(format!(r#"{{{object},"{name}":1}}"#));
                assert_eq!(said.as_deref(), Some(TWICE), "{name} of {count}");
            }
        }
    }
}

/// `cargo bench --bench refusals -- names` measures that they cost no more than their length.
#[test]
fn among_many_names_one_that_comes_twice_is_found_in_any_order() {
    const COUNT: u32 = 100_000;
    // An odd factor takes no two numbers to one.
    let orders: [(&str, fn(u32) -> u32); 3] =
        [("ascending", |n| n), ("descending", |n| COUNT - n), ("in no order", |n| n.wrapping_mul(0x9E37_79B1))];
    for (order, number) in orders {
        let names: Vec<_> = (0..COUNT).map(|n| format!(r#""{:010}":0"#, number(n))).collect();
        let object = names.join(",");
        assert!(read::<Nothing>(format!("{{{object}}}")).is_ok(), "{order}");
        for twice in [0, COUNT / 2, COUNT - 1] {
            let said = refused::<Nothing>(format!(r#"{{{object},"{:010}":1}}"#, number(twice)));
            assert_eq!(said.as_deref(), Some(TWICE), "{order}: the one at {twice}");
        }
    }
}
