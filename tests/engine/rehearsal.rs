//! An explanation follows the order of a check, and leaves no trace.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::explain;
use tower_sso::jwt;
use tower_sso::keys::{Key, KeyStore, Keys, Secret, TenantId};
use tower_sso::sign::JwtSigner;
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::tenant::Tenant;

use crate::support::{App, NOW, Request_, clock, outcome, replay};

const SECRET: &str = "the-secret-of-acme-0123";

/// Counts the uses of its only key, which it finds when it is asked again.
#[derive(Clone, Default)]
struct Stale {
    uses: Arc<AtomicUsize>,
}

impl KeyStore for Stale {
    fn known_keys(&self) -> Option<Vec<Key>> {
        None
    }

    fn ignores_tenant(&self) -> bool {
        false
    }

    fn keys(&self, _: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        StoreFuture::ready(Ok(Keys::unknown_tenant()))
    }

    fn keys_again(&self, _: &TenantId, _: &Keys) -> Option<StoreFuture<Result<Keys, StoreError>>> {
        let uses = Arc::clone(&self.uses);
        let key = Key::current(Secret::new(SECRET)).when_used(move |_| _ = uses.fetch_add(1, Ordering::SeqCst));
        Some(StoreFuture::ready(Ok([key].into_iter().collect())))
    }
}

fn layer(keys: Stale) -> tower_sso::VerifyLayer<jwt::Jwt<Value>> {
    let layer = jwt::layer::<Value>(jwt::Algorithm::HS256).audience("rp").tenant(Tenant::path_segment(0));
    layer.keys(keys).replay(replay()).clock(clock()).optional().build().unwrap()
}

fn link() -> Request_ {
    let signer = JwtSigner::new(jwt::Algorithm::HS256, &Secret::new(SECRET)).unwrap();
    let token = signer.token(&json!({"sub": "ada", "aud": "rp", "iat": NOW, "exp": NOW + 60})).unwrap();
    Request::get(format!("/acme?sso_jwt={token}")).body(Full::default()).unwrap()
}

#[tokio::test]
async fn the_key_store_is_asked_again_and_the_key_is_not_used() {
    let keys = Stale::default();
    let layer = layer(keys.clone());
    let (head, _) = link().into_parts();
    let explanation = explain::request(&layer, &head, &Bytes::new()).await;
    assert_eq!(explanation.refused(), None);
    assert_eq!(keys.uses.load(Ordering::SeqCst), 0, "an explanation");
    assert_eq!(outcome(&App::new(layer).send(link()).await), "ok");
    assert_eq!(keys.uses.load(Ordering::SeqCst), 1, "a check");
}

#[tokio::test]
async fn an_optional_layer_lets_a_request_without_a_credential_through() {
    let (head, ()) = Request::get("/acme").body(()).unwrap().into_parts();
    let explanation = explain::request(&layer(Stale::default()), &head, &Bytes::new()).await;
    assert_eq!((explanation.refused(), explanation.passed()), (None, &[][..]));
    assert!(explanation.to_string().contains("without a credential"), "{explanation}");
}
