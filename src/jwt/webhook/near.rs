//! What a sender may do otherwise than this layer expects.

use super::JwtWebhook;
use crate::jwt::near::respelled;
use crate::near_miss::copy_form;

copy_form!(JwtWebhook<C> {
    verifier, place, digest_claim, issuer, named, max_age, clock_skew, any_content_type, processing,
});

impl<C> JwtWebhook<C> {
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let verifiers = self.verifier.near().into_iter();
        let verifiers = verifiers.map(|(cause, verifier)| (cause, Self { verifier, ..self.copy() }));
        let issuers = self.issuer.iter().flat_map(|ours| respelled(ours)).map(|(what, issuer)| {
            let cause = format!("the claim `iss` differs from this layer's issuer in {what}");
            (cause, Self { issuer: Some(issuer.into()), ..self.copy() })
        });
        verifiers.chain(issuers).collect()
    }
}
