use super::{Duplicate, Spoil, Subject, Wish};
use crate::support::{App, Request_};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::ReplayStore;
use tower_sso::sign::SigningWebhook;
use tower_sso::tenant::Tenant;
use tower_sso::webhook;

pub struct WebhookSubject;

impl WebhookSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<webhook::Webhook<Value>> {
        let tenant = Tenant::from_fn(|head| head.headers.get("x-tenant")?.to_str().ok().map(Into::into));
        webhook::layer().tenant(tenant).keys(keys).replay(replay).clock(clock).handler_remembers()
    }
}

impl Subject for WebhookSubject {
    const NAME: &'static str = "webhook";
    const WINDOW: Option<(u64, u64)> = None;
    const DUPLICATE: Duplicate = Duplicate::Acknowledged;

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        let body = json!({"id": wish.subject, "at": wish.issued_at.as_secs()}).to_string();
        let call = SigningWebhook::new(Self::key(wish.key)).sign(body);
        let mut request = call.request("/hook?b=1").map(|body| Full::new(Bytes::from(body)));
        request.headers_mut().insert("x-tenant", HeaderValue::from_static(wish.tenant));
        request
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        const HEADER: HeaderName = HeaderName::from_static("webhook-signature");
        let (mut head, mut body) = request.into_parts();
        let signature = head.headers[HEADER].to_str().unwrap().to_owned();
        let mut set = |signature: &str| _ = head.headers.insert(HEADER, signature.parse().unwrap());
        match how {
            Spoil::Content => body = Full::new(Bytes::from_static(b"{\"id\":\"eve\"}")),
            Spoil::Signature => {
                let other = if signature.starts_with('0') { "1" } else { "0" };
                set(&format!("{other}{}", &signature[1..]));
            }
            Spoil::Twice => _ = head.headers.append(HEADER, signature.parse().unwrap()),
            Spoil::Absent => _ = head.headers.remove(HEADER),
            Spoil::Alphabet => set(&format!("g{}", &signature[1..])),
            Spoil::Short => set(&signature[..32]),
            Spoil::Oversize => body = Full::new(Bytes::from(vec![b' '; 64 * 1024 + 1])),
            Spoil::Respelled => set(&signature.to_uppercase()),
        }
        Some(Request::from_parts(head, body))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("webhook secret {number}"))
    }
}
