//! Your first partner in ten lines, and its test.
//!
//! TutorCruncher links to your app with `?company_id=4321&token=gAAAA…`. You need four things: keys, a replay store,
//! a handler, and the layer that connects them.
//!
//! ```
//! # #[cfg(all(feature = "fernet", feature = "moka", feature = "axum", feature = "sign"))]
//! # mod app {
//! use axum::{Router, routing::get};
//! use tower_sso::keys::KeyStore;
//! use tower_sso::providers::tutorcruncher::{self, TutorUser};
//! use tower_sso::replay::ReplayStore;
//! use tower_sso::{ConfigError, Identity};
//!
//! async fn land(user: Identity<TutorUser>) -> String {
//!     format!("Hello {} of company {}", user.name, user.tenant())
//! }
//!
//! fn app(keys: impl KeyStore, replay: impl ReplayStore) -> Result<Router, ConfigError> {
//!     let sso = tutorcruncher::sso(keys).replay(replay).build()?;
//!     Ok(Router::new().route("/sso", get(land).layer(sso)))
//! }
//!
//! // With the feature `sign`, the test plays the partner.
//! # macro_rules! ignore { ($($item:tt)*) => {} }
//! # ignore! {
//! #[cfg(test)]
//! # }
//! # pub
//! mod tests {
//!     use axum::{body::Body, http::Request};
//!     use tower::ServiceExt;
//!     use tower_sso::keys::MemoryKeys;
//!     use tower_sso::replay::MemoryReplay;
//!     use tower_sso::sign::{FernetLink, generate_fernet_key};
//!
//!     use super::*;
//!
//!     # ignore! {
//!     #[tokio::test]
//!     # }
//!     # pub
//!     async fn a_link_signs_in_once() -> Result<(), Box<dyn std::error::Error>> {
//!         let key = generate_fernet_key();
//!         // The store and the link are made in the same second: see the chapter on testing.
//!         let replay = MemoryReplay::builder().danger_no_startup_cutoff().build();
//!         let app = app(MemoryKeys::new().with("4321", key.clone()), replay)?;
//!
//!         let user = serde_json::json!({"id": 123, "nm": "Samuel", "rt": "Contractor"});
//!         let link = FernetLink::new("/sso", "4321", &key).uri(&user)?;
//!         let click = || Request::get(&link).body(Body::empty()).unwrap();
//!         assert_eq!(app.clone().oneshot(click()).await?.status(), 200);
//!         assert_eq!(app.oneshot(click()).await?.status(), 401);
//!         Ok(())
//!     }
//! }
//! # }
//! # fn main() {
//! #     #[cfg(all(feature = "fernet", feature = "moka", feature = "axum", feature = "sign"))] {
//! #         let test = app::tests::a_link_signs_in_once();
//! #         tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test).unwrap();
//! #     }
//! # }
//! ```
//!
//! In `main`, pass `MemoryReplay::opened().await`; the README has the server.
//!
//! In `Cargo.toml`, name the forms that the partner uses (TutorCruncher: `fernet`, and `webhook` for sign-ups) and
//! `axum`. The tests need `sign`:
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tower-sso = { version = "0.1", features = ["axum", "fernet", "webhook"] }
//!
//! [dev-dependencies]
//! serde_json = "1"
//! tower = { version = "0.5", features = ["util"] }
//! tower-sso = { version = "0.1", features = ["sign"] }
//! ```
//!
//! # It does not compile
//!
//! | rustc says | what to do |
//! |---|---|
//! | `the trait bound …: Handler<_, _>` is not satisfied | feature `axum`, and axum 0.8 in your own manifest |
//! | `could not find … in tower_sso`, `configured out` | the feature that the note below the error names |
//! | `type annotations needed` at a second `.layer(…)` | one `ServiceBuilder` for both: [`stacking`](super::stacking) |
//! | `Serialize` or `DeserializeOwned` is not satisfied | `#[derive(serde::Deserialize)]` on your claims |
//!
//! # Keys: one per tenant
//!
//! A *tenant* is a customer organisation with keys of its own; here it is the company. The request names it, and the
//! name selects the key. A request in another company's name is checked with that company's key, and fails.
//!
//! | your keys | store |
//! |---|---|
//! | one, in the configuration | [`secrets(["…"])`](crate::Builder::secrets), with [`Tenant::fixed`] |
//! | a few, in the configuration | [`MemoryKeys`](crate::keys::MemoryKeys) |
//! | many, in SQLite or Postgres | [`keys::sql`](crate::keys::sql) behind [`CachedKeys`](crate::keys::CachedKeys) |
//! | many, in a store of your own | [`keys::from_fn`](crate::keys::from_fn), or a [`KeyStore`](crate::keys::KeyStore) |
//!
//! Give each tenant its own key. With one key for all, a signature does not say whose it is, and `.build()` refuses a
//! layer whose requests choose the tenant. Two tenants of `MemoryKeys` with the same key are logged at `WARN`.
//!
//! # The replay store
//!
//! It makes a link work once. [`MemoryReplay`](crate::replay::MemoryReplay) is right for one process; several processes
//! share a `RedisStore`. One store may serve every layer: clone it. See [`processes`](super::processes).
//!
//! # What the handler gets
//!
//! [`Identity`](crate::Identity) is an extractor, and dereferences to the claims. The handler runs only after every
//! check has passed.
//!
//! | call | gives |
//! |---|---|
//! | `user.name`, `user.claims()` | what the partner says of the user |
//! | `user.tenant()` | whose key signed it |
//! | `user.key_use()` | whether that was the current key or a previous one |
//! | `user.issued_at()` | the time written in the credential |
//! | `user.fingerprint()` | a digest that is the same for every copy: keep it where a call must count once, for ever |
//!
//! **A user is known by tenant and id together.** Ids, and often email addresses, are chosen by the tenant: two tenants
//! may have the same ones, and one tenant may claim another's address. Make the pair the key of your table.
//!
//! Claims of your own are any type that implements `Deserialize`, as in
//! [`fernet::layer::<User>()`](crate::fernet::layer). To refuse some of them, such as users without a role, call
//! [`map_claims`](crate::Builder::map_claims).
//!
//! # What the partner needs
//!
//! A partner who writes the other side asks for the parameters, the exact bytes that are signed, and an example. The
//! feature `kit` writes that page from the layer, with programs in seven languages:
//!
//! ```
//! # #[cfg(all(feature = "kit", feature = "fernet", feature = "moka"))] {
//! # use tower_sso::{keys::MemoryKeys, providers::tutorcruncher, replay::MemoryReplay};
//! # let keys = MemoryKeys::new().with("4321", "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=");
//! # let sso = tutorcruncher::sso(keys).replay(MemoryReplay::new()).build().unwrap();
//! let kit = sso.kit("https://app.example/sso").partner("Acme").tenant("4321").claim("id", 123).build().unwrap();
//! let (page, for_a_wiki) = (kit.html(), kit.markdown());
//! # assert!(page.contains("company_id") && for_a_wiki.contains("hmac"), "{for_a_wiki}");
//! # }
//! ```
//!
//! Name the claims that your type needs: a page whose example the layer would refuse is not made.
//!
//! The only key on it is made for the page: send it by mail. Hand over the real key another way.
//!
//! # Next
//!
//! The layer signs nobody in for longer than one request. Keep a session: see [`sessions`](super::sessions). Before you
//! deploy, read the [list on the front page](crate#before-you-deploy).
//!
//! [`Tenant::fixed`]: crate::tenant::Tenant::fixed
