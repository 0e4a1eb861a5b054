//! Reading JSON strictly: an object, no name twice at any depth, nothing after it.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::rejection::Reason;

/// Parses a JSON object into `C`, after making sure that it cannot be read in two ways.
///
/// serde's derived code refuses a *field* that comes twice, but keeps the last of two equal names in a map or a
/// [`serde_json::Value`], and does not look at the names that it has no field for.
pub(crate) fn object<C: DeserializeOwned>(json: &[u8], required: &[impl AsRef<str>]) -> Result<C, Reason> {
    let mut names = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let top = Unambiguous { top: Some(&mut names) }.deserialize(&mut reader).and_then(|()| reader.end());
    top.map_err(|error| Reason::BadPayload(describe(&error).into()))?;
    if let Some(missing) = required.iter().find(|required| !names.iter().any(|name| name == required.as_ref())) {
        return Err(Reason::MissingField(missing.as_ref().to_owned().into()));
    }
    serde_json::from_slice(json).map_err(|error| Reason::BadPayload(describe(&error).into()))
}

/// The value of one field of an object that [`object`] has accepted.
pub(crate) fn field(json: &[u8], name: &str) -> Result<Option<Value>, Reason> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    reader.deserialize_map(FieldNamed(name)).map_err(|error| Reason::BadPayload(describe(&error).into()))
}

struct FieldNamed<'a>(&'a str);

impl<'de> Visitor<'de> for FieldNamed<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<String>()? {
            match name == self.0 {
                true => found = Some(map.next_value()?),
                false => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(found)
    }
}

/// Says where it went wrong, but not what stood there: serde's own message may quote the payload.
fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Data if error.to_string().starts_with(TWICE) => TWICE,
        Category::Data if error.to_string().starts_with(NO_OBJECT) => NO_OBJECT,
        Category::Data => "does not have the shape that the claims require",
        Category::Syntax | Category::Eof | Category::Io => "is not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

const TWICE: &str = "has a name twice";
const NO_OBJECT: &str = "is not an object";

/// Walks through a value and keeps nothing but the names of the outermost object that have a value other than null.
struct Unambiguous<'a> {
    top: Option<&'a mut Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Unambiguous<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self).map(|_: IsNull| ())
    }
}

/// Whether a value is null.
type IsNull = bool;

impl<'de> Visitor<'de> for Unambiguous<'_> {
    type Value = IsNull;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<IsNull, A::Error> {
        let mut seen = Names::default();
        while let Some(name) = map.next_key::<String>()? {
            let is_null = map.next_value_seed(Nested)?;
            if let (Some(top), false) = (&mut self.top, is_null) {
                top.push(name.clone());
            }
            if !seen.insert(name) {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<IsNull, A::Error> {
        self.refuse_at_top()?;
        while seq.next_element_seed(Nested)?.is_some() {}
        Ok(false)
    }

    fn visit_unit<E: Error>(self) -> Result<IsNull, E> {
        self.refuse_at_top()?;
        Ok(true)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<IsNull, E> {
        self.refuse_at_top()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<IsNull, E> {
        self.refuse_at_top()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<IsNull, E> {
        self.refuse_at_top()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<IsNull, E> {
        self.refuse_at_top()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<IsNull, E> {
        self.refuse_at_top()
    }
}

impl Unambiguous<'_> {
    fn refuse_at_top<E: Error>(&self) -> Result<IsNull, E> {
        if self.top.is_some() { Err(E::custom(NO_OBJECT)) } else { Ok(false) }
    }
}

struct Nested;

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = IsNull;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<IsNull, D::Error> {
        deserializer.deserialize_any(Unambiguous { top: None })
    }
}

/// The names of one object: a list while they are few, a set when they are many, so that a large object costs no more
/// than its length.
#[derive(Default)]
struct Names {
    few: Vec<String>,
    many: HashSet<String>,
}

impl Names {
    const FEW: usize = 16;

    fn insert(&mut self, name: String) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < Self::FEW {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
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
