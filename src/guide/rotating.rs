//! Rotating and revoking keys, and what to do when one leaked.
//!
//! A rotation is an overlap: the new key is current at once, and the old one is accepted until its own end. Wait until
//! nobody uses the old one, then let it end.
//!
//! | store | rotate | revoke |
//! |---|---|---|
//! | [`secrets`] | `secrets(["new", "old"])`, deploy; later `secrets(["new"])`, deploy | deploy without it |
//! | [`MemoryKeys`](crate::keys::MemoryKeys) | `rotate(tenant, new, until)` | `set(tenant, keys)`, `remove(&tenant)` |
//! | [`keys::sql`] | `rotate(&tenant, &new, fingerprint)`; the old key has 24 h ([`grace`]) | `remove(&tenant)` |
//! | [`PrivateKeys`](crate::shared_secret::PrivateKeys) | list both tokens, the new one first | list only the new one |
//!
//! ```
//! use std::time::Duration;
//! use tower_sso::clock::{Clock, SystemClock};
//! use tower_sso::keys::{Keys, MemoryKeys, Secret};
//!
//! let keys = MemoryKeys::new().with("acme", "first-secret");
//! // The overlap: both work for a day.
//! keys.rotate("acme", "second-secret", SystemClock.now().plus(Duration::from_secs(86_400)));
//! // The emergency: only the third works, from now on.
//! keys.set("acme", Keys::from(Secret::new("third-secret")));
//! ```
//!
//! The secrets of [`secrets`] have no end: the old one works until you deploy without it. With `MemoryKeys`, a
//! configuration can say when it ends. It then ends by itself, also after a restart, and
//! [`explain`](crate::explain#in-your-app) recognises it when the partner asks why it gets 401:
//!
//! ```
//! # #[cfg(all(feature = "webhook", feature = "moka"))] {
//! use tower_sso::clock::UnixTime;
//! use tower_sso::keys::{Key, Keys, MemoryKeys, Secret};
//! use tower_sso::{MemoryReplay, Tenant, webhook};
//!
//! let end = UnixTime::from_secs(1_900_000_000);
//! let both = [Key::current(Secret::new("new-secret")), Key::previous(Secret::new("old-secret"), end)];
//! let keys = MemoryKeys::new();
//! keys.set("acme", both.into_iter().collect::<Keys>());
//! let layer = webhook::layer::<serde_json::Value>()
//!     .keys(keys)
//!     .tenant(Tenant::fixed("acme")) // for requests that name no tenant
//!     .replay(MemoryReplay::new())
//!     .handler_remembers()
//!     .build()?;
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Watch the old key
//!
//! [`Identity::key_use`](crate::Identity::key_use) tells which key matched. Count
//! [`KeyUse::Previous`](crate::keys::KeyUse::Previous) per tenant; when it has been zero for a day, the rotation is
//! over.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use tower_sso::{Identity, keys::KeyUse};
//!
//! async fn land(user: Identity<serde_json::Value>) {
//!     if user.key_use() == KeyUse::Previous {
//!         tracing::info!(tenant = %user.tenant(), "signed with a previous key");
//!     }
//! }
//! # let route = axum::Router::<()>::new().route("/sso", axum::routing::get(land));
//! # }
//! ```
//!
//! [`keys::sql`] stores when each key was last used, if it [may](crate::keys::sql::SqlKeyStore::note_last_use):
//! `keys_of(&tenant)` shows it, and `end_previous(&tenant)` ends the rotation before its time. A store of your own is
//! told by [`Key::when_used`](crate::keys::Key::when_used).
//!
//! # At most four keys
//!
//! A tenant has at most [`Keys::MAX`](crate::keys::Keys::MAX) keys: the current one and three previous ones. A forgery
//! is checked with each, so more would cost more, and would tell which tenants exist. A fifth one removes the
//! oldest, even before its end; `.build()` refuses `secrets` with five. A rotation never makes an older key live
//! longer.
//!
//! A link that was used before the rotation stays used.
//!
//! # Keys that partners send
//!
//! Some partners announce a key by a signed call, and the handler stores it. In SQL, give `rotate` the call's
//! [`fingerprint`](crate::Identity::fingerprint): a call is applied once, for ever, so a duplicate of an old call never
//! brings an old key back. For a rotation that you make yourself, make one of your change's own number:
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # async fn rotate(
//! #     keys: tower_sso::keys::sql::SqlKeyStore<sqlx::Sqlite>,
//! #     cached: tower_sso::keys::CachedKeys,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use tower_sso::keys::{Secret, TenantId, sql::Rotation};
//! use tower_sso::replay::FingerprintHasher;
//!
//! let (tenant, new) = (TenantId::from("4321"), Secret::new("the-new-secret"));
//! let mut change = FingerprintHasher::new("admin");
//! change.part(b"ticket-1017");
//! if keys.rotate(&tenant, &new, change.finish()).await? == Rotation::Repeated {
//!     tracing::warn!("this change was made before");
//! }
//! cached.forget(&tenant).await; // in this process
//! # Ok(())
//! # }
//! ```
//!
//! A secret has one owner for ever: what is or was another tenant's key is refused (`OwnedByAnotherTenant`).
//!
//! # By hand
//!
//! `examples/keys` does all of this on the command line, for keys in a database. A secret comes from standard input,
//! and each change is recorded with who made it ([`changes`](crate::keys::sql::SqlKeyStore::changes)). In a clone, with
//! `DATABASE_URL` set, and `TOWER_SSO_MASTER_KEYS` if the secrets are encrypted:
//!
//! ```sh
//! cargo run --example keys -- --namespace tutorcruncher rotate 4321 --grace 24h < new-secret
//! # Until nobody has used the old key for a day:
//! cargo run --example keys -- --namespace tutorcruncher list 4321
//! cargo run --example keys -- --namespace tutorcruncher end-previous 4321
//! # Or at once, after a leak:
//! cargo run --example keys -- --namespace tutorcruncher revoke 4321
//! ```
//!
//! # The master key
//!
//! Secrets in a database can be [encrypted](crate::keys::sql#encrypted-secrets) under a master key, which has a
//! rotation of its own: deploy with the new key second, then first, then alone. If it leaks together with the table,
//! every tenant's key has leaked.
//!
//! # Behind `CachedKeys`
//!
//! | another process has | seen after |
//! |---|---|
//! | rotated a key, or added a tenant | at most [`ask_again_after`], 1 s |
//! | **revoked a key** | at most [`time_to_live`](crate::keys::CachedKeysBuilder::time_to_live), 30 s |
//!
//! [`forget`](crate::keys::CachedKeys::forget) drops the tenant from the cache at once, in the process that calls it.
//! A previous key also ends on time in the cache.
//!
//! # A key has leaked
//!
//! Whoever has a tenant's key can sign in as **any user of that tenant**, as often as they like: each forgery is a new
//! credential, so the replay store does not help. They cannot reach other tenants, unless the key is shared. A public
//! key (`jwt-public-key`) is no secret: there, the partner's private key is what must not leak.
//!
//! 1. **Revoke, do not rotate.** A rotation leaves the leaked key its overlap. With SQL: `remove`, and then the new
//!    key; with `MemoryKeys`: `set`. Users of this tenant cannot sign in until the partner has the new key.
//! 2. **Clear the caches**: call `forget` in every process, or wait for `time_to_live`, or restart.
//! 3. **End the tenant's sessions.** They were opened by a key that you no longer trust, and outlive it. Redeem no
//!    [tickets](crate::ticket) either: they end after 60 s by default.
//! 4. **Give the partner a new key** over another way than the one that leaked.
//! 5. **Look at what was done.** `Identity::issued_at`, tenant and user of each sign-in should be in your own log: the
//!    crate logs neither claims nor credentials. Undo what the forger changed.
//!
//! For a shared webhook secret, step 3 is to check the calls that were processed since.
//!
//! [`secrets`]: crate::Builder::secrets
//! [`keys::sql`]: crate::keys::sql
//! [`grace`]: crate::keys::sql::SqlKeyStore::grace
//! [`ask_again_after`]: crate::keys::CachedKeysBuilder::ask_again_after
