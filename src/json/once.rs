//! Reading an object once: into its claims, while its names are looked at.
//!
//! This puts itself between the deserializer and whatever the claims are deserialized by, and so sees every name, also
//! of what the claims have no field for.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::names::Names;
use super::strict::{Away, Element, Errors, Key, Look, refuse_raw};

/// The fields that were asked for.
#[derive(Default)]
pub(crate) struct Seen<'a>(Vec<(Cow<'a, str>, Sight<'a>)>);

/// What was seen of one of them.
pub(crate) enum Sight<'a> {
    Null,
    Text(Cow<'a, str>),
    /// A number or a boolean; where values are kept whole, any but null.
    Value(Value),
    /// An object or a list.
    Compound,
}

impl<'a> Seen<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&Sight<'a>> {
        self.0.iter().find(|(seen, _)| seen == name).map(|(_, sight)| sight)
    }

    /// The first of these that is not there, or is null.
    pub(crate) fn missing<'n, N: AsRef<str>>(&self, names: &'n [N]) -> Option<&'n str> {
        let is_missing = |name: &&str| matches!(self.get(name), None | Some(Sight::Null));
        names.iter().map(AsRef::as_ref).find(is_missing)
    }
}

/// A reading of one object.
pub(super) struct Reading<'s, 'de, D, W> {
    pub(super) reader: D,
    pub(super) seen: &'s mut Seen<'de>,
    pub(super) errors: &'s Errors,
    pub(super) asked_for: W,
    /// Whether what was asked for is kept whole. Whoever reads the object does not get it then.
    pub(super) whole: bool,
}

impl<'de, D: Deserializer<'de>, W: Fn(&str) -> bool> Deserializer<'de> for Reading<'_, 'de, D, W> {
    type Error = D::Error;

    /// Whatever the claims are read as, it is an object.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Self { reader, seen, errors, asked_for, whole } = self;
        errors.note(reader.deserialize_map(Reading { reader: visitor, seen, errors, asked_for, whole }))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.errors.note(refuse_raw(name))?;
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>, W: Fn(&str) -> bool> Visitor<'de> for Reading<'_, 'de, V, W> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reader.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { reader, seen, errors, asked_for, whole } = self;
        reader.visit_map(Fields { inner, names: Names::default(), next: None, seen, errors, asked_for, whole })
    }
}

/// The fields of the outermost object.
struct Fields<'s, 'de, A, W> {
    inner: A,
    names: Names<'de>,
    /// The field whose name was read, if it was asked for.
    next: Option<Cow<'de, str>>,
    seen: &'s mut Seen<'de>,
    errors: &'s Errors,
    asked_for: W,
    whole: bool,
}

impl<'de, A: MapAccess<'de>, W: Fn(&str) -> bool> MapAccess<'de> for Fields<'_, 'de, A, W> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Self { names, next, asked_for, errors, .. } = self;
        let note = |name: Cow<'de, str>| {
            *next = asked_for(&name).then(|| name.clone());
            names.add(name)
        };
        errors.note(self.inner.next_key_seed(Key { seed, note, errors }))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let errors = self.errors;
        let Some(name) = self.next.take() else {
            return errors.note(self.inner.next_value_seed(Element { seed, look: Away, errors }));
        };
        let mut sight = Sight::Null;
        let value = if self.whole {
            let whole = Element { seed: PhantomData::<Value>, look: Away, errors };
            let value = errors.note(self.inner.next_value_seed(whole))?;
            sight = if value.is_null() { Sight::Null } else { Sight::Value(value) };
            seed.deserialize(IntoDeserializer::<A::Error>::into_deserializer(()))?
        } else {
            errors.note(self.inner.next_value_seed(Element { seed, look: &mut sight, errors }))?
        };
        self.seen.0.push((name, sight));
        Ok(value)
    }
}

impl<'de> Look<'de> for &mut Sight<'de> {
    fn at(&mut self, sight: impl FnOnce() -> Sight<'de>) {
        **self = sight();
    }
}
