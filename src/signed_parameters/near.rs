//! What a partner may do otherwise than this layer expects.

use super::SignedParameters;
use super::recipe::{Between, Join, Order, Recipe, Selected, Text};
use crate::near_miss::{copy_form, orders};

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

    fn joins_values(&self) -> bool {
        matches!(self.join.0, Between::Values(_))
    }
}
