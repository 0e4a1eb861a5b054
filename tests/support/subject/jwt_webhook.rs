use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::jwt::Algorithm;
use tower_sso::jwt::webhook::{self, JwtWebhook};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::ReplayStore;
use tower_sso::sign::JwtSigner;
use tower_sso::tenant::Tenant;

use super::{Duplicate, Spoil, Subject, Wish, changed_at};
use crate::support::{App, Request_, secs};

pub struct JwtWebhookSubject;

const TENANT: HeaderName = HeaderName::from_static("x-tenant");
const TOKEN: HeaderName = HeaderName::from_static("webhook-signature");

impl JwtWebhookSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<JwtWebhook<Value>> {
        let tenant = Tenant::from_fn(|head| head.headers.get(TENANT)?.to_str().ok().map(Into::into));
        let layer = webhook::layer(Algorithm::HS256).body_digest_claim("sha256").max_age(secs(300)).tenant(tenant);
        layer.keys(keys).replay(replay).clock(clock)
    }
}

impl Subject for JwtWebhookSubject {
    const NAME: &'static str = "jwt_webhook";
    const WINDOW: Option<(u64, u64)> = Some((300, 60));
    const DUPLICATE: Duplicate = Duplicate::Acknowledged;

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        let body = json!({"id": wish.subject}).to_string();
        let digest: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        let claims = json!({"iat": wish.issued_at.as_secs(), "sha256": digest});
        let token = JwtSigner::new(Algorithm::HS256, &Self::key(wish.key)).unwrap().token(&claims).unwrap();
        let request = Request::post("/hook?b=1").header("content-type", "application/json").header(TOKEN, token);
        request.header(TENANT, HeaderValue::from_static(wish.tenant)).body(Full::new(body.into())).unwrap()
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let (mut head, mut body) = request.into_parts();
        let token = head.headers[TOKEN].to_str().unwrap().to_owned();
        let mut set = |token: &str| _ = head.headers.insert(TOKEN, token.parse().unwrap());
        match how {
            Spoil::Content => body = Full::new(Bytes::from_static(br#"{"id":"eve"}"#)),
            Spoil::Signature => set(&changed_at(&token, token.len() - 20)),
            Spoil::Twice => _ = head.headers.append(TOKEN, token.parse().unwrap()),
            Spoil::Absent => _ = head.headers.remove(TOKEN),
            Spoil::Alphabet => set(&token.replacen("eyJ", "e*J", 1)),
            Spoil::Short => set(&token[..token.len() - 24]),
            Spoil::Oversize => body = Full::new(Bytes::from(vec![b' '; 64 * 1024 + 1])),
            // The token has one spelling.
            Spoil::Respelled => return None,
        }
        Some(Request::from_parts(head, body))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("a secret of the sender's, number {number}, that is long enough"))
    }
}
