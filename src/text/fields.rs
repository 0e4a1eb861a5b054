//! Fields that are nothing but text, and claims out of them.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::rejection::Reason;

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

    // Called a dozen times in a check.
    #[inline]
    fn text(&self, start: &mut usize, end: usize) -> &str {
        let text = self.all.get(*start..end).unwrap_or_default();
        *start = end;
        text
    }
}

/// Reads claims as axum's `Query` does: a field that is there is `Some`, even if it is empty, and numbers and truth
/// values are read from their text.
///
/// # Errors
/// Which field does not fit, without its value.
pub(crate) fn read<'a, C: DeserializeOwned>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Result<C, Reason> {
    C::deserialize(Fields { fields, value: None }).map_err(|misfit| Reason::BadPayload(misfit.to_string().into()))
}

/// Reads claims that are one text: a string, a number, a truth value, an enum without data.
///
/// # Errors
/// It does not fit.
#[cfg(feature = "signed-payload")]
pub(crate) fn read_one<C: DeserializeOwned>(value: &str) -> Result<C, Reason> {
    let text = Text { name: "payload", value };
    C::deserialize(text).map_err(|_| Reason::BadPayload("is not a text that the claims can hold".into()))
}

/// Fields, as a map whose values are text.
struct Fields<'a, I> {
    fields: I,
    value: Option<Text<'a>>,
}

impl<'de, 'a, I: Iterator<Item = (&'a str, &'a str)>> Deserializer<'de> for Fields<'a, I> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    /// Pairs, for those who want all of them as they came.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let pairs = self.fields.map(|(name, value)| (name, Text { name, value }));
        MapDeserializer::new(pairs).deserialize_seq(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, 'a, I: Iterator<Item = (&'a str, &'a str)>> MapAccess<'de> for Fields<'a, I> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some((name, value)) = self.fields.next() else { return Ok(None) };
        self.value = Some(Text { name, value });
        let name: StrDeserializer<'_, Misfit> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let text = self.value.take().ok_or(Misfit::Shape)?;
        // Here the name is known, also to a field that is read by a function of its own.
        seed.deserialize(text).map_err(|misfit| if matches!(misfit, Misfit::Shape) { text.misfit() } else { misfit })
    }
}

/// Why fields do not fit the claims. What serde says of it may quote a value, so it is dropped.
#[derive(Debug)]
enum Misfit {
    Missing(&'static str),
    Twice(&'static str),
    Field(String),
    Unknown(String),
    Shape,
}

impl Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(field) => write!(f, "has no `{field}`, which the claims require"),
            Self::Twice(field) => write!(f, "has `{field}` twice"),
            Self::Field(field) => write!(f, "has a `{field}` that the claims cannot hold"),
            Self::Unknown(field) => write!(f, "has a `{field}`, which the claims do not know"),
            Self::Shape => f.write_str("does not have the shape that the claims require"),
        }
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: Display>(_: T) -> Self {
        Self::Shape
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::Unknown(shortened(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Twice(field)
    }
}

/// The text of one field.
#[derive(Clone, Copy)]
struct Text<'a> {
    name: &'a str,
    value: &'a str,
}

impl Text<'_> {
    fn misfit(self) -> Misfit {
        Misfit::Field(shortened(self.name))
    }

    fn parsed<T: FromStr>(self) -> Result<T, Misfit> {
        self.value.parse().map_err(|_| self.misfit())
    }
}

/// A name may be as long as the request.
fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

