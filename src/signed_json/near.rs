//! What a sender may do otherwise than this layer expects.

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
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let mut near = Vec::new();
        for (cause, made) in self.signatures.near(self.secret_format) {
            let mut other = self.copy();
            other.secret_format = other.signatures.set(made);
            near.push((cause, other));
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
