use crate::clock::UnixTime;
use crate::keys::Secret;
use crate::steps::{Draft, Expr, Run};
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
        let mut draft = Draft::default();
        let fields = self.recipe.fields().zip(values);
        let fields = fields.map(|(name, value)| (name.to_string(), Expr::text((*value).to_owned()))).collect();
        let parameters = draft.step("parameters", Expr::Pairs(fields));
        let hash = self.recipe.steps(&mut draft, &parameters);
        let before = if values.is_empty() { "hash=" } else { "&hash=" };
        let uri = [Expr::text(format!("{}?", self.base)), parameters.form(), Expr::text(before), hash];
        let run = Run { secret: &self.secret, now: UnixTime::from_secs(0), nonce: "" };
        // Texts and one hash in hexadecimal: there is nothing that could not be text.
        run.text_of(draft, &Expr::concat(uri)).unwrap_or_default()
    }
}
