//! Reading JSON strictly: an object, no name twice at any depth, nothing after it.

mod names;
mod once;
mod strict;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::rejection::Reason;
use names::{RESERVED, TWICE};
use once::Reading;
pub(crate) use once::{Seen, Sight};
use strict::Errors;

/// Parses a JSON object into `C`, after making sure that it cannot be read in two ways.
///
/// serde's derived code refuses a *field* that comes twice, but keeps the last of two equal names in a map or a
/// [`serde_json::Value`], and does not look at the names that it has no field for.
pub(crate) fn object<C: DeserializeOwned>(json: &[u8], required: &[impl AsRef<str>]) -> Result<C, Reason> {
    match read(json, |name| is_one_of(name, required)) {
        Some((claims, seen)) if seen.missing(required).is_none() => Ok(claims),
        _ => {
            let object = Object::read(json, |name| is_one_of(name, required))?;
            object.require(required)?;
            object.parse()
        }
    }
}

pub(crate) fn is_one_of(name: &str, names: &[impl AsRef<str>]) -> bool {
    names.iter().any(|other| other.as_ref() == name)
}

/// The claims of an object that cannot be read in two ways, and what was seen of the fields that were asked for: in one
/// pass. `None` does not mean that it has none: [`Object`] is slower, and knows what is wrong.
pub(crate) fn read<C: DeserializeOwned>(json: &[u8], asked_for: impl Fn(&str) -> bool) -> Option<(C, Seen<'_>)> {
    let (mut seen, errors) = (Seen::default(), Errors::default());
    let mut reader = serde_json::Deserializer::from_str(text(json).ok()?);
    let reading = Reading { reader: &mut reader, seen: &mut seen, errors: &errors, asked_for, whole: false };
    let claims = C::deserialize(reading).ok()?;
    reader.end().ok()?;
    (!errors.any()).then_some((claims, seen))
}

/// An object that cannot be read in two ways.
pub(crate) struct Object<'a> {
    json: &'a str,
    seen: Seen<'a>,
}

impl<'a> Object<'a> {
    /// Looks at all of it, and keeps the values of some of its fields.
    pub(crate) fn read(json: &'a [u8], keep: impl Fn(&str) -> bool) -> Result<Self, Reason> {
        let (json, mut seen, errors) = (text(json)?, Seen::default(), Errors::default());
        let mut reader = serde_json::Deserializer::from_str(json);
        let reading = Reading { reader: &mut reader, seen: &mut seen, errors: &errors, asked_for: keep, whole: true };
        let read = IgnoredAny::deserialize(reading).and_then(|_| reader.end());
        // Any other value than an object would have done but for the outermost one.
        read.map_err(|error| bad_payload(describe(&error, "is not an object")))?;
        Ok(Self { json, seen })
    }

    /// Refuses an object in which one of these, which were kept, is missing or null.
    pub(crate) fn require(&self, required: &[impl AsRef<str>]) -> Result<(), Reason> {
        self.seen.missing(required).map_or(Ok(()), |missing| Err(Reason::MissingField(missing.to_owned().into())))
    }

    /// The value of a field that was kept.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.seen.get(name).map(|sight| if let Sight::Value(value) = sight { value } else { &Value::Null })
    }

    /// Parses it.
    pub(crate) fn parse<C: DeserializeOwned>(&self) -> Result<C, Reason> {
        parse(self.json.as_bytes())
    }
}

/// Parses what was read as an [`Object`] before.
pub(crate) fn parse<C: DeserializeOwned>(object: &[u8]) -> Result<C, Reason> {
    const NO_CLAIMS: &str = "does not have the shape that the claims require";
    serde_json::from_slice(object).map_err(|error| bad_payload(describe(&error, NO_CLAIMS)))
}

/// Once for the whole text: its strings are then not looked at one by one, and that twice.
fn text(json: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(json).map_err(|_| bad_payload("is not JSON: it is not UTF-8"))
}

/// Whether that is what is wrong with an object.
#[cfg(feature = "jwt")]
pub(crate) fn has_a_name_twice(reason: &Reason) -> bool {
    matches!(reason, Reason::BadPayload(what) if what.starts_with(TWICE))
}

