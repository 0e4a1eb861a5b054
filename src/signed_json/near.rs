//! What a sender may do otherwise than this layer expects.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::fields::{insert, names, value_at};
use super::{Fields, Layout, SignedJson};
use crate::near_miss::{copy_form, orders};

const LAYOUTS: [(Layout, &str); 7] = [
    (Layout::Joined(':'), "with a colon between them"),
    (Layout::Joined('|'), "with `|` between them"),
    (Layout::Joined(','), "with a comma between them"),
    (Layout::Joined('.'), "with a point between them"),
    (Layout::Joined('\n'), "with a line feed between them"),
    (Layout::Lines, "as lines of names and values"),
    (Layout::Concatenated, "with nothing between them"),
];

copy_form!(SignedJson<C> {
    fields, signature_field, signatures, secret_format, timestamp_field, time_format, window, event_id_field, accepted,
    retried_for, any_content_type, processing,
});

impl<C> SignedJson<C> {
    /// The body with the signed fields and the signature alone.
    pub(super) fn without_the_unsigned(&self, body: &[u8]) -> Option<Bytes> {
        let object = self.fields.object(body).ok()?;
        let mut kept = Map::new();
        for pointer in self.fields.signed.iter().chain([&self.signature_field]) {
            if let Some(value) = value_at(&object, pointer) {
                insert(&mut kept, pointer, value);
            }
        }
        let around: Vec<&str> = names(&self.fields.within).collect();
        let whole = around.iter().rev().fold(Value::Object(kept), |inner, name| match *name {
            "0" => Value::Array(vec![inner]),
            name => Value::Object([(name.to_owned(), inner)].into_iter().collect()),
        });
        Some(whole.to_string().into())
    }

    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let mut near = Vec::new();
        for (cause, made) in self.signatures.near(self.secret_format) {
            let mut other = self.copy();
            other.secret_format = other.signatures.set(made);
            near.push((cause, other));
        }
        for (cause, signatures) in self.signatures.near_odd() {
            near.push((cause, Self { signatures, ..self.copy() }));
        }
        let mut with = |cause: String, fields: Fields| near.push((cause, Self { fields, ..self.copy() }));
        for (layout, joined) in LAYOUTS.into_iter().filter(|(layout, _)| *layout != self.fields.layout) {
            with(format!("the sender signs the values {joined}"), Fields { layout, ..self.fields.clone() });
        }
        for signed in orders(&self.fields.signed).into_iter().filter(|signed| *signed != self.fields.signed) {
            let cause = format!("the sender signs the fields in another order: {}", signed.join(", "));
            with(cause, Fields { signed, ..self.fields.clone() });
        }
        near
    }
}
