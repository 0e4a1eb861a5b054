//! How a sender signs a delivery.

use super::JwtWebhook;
use crate::form::Form;
use crate::jwt::signing::{secret_shape, token, what};
use crate::mac::Digest;
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Body, Draft, Expr, Lifetime, Outgoing, SignError, Signs, Steps, Wanted, words};
use crate::window::Window;

impl<C> Signs for JwtWebhook<C>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        let body = draft.step("body", Expr::Json(wanted.members().collect()));
        outgoing.part("the body", "body", "`application/json`: sent byte for byte as it was hashed");
        outgoing.claims(wanted, "body");
        outgoing.request.body = Body::Text(body.clone(), "application/json".into());
        let digest = draft.step("digest", Expr::Hash(Digest::Sha256, Box::new(body)).encoded(Encoding::Hex));
        let now = draft.step("now", Expr::Time(TimeFormat::Seconds, 0));
        let mut payload = vec![(self.digest_claim.to_string(), digest), ("iat".to_owned(), now)];
        outgoing.part(&self.digest_claim, "payload", "the SHA-256 of the body, in hexadecimal");
        outgoing.part("iat", "payload", words::time(TimeFormat::Seconds));
        if let Some(issuer) = &self.issuer {
            payload.push(("iss".to_owned(), Expr::Value((&**issuer).into())));
            outgoing.part("iss", "payload", format!("who made it: `{issuer}`"));
        }
        let token = token(&self.verifier, self.named.as_ref(), payload, wanted, &mut draft)?;
        self.place.put(&mut outgoing, token, what(&self.verifier));
        let window = |max_age| Lifetime::Window(Window { max_age, clock_skew: self.clock_skew });
        Ok(draft.end(outgoing, secret_shape(&self.verifier), self.max_age.map(window)))
    }
}
