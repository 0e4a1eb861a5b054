//! The layer takes what its page shows, or there is no page.

use serde_json::{Value, json};
use tower_sso::keys::MemoryKeys;
use tower_sso::oauth1::Origin;
use tower_sso::providers::tutorcruncher;
use tower_sso::sign::Signs;
use tower_sso::signed_json::{self, Layout};
use tower_sso::{Builder, VerifyLayer, http_signature, webhook};

use crate::support::{clock, replay};

const ADDRESS: &str = "https://app.example/app/hook";

/// What comes of a page with these claims.
fn page<F: Signs, C>(layer: &VerifyLayer<F, C>, tenant: &str, claims: &Value) -> String {
    let kit = layer.kit(ADDRESS).tenant(tenant);
    let claims = claims.as_object().unwrap();
    let kit = claims.iter().fold(kit, |kit, (name, value)| kit.claim(name, value));
    kit.build().map_or_else(|error| error.to_string(), |_| "a page".to_owned())
}

fn built<F: Signs, C: Send + Sync + 'static>(layer: Builder<F, C>) -> VerifyLayer<F, C> {
    layer.keys(MemoryKeys::new()).replay(replay()).clock(clock()).build().unwrap()
}

#[test]
fn an_address_is_the_layers() {
    let signed = |origin| built(webhook::layer::<Value>().signed("{url}\n{body}").origin(origin).handler_remembers());
    let message = |origin| built(http_signature::layer::<Value>(http_signature::Algorithm::HmacSha256, origin));
    let of = |address| Origin::new(address);
    let another = "no active key of this tenant made the signature";
    for (origin, expected, why) in [
        (of("https://app.example"), "a page", "the layer's"),
        (of("https://app.example/app"), "a page", "a proxy takes the front of the path away"),
        (Origin::one_of(["https://b.example", "https://app.example"]), "a page", "one of the layer's"),
        (Origin::danger_from_host_header(true), "a page", "any"),
        (Origin::danger_trust_forwarded(), "a page", "any that the proxy names"),
        (Origin::danger_trust_proxies(2), "a page", "any that two proxies name"),
        (of("https://b.example"), another, "another host"),
        (of("http://app.example"), another, "another scheme"),
        (of("https://app.example/other"), another, "another path"),
        (Origin::danger_from_host_header(false), another, "another scheme, of any host"),
        (Origin::one_of(["https://b.example"]), "`host` is none of the layer's hosts", "none of the layer's"),
    ] {
        let pages = [page(&signed(origin.clone()), "", &json!({})), page(&message(origin), "", &json!({}))];
        pages.iter().for_each(|page| assert!(page.contains(expected), "{why}: {page}"));
    }
}

#[test]
fn an_example_has_what_the_layer_needs() {
    let message = || {
        let origin = Origin::new("https://app.example");
        http_signature::layer::<Value>(http_signature::Algorithm::HmacSha256, origin)
    };
    let listed = || signed_json::layer::<Value>(["/email"]).layout(Layout::Joined('.')).handler_remembers();
    let sso = || built(tutorcruncher::sso(MemoryKeys::new()));
    let none = json!({});
    for (page, expected, why) in [
        (page(&built(message().tenant_keyid()), "acme", &none), "a page", "a name"),
        (page(&built(message().tenant_keyid()), "Zo\u{eb}", &none), "not ASCII text", "a name that is no `keyid`"),
        (page(&built(listed()), "", &none), "`/email` holds what separates", "a made-up value with the separator"),
        (page(&built(listed()), "", &json!({"email": "ada"})), "a page", "a value without it"),
        (page(&sso(), "acme", &none), "`id` has another type", "a made-up claim"),
        (page(&sso(), "acme", &json!({"id": 7})), "a page", "a claim of its type"),
    ] {
        assert!(page.contains(expected), "{why}: {page}");
    }
}
