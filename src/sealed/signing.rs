//! How a partner seals a payload.

use super::{At, Seal, Sealed};
use crate::form::Form;
use crate::scheme::Encoding;
use crate::steps::{Draft, Expr, Outgoing, Sealing, SecretShape, SignError, Signs, Steps, Wanted};

impl<C> Signs for Sealed<C>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        let mut own: Vec<(String, Expr, String)> = self.time.member_of(&mut draft, wanted)?.into_iter().collect();
        for (name, value) in &self.fixed {
            own.push((name.to_string(), Expr::Value((&**value).into()), format!("`{value}`")));
        }
        own.retain(|(name, ..)| !wanted.claims().contains_key(name));
        if own.iter().any(|(name, ..)| name.starts_with('/')) {
            return Err(SignError::Unsupported("its payload has members inside of others"));
        }
        let members = own.iter().map(|(name, value, _)| (name.clone(), value.clone())).chain(wanted.members());
        let payload = draft.step("payload", Expr::Json(members.collect()));
        let seal = match self.seal {
            Seal::AesCbcThenHmac => Sealing::CbcThenHmac,
            Seal::FramedAesGcm => Sealing::FramedGcm,
        };
        let blob = draft.step("blob", Expr::Sealed(seal, Box::new(payload)));
        let token = draft.step("token", blob.encoded(Encoding::Base64Url));
        let what = "the payload, encrypted and signed, in base64url";
        match &self.at {
            At::Place(place) => place.put(&mut outgoing, token, what),
            At::LastSegment => {
                outgoing.part("the token", "last segment of the path", what);
                outgoing.request.segment = Some(token);
            }
        }
        for (name, _, what) in own {
            outgoing.part(&name, "payload", what);
        }
        outgoing.claims(wanted, "payload");
        Ok(draft.end(outgoing, SecretShape::Text, self.time.lifetime(&self.window)))
    }
}
