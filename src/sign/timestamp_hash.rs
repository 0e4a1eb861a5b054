use std::fmt::Write;

use crate::keys::Secret;
use crate::text::hex::encode_hex;
use crate::text::percent::percent_encoded;
use crate::timestamp_hash::Recipe;

/// Makes links with a timestamp hash, as LCvista's partners do.
///
/// ```
/// use tower_sso::providers::lcvista;
/// use tower_sso::sign::HashedLink;
///
/// let link = HashedLink::new("https://app.example/sso/oauth/", lcvista::recipe(), &"secret".into());
/// let uri = link.uri(&["1700000000.5", "admin@lcvista.com", "rainier"]);
/// assert!(uri.contains("timestamp=1700000000.5&email=admin%40lcvista.com&slug=rainier&hash="));
/// ```
#[derive(Clone, Debug)]
pub struct HashedLink {
    base: String,
    recipe: Recipe,
    secret: Secret,
}

impl HashedLink {
    /// Links to `base`.
    pub fn new(base: impl Into<String>, recipe: Recipe, secret: &Secret) -> Self {
        Self { base: base.into(), recipe, secret: secret.clone() }
    }

    /// The link for the fields' values in the recipe's order; surplus values are left out. The hash is in the parameter
    /// `hash`.
    pub fn uri(&self, values: &[&str]) -> String {
        let mut uri = format!("{}?", self.base);
        for (name, value) in self.recipe.fields().zip(values) {
            _ = write!(uri, "{}={}&", percent_encoded(name), percent_encoded(value));
        }
        let values: Vec<String> = self.recipe.fields().zip(values).map(|(_, value)| (*value).to_owned()).collect();
        uri.push_str("hash=");
        uri.push_str(&encode_hex(&self.recipe.sign(&values, &self.secret)));
        uri
    }
}
