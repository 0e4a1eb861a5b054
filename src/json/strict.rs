//! Any value, without a name twice at any depth.
//!
//! A way of reading that is not known here is an error, [`given_up`]: the object is then read in two passes.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::names::Names;
use super::once::Sight;

/// Stands for "read it in two passes": nobody sees it.
fn given_up<E: Error>() -> E {
    E::custom("")
}

/// Whether there was an error. Claims may make nothing of it and read on, as those do that take a field that they
/// cannot read for one that is not there; what they have read is then not what is written.
#[derive(Default)]
pub(super) struct Errors(Cell<bool>);

impl Errors {
    pub(super) fn note<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        if result.is_err() {
            self.0.set(true);
        }
        result
    }

    pub(super) fn any(&self) -> bool {
        self.0.get()
    }
}

/// A `RawValue` is handed on without being looked into.
pub(super) fn refuse_raw<E: Error>(newtype: &str) -> Result<(), E> {
    if newtype.starts_with("$serde_json::") { Err(given_up()) } else { Ok(()) }
}

/// What looks at the value of one field.
pub(super) trait Look<'de>: Sized {
    fn at(&mut self, sight: impl FnOnce() -> Sight<'de>);
}

/// Nobody asked for it.
pub(super) struct Away;

impl<'de> Look<'de> for Away {
    fn at(&mut self, _: impl FnOnce() -> Sight<'de>) {}
}

/// Deserializes any value strictly.
struct Strict<'s, D, L> {
    inner: D,
    look: L,
    errors: &'s Errors,
}

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let Self { inner, look, errors } = self;
            errors.note(inner.$method($($argument,)* Visiting { visitor, look, errors }))
        })*
    };
}

impl<'de, D: Deserializer<'de>, L: Look<'de>> Deserializer<'de> for Strict<'_, D, L> {
    type Error = D::Error;

    forward! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f64() deserialize_char() deserialize_str() deserialize_string() deserialize_option() deserialize_unit()
        deserialize_unit_struct(name: &'static str)
        deserialize_seq() deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize) deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) deserialize_identifier()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        let Self { inner, look, errors } = self;
        errors.note(refuse_raw(name))?;
        errors.note(inner.deserialize_newtype_struct(name, Visiting { visitor, look, errors }))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Self { inner, look, errors } = self;
        errors.note(inner.deserialize_any(Visiting { visitor: IgnoredAny, look, errors }))?;
        errors.note(visitor.visit_unit())
    }

    /// Where serde_json is told to read an `f32` as one, it would be seen as one too.
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_f64(visitor)
    }

    /// Bytes need not be text, so what is no JSON would do: a control character, and one half of a surrogate pair.
    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
        self.errors.note(Err(given_up()))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
        self.errors.note(Err(given_up()))
    }
}

/// Goes on with the values inside of a value.
struct Visiting<'s, V, L> {
    visitor: V,
    look: L,
    errors: &'s Errors,
}

impl<'de, V: Visitor<'de>, L: Look<'de>> Visitor<'de> for Visiting<'_, V, L> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<V::Value, E> {
        self.look.at(|| Sight::Value(value.into()));
        self.visitor.visit_bool(value)
    }

    fn visit_i64<E: Error>(mut self, value: i64) -> Result<V::Value, E> {
        self.look.at(|| Sight::Value(value.into()));
        self.visitor.visit_i64(value)
    }

    fn visit_u64<E: Error>(mut self, value: u64) -> Result<V::Value, E> {
        self.look.at(|| Sight::Value(value.into()));
        self.visitor.visit_u64(value)
    }

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<V::Value, E> {
        self.look.at(|| Sight::Value(value.into()));
        self.visitor.visit_f64(value)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<V::Value, E> {
        Err(given_up())
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<V::Value, E> {
        Err(given_up())
    }

    fn visit_str<E: Error>(mut self, value: &str) -> Result<V::Value, E> {
        self.look.at(|| Sight::Text(Cow::Owned(value.to_owned())));
        self.visitor.visit_str(value)
    }

    fn visit_borrowed_str<E: Error>(mut self, value: &'de str) -> Result<V::Value, E> {
        self.look.at(|| Sight::Text(Cow::Borrowed(value)));
        self.visitor.visit_borrowed_str(value)
    }

    fn visit_bytes<E: Error>(mut self, value: &[u8]) -> Result<V::Value, E> {
        self.look.at(|| Sight::Compound);
        self.visitor.visit_bytes(value)
    }

    fn visit_borrowed_bytes<E: Error>(mut self, value: &'de [u8]) -> Result<V::Value, E> {
        self.look.at(|| Sight::Compound);
        self.visitor.visit_borrowed_bytes(value)
    }

    fn visit_none<E: Error>(mut self) -> Result<V::Value, E> {
        self.look.at(|| Sight::Null);
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(mut self) -> Result<V::Value, E> {
        self.look.at(|| Sight::Null);
        self.visitor.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Strict { inner, look: self.look, errors: self.errors })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Strict { inner, look: self.look, errors: self.errors })
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, inner: A) -> Result<V::Value, A::Error> {
        self.look.at(|| Sight::Compound);
        self.visitor.visit_seq(List { inner, errors: self.errors })
    }

    fn visit_map<A: MapAccess<'de>>(mut self, inner: A) -> Result<V::Value, A::Error> {
        self.look.at(|| Sight::Compound);
        self.visitor.visit_map(Inside { inner, names: Names::default(), errors: self.errors })
    }

    fn visit_enum<A: EnumAccess<'de>>(mut self, inner: A) -> Result<V::Value, A::Error> {
        self.look.at(|| Sight::Compound);
        self.visitor.visit_enum(UnitVariants { inner, errors: self.errors })
    }
}

