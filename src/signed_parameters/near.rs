//! What a partner may do otherwise than this layer expects.

use bytes::Bytes;
use http::Uri;
use http::request::Parts;

use super::recipe::{Join, Order, Recipe, Selected, Text};
use super::{SignedParameters, Source};
use crate::near_miss::{NearMiss, copy_form, orders};

/// Of a longer query, no other order is made.
const LONGEST_QUERY: usize = 16 * 1024;

const TEXTS: [(Text, &str); 4] = [
    (Text::Decoded, "decoded"),
    (Text::Encoded, "percent-encoded, a space as `%20`, as PHP's `rawurlencode` does"),
    (Text::FormEncoded, "encoded as form data, a space as a plus, as PHP's `urlencode` does"),
    (Text::Raw, "as they were sent"),
];

const ORDERS: [(Order, &str); 3] =
    [(Order::Pairs, "sorted as `name=value`"), (Order::Names, "sorted by name"), (Order::Sent, "as they were sent")];

const JOINS: [(Join, &str); 9] = [
    (Join::pairs('&'), "pairs with `&` between them"),
    (Join::pairs('\n'), "pairs with a line feed between them"),
    (Join::pairs(','), "pairs with a comma between them"),
    (Join::pairs('|'), "pairs with `|` between them"),
    (Join::pairs_without_separator(), "pairs with nothing between them"),
    (Join::values(':'), "values with a colon between them"),
    (Join::values('|'), "values with `|` between them"),
    (Join::values(','), "values with a comma between them"),
    (Join::json(), "a JSON object"),
];

copy_form!(SignedParameters<C> {
    recipe, source, signature_at, signature, time, window, usage, forgetting_is_fine, nonce, tenant, required, once,
    shapes,
});

impl<C> SignedParameters<C> {
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let signatures = self.signature.near().into_iter();
        let signatures = signatures.map(|(cause, signature)| (cause, Self { signature, ..self.copy() }));
        let recipes = self.recipe.near().into_iter().map(|(cause, recipe)| (cause, Self { recipe, ..self.copy() }));
        signatures.chain(recipes).collect()
    }
}

impl<C> SignedParameters<C> {
    /// As if the query had come in the order of a sort that takes `B` for `b`, and its order was signed.
    pub(super) fn sorted_without_case(&self, head: &Parts, body: &Bytes) -> Option<NearMiss<Self>> {
        const MOST: usize = 64;

        let query = head.uri.query().filter(|query| self.source == Source::Query && query.len() <= LONGEST_QUERY)?;
        let mut pairs: Vec<&str> = query.split('&').take(MOST + 1).collect();
        let has_capitals = pairs.iter().any(|pair| name_of(pair).bytes().any(|byte| byte.is_ascii_uppercase()));
        if pairs.len() > MOST || !has_capitals || !matches!(self.recipe.order, Order::Pairs | Order::Names) {
            return None;
        }
        pairs.sort_by_cached_key(|pair| name_of(pair).to_ascii_lowercase());
        let mut parts = head.uri.clone().into_parts();
        parts.path_and_query = Some(format!("{}?{}", head.uri.path(), pairs.join("&")).parse().ok()?);
        let mut head = head.clone();
        head.uri = Uri::from_parts(parts).ok()?;
        Some(NearMiss {
            cause: "the partner sorts the parameters without regard to case, and this layer by their bytes".to_owned(),
            form: Some(Self { recipe: self.recipe.clone().order(Order::Sent), ..self.copy() }),
            request: Some((head, body.clone())),
        })
    }
}

fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

impl Recipe {
    fn near(&self) -> Vec<(String, Self)> {
        let mut near = Vec::new();
        for (text, written) in TEXTS {
            near.push((format!("the partner signs names and values {written}"), self.clone().text(text)));
        }
        for (order, sorted) in ORDERS {
            near.push((format!("the partner signs the parameters {sorted}"), self.clone().order(order)));
        }
        for (join, joined) in JOINS {
            near.push((format!("the partner signs {joined}"), Self { join, ..self.clone() }));
        }
        if let Selected::Listed(names) = &self.selected {
            for names in orders(names) {
                let cause = format!("the partner signs the parameters in another order: {}", names.join(", "));
                near.push((cause, Self { selected: Selected::Listed(names), ..self.clone() }));
            }
        }
        if self.selected != Selected::All {
            let all = Self { selected: Selected::All, order: Order::Pairs, ..self.clone() };
            near.push(("the partner signs all parameters, sorted".into(), all));
        }
        // What `write` and `joined` rely on; all else only makes another text.
        near.retain(|(_, other)| {
            let values_are_listed = matches!(other.selected, Selected::Listed(_)) || !other.joins_values();
            other != self && values_are_listed
        });
        near
    }
}
