//! What a sender may do otherwise than this layer expects.

use super::JwtWebhook;
use crate::jwt::near::respelled;
use crate::near_miss::copy_form;
use crate::text::base64::encode_base64url;

copy_form!(JwtWebhook<C> {
    verifier, place, digest_claim, issuer, named, max_age, clock_skew, any_content_type, processing, digest_in_base64,
});

impl<C> JwtWebhook<C> {
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let verifiers = self.verifier.near().into_iter();
        let verifiers = verifiers.map(|(cause, verifier)| (cause, Self { verifier, ..self.copy() }));
        let issuers = self.issuer.iter().flat_map(|ours| respelled(ours)).map(|(what, issuer)| {
            let cause = format!("the claim `iss` differs from this layer's issuer in {what}");
            (cause, Self { issuer: Some(issuer.into()), ..self.copy() })
        });
        let cause = "the sender writes the body's digest in base64, and this layer expects hexadecimal";
        let digest = (cause.to_owned(), Self { digest_in_base64: true, ..self.copy() });
        verifiers.chain(issuers).chain([digest]).collect()
    }
}

/// Whether a text is base64 of these bytes, in one of its alphabets.
pub(super) fn is_base64_of(text: &str, bytes: &[u8]) -> bool {
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    text == encode_base64url(bytes)
}
