//! Senders that sign a token with the body's digest in it.

use http::HeaderName;

use super::{Claims, LIMIT};
use crate::Builder;
use crate::jwt::Algorithm;
use crate::jwt::webhook::{self, JwtWebhook};

/// Deliveries of Netlify.
///
/// `X-Webhook-Signature`: a JWT, HS256, with the issuer `netlify` and in `sha256` the hexadecimal SHA-256 of the body.
///
/// No time is signed: the handler must recognise old deliveries by
/// [`Identity::fingerprint`](crate::Identity::fingerprint). Two deliveries with the same body are one, if nothing else
/// in their tokens differs. The secret is text.
///
/// Source: second-hand, Yizack/nuxt-webhook-validators.
///
/// ```
/// let layer = tower_sso::providers::webhooks::netlify::<serde_json::Value>();
/// ```
pub fn netlify<C: Claims>() -> Builder<JwtWebhook<C>> {
    webhook::layer(Algorithm::HS256)
        .namespace("netlify")
        .body_limit(LIMIT)
        .token_header(HeaderName::from_static("x-webhook-signature"))
        .body_digest_claim("sha256")
        .issuer("netlify")
        .any_content_type()
}

/// Deliveries of Plaid.
///
/// `Plaid-Verification`: a JWT, ES256, with `iat`, at most five minutes old, and in `request_body_sha256` the
/// hexadecimal SHA-256 of the body.
///
/// The token's `kid` names the key. Ask Plaid's API for it (`/webhook_verification_key/get`) in a task of your own,
/// leave out keys that have expired, and give the others to [`PublicKeys`](crate::keys::PublicKeys) as a JWK set:
/// **nothing is fetched**, and a delivery whose key is not there yet is refused. A delivery that is signed again, with
/// another time, is processed again: the handler must recognise it by what the body says.
///
/// As claims: [`PlaidEvent`](super::events::PlaidEvent).
///
/// Source: plaid.com, Verify webhooks.
///
/// ```
/// use tower_sso::{keys::PublicKeys, providers::webhooks};
///
/// let keys = PublicKeys::new("plaid");
/// let layer = webhooks::plaid::<serde_json::Value>().keys(keys.clone());
/// ```
#[cfg(feature = "jwt-public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt-public-key")))]
pub fn plaid<C: Claims>() -> Builder<JwtWebhook<C>> {
    webhook::layer(Algorithm::ES256)
        .namespace("plaid")
        .body_limit(LIMIT)
        .token_header(HeaderName::from_static("plaid-verification"))
        .body_digest_claim("request_body_sha256")
        .tenant_header("kid")
        .max_age(std::time::Duration::from_secs(5 * 60))
        .any_content_type()
}
