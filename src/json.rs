//! Reading JSON strictly: an object, no name twice at any depth, nothing after it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::rejection::Reason;

/// Parses a JSON object into `C`, after making sure that it cannot be read in two ways.
///
/// serde's derived code refuses a *field* that comes twice, but keeps the last of two equal names in a map or a
/// [`serde_json::Value`], and does not look at the names that it has no field for.
pub(crate) fn object<C: DeserializeOwned>(json: &[u8], required: &[impl AsRef<str>]) -> Result<C, Reason> {
    let object = Object::read(json, |_| false)?;
    object.require(required)?;
    object.parse()
}

/// The value of one field of an object.
pub(crate) fn field(json: &[u8], name: &str) -> Result<Option<Value>, Reason> {
    Ok(Object::read(json, |field| field == name)?.take(name))
}

/// An object that cannot be read in two ways.
pub(crate) struct Object<'a> {
    json: &'a str,
    names: Names<'a>,
    /// Those of the names whose value is null.
    nulls: Vec<Cow<'a, str>>,
    kept: Vec<(Cow<'a, str>, Value)>,
}

impl<'a> Object<'a> {
    /// Looks at all of it, and keeps the values of some of its fields.
    pub(crate) fn read(json: &'a [u8], keep: impl Fn(&str) -> bool) -> Result<Self, Reason> {
        // Once for the whole text: its strings are then not looked at one by one, and that twice.
        let json = std::str::from_utf8(json).map_err(|_| bad_payload("is not JSON: it is not UTF-8"))?;
        let mut object = Self { json, names: Names::default(), nulls: Vec::new(), kept: Vec::new() };
        let mut reader = serde_json::Deserializer::from_str(json);
        let read = reader.deserialize_map(Reading { object: &mut object, keep }).and_then(|()| reader.end());
        // Any other value than an object would have done but for the outermost one.
        read.map_err(|error| bad_payload(describe(&error, "is not an object")))?;
        Ok(object)
    }

    /// Refuses an object in which one of these is missing or null.
    pub(crate) fn require(&self, required: &[impl AsRef<str>]) -> Result<(), Reason> {
        let has_value = |name: &str| self.names.contains(name) && !self.nulls.iter().any(|null| null == name);
        match required.iter().map(AsRef::as_ref).find(|name| !has_value(name)) {
            Some(missing) => Err(Reason::MissingField(missing.to_owned().into())),
            None => Ok(()),
        }
    }

    /// The value of a field that was kept.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.kept.iter().find(|(kept, _)| kept == name).map(|(_, value)| value)
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let position = self.kept.iter().position(|(kept, _)| kept == name)?;
        Some(self.kept.swap_remove(position).1)
    }

    /// Parses it.
    pub(crate) fn parse<C: DeserializeOwned>(&self) -> Result<C, Reason> {
        serde_json::from_str(self.json).map_err(|error| bad_payload(describe(&error, NO_CLAIMS)))
    }
}

/// Parses what was read as an [`Object`] before.
pub(crate) fn parse<C: DeserializeOwned>(object: &[u8]) -> Result<C, Reason> {
    serde_json::from_slice(object).map_err(|error| bad_payload(describe(&error, NO_CLAIMS)))
}

fn bad_payload(what: impl Into<Cow<'static, str>>) -> Reason {
    Reason::BadPayload(what.into())
}

/// Says where it went wrong, but not what stood there: serde's own message may quote the payload.
fn describe(error: &serde_json::Error, wrong_shape: &str) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Data if error.to_string().starts_with(TWICE) => TWICE,
        Category::Data => wrong_shape,
        Category::Syntax | Category::Eof | Category::Io => "is not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

const TWICE: &str = "has a name twice";
const NO_CLAIMS: &str = "does not have the shape that the claims require";

/// The outermost object while it is read.
struct Reading<'o, 'de, K> {
    object: &'o mut Object<'de>,
    keep: K,
}

impl<'de, K: Fn(&str) -> bool> Visitor<'de> for Reading<'_, 'de, K> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { object, keep } = self;
        while let Some(Name(name)) = map.next_key()? {
            let keep = keep(&name);
            let value = map.next_value_seed(Strict { keep })?;
            if value.is_null() {
                object.nulls.push(name.clone());
            }
            if keep {
                object.kept.push((name.clone(), value));
            }
            object.names.add(name)?;
        }
        Ok(())
    }
}

/// Any value without a name twice. What is not to be kept of it becomes `true`, unless it costs nothing.
#[derive(Clone, Copy)]
struct Strict {
    keep: bool,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let (mut names, mut kept) = (Names::default(), Map::new());
        while let Some(Name(name)) = map.next_key()? {
            let value = map.next_value_seed(self)?;
            if self.keep {
                kept.insert(name.clone().into_owned(), value);
            }
            names.add(name)?;
        }
        Ok(if self.keep { Value::Object(kept) } else { Value::Bool(true) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(value) = seq.next_element_seed(self)? {
            if self.keep {
                kept.push(value);
            }
        }
        Ok(if self.keep { Value::Array(kept) } else { Value::Bool(true) })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(if self.keep { text.into() } else { Value::Bool(true) })
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
}

/// A name, which is copied only if it is spelled with escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The names of one object: a list while they are few, a set when they are many, so that a large object costs no more
/// than its length.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    const FEW: usize = 16;

    fn contains(&self, name: &str) -> bool {
        self.few.iter().any(|other| other == name) || self.many.contains(name)
    }

    fn add<E: Error>(&mut self, name: Cow<'a, str>) -> Result<(), E> {
        if self.contains(&name) {
            return Err(E::custom(TWICE));
        }
        match self.few.len() {
            0 => self.few.reserve_exact(Self::FEW),
            Self::FEW => {
                self.many.insert(name);
                return Ok(());
            }
            _ => {}
        }
        self.few.push(name);
        Ok(())
    }
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
}