/// A value in a list or in an object.
pub(super) struct Element<'s, S, L> {
    pub(super) seed: S,
    pub(super) look: L,
    pub(super) errors: &'s Errors,
}

impl<'de, S: DeserializeSeed<'de>, L: Look<'de>> DeserializeSeed<'de> for Element<'_, S, L> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(Strict { inner, look: self.look, errors: self.errors })
    }
}

struct List<'s, A> {
    inner: A,
    errors: &'s Errors,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for List<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let errors = self.errors;
        errors.note(self.inner.next_element_seed(Element { seed, look: Away, errors }))
    }
}

/// An object that is not the outermost one.
struct Inside<'s, 'de, A> {
    inner: A,
    names: Names<'de>,
    errors: &'s Errors,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Inside<'_, 'de, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Self { inner, names, errors } = self;
        errors.note(inner.next_key_seed(Key { seed, note: |name| names.add(name), errors }))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let errors = self.errors;
        errors.note(self.inner.next_value_seed(Element { seed, look: Away, errors }))
    }
}

/// A name, which is noted if it is new, and else the end.
pub(super) struct Key<'s, S, N> {
    pub(super) seed: S,
    pub(super) note: N,
    pub(super) errors: &'s Errors,
}

impl<'de, S, N> DeserializeSeed<'de> for Key<'_, S, N>
where
    S: DeserializeSeed<'de>,
    N: FnOnce(Cow<'de, str>) -> Result<(), &'static str>,
{
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(KeyText { inner, note: self.note, errors: self.errors })
    }
}

/// Deserializes names as text. Whoever wants a number of one must read slowly.
struct KeyText<'s, D, N> {
    inner: D,
    note: N,
    errors: &'s Errors,
}

impl<'de, D, N> Deserializer<'de> for KeyText<'_, D, N>
where
    D: Deserializer<'de>,
    N: FnOnce(Cow<'de, str>) -> Result<(), &'static str>,
{
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.errors.note(self.inner.deserialize_str(KeyVisiting { visitor, note: self.note }))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

struct KeyVisiting<V, N> {
    visitor: V,
    note: N,
}

impl<'de, V: Visitor<'de>, N: FnOnce(Cow<'de, str>) -> Result<(), &'static str>> Visitor<'de> for KeyVisiting<V, N> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<V::Value, E> {
        (self.note)(Cow::Owned(name.to_owned())).map_err(E::custom)?;
        self.visitor.visit_str(name)
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<V::Value, E> {
        (self.note)(Cow::Borrowed(name)).map_err(E::custom)?;
        self.visitor.visit_borrowed_str(name)
    }
}

/// The variants of an enum that are text. Others hold values, and are read slowly.
struct UnitVariants<'s, A> {
    inner: A,
    errors: &'s Errors,
}

impl<'de, 's, A: EnumAccess<'de>> EnumAccess<'de> for UnitVariants<'s, A> {
    type Error = A::Error;
    type Variant = UnitVariants<'s, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let Self { inner, errors } = self;
        let (value, inner) = errors.note(inner.variant_seed(seed))?;
        Ok((value, UnitVariants { inner, errors }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for UnitVariants<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.errors.note(self.inner.unit_variant())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, A::Error> {
        self.errors.note(Err(given_up()))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, A::Error> {
        self.errors.note(Err(given_up()))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, A::Error> {
        self.errors.note(Err(given_up()))
    }
}
