//! How a partner makes the hash.

use super::recipe::{Kind, Recipe};
use super::{Digest, TimestampHash};
use crate::form::Form;
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Draft, Escape, Expr, Lifetime, Outgoing, SecretShape, SignError, Signs, Steps, Wanted};

impl<C, R> Signs for TimestampHash<C, R>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        let mut fields = Vec::new();
        for name in self.recipe.fields() {
            let is_given = wanted.claims().contains_key(&**name);
            let (value, what) = if *name == self.timestamp {
                let mut now = || draft.step("now", Expr::Time(TimeFormat::FractionalSeconds, 0));
                (
                    if is_given { wanted.required(name)? } else { now() },
                    "when the link is made, in seconds since 1970; signed as it is written",
                )
            } else if self.tenant.as_ref() == Some(name) && !is_given {
                (Expr::text(wanted.own_tenant()?.to_owned()), "whose key signs: yours, as agreed; signed")
            } else {
                (wanted.required(name)?, "about the user; signed")
            };
            fields.push((name.clone().into_owned(), value));
            outgoing.part(name, self.source.name(), what);
        }
        let parameters = draft.step("parameters", Expr::Pairs(fields.clone()));
        let signature = (self.hash.clone().into_owned(), self.recipe.steps(&mut draft, &parameters));
        fields.push(signature.clone());
        self.source.put(&mut draft, &mut outgoing, &parameters, vec![signature], fields);
        outgoing.part(&self.hash, self.source.name(), "the signature, in hexadecimal");
        Ok(draft.end(outgoing, SecretShape::Text, Some(Lifetime::Window(self.window))))
    }
}

impl Recipe {
    /// The signature of the parameters.
    pub(crate) fn steps(&self, draft: &mut Draft, parameters: &Expr) -> Expr {
        let parameters = parameters.clone();
        let signature = match &self.kind {
            Kind::Hmac { separator } => {
                let text = draft.step("text", parameters.joined_values(separator.clone().into_owned()));
                Expr::hmac(self.digest, Expr::Secret, text)
            }
            Kind::FormAsKey { names, plus } => {
                let escape = if *plus { Escape::Form } else { Escape::Percent };
                let last = String::from_utf8_lossy(names.last().map_or(&[], Vec::as_slice)).into_owned();
                let form = parameters.escaped_pairs(escape).joined("=", "&");
                let key = Expr::concat([form, Expr::text(last), Expr::Secret.escaped(escape)]);
                Expr::hmac(self.digest, draft.step("key", key), Expr::text(""))
            }
            Kind::Digest { separator } => {
                let parts = [
                    parameters.joined_values(separator.clone().into_owned()),
                    Expr::text(separator.clone()),
                    Expr::Secret,
                ];
                hash(self.digest, draft.step("text", Expr::concat(parts)))
            }
        };
        draft.step("signature", signature.encoded(Encoding::Hex))
    }
}

fn hash(digest: Digest, text: Expr) -> Expr {
    Expr::Hash(digest, Box::new(text))
}
