use super::{Duplicate, Spoil, Subject, Wish};
use crate::support::{App, Request_};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::ReplayStore;

pub struct SharedSecretSubject;

#[cfg(feature = "shared-secret")]
mod bearer {
    use futures::FutureExt;
    use http_body_util::BodyExt;
    use tower_sso::keys::{Key, KeyStore, TenantId};
    use tower_sso::shared_secret::{self, PrivateKeyStore, SharedSecret, TokenDigest};
    use tower_sso::store::{StoreError, StoreFuture};

    use super::super::Failure;
    use super::*;

    /// A store of digests, looked up by the token itself.
    struct ByDigest(MemoryKeys);

    impl PrivateKeyStore for ByDigest {
        fn find(&self, digest: &TokenDigest) -> StoreFuture<Result<Option<Key>, StoreError>> {
            let wanted = digest.secret();
            let found = ["acme", "other"].map(TenantId::from).into_iter().find_map(|tenant| {
                let keys = self.0.keys(&tenant).now_or_never().unwrap().unwrap();
                keys.iter().find(|key| *key.secret() == wanted).map(|key| key.clone().owned_by(tenant.clone()))
            });
            StoreFuture::ready(Ok(found))
        }
    }

    fn layer(keys: MemoryKeys, clock: ManualClock) -> Builder<SharedSecret<Value>> {
        shared_secret::layer(ByDigest(keys)).clock(clock)
    }

    impl SharedSecretSubject {
        pub fn layer(keys: MemoryKeys, clock: ManualClock) -> Builder<SharedSecret<Value>> {
            layer(keys, clock)
        }
    }

    fn token(number: usize) -> String {
        format!("private key {number}")
    }

    impl Subject for SharedSecretSubject {
        const NAME: &'static str = "shared_secret";
        const WINDOW: Option<(u64, u64)> = None;
        const DUPLICATE: Duplicate = Duplicate::Passes;
        const LOOKED_UP: bool = true;

        fn app_with(keys: MemoryKeys, _: impl ReplayStore, clock: ManualClock) -> App {
            App::new(layer(keys, clock).build().unwrap())
        }

        fn optional_app(keys: MemoryKeys, _: impl ReplayStore, clock: ManualClock) -> App {
            App::new(layer(keys, clock).optional().build().unwrap())
        }

        /// Its body is never another's.
        fn posted_app(_: bool) -> App {
            super::super::posted(layer(super::super::keys::<Self>(), crate::support::clock()), false)
        }

        /// It has no replay store; its key store fails instead.
        fn failing_app(failure: Failure) -> (App, &'static str) {
            let layer = shared_secret::layer::<Value>(move |_| async move {
                match failure {
                    Failure::Error => Err(StoreError::new("connection refused")),
                    Failure::Never => std::future::pending().await,
                    Failure::Full => Err(StoreError::full()),
                }
            });
            (App::new(layer.build().unwrap()), "key_store")
        }

        fn request(wish: &Wish) -> Request_ {
            let token = if wish.tenant == "nobody" { "nobody's".to_owned() } else { token(wish.key) };
            let body = json!({"login": wish.subject, "token": token}).to_string();
            let request = Request::post("/autologin?b=1").header("content-type", "application/json");
            request.body(Full::new(body.into())).unwrap()
        }

        fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
            let (mut head, body) = request.into_parts();
            let body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
            let mut body = String::from_utf8(body.into()).unwrap();
            let token = body.split_once("\"token\":").unwrap().1.trim_end_matches('}').to_owned();
            match how {
                // Nothing is signed.
                Spoil::Content => return None,
                Spoil::Signature => body = body.replace("private", "privatf"),
                Spoil::Twice => body = body.replace(&token, &format!("{token},\"token\":{token}")),
                Spoil::Absent => _ = head.headers.remove("content-type"),
                Spoil::Alphabet => body = body.replace(&token, "7"),
                Spoil::Short => body = body.replace("private key", "private"),
                Spoil::Oversize => body = body.replace(&token, &format!("\"{}\"", "x".repeat(64 * 1024))),
                Spoil::Respelled => body = body.replace("\"token\"", "\"t\\u006fken\""),
            }
            Some(Request::from_parts(head, Full::new(body.into())))
        }

        fn key(number: usize) -> Secret {
            TokenDigest::of(&token(number).into()).secret()
        }
    }
}
