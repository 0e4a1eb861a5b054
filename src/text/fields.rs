//! Fields that are nothing but text, and claims out of them.

use serde::de::value::{Error, MapDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Texts one after the other in one piece of memory.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Texts {
    all: String,
    ends: Vec<usize>,
}

impl Texts {
    pub(crate) fn with_capacity(texts: usize, bytes: usize) -> Self {
        Self { all: String::with_capacity(bytes), ends: Vec::with_capacity(texts) }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len());
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        let mut start = 0;
        self.ends.iter().map(move |end| self.text(&mut start, *end))
    }

    fn text(&self, start: &mut usize, end: usize) -> &str {
        let text = self.all.get(*start..end).unwrap_or_default();
        *start = end;
        text
    }
}

/// Reads claims: each field is a string, and one that is there is `Some`.
pub(crate) fn read<'a, C: DeserializeOwned>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Option<C> {
    let fields = fields.map(|(name, value)| (name, Text(value)));
    C::deserialize(MapDeserializer::<_, Error>::new(fields)).ok()
}

/// serde's own deserializer of a string does not know what an `Option` is.
struct Text<'a>(&'a str);

impl IntoDeserializer<'_, Error> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant: StrDeserializer<'_, Error> = self.0.into_deserializer();
        variant.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Id(String);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Role {
        Learner,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct User {
        id: Id,
        role: Option<Role>,
        name: Option<String>,
    }

    #[test]
    fn parameters_are_strings() {
        let user = |role, name| User { id: Id("7".into()), role, name };
        for (pairs, expected, why) in [
            (&[("id", "7")][..], Some(user(None, None)), "what is optional may be absent"),
            (&[("id", "7"), ("name", "")], Some(user(None, Some(String::new()))), "empty is there"),
            (&[("role", "learner"), ("id", "7"), ("x", "")], Some(user(Some(Role::Learner), None)), "an enum"),
            (&[("id", "7"), ("x", "1"), ("x", "2")], Some(user(None, None)), "what is not a field may come twice"),
            (&[("id", "7"), ("name", "a"), ("name", "b")], None, "a field may not"),
            (&[("id", "7"), ("role", "admin")], None, "not one of the roles"),
            (&[("name", "a")], None, "no id"),
        ] {
            assert_eq!(read::<User>(pairs.iter().copied()), expected, "{why}");
        }
    }
}
