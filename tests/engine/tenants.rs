//! A layer whose tenant cannot be meant does not build, and the log says which tenant a request named.

use serde_json::Value;
use tower_sso::clock::UnixTime;
use tower_sso::keys::{Key, MemoryKeys};
use tower_sso::rejection::Rejection;
use tower_sso::shared_secret::{self, PrivateKeys};
use tower_sso::tenant::Tenant;
use tower_sso::ticket::{self, MemoryTickets, Tickets};
use tower_sso::{ConfigError, fernet, jwt, oauth1, timestamp_hash, webhook};

use crate::support::log::Log;
use crate::support::subject::{FernetSubject, Subject, Wish};
use crate::support::{Answer, App, NOW, clock, reason, replay};

fn refused<T>(built: Result<T, ConfigError>) -> String {
    built.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn keys_of_several_tenants_need_a_tenant() {
    let one = MemoryKeys::new().with("acme", "the secret of acme");
    let several = || one.clone().with("other", "the secret of the other");
    let recipe = timestamp_hash::Recipe::hmac(timestamp_hash::Digest::Sha256, ["timestamp", "org"], "|");
    let webhook = || webhook::layer::<Value>().replay(replay()).handler_remembers();
    let jwt = || jwt::layer::<Value>(jwt::Algorithm::HS256).audience("a").replay(replay());
    let hash = || timestamp_hash::layer::<Value>(recipe.clone()).replay(replay());
    assert_eq!(refused(webhook().keys(one.clone()).build()), "", "a warning is enough: there may be more later");
    for said in [
        refused(webhook().keys(several()).build()),
        refused(jwt().keys(several()).build()),
        refused(hash().keys(several()).build()),
    ] {
        assert!(said.contains("`tenant` is not set, and there are keys of several tenants"), "{said:?}");
    }
    assert_eq!(refused(webhook().keys(several()).tenant(Tenant::path_segment(1)).build()), "");
    assert_eq!(refused(webhook().keys(several()).tenant(Tenant::fixed("default")).build()), "", "this one is meant");
    assert_eq!(refused(hash().keys(several()).tenant_field("org").build()), "", "the field names it");
    // Two names of one organisation.
    let alias = MemoryKeys::new();
    for name in ["acme", "acme.example"] {
        let key = Key::current("the secret of acme".into()).owned_by("acme".into());
        alias.set(name, [key].into_iter().collect());
    }
    assert_eq!(refused(webhook().keys(alias).build()), "");
}

#[test]
fn a_tenant_that_nobody_asks_for_does_not_build() {
    let tenant = || Tenant::path_segment(1);
    let keys = MemoryKeys::new().with("acme", "the secret of acme");
    let private = PrivateKeys::new().with("acme", ["k-9f86d081884c7d659a2f"]).unwrap();
    let recipe = timestamp_hash::Recipe::hmac(timestamp_hash::Digest::Sha256, ["timestamp", "org"], "|");
    let hash = timestamp_hash::layer::<Value>(recipe).tenant_field("org").keys(keys.clone()).replay(replay());
    let oauth = oauth1::layer::<Value>(oauth1::Origin::new("https://rp.example")).keys(keys.clone()).replay(replay());
    for said in [
        refused(shared_secret::layer::<Value>(private).tenant(tenant()).build()),
        refused(ticket::layer::<Value>(Tickets::new(MemoryTickets::new())).tenant(tenant()).build()),
        refused(hash.tenant(tenant()).build()),
        refused(oauth.tenant(tenant()).build()),
    ] {
        assert!(said.contains("`tenant` is not asked by this form"), "{said:?}");
    }
    let keys = MemoryKeys::new().with("acme", FernetSubject::key(0));
    assert_eq!(refused(fernet::layer::<Value>().tenant(tenant()).keys(keys).replay(replay()).build()), "");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_tenant_is_named() {
    let app: App = FernetSubject::app_with(MemoryKeys::new().with("acme", FernetSubject::key(0)), replay(), clock());
    let named = async |tenant: &'static str| {
        let log = Log::start();
        let answer = app.send(FernetSubject::request(&Wish { tenant, ..Wish::default() })).await;
        (reason(&answer), log.lines("DEBUG").join("\n"), log.lines("INFO").join("\n"))
    };
    let (reason, debug, info) = named("acme%0aINFO").await;
    assert_eq!(reason, "unknown_key");
    assert!(debug.contains(r#"no key of this tenant form="fernet" tenant=acme\nINFO"#), "{debug}");
    // Escaped, so that it forges no line. At `INFO` only if other tests have left lines in this second.
    assert!(info.is_empty() || info.contains(r"tenant=acme\nINFO"), "{info}");
    assert!(!named("acme").await.1.contains("no key of this tenant"), "it has one");
}

/// Behind the signature it is known whose key that was, whatever the request says.
#[tokio::test]
async fn a_refusal_behind_the_signature_names_the_owner_of_the_key() {
    let named = |answer: &Answer| {
        let rejection = answer.extensions().get::<Rejection>().unwrap();
        (rejection.reason().as_str(), rejection.tenant().map(|tenant| tenant.as_str().to_owned()))
    };
    let acme = || Some("acme".to_owned());

    let (wrong, right) = (r#"{"token":"k-60303ae22b998861bce3"}"#, r#"{"token":"k-9f86d081884c7d659a2f"}"#);
    let private = PrivateKeys::new().with("acme", ["k-9f86d081884c7d659a2f"]).unwrap();
    let app = App::new(shared_secret::layer::<Value>(private).require(["user"]).clock(clock()).build().unwrap());
    for (body, expected) in [(wrong, ("unknown_key", None)), (right, ("missing_field", acme()))] {
        let request = http::Request::post("/").header("content-type", "application/json");
        assert_eq!(named(&app.send(request.body(body.into()).unwrap()).await), expected, "{body}");
    }

    let keys = MemoryKeys::new();
    let key = Key::current(FernetSubject::key(0)).owned_by("acme".into());
    keys.set("alias", [key].into_iter().collect());
    let app = FernetSubject::app_with(keys, replay(), clock());
    let old = Wish { tenant: "alias", issued_at: UnixTime::from_secs(NOW - 3_600), ..Wish::default() };
    assert_eq!(named(&app.send(FernetSubject::request(&old)).await), ("expired", acme()));
}
