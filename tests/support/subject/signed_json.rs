use futures::FutureExt;
use http::{HeaderName, HeaderValue, Request, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::ReplayStore;
use tower_sso::sign::SigningWebhook;
use tower_sso::signed_json::{self, Layout, SignedJson};
use tower_sso::tenant::Tenant;

use super::{Duplicate, Spoil, Subject, Wish};
use crate::support::{App, Request_};

pub struct SignedJsonSubject;

const TENANT: HeaderName = HeaderName::from_static("x-tenant");

impl SignedJsonSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<SignedJson<Value>> {
        let layer = signed_json::layer(["/at", "/id"]).layout(Layout::Joined(':')).timestamp_field("/at");
        let tenant = Tenant::from_fn(|head| head.headers.get(TENANT)?.to_str().ok().map(Into::into));
        layer.tenant(tenant).keys(keys).replay(replay).clock(clock)
    }
}

impl Subject for SignedJsonSubject {
    const NAME: &'static str = "signed_json";
    const WINDOW: Option<(u64, u64)> = Some((300, 60));
    const DUPLICATE: Duplicate = Duplicate::Acknowledged;

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        let at = wish.issued_at.as_secs();
        let signed = SigningWebhook::new(Self::key(wish.key)).sign(format!("{at}:{}", wish.subject));
        let body = json!({"at": at, "id": wish.subject, "signature": signed.signature}).to_string();
        let request = Request::post("/hook?b=1").header(CONTENT_TYPE, "application/json");
        request.header(TENANT, HeaderValue::from_static(wish.tenant)).body(Full::new(body.into())).unwrap()
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
        let body = String::from_utf8(body.into()).unwrap();
        let signature = serde_json::from_str::<Value>(&body).unwrap()["signature"].as_str().unwrap().to_owned();
        let with = |other: &str| body.replace(&signature, other);
        let body = match how {
            Spoil::Content => body.replace("\"ada\"", "\"eve\""),
            Spoil::Signature => {
                let other = if signature.starts_with('0') { "1" } else { "0" };
                with(&format!("{other}{}", &signature[1..]))
            }
            Spoil::Twice => with(&format!("{signature}\",\"signature\":\"{signature}")),
            Spoil::Absent => {
                head.headers.remove(CONTENT_TYPE);
                body
            }
            Spoil::Alphabet => with(&format!("g{}", &signature[1..])),
            Spoil::Short => with(&signature[..32]),
            Spoil::Oversize => format!("{body}{}", " ".repeat(64 * 1024)),
            Spoil::Respelled => with(&signature.to_uppercase()).replace(',', " , "),
        };
        Some(Request::from_parts(head, Full::new(body.into())))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("a secret for JSON {number}"))
    }
}
