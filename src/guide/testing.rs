//! Testing your handlers, your clocks and your stores.
//!
//! Send real requests through the real app: sign them with [`sign`](crate::sign) (feature `sign`), and set the time
//! with [`ManualClock`](crate::clock::ManualClock). No test sleeps, and nothing is mocked.
//!
//! ```
//! # #[cfg(all(feature = "fernet", feature = "moka", feature = "axum", feature = "sign"))] {
//! use std::time::Duration;
//!
//! use axum::{Router, body::Body, routing::get};
//! use tower::ServiceExt;
//! use tower_sso::Identity;
//! use tower_sso::clock::{Clock, ManualClock, UnixTime};
//! use tower_sso::keys::{MemoryKeys, Secret};
//! use tower_sso::providers::tutorcruncher::{self, TutorUser};
//! use tower_sso::rejection::{Reason, Rejection};
//! use tower_sso::replay::MemoryReplay;
//! use tower_sso::sign::{FernetLink, generate_fernet_key};
//!
//! async fn land(user: Identity<TutorUser>) -> String {
//!     user.name.clone()
//! }
//!
//! /// The app takes its clock as an argument: `SystemClock` in `main`.
//! fn app(key: &Secret, clock: &ManualClock) -> Router {
//!     let replay = MemoryReplay::builder().clock(clock.clone()).build();
//!     let keys = MemoryKeys::new().with("4321", key.clone());
//!     let sso = tutorcruncher::sso(keys).replay(replay).clock(clock.clone()).build().unwrap();
//!     Router::new().route("/sso", get(land).layer(sso))
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let clock = ManualClock::at(UnixTime::from_secs(1_700_000_000));
//! let key = generate_fernet_key();
//! let app = app(&key, &clock);
//! clock.advance(Duration::from_secs(1)); // out of the store's first second
//!
//! let user = serde_json::json!({"id": 123, "nm": "Samuel", "rt": "Contractor"});
//! let link = FernetLink::new("/sso", "4321", &key).issued_at(clock.now()).uri(&user).unwrap();
//! clock.advance(Duration::from_secs(61));
//! let click = http::Request::get(link).body(Body::empty()).unwrap();
//! let answer = app.oneshot(click).await.unwrap();
//!
//! // Assert the precise reason, not only that it was refused.
//! assert_eq!(answer.status(), 401);
//! let rejection = answer.extensions().get::<Rejection>().unwrap();
//! assert_eq!(rejection.reason(), &Reason::Expired);
//! # });
//! # }
//! ```
//!
//! # The partner's side
//!
//! | form | signer |
//! |---|---|
//! | `fernet` | [`FernetLink`](crate::sign::FernetLink), `generate_fernet_key` |
//! | `jwt` | [`JwtSigner`](crate::sign::JwtSigner): put its `token` into the query |
//! | `oauth1` | [`OAuthLink`](crate::sign::OAuthLink): `uri`, `form`, `authorization` |
//! | `timestamp_hash` | [`HashedLink`](crate::sign::HashedLink) |
//! | `webhook` | [`SigningWebhook`](crate::sign::SigningWebhook): `sign(body).request(uri)` |
//! | `shared_secret` | none needed: send the JSON |
//! | any of these, signed parameters and payloads | [`VerifyLayer::signer`](crate::VerifyLayer::signer) |
//! | `ticket` | [`Tickets::issue`](crate::ticket::Tickets::issue), as in the app |
//!
//! **Our signer must not be your only witness.** Add one link that the partner made, with its key and a `ManualClock`
//! at its time.
//!
//! # The first second
//!
//! [`MemoryReplay`](crate::replay::MemoryReplay) refuses what was made before it, and times are whole seconds. A test
//! that makes the store and signs a link at once gets 401 `replayed`, with the reason `before_cutoff`. Choose one:
//!
//! - With a `ManualClock`: give it to the store, to the layer and to the signer, and `advance` it by a second after the
//!   store is made. This tests what you deploy.
//! - With the system's clock: `MemoryReplay::builder().danger_no_startup_cutoff()`, in the test alone.
//!
//! `advance` lets time pass; `set` corrects a wrong clock, as NTP does.
//!
//! # Identities in tests
//!
//! A signed request, as above, takes microseconds and tests the route too. For a handler alone, the feature `testing`
//! has [`Identity::unproved`](crate::Identity::unproved):
//!
//! ```
//! # #[cfg(feature = "testing")] {
//! use tower_sso::Identity;
//!
//! # struct User { name: String }
//! fn greeting(user: &Identity<User>) -> String {
//!     format!("Hello {} of {}", user.name, user.tenant())
//! }
//!
//! let ada = Identity::unproved("fernet", "4321", User { name: "Ada".into() });
//! assert_eq!(greeting(&ada), "Hello Ada of 4321");
//! # }
//! ```
//!
//! **Have `testing` and `sign` among the `dev-dependencies` only.** In the program that serves, nothing but a layer may
//! make an identity.
//!
//! # What to test
//!
//! 1. A good request signs in; its duplicate does not.
//! 2. A link of one tenant with another tenant's name is refused, and makes no user.
//! 3. The session id changes at the sign-in.
//! 4. Your own [`map_claims`](crate::Builder::map_claims) refuses what it should, as `rejected_claims`.
//! 5. For webhooks: a duplicate is answered with 200 and does nothing; after your handler answered 500, it is
//!    processed.
//!
//! `examples/app` has the first three.
//!
//! # A store of your own
//!
//! With the feature [`testing`](crate::testing), one call proves a replay store, another one a ticket store. The suite
//! wants a runtime with several threads, opens several handles, as several processes would, and names every promise
//! that is broken.
//!
//! ```
//! # #[cfg(all(feature = "testing", feature = "moka"))] {
//! # use tower_sso::replay::MemoryReplay;
//! use std::time::Duration;
//! use tower_sso::testing;
//!
//! # macro_rules! ignore { ($($item:tt)*) => {} }
//! # ignore! {
//! #[tokio::test(flavor = "multi_thread")]
//! # }
//! async fn my_store_keeps_its_promises() {
//!     # let shared = MemoryReplay::new();
//!     # let connect = async || shared.clone();
//!     // `connect` opens a handle on one and the same database: `async || MyStore::connect(&url).await.unwrap()`
//!     let suite = testing::replay_store(connect);
//!     # let suite = suite.entries(1_000).race(Duration::from_millis(100));
//!     suite.patience(Duration::from_secs(5)).run().await.unwrap();
//! }
//! # tokio::runtime::Runtime::new().unwrap().block_on(my_store_keeps_its_promises());
//! # }
//! ```
//!
//! `testing::ticket_store` does the same for tickets. `.unreachable(store)` takes a store whose database is down, and
//! proves that it says so rather than answering. It cannot see whether entries survive a restart of the database.
//!
//! A form of your own: see [its contract](super::own_form#the-contract).
