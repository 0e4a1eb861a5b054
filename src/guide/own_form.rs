//! A form of your own: what to write, and how to prove it.
//!
//! Implement [`Form`](crate::form::Form). A form says where its parts stand, how one key checks them, and when they are
//! valid. The order of the steps, the keys, the clock, replays, timeouts, answers and logs are the engine's: a form
//! cannot leave a check out.
//!
//! # What each method owes
//!
//! In the order in which they are called, the first two when the layer is built:
//!
//! | method | owes |
//! |---|---|
//! | [`rules`](crate::form::Form::rules) | what is the same for every request: see below |
//! | [`check`], [`check_key`] | an error for a bad setting or key: `.build()` returns it |
//! | [`screen`](crate::form::Form::screen) | whether the head has a credential; cheap, and nothing is decoded |
//! | [`extract`] | the parts, decoded in one way only and within bounds; duplicates are errors |
//! | [`verify`](crate::form::Form::verify) | whether **one** key made it, in constant time |
//! | [`validity`](crate::form::Form::validity) | from when to when, out of what was signed |
//! | [`fingerprint`] | what makes two credentials the same, in decoded bytes: mostly the MAC |
//! | [`claims`](crate::form::Form::claims) | the typed claims, out of what was signed |
//! | [`redact`](crate::form::Form::redact) | the credential is gone from the head that the handler sees |
//!
//! `Rules` starts with safe defaults. Set
//! - `parameters`, if the credential stands in the query: the engine takes them out of the URI.
//! - `has_time`, if *every* credential has a time. Without it, `.build()` refuses a store that forgets.
//! - `longest_window`, the `max_age` that `validity` uses.
//! - `signs_tenant`, if the credential names its tenant and that name is signed; `extract` then returns it.
//! - `bearer`, if the credential is shown again with each request and signs none. Without it, a request with a body is
//!   refused, unless `screen` says [`InBody`](crate::form::Presence::InBody): then `verify` checks what is signed.
//! - `usage`: once (default), [`Idempotent`](crate::form::Usage::Idempotent) for calls, or reusable.
//!
//! The documentation of [`Rules`](crate::form::Rules) has the rest.
//!
//! # An example
//!
//! `X-Pass: {seconds}.{user}.{mac}`, where the MAC is HMAC-SHA256 over `{seconds}.{user}`, in base64url.
//!
//! It needs `cargo add base64@0.23 bytes hmac@0.13 http sha2@0.11`.
//!
//! ```
//! # #[cfg(all(feature = "webhook", feature = "moka"))] {
//! use {bytes::Bytes, http::request::Parts, sha2::Sha256, std::time::Duration};
//! use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
//! use hmac::{Hmac, KeyInit, Mac};
//! use tower_sso::form::{Extracted, Form, Presence, Rules};
//! use tower_sso::window::{Validity, Window};
//! use tower_sso::{body::HeadOnly, clock::UnixTime, keys::Secret, rejection::Reason, replay::FingerprintHasher};
//!
//! const HEADER: &str = "x-pass";
//! const LONGEST: usize = 512;
//! const WINDOW: Window = Window { max_age: Duration::from_secs(60), clock_skew: Duration::from_secs(5) };
//!
//! struct Pass;
//!
//! #[derive(Clone)]
//! struct Signed { text: String, mac: Vec<u8> }
//!
//! struct User(String);
//!
//! impl Form for Pass {
//!     const NAME: &'static str = "pass";
//!     type Reads = HeadOnly;
//!     type Credential = Signed;
//!     type Message = Signed;
//!     type Claims = User;
//!
//!     fn rules(&self) -> Rules {
//!         let mut rules = Rules::new(Secret::new("checked for unknown tenants; its result does not count"));
//!         rules.has_time = true;
//!         rules.longest_window = WINDOW.max_age;
//!         rules
//!     }
//!     fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
//!         Ok(if head.headers.contains_key(HEADER) { Presence::InHead } else { Presence::Absent })
//!     }
//!     fn extract(&self, head: &Parts, _: &Bytes) -> Result<Extracted<Signed>, Reason> {
//!         let malformed = |what| Reason::Malformed(HEADER.into(), what);
//!         let mut values = head.headers.get_all(HEADER).iter();
//!         let value = values.next().ok_or(Reason::MissingParameter(HEADER.into()))?;
//!         if values.next().is_some() {
//!             return Err(Reason::DuplicateParameter(HEADER.into()));
//!         }
//!         let value = value.to_str().ok().filter(|value| value.len() <= LONGEST);
//!         let value = value.ok_or(malformed("is no short text"))?;
//!         let (text, mac) = value.rsplit_once('.').ok_or(malformed("has no MAC"))?;
//!         // This decoder refuses other spellings of the same bytes.
//!         let mac = BASE64_URL_SAFE_NO_PAD.decode(mac).map_err(|_| malformed("is not canonical base64url"))?;
//!         Ok(Signed { text: text.to_owned(), mac }.into())
//!     }
//!     fn verify(&self, given: &Signed, key: &Secret) -> Result<Signed, Reason> {
//!         let mac = Hmac::<Sha256>::new_from_slice(key.expose());
//!         let mac = mac.map_err(|_| Reason::UnusableKey("has no such length"))?;
//!         // In constant time, and in full length.
//!         mac.chain_update(&given.text).verify_slice(&given.mac).map_err(|_| Reason::BadSignature)?;
//!         Ok(given.clone())
//!     }
//!     fn validity(&self, message: &Signed) -> Result<Validity, Reason> {
//!         let seconds = message.text.split_once('.').and_then(|(seconds, _)| seconds.parse().ok());
//!         let seconds = seconds.ok_or(Reason::BadPayload("no time stands first".into()))?;
//!         Ok(Validity::around_second(UnixTime::from_secs(seconds), &WINDOW))
//!     }
//!     fn fingerprint(&self, message: &Signed, fingerprint: &mut FingerprintHasher) {
//!         fingerprint.part(&message.mac);
//!     }
//!     fn claims(&self, message: Signed, _: UnixTime) -> Result<User, Reason> {
//!         let user = message.text.split_once('.').map(|(_, user)| user).filter(|user| !user.is_empty());
//!         Ok(User(user.ok_or(Reason::MissingField("user".into()))?.to_owned()))
//!     }
//!     fn redact(&self, head: &mut Parts) {
//!         head.headers.remove(HEADER);
//!     }
//! }
//!
//! // Mounted like any other form; and its first promises.
//! # use tower::{Layer, ServiceExt, service_fn};
//! # use tower_sso::rejection::Rejection;
//! use tower_sso::{Identity, VerifyLayer, clock::ManualClock, replay::MemoryReplay, tenant::Tenant};
//!
//! let clock = ManualClock::at(UnixTime::from_secs(1_700_000_000));
//! let replay = MemoryReplay::builder().clock(clock.clone()).build();
//! let pass = VerifyLayer::builder(Pass, Tenant::fixed("acme"), http::Method::GET)
//!     .secrets(["acme's secret"])
//!     .replay(replay)
//!     .clock(clock.clone())
//!     .build()?;
//! # let app = pass.layer(service_fn(|request: http::Request<String>| async move {
//! #     assert!(!request.headers().contains_key(HEADER));
//! #     let User(user) = Identity::<User>::of(request.extensions()).unwrap().claims();
//! #     Ok::<_, std::convert::Infallible>(http::Response::new(user.clone()))
//! # }));
//! # let sign = |text: &str| {
//! #     let mac = Hmac::<Sha256>::new_from_slice(b"acme's secret").unwrap().chain_update(text);
//! #     format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
//! # };
//! # let send = async |pass: &str| {
//! #     let request = http::Request::get("/").header(HEADER, pass).body(String::new()).unwrap();
//! #     let answer = app.clone().oneshot(request).await.unwrap();
//! #     answer.extensions().get::<Rejection>().map_or("ok", |rejection| rejection.code().as_str())
//! # };
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let good = sign("1700000000.ada");
//! assert_eq!(send(&good.replace("ada", "eve")).await, "invalid");
//! assert_eq!(send(&good).await, "ok", "a forgery burns nothing");
//! assert_eq!(send(&good).await, "replayed");
//! assert_eq!(send(&sign("1700000006.ada")).await, "not_yet_valid");
//! clock.advance(Duration::from_secs(61));
//! assert_eq!(send(&good).await, "expired");
//! # });
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # The contract
//!
//! Every form of this crate keeps the promises of [`tests/engine/contract.rs`]. A `Subject` tells that suite how to
//! sign and spoil a request ([`tests/support/subject`]); write one for your form. The promises that a form can break:
//!
//! - What is changed, cut, duplicated or oversized is refused, and uses nothing up.
//! - A body that nobody signed is refused, and uses nothing up.
//! - Another spelling of a credential (case, padding, escapes) is refused or is the same login.
//! - Of 64 copies at once, one passes.
//! - The window is inclusive, and the credential is remembered to its end.
//! - An unknown tenant and a wrong key get the same answer, to the byte.
//! - The credential does not reach the handler, and stands in no log.
//! - Arbitrary bytes cause no panic.
//!
//! # A form inside this crate
//!
//! It is a folder under `src`, named after its feature, that no shared file and no other form imports. Beside it, it
//! touches:
//!
//! | file | what |
//! |---|---|
//! | `Cargo.toml` | the feature and its dependencies; its name where the others' stand: tests, dev-dependencies |
//! | `src/lib.rs` | the `mod` line; a row in the tables of forms and of features; its name in both lists of features |
//! | `README.md`, `src/guide/which_form.rs` | a row in each table |
//! | `src/sign` | the partner's side, unless `SigningWebhook` or another signer makes it |
//! | `tests/support/subject/` | a subject: it puts the form into all suites that run over every form |
//! | `tests/forms/` | what only this form does, with vectors from outside; a line in `main.rs` |
//! | `tests/canaries.rs` | a secret that no log, error or answer may show |
//! | `CHANGELOG.md` | a line |
//!
//! A form that implements [`HasWindow`](crate::form::HasWindow) gets the setters `max_age` and `clock_skew`. Inside the
//! crate, `processing`, `signature_setters` and `time_setters` give further setters in the same way, and
//! [`scheme`](crate::scheme) has the places, signatures and times that forms share.
//!
//! A replay or ticket store of your own has its suite in the feature `testing`: see
//! [`testing`](super::testing#a-store-of-your-own).
//!
//! [`extract`]: crate::form::Form::extract
//! [`fingerprint`]: crate::form::Form::fingerprint
//! [`check`]: crate::form::Form::check
//! [`check_key`]: crate::form::Form::check_key
//!
//! [`tests/engine/contract.rs`]: https://github.com/tower-sso/tower-sso/blob/main/tests/engine/contract.rs
//! [`tests/support/subject`]: https://github.com/tower-sso/tower-sso/tree/main/tests/support/subject
