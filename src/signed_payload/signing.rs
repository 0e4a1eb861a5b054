//! How a partner signs a payload.

use super::{Content, PayloadEncoding, SignedPayload};
use crate::form::Form;
use crate::scheme::Encoding;
use crate::steps::{Draft, Expr, Outgoing, SignError, Signs, Steps, Wanted, words};

impl<C> Signs for SignedPayload<C>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        if self.content == Content::Text {
            return Err(SignError::Unsupported("its payload is one text and no object"));
        }
        if self.nonce.checked().is_some() {
            return Err(SignError::Unsupported("its payloads answer a nonce that one browser was given"));
        }
        let required = self.required.iter().filter(|name| self.time.member() != Some(*name)).map(AsRef::as_ref);
        let wanted = &wanted.with(required)?;
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        let secret = self.signature.key(&mut draft)?;
        let mut own: Vec<(String, Expr, String)> = Vec::new();
        own.extend(self.time.member_of(&mut draft, wanted)?);
        if let Some(name) = &self.tenant {
            let tenant = wanted.own_tenant()?;
            own.push((name.to_string(), Expr::Value(tenant.into()), format!("whose key signs: `{tenant}`")));
        }
        if let Some(name) = &self.nonce.member {
            own.push((name.to_string(), draft.step("nonce", Expr::Nonce), "a text that is new each time".to_owned()));
        }
        for (name, value) in &self.fixed {
            own.push((name.to_string(), Expr::Value((&**value).into()), format!("`{value}`")));
        }
        own.retain(|(name, ..)| !wanted.claims().contains_key(name));
        if own.iter().any(|(name, ..)| name.starts_with('/')) {
            return Err(SignError::Unsupported("its payload has members inside of others"));
        }
        let members = own.iter().map(|(name, value, _)| (name.clone(), value.clone())).chain(match self.content {
            Content::Json => wanted.members().collect::<Vec<_>>(),
            Content::Pairs | Content::Text => wanted.texts().collect(),
        });
        let payload = match self.content {
            Content::Json => Expr::Json(members.collect()),
            Content::Pairs | Content::Text => {
                Expr::Pairs(members.map(|(name, value)| (name, value.into_text())).collect()).form()
            }
        };
        let payload = draft.step("payload", payload);
        let (encoded, written) = match self.encoding {
            PayloadEncoding::Base64Url => {
                (payload.clone().encoded(Encoding::Base64Url), words::encoding(Encoding::Base64Url))
            }
            PayloadEncoding::Base64 => (payload.clone().encoded(Encoding::Base64), words::encoding(Encoding::Base64)),
            PayloadEncoding::Text => (payload.clone(), "as it is"),
            PayloadEncoding::Base64Lines => {
                return Err(SignError::Unsupported("its payload is in lines of base64"));
            }
        };
        let encoded = draft.step("encoded", encoded);
        let covered = if self.signs_decoded { payload } else { encoded.clone() };
        let signature = self.signature.written(secret, covered);
        let signature = draft.step("signature", signature);
        let what = [written, words::encoding(self.signature.encoding)];
        self.layout.put(&mut outgoing, encoded, signature, what);
        for (name, _, what) in own {
            outgoing.part(&name, "payload", what);
        }
        outgoing.claims(wanted, "payload");
        let lifetime = self.time.lifetime(&self.window);
        Ok(draft.end(outgoing, self.signature.secret_shape(), lifetime))
    }
}