fn bad_payload(what: impl Into<Cow<'static, str>>) -> Reason {
    Reason::BadPayload(what.into())
}

/// Says where it went wrong, but not what stood there: serde's own message may quote the payload.
fn describe(error: &serde_json::Error, wrong_shape: &str) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Data => {
            let said = error.to_string();
            [TWICE, RESERVED].into_iter().find(|what| said.starts_with(what)).unwrap_or(wrong_shape)
        }
        Category::Syntax | Category::Eof | Category::Io => "is not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_strictly() {
        let many: String = (0..40).map(|n| format!(r#""n{n}":{n},"#)).collect();
        let bad = |what: &str| Some(format!("bad_payload: the payload: {what}"));
        for (json, refused, why) in [
            (r#"{"id":1}"#.to_owned(), None, "plain"),
            (r#" {"id":1,"a":{"b":[{"c":1},{"c":2}]}} "#.into(), None, "equal names in different objects"),
            (r#"{"id":1,"id":2}"#.into(), bad("has a name twice"), "twice"),
            (r#"{"id":1,"\u0069d":2}"#.into(), bad("has a name twice"), "twice in two spellings"),
            (r#"{"id":1,"a":[{"b":1,"b":1}]}"#.into(), bad("has a name twice"), "twice in the depth"),
            (format!(r#"{{"id":1,{many}"n39":0}}"#), bad("has a name twice"), "twice among many"),
            (format!(r#"{{"id":1,{many}"n0":0}}"#), bad("has a name twice"), "twice among many"),
            (
                r#"{"id":1,"a":{"$serde_json::private::RawValue":"{\"b\":1,\"b\":2}"}}"#.into(),
                bad("has a name that serde_json keeps"),
                "JSON in a string, with the feature raw_value",
            ),
            (
                r#"{"id":{"\u0024serde_json::private::Number":"1"}}"#.into(),
                bad("has a name that serde_json keeps"),
                "a number in a string, with the feature arbitrary_precision",
            ),
            ("[]".into(), bad("is not an object"), "an array"),
            ("null".into(), bad("is not an object"), "null"),
            ("1".into(), bad("is not an object"), "a number"),
            (r#""id""#.into(), bad("is not an object"), "a string"),
            ("".into(), bad("is not JSON"), "empty"),
            (r#"{"id":1}x"#.into(), bad("is not JSON"), "something after it"),
            (r#"{"id":1,}"#.into(), bad("is not JSON"), "a comma too many"),
            (r#"{"id":NaN}"#.into(), bad("is not JSON"), "no number"),
            ("\u{feff}{\"id\":1}".into(), bad("is not JSON"), "a byte order mark"),
            ("[".repeat(100_000), bad("is not"), "too deep, without a stack overflow"),
            (r#"{"a":1}"#.into(), Some("missing_field: the payload has no `id`".into()), "missing"),
            (r#"{"id":null}"#.into(), Some("missing_field: the payload has no `id`".into()), "null is missing"),
        ] {
            let result = object::<Value>(json.as_bytes(), &["id"]);
            let said = result.err().map(|reason| format!("{}: {reason}", reason.as_str()));
            match (&said, &refused) {
                (Some(said), Some(refused)) => assert!(said.starts_with(refused.as_str()), "{why}: {said}"),
                _ => assert_eq!(said, refused, "{why}"),
            }
        }
    }

    #[test]
    fn a_refusal_does_not_quote_the_payload() {
        let reason = object::<std::collections::HashMap<String, u8>>(br#"{"id":"bob@example.com"}"#, &["id"]);
        assert!(!reason.unwrap_err().to_string().contains("bob"));
    }

    #[test]
    fn invalid_utf8_is_refused() {
        assert!(object::<Value>(b"{\"id\":\"\xff\"}", &["id"]).is_err());
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Role {
        Learner,
        Other(Value),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Id(u64);

    #[derive(Debug, PartialEq, Deserialize)]
    struct Plain {
        id: Id,
        role: Option<Role>,
        #[serde(default)]
        by_number: std::collections::BTreeMap<u8, u8>,
        list: Option<Vec<(i8, f64, bool)>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Flat {
        id: u64,
        #[serde(flatten)]
        rest: serde_json::Map<String, Value>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        #[serde(rename = "user")]
        User { id: u64 },
    }

    /// Reads it in one pass and in two: whatever the first accepts, the second does too, and makes the same of it.
    fn once<C: DeserializeOwned + PartialEq + std::fmt::Debug>(json: &str) -> bool {
        let twice = Object::read(json.as_bytes(), |_| false).and_then(|object| object.parse::<C>());
        let once = read::<C>(json.as_bytes(), |name| name == "id").map(|(claims, _)| claims);
        if let Some(claims) = &once {
            assert_eq!(twice.as_ref().ok(), Some(claims), "{json}");
        }
        assert_eq!(object::<C>(json.as_bytes(), &[""; 0]), twice, "{json}");
        once.is_some()
    }

    #[test]
    fn one_pass_is_as_strict_as_two() {
        let many: String = (0..40).map(|n| format!(r#""n{n}":{n},"#)).collect();
        for (json, plain, flat, value, why) in [
            (r#"{"id":1}"#.to_owned(), true, true, true, "plain"),
            (r#"{"id":1,"role":"learner","list":[[1,2,true]],"x":null}"#.into(), true, true, true, "what is read"),
            (r#"{"\u0069d":1,"x":"\n","y":[{"a":{}},{"a":{}}]}"#.into(), true, true, true, "escapes, and depth"),
            (format!(r#"{{{many}"id":1}}"#), true, true, true, "many names"),
            (
                r#"{"id":1,"by_number":{"1":2}}"#.into(),
                false,
                true,
                true,
                "names that are read as numbers: in two passes",
            ),
            (r#"{"id":1,"role":{"other":{"a":1}}}"#.into(), false, true, true, "a variant with a value: in two passes"),
            (r#"{"id":1,"role":{"other":{"a":1,"a":1}}}"#.into(), false, false, false, "twice in a variant"),
            (r#"{"id":1,"by_number":{"1":2,"1":2}}"#.into(), false, false, false, "twice among numbers"),
            (r#"{"id":1,"id":1}"#.into(), false, false, false, "twice"),
            (r#"{"id":1,"\u0069d":1}"#.into(), false, false, false, "twice in two spellings"),
            (r#"{"id":1,"x":1,"x":1}"#.into(), false, false, false, "twice, and not a field"),
            (r#"{"id":1,"x":{"a":1,"a":1}}"#.into(), false, false, false, "twice in what is not a field"),
            (
                r#"{"id":1,"x":[[{"a":1,"\u0061":1}]]}"#.into(),
                false,
                false,
                false,
                "twice in a list of what is not a field",
            ),
            (format!(r#"{{"id":1,{many}"n39":1}}"#), false, false, false, "twice among many"),
            (format!(r#"{{"id":1,{many}"n\u0030":1}}"#), false, false, false, "twice among many, in two spellings"),
            (r#"{"id":"1"}"#.into(), false, false, true, "another type"),
            (r#"{"id":1}{}"#.into(), false, false, false, "something after it"),
            (r#"[{"id":1}]"#.into(), false, false, false, "a list"),
            ("null".into(), false, false, false, "null"),
        ] {
            assert_eq!(once::<Plain>(&json), plain, "{why}");
            assert_eq!(once::<Flat>(&json), flat, "{why}");
            assert_eq!(once::<Value>(&json), value, "{why}");
            once::<Option<Value>>(&json);
            once::<Vec<Value>>(&json);
        }
        assert!(once::<Tagged>(r#"{"id":1,"kind":"user"}"#));
        assert!(!once::<Tagged>(r#"{"id":1,"kind":"user","id":1}"#));
        assert!(!once::<Tagged>(r#"{"id":1,"kind":"user","x":{"a":1,"a":2}}"#));
        assert!(!once::<Role>(r#"{"other":1}"#));
    }

    /// Reads what it can, as an application does that wants to sign its users in whatever their partner sends.
    #[derive(Debug, PartialEq, Default)]
    struct Tolerant {
        fields: Vec<(Option<String>, Option<u8>)>,
    }

    impl<'de> Deserialize<'de> for Tolerant {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Fields;
            impl<'de> serde::de::Visitor<'de> for Fields {
                type Value = Tolerant;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("fields")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Tolerant, A::Error> {
                    let mut fields = Vec::new();
                    // An object that is cut short never ends.
                    for _ in 0..8 {
                        let Some(name) = map.next_key().map_or(Some(None), |name| name.map(Some)) else { break };
                        fields.push((name, map.next_value().ok()));
                    }
                    Ok(Tolerant { fields })
                }
            }
            deserializer.deserialize_map(Fields)
        }
    }

    fn tolerant<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        Ok(T::deserialize(deserializer).ok())
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wide {
        #[serde(deserialize_with = "tolerant")]
        id: Option<u128>,
    }

    #[derive(Debug, PartialEq, Eq, Hash)]
    struct Name(Option<String>);

    impl<'de> Deserialize<'de> for Name {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            tolerant(deserializer).map(Self)
        }
    }

    #[derive(Debug, PartialEq)]
    struct Bytes(Vec<u8>);

    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Any;
            impl serde::de::Visitor<'_> for Any {
                type Value = Bytes;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }

                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.to_vec()))
                }
            }
            deserializer.deserialize_bytes(Any)
        }
    }

    #[test]
    fn an_error_of_which_the_claims_make_nothing_is_still_one() {
        type Names = std::collections::HashMap<Name, u8>;
        type AnyBytes = std::collections::HashMap<String, Bytes>;
        assert!(once::<Tolerant>(r#"{"id":1}"#));
        for json in [
            r#"{"id":1,"id":2}"#,
            r#"{"id":1,"\u0069d":2}"#,
            r#"{"id":{"a":1,"a":2}}"#,
            r#"{"id":5}"#,
            r#"{"id":300}"#,
            r#"{"id":"a"}"#,
            r#"{"id":}"#,
            r#"{"id":"#,
            r#"{"id":[1,}"#,
            r#"{"id":"\ud800"}"#,
            "{\"id\":\"\n\"}",
            "1",
            "null",
            "",
        ] {
            once::<Tolerant>(json);
            once::<Wide>(json);
            once::<Names>(json);
            once::<AnyBytes>(json);
        }
        // What the claims cannot read, whoever asked for it must see; or else it is read once more.
        assert!(read::<Tolerant>(br#"{"nbf":300}"#, |name| name == "nbf").is_none());
    }

    #[test]
    fn what_is_asked_for_is_seen_whoever_reads_it() {
        const JSON: &[u8] = br#"{"text":"a","escaped":"\u0061","number":1,"null":null,"list":[1],"no":0}"#;
        fn seen<C: DeserializeOwned>() {
            let (_, seen) = read::<C>(JSON, |name| name != "no").unwrap();
            assert!(matches!(seen.get("text"), Some(Sight::Text(text)) if text == "a"));
            assert!(matches!(seen.get("escaped"), Some(Sight::Text(text)) if text == "a"));
            assert!(matches!(seen.get("number"), Some(Sight::Value(value)) if *value == 1));
            assert!(matches!(seen.get("null"), Some(Sight::Null)));
            assert!(matches!(seen.get("list"), Some(Sight::Compound)));
            assert!(seen.get("no").is_none());
            assert_eq!(seen.missing(&["text", "list"]), None);
            assert_eq!(seen.missing(&["text", "null", "absent"]), Some("null"));
            assert_eq!(seen.missing(&["absent"]), Some("absent"));
        }
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "it is read, and no more")]
        struct All {
            text: String,
            escaped: Option<String>,
            number: Id,
            null: Option<u8>,
            list: Vec<u8>,
        }
        seen::<All>();
        seen::<IgnoredAny>();
        seen::<Value>();
    }
}
