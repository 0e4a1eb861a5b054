//! Which field of a claims type is at fault, if an object does not have its shape.

use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_path_to_error::Segment;

/// Names the field, and nothing else: serde's own message may quote the payload. Reads the object again:
/// tracking the path the first time would slow down every object that is right.
pub(super) fn field_at_fault<C: DeserializeOwned>(object: &str) -> String {
    let read = serde_path_to_error::deserialize::<_, C>(&mut serde_json::Deserializer::from_str(object));
    let Err(error) = read else { return String::new() };
    let inner = error.inner().to_string();
    let missing = inner.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    // Other names may be keys of a map, which are data.
    let outer = match error.path().iter().next() {
        Some(Segment::Map { key }) => fields_of::<C>().iter().find(|field| *field == key),
        _ => None,
    };
    match (missing, outer) {
        (Some(field), Some(outer)) if field != *outer => format!(": `{field}` is missing in `{outer}`"),
        (Some(field), _) => format!(": `{field}` is missing"),
        (None, Some(outer)) => format!(": `{outer}` has another type or value"),
        (None, None) => String::new(),
    }
}

/// Asks a type's own `Deserialize` for the names of its fields. Empty if the type is not a struct, or hides its names,
/// as with `#[serde(flatten)]`.
fn fields_of<C: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // Nothing is read: it always fails.
    _ = C::deserialize(Asked(&mut fields));
    fields
}

struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("only asked"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
