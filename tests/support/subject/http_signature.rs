use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::http_signature::{self, Algorithm, HttpSignature};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::ReplayStore;
use tower_sso::scheme::{Encoding, Origin};
use tower_sso::sign::SigningWebhook;
use tower_sso::tenant::Tenant;

use super::{Duplicate, Spoil, Subject, Wish};
use crate::support::{App, Request_};

pub struct HttpSignatureSubject;

const TENANT: HeaderName = HeaderName::from_static("x-tenant");
const INPUT: &str = r#"("@method" "@target-uri" "content-digest")"#;

impl HttpSignatureSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<HttpSignature<Value>> {
        let layer = http_signature::layer(Algorithm::HmacSha256, Origin::new("https://rp.example"));
        let tenant = Tenant::from_fn(|head| head.headers.get(TENANT)?.to_str().ok().map(Into::into));
        layer.tenant(tenant).keys(keys).replay(replay).clock(clock)
    }
}

impl Subject for HttpSignatureSubject {
    const NAME: &'static str = "http_signature";
    const WINDOW: Option<(u64, u64)> = Some((300, 60));
    const DUPLICATE: Duplicate = Duplicate::Acknowledged;

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        let body = json!({"id": wish.subject}).to_string();
        let digest = format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(&body)));
        let input = format!("{INPUT};created={}", wish.issued_at.as_secs());
        let base = format!(
            "\"@method\": POST\n\"@target-uri\": https://rp.example/hook?b=1\n\"content-digest\": {digest}\n\
             \"@signature-params\": {input}"
        );
        let signature = SigningWebhook::new(Self::key(wish.key)).encoding(Encoding::Base64).sign(base).signature;
        let request = Request::post("/hook?b=1")
            .header("content-type", "application/json")
            .header("content-digest", digest)
            .header("signature-input", format!("sig1={input}"))
            .header("signature", format!("sig1=:{signature}:"))
            .header(TENANT, HeaderValue::from_static(wish.tenant));
        request.body(Full::new(body.into())).unwrap()
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let (mut head, mut body) = request.into_parts();
        let signature = head.headers["signature"].to_str().unwrap().to_owned();
        let mut set = |signature: &str| _ = head.headers.insert("signature", signature.parse().unwrap());
        match how {
            Spoil::Content => body = Full::new(Bytes::from_static(br#"{"id":"eve"}"#)),
            Spoil::Signature => {
                let other = if signature.contains("=:A") { "=:B" } else { "=:A" };
                set(&format!("sig1{other}{}", &signature[7..]));
            }
            Spoil::Twice => _ = head.headers.append("signature", signature.parse().unwrap()),
            Spoil::Absent => {
                head.headers.remove("signature");
                head.headers.remove("signature-input");
            }
            Spoil::Alphabet => set(&format!("sig1=:*{}", &signature[7..])),
            Spoil::Short => set(&format!("{}:", &signature[..32])),
            Spoil::Oversize => body = Full::new(Bytes::from(vec![b' '; 64 * 1024 + 1])),
            Spoil::Respelled => {
                let two = format!("sig0=:AA==: , {signature}");
                set(&two);
            }
        }
        Some(Request::from_parts(head, body))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("a secret for messages {number}"))
    }
}
