//! What a link's reader may do otherwise than this layer expects.

use http::request::Parts;

use super::{Ticket, tickets};
use crate::query::Query;
use crate::text::name::shown;
use crate::text::percent::decode_form;

/// How many parameters are looked at.
const MOST_PARAMETERS: usize = 24;

impl<C> Ticket<C> {
    /// The ticket may stand under another name.
    pub(super) fn near(&self, head: &Parts) -> Vec<(String, Self)> {
        let is_ticket = |raw: &str| decode_form(raw).is_ok_and(|text| tickets::parse(&text).is_some());
        let pairs = Query::of(&head.uri).pairs().take(MOST_PARAMETERS);
        let others = pairs.filter(|(name, raw)| *name != self.parameter && is_ticket(raw));
        let near = others.map(|(name, _)| {
            let cause =
                format!("the ticket is in the parameter `{}`, and this layer reads `{}`", shown(name), self.parameter);
            (cause, Self { parameter: name.to_owned().into(), tickets: self.tickets.clone(), claims: self.claims })
        });
        near.collect()
    }
}
