//! How much is tried.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request};
use serde_json::Value;
use tower_sso::body::WholeBody;
use tower_sso::clock::UnixTime;
use tower_sso::explain;
use tower_sso::form::{Extracted, Form, Presence, Rules, Usage};
use tower_sso::keys::{Key, KeyStore, Keys, MemoryKeys, Secret, TenantId};
use tower_sso::rejection::Reason;
use tower_sso::replay::FingerprintHasher;
use tower_sso::sign::HashedLink;
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::tenant::Tenant;
use tower_sso::timestamp_hash::{Digest, Recipe};
use tower_sso::window::Validity;
use tower_sso::{VerifyLayer, timestamp_hash};

use crate::support::{NOW, clock, replay};

/// Counts what is tried, and how many bytes that has. Nothing fits.
#[derive(Clone, Default)]
struct Counting {
    tries: Arc<AtomicUsize>,
    bytes: Arc<AtomicUsize>,
}

impl Form for Counting {
    const NAME: &'static str = "counting";
    type Reads = WholeBody;
    type Credential = usize;
    type Message = ();
    type Claims = ();

    fn rules(&self) -> Rules {
        let mut rules = Rules::new(Secret::new("a key that nobody has"));
        rules.usage = Usage::Reusable;
        rules
    }

    fn screen(&self, _: &Parts) -> Result<Presence, Reason> {
        Ok(Presence::InBody)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<usize>, Reason> {
        Ok(Extracted::from(head.uri.query().unwrap_or_default().len() + body.len()))
    }

    fn verify(&self, length: &usize, _: &Secret) -> Result<(), Reason> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(*length, Ordering::Relaxed);
        Err(Reason::BadSignature)
    }

    fn validity(&self, (): &()) -> Result<Validity, Reason> {
        Ok(Validity::unlimited())
    }

    fn fingerprint(&self, (): &(), _: &mut FingerprintHasher) {}

    fn claims(&self, (): (), _: UnixTime) -> Result<(), Reason> {
        Ok(())
    }
}

/// A MAC of a short request takes a microsecond, and of a long one as many as it has kilobytes.
#[tokio::test]
async fn the_work_is_bounded() {
    let pairs = |count: usize| (0..count).map(|at| format!("n{at}=v{at}+%40")).collect::<Vec<_>>().join("&");
    for (query, body, why) in [
        (String::new(), String::new(), "nothing"),
        (pairs(5), String::new(), "few parameters, in each order"),
        (pairs(8), String::new(), "more"),
        (pairs(24), pairs(24), "many, in the query and in a form"),
        (pairs(1_000), pairs(3_000), "too many"),
        ("x".repeat(60_000), format!("[{}1]", "1,".repeat(30_000)), "long texts"),
        (String::new(), "x".repeat(1_000_000), "a body that is larger than any of a webhook"),
    ] {
        let form = Counting::default();
        let layer = VerifyLayer::builder(form.clone(), Tenant::fixed("acme"), Method::POST);
        let layer = layer.secrets(["one secret of acme", "another secret of acme"]).build().unwrap();
        let (head, ()) = Request::post(format!("/?{query}")).body(()).unwrap().into_parts();
        let length = head.uri.query().map_or(0, str::len) + body.len();
        let explanation = explain::request(&layer, &head, &Bytes::from(body)).await;
        assert_eq!(explanation.cause(), None, "{why}");
        let (tries, bytes) = (form.tries.load(Ordering::Relaxed), form.bytes.load(Ordering::Relaxed));
        // The check itself has two keys.
        let most = explain::MOST_WORK + 2 * length;
        assert!(tries <= 1_400 && bytes <= most, "{why}: {tries} tries of {bytes} bytes");
    }
}

/// Counts how often it is asked for the keys of all tenants.
struct Counted(MemoryKeys, Arc<AtomicUsize>);

impl KeyStore for Counted {
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        self.0.keys(tenant)
    }

    fn known_keys(&self) -> Option<Vec<Key>> {
        self.0.known_keys()
    }

    fn stored_keys(&self, tenant: Option<&TenantId>, most: usize) -> StoreFuture<Result<Vec<Key>, StoreError>> {
        if tenant.is_none() {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
        self.0.stored_keys(tenant, most)
    }

    fn ignores_tenant(&self) -> bool {
        false
    }
}

/// Thousands of keys are read only where one of them may be the cause.
#[tokio::test]
async fn all_keys_are_asked_for_only_if_none_fits() {
    let recipe = Recipe::hmac(Digest::Sha256, ["timestamp", "email", "org"], "|");
    let secret = Secret::new("a-secret-of-acme-0123");
    let asked = Arc::new(AtomicUsize::new(0));
    let keys = Counted(MemoryKeys::new().with("acme", secret.clone()), Arc::clone(&asked));
    let layer = timestamp_hash::layer::<Value>(recipe.clone()).tenant_field("org").keys(keys);
    let layer = layer.replay(replay()).clock(clock()).build().unwrap();
    let link = |secret: &str, time: u64, org: &str| {
        HashedLink::new("/", recipe.clone(), &secret.into()).uri(&[&time.to_string(), "ada@x.example", org])
    };
    let secret = secret.expose_str().unwrap().to_owned();
    for (uri, times, why) in [
        (link(&secret, NOW, "acme"), 0, "it passes"),
        (link(&secret, NOW - 3_600, "acme"), 0, "expired"),
        (link(&secret, NOW + 3_600, "acme"), 0, "not yet valid"),
        (link(&secret, NOW, "acme").replace("&hash=", "&h="), 0, "malformed"),
        (link("a-secret-of-nobody", NOW, "acme"), 1, "a wrong key"),
        (link(&secret, NOW, "nobody"), 1, "no such tenant"),
    ] {
        let (head, ()) = Request::get(uri).body(()).unwrap().into_parts();
        _ = explain::request(&layer, &head, &Bytes::new()).await;
        assert_eq!(asked.swap(0, Ordering::Relaxed), times, "{why}");
    }
}
