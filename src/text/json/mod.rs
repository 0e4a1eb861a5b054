//! Reads JSON strictly: an object, no duplicate names at any depth, nothing after it.

mod fault;
mod scan;

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::rejection::Reason;
use fault::field_at_fault;
use scan::{Names, scan};

pub(crate) const NOT_AN_OBJECT: &str = "is not an object";

/// Parses a JSON object that has these fields, none of them null.
pub(crate) fn object<C: DeserializeOwned>(json: &[u8], required: &[impl AsRef<str>]) -> Result<C, Reason> {
    let object = Object::read(json)?;
    object.require(required)?;
    object.parse()
}

/// Parses any JSON value without duplicate names.
pub(crate) fn value<C: DeserializeOwned>(json: &[u8]) -> Result<C, Reason> {
    let (json, _) = unambiguous(json)?;
    parse_text(json)
}

/// Scans all of it, including fields that no claims use.
fn unambiguous(json: &[u8]) -> Result<(&str, Names<'_>), Reason> {
    let json = text(json)?;
    let names = scan(json).map_err(|(what, at)| {
        let before = json.as_bytes().get(..at).unwrap_or_default();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        at_position(what, before.iter().filter(|byte| **byte == b'\n').count() + 1, column)
    })?;
    Ok((json, names))
}

/// An unambiguous object: every parser reads the same from its text.
pub(crate) struct Object<'a> {
    json: &'a str,
    names: Names<'a>,
}

impl<'a> Object<'a> {
    pub(crate) fn read(json: &'a [u8]) -> Result<Self, Reason> {
        let (json, names) = unambiguous(json)?;
        match json.trim_ascii_start().starts_with('{') {
            true => Ok(Self { json, names }),
            false => Err(bad_payload(NOT_AN_OBJECT)),
        }
    }

    /// Refuses an object in which one of these is missing or null.
    pub(crate) fn require(&self, required: &[impl AsRef<str>]) -> Result<(), Reason> {
        match required.iter().map(AsRef::as_ref).find(|name| self.lacks(name)) {
            Some(missing) => Err(Reason::MissingField(missing.to_owned().into())),
            None => Ok(()),
        }
    }

    /// Whether a field is missing or null. Only null begins with an `n`.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        self.field(name).is_none_or(|field| field.json().starts_with('n'))
    }

    /// The value of a field that is a string.
    #[cfg(feature = "jwt")]
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        scan::text(self.field(name)?.json())
    }

    /// The object as claims.
    pub(crate) fn parse<C: DeserializeOwned>(&self) -> Result<C, Reason> {
        parse_text(self.json)
    }

    /// Its fields with their names, in any order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, Field<'a>)> {
        self.names.iter().map(|(name, end)| (&**name, Field { rest: self.json.get(*end..).unwrap_or_default() }))
    }

    /// The value of a field.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        self.field(name).map(Field::value)
    }

    /// The value of a field. A name that begins with `/` is a pointer (RFC 6901).
    pub(crate) fn at(&self, name: &str) -> Option<Value> {
        let Some(pointer) = name.strip_prefix('/') else { return self.get(name) };
        let (first, rest) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
        // Only this field is read.
        self.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(rest).cloned()
    }

    /// The text of a field, or of a number. A name that begins with `/` is a pointer (RFC 6901).
    #[cfg(any(feature = "sealed", feature = "signed-payload"))]
    pub(crate) fn text_or_number(&self, name: &str) -> Result<Option<String>, Reason> {
        match self.at(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(Reason::BadClaim(name.to_owned().into(), "is neither text nor a number")),
        }
    }

    fn field(&self, name: &str) -> Option<Field<'a>> {
        self.fields().find(|(other, _)| *other == name).map(|(_, field)| field)
    }
}

/// The value of a field of an object.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    /// The object's text behind the field's name.
    rest: &'a str,
}

impl<'a> Field<'a> {
    pub(crate) fn value(self) -> Value {
        // The scan found a value. If it had not, every check would refuse null.
        self.read().unwrap_or_default()
    }

    /// The value, if it is of this type.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Option<T> {
        T::deserialize(&mut serde_json::Deserializer::from_str(self.json())).ok()
    }

    /// The object's text from the value on.
    fn json(self) -> &'a str {
        let colon = self.rest.trim_ascii_start();
        colon.strip_prefix(':').unwrap_or_default().trim_ascii_start()
    }
}

/// The value of a field of an object. A name that begins with `/` is a pointer (RFC 6901).
pub(crate) fn at<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    if name.starts_with('/') { object.pointer(name) } else { object.get(name) }
}

/// Whether a text is a pointer (RFC 6901) to something in the document.
pub(crate) fn is_pointer(text: &str) -> bool {
    text.starts_with('/') && text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}

/// Parses what was read as an [`Object`] before.
pub(crate) fn parse<C: DeserializeOwned>(object: &[u8]) -> Result<C, Reason> {
    parse_text(text(object)?)
}

fn parse_text<C: DeserializeOwned>(object: &str) -> Result<C, Reason> {
    serde_json::from_str(object).map_err(|error| {
        let what = format!("does not have the shape that the claims require{}", field_at_fault::<C>(object));
        at_position(&what, error.line(), error.column())
    })
}

/// Checks all of it at once, so that serde_json need not check each string.
fn text(json: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(json).map_err(|_| bad_payload("is not JSON: it is not UTF-8"))
}

/// Whether the problem with an object is a duplicate name.
#[cfg(feature = "jwt")]
pub(crate) fn has_a_name_twice(reason: &Reason) -> bool {
    matches!(reason, Reason::BadPayload(what) if what.starts_with(scan::TWICE))
}

fn at_position(what: &str, line: usize, column: usize) -> Reason {
    bad_payload(format!("{what} (line {line}, column {column})"))
}

fn bad_payload(what: impl Into<Cow<'static, str>>) -> Reason {
    Reason::BadPayload(what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        const JSON: &[u8] = b" {\"text\":\"a\",\"\\u0065scaped\" : \t\"\\u0061\",\"n\":1e0,\"null\"\n:\rnull,\"in\":{\"no\":[1]} , \"\":0 , \"i\":17}";
        let object = Object::read(JSON).unwrap();
        for (name, value, why) in [
            ("text", Some(Value::from("a")), "text"),
            ("escaped", Some("a".into()), "escapes, and white space"),
            ("n", Some(1.0.into()), "a number"),
            ("i", Some(17.into()), "a whole number"),
            ("null", Some(Value::Null), "null"),
            ("in", Some(serde_json::json!({"no": [1]})), "an object"),
            ("", Some(0.into()), "an empty name"),
            ("no", None, "another object's"),
            ("tex", None, "the start of a name"),
            (r"\u0065scaped", None, "the spelling of a name"),
        ] {
            assert_eq!(object.get(name), value, "{why}");
            #[cfg(feature = "jwt")]
            assert_eq!(object.text(name).as_deref(), value.as_ref().and_then(Value::as_str), "{why}");
            let refused = value.is_none_or(|value| value.is_null()).then(|| format!("the payload has no `{name}`"));
            assert_eq!(object.require(&[name]).err().map(|reason| reason.to_string()), refused, "{why}");
        }
    }
}