impl IntoDeserializer<'_, Misfit> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parse {
    ($($method:ident $visit:ident),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            visitor.$visit(self.parsed()?)
        })*
    };
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_str(self.value)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let variant: StrDeserializer<'_, Misfit> = self.value.into_deserializer();
        variant.deserialize_enum(name, variants, visitor)
    }

    parse! {
        deserialize_bool visit_bool, deserialize_i8 visit_i8, deserialize_i16 visit_i16, deserialize_i32 visit_i32,
        deserialize_i64 visit_i64, deserialize_i128 visit_i128, deserialize_u8 visit_u8, deserialize_u16 visit_u16,
        deserialize_u32 visit_u32, deserialize_u64 visit_u64, deserialize_u128 visit_u128, deserialize_f32 visit_f32,
        deserialize_f64 visit_f64
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
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
            assert_eq!(read::<User>(pairs.iter().copied()).ok(), expected, "{why}");
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Typed {
        id: u64,
        admin: Option<bool>,
        score: Option<f64>,
        level: Option<i8>,
        name: Option<String>,
    }

    /// With a field that is read by a function of its own.
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[serde(deserialize_with = "by_hand")]
        id: u8,
    }

    fn by_hand<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom(format!("{text} is not a number")))
    }

    #[test]
    fn what_reads_the_claims_of_a_wrapper_reads_fields() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Wrapped(User);
        let user = User { id: Id("7".into()), role: None, name: None };
        assert_eq!(read::<Wrapped>([("id", "7")].into_iter()).unwrap(), Wrapped(user));
        let pairs = read::<Vec<(String, String)>>([("a", "1"), ("a", "2")].into_iter()).unwrap();
        assert_eq!(pairs, [("a".into(), "1".into()), ("a".into(), "2".into())]);
    }

    #[test]
    fn numbers_and_truth_values_are_read_as_axum_does() {
        let with = |name, value| read::<Typed>([("id", "7"), (name, value)].into_iter());
        let none = || Typed { id: 7, admin: None, score: None, level: None, name: None };
        assert_eq!(with("x", "").unwrap(), none());
        assert_eq!(with("admin", "true").unwrap(), Typed { admin: Some(true), ..none() });
        assert_eq!(with("score", "0.5").unwrap(), Typed { score: Some(0.5), ..none() });
        assert_eq!(with("level", "-8").unwrap(), Typed { level: Some(-8), ..none() });
        assert_eq!(with("name", "").unwrap(), Typed { name: Some(String::new()), ..none() });
        for (name, value) in [
            ("admin", ""),
            ("admin", "1"),
            ("admin", "True"),
            ("level", "128"),
            ("level", " 1"),
            ("score", "x"),
            ("id", "8"),
        ] {
            let said = with(name, value).unwrap_err().to_string();
            assert!(said.contains(&format!("`{name}`")) && !said.contains("128"), "{said}");
        }
        let missing = read::<Typed>([("admin", "true")].into_iter()).unwrap_err().to_string();
        assert!(missing.contains("`id`"), "{missing}");
        let unknown = read::<Strict>([("id", "7"), ("extra", "secret")].into_iter()).unwrap_err().to_string();
        assert!(unknown.contains("`extra`") && !unknown.contains("secret"), "{unknown}");
        assert_eq!(read::<Strict>([("id", "7")].into_iter()).unwrap(), Strict { id: 7 });
        let own = read::<Strict>([("id", "seven")].into_iter()).unwrap_err().to_string();
        assert!(own.contains("`id`") && !own.contains("seven"), "{own}");
        let role = read::<User>([("id", "7"), ("role", "secret")].into_iter()).unwrap_err().to_string();
        assert!(role.contains("`role`") && !role.contains("secret"), "{role}");
    }

    #[test]
    fn refusals_in_words() {
        let why =
            |pairs: &[(&'static str, &'static str)]| read::<Typed>(pairs.iter().copied()).unwrap_err().to_string();
        let strict = |pairs: &[(&'static str, &'static str)]| read::<Strict>(pairs.iter().copied()).unwrap_err();
        let number = read::<u64>([("id", "secret")].into_iter()).unwrap_err();
        for (said, expected) in [
            (why(&[]), "has no `id`, which the claims require"),
            (why(&[("id", "7"), ("id", "7")]), "has `id` twice"),
            (why(&[("id", "secret")]), "has a `id` that the claims cannot hold"),
            (strict(&[("id", "secret")]).to_string(), "has a `id` that the claims cannot hold"),
            (strict(&[("id", "7"), ("more", "secret")]).to_string(), "has a `more`, which the claims do not know"),
            (number.to_string(), "does not have the shape that the claims require"),
        ] {
            assert!(said.ends_with(expected), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
