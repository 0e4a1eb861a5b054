//! How a partner signs the parameters.

use std::borrow::Cow;

use super::recipe::{Between, HashedSecret, Order, Selected, Text};
use super::{At, Shape, SignedParameters};
use crate::form::Form;
use crate::steps::{Draft, Escape, Expr, Outgoing, SignError, Signs, Steps, Wanted, words};

impl<C> Signs for SignedParameters<C>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        if self.nonce.checked().is_some() {
            return Err(SignError::Unsupported("its parameters answer a nonce that one browser was given"));
        }
        if self.recipe.md5 {
            return Err(SignError::Unsupported("its signature is an MD5, which is verified for one platform's sake"));
        }
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::bare(wanted));
        let secret = self.signature.key(&mut draft)?;
        let pairs = self.pairs(wanted, &mut draft, &mut outgoing)?;
        let (signed, mut others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| self.recipe.signs(name));
        let parameters = draft.step("parameters", Expr::Pairs(self.in_order(signed.clone())));
        let text = draft.step("text", self.text_of(&parameters, signed.clone(), &secret)?);
        let signature = match self.recipe.hashed_secret {
            None => self.signature.written(secret, text),
            Some(_) => Expr::Hash(self.signature.digest, Box::new(text)).encoded(self.signature.encoding),
        };
        let signature = draft.step("signature", signature);
        let what = format!("the signature, {}", words::encoding(self.signature.encoding));
        match &self.signature_at {
            At::Parameter(name) => {
                outgoing.part(name, self.source.name(), what);
                others.push((name.clone().into_owned(), signature));
            }
            At::Place(place) => place.put(&mut outgoing, signature, what),
        }
        let all = signed.into_iter().chain(others.clone()).collect();
        self.source.put(&mut draft, &mut outgoing, &parameters, others, all);
        Ok(draft.end(outgoing, self.signature.secret_shape(), self.time.lifetime(&self.window)))
    }
}

impl<C> SignedParameters<C> {
    /// All parameters but the signature.
    fn pairs(
        &self,
        wanted: &Wanted<'_>,
        draft: &mut Draft,
        outgoing: &mut Outgoing,
    ) -> Result<Vec<(String, Expr)>, SignError> {
        let mut own: Vec<(String, Expr, String)> = Vec::new();
        own.extend(self.time.member_of(draft, wanted)?);
        if let Some(name) = &self.tenant {
            let tenant = wanted.own_tenant()?;
            own.push((name.to_string(), Expr::text(tenant.to_owned()), format!("whose key signs: `{tenant}`; signed")));
        }
        if let (Some(name), Some(tenant)) = (wanted.tenant_parameter, wanted.tenant()) {
            own.push((name.to_owned(), Expr::text(tenant.to_owned()), "whose key signs: yours, as agreed".to_owned()));
        }
        if let Some(name) = &self.nonce.member {
            own.push((name.to_string(), draft.step("nonce", Expr::Nonce), "a text that is new each time".to_owned()));
        }
        own.retain(|(name, ..)| !wanted.claims().contains_key(name));
        let is_owned = |name: &str| own.iter().any(|(other, ..)| other == name);
        // A value that the layer checks has to be right in an example, too.
        let mut wanted = wanted.clone();
        for (name, shape) in self.shapes.iter().filter(|(name, _)| wanted.examples && !is_owned(name)) {
            let value = match shape {
                Shape::Digits => "42".to_owned(),
                Shape::EndsWith(end) => format!("example{end}"),
            };
            wanted.claims.entry(name.clone()).or_insert(value.into());
        }
        let must = |name: &&Cow<'static, str>| {
            !is_owned(name) && (self.required.contains(name) || wanted.examples || self.recipe.joins_values())
        };
        let listed = self.recipe.selected.names().iter();
        let wanted = wanted.with(listed.chain(&self.required).filter(must).map(AsRef::as_ref))?;
        let pairs = wanted.address_pairs()?.into_iter();
        let pairs = pairs.chain(own.iter().map(|(name, value, _)| (name.clone(), value.clone().into_text())));
        let pairs = pairs.chain(wanted.texts()).collect();
        for (name, _, what) in own {
            outgoing.part(&name, self.source.name(), what);
        }
        outgoing.claims(&wanted, self.source.name());
        Ok(pairs)
    }

    fn in_order(&self, mut pairs: Vec<(String, Expr)>) -> Vec<(String, Expr)> {
        if let (Selected::Listed(names), Order::Listed) = (&self.recipe.selected, self.recipe.order) {
            pairs.sort_by_key(|(name, _)| names.iter().position(|other| other == name));
        }
        pairs
    }

    fn text_of(&self, parameters: &Expr, signed: Vec<(String, Expr)>, secret: &Expr) -> Result<Expr, SignError> {
        let mut pairs = parameters.clone();
        if self.recipe.hashed_secret.is_some() && *secret != Expr::Secret {
            return Err(SignError::Unsupported("it hashes a secret that is decoded"));
        }
        if let Some(HashedSecret::Before(index)) = self.recipe.hashed_secret {
            let mut all = self.in_order(signed);
            all.insert(index.min(all.len()), (String::new(), Expr::Secret));
            pairs = Expr::Pairs(all);
        }
        let by_name = self.recipe.order == Order::Names;
        let pairs = if by_name { pairs.by_name() } else { pairs };
        let pairs = match self.recipe.text {
            Text::Decoded => pairs,
            Text::Raw | Text::Encoded => pairs.escaped_pairs(Escape::Percent),
            Text::FormEncoded => pairs.escaped_pairs(Escape::Form),
        };
        let sorted = self.recipe.order == Order::Pairs;
        let text = match self.recipe.join.0 {
            Between::Values(separator) => pairs.joined_values(separator),
            Between::Pairs(separator) => {
                let separator = separator.map(String::from).unwrap_or_default();
                if sorted { pairs.joined_and_sorted("=", separator) } else { pairs.joined("=", separator) }
            }
            Between::Json => return Err(SignError::Unsupported("it signs JSON as PHP writes it")),
        };
        let around = |text: &Cow<'static, str>| Expr::text(text.clone());
        let text = Expr::concat([around(&self.recipe.before), text, around(&self.recipe.after)]);
        Ok(match self.recipe.hashed_secret {
            Some(HashedSecret::AtTheEnd) => Expr::concat([text, Expr::Secret]),
            Some(HashedSecret::Before(_)) | None => text,
        })
    }
}
