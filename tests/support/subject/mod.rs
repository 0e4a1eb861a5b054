//! The forms as the contract sees them: how to make their requests, good and bad.
//!
//! Each form of the crate has a `Subject` here, and a line in [`for_every_form`]. `tests/engine/contract.rs` compares
//! that list with the crate's folders, so a new form cannot be forgotten.

#![allow(unused_imports, reason = "each test program uses its own part of it")]

mod fernet;
#[cfg(feature = "http-signature")]
mod http_signature;
mod jwt;
mod jwt_webhook;
mod oauth1;
#[cfg(feature = "sealed")]
mod sealed;
#[cfg(feature = "shared-secret")]
mod shared_secret;
#[cfg(feature = "signed-json")]
mod signed_json;
#[cfg(feature = "signed-parameters")]
mod signed_parameters;
#[cfg(feature = "signed-payload")]
mod signed_payload;
#[cfg(feature = "ticket")]
mod ticket;
mod timestamp_hash;
mod webhook;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::form::Form;
use tower_sso::keys::{Key, Keys, MemoryKeys, Secret};
use tower_sso::replay::{Claim, Claimed, Fingerprint, LeaseId, MemoryReplay, ReplayStore};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::{Builder, ConfigError};

pub use fernet::FernetSubject;
#[cfg(feature = "http-signature")]
pub use http_signature::HttpSignatureSubject;
pub use jwt::JwtSubject;
pub use jwt_webhook::JwtWebhookSubject;
pub use oauth1::OAuth1Subject;
#[cfg(feature = "sealed")]
pub use sealed::{SealedSubject, frame};
#[cfg(feature = "shared-secret")]
pub use shared_secret::SharedSecretSubject;
#[cfg(feature = "signed-json")]
pub use signed_json::SignedJsonSubject;
#[cfg(feature = "signed-parameters")]
pub use signed_parameters::SignedParametersSubject;
#[cfg(feature = "signed-payload")]
pub use signed_payload::SignedPayloadSubject;
#[cfg(feature = "ticket")]
pub use ticket::TicketSubject;
pub use timestamp_hash::TimestampHashSubject;
pub use webhook::WebhookSubject;

use super::{App, NOW, Request_, Served};

/// What a request should be like.
#[derive(Clone)]
pub struct Wish {
    pub tenant: &'static str,
    pub key: usize,
    pub issued_at: UnixTime,
    pub subject: String,
}

impl Default for Wish {
    fn default() -> Self {
        Self { tenant: "acme", key: 0, issued_at: UnixTime::from_secs(NOW), subject: "ada".into() }
    }
}

/// A way to spoil a good request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// One bit of what is signed.
    Content,
    /// One bit of the signature.
    Signature,
    /// The credential's parameter or header is sent twice.
    Twice,
    /// The credential is missing.
    Absent,
    /// It has a character outside its encoding's alphabet.
    Alphabet,
    /// It is cut short.
    Short,
    /// It is larger than the form allows.
    Oversize,
    /// Another spelling of the same bytes, which must not be another login.
    Respelled,
}

/// What becomes of a duplicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicate {
    /// It is refused with this code.
    Refused(&'static str),
    /// It is acknowledged and goes no further.
    Acknowledged,
    /// It passes: it allows nothing that the credential itself does not.
    Passes,
}

/// How a store fails.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    Error,
    Never,
    Full,
}

/// A replay store that is down.
struct Failing(Failure);

impl ReplayStore for Failing {
    fn claim(&self, _: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        match self.0 {
            Failure::Error => StoreFuture::new(async { Err(std::io::Error::other("connection refused").into()) }),
            Failure::Never => StoreFuture::new(std::future::pending()),
            Failure::Full => StoreFuture::ready(Err(StoreError::full())),
        }
    }

    fn settle(&self, _: &Claim) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    fn release(&self, _: Fingerprint, _: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        None
    }
}

/// A form under test.
pub trait Subject {
    const NAME: &'static str;
    /// `None` if the form's credentials have no time.
    const WINDOW: Option<(u64, u64)>;
    /// When to make a store that accepts what was made at `NOW` and nothing older.
    const CUTOFF_AT: u64 = NOW;
    /// What becomes of a duplicate of a credential that was used.
    const DUPLICATE: Duplicate;
    /// Whether credentials are issued by this side, so that a lookup tells whose they are.
    const LOOKED_UP: bool = false;
    /// Whether tenants have keys, which they change.
    const ROTATES: bool = true;

    fn app_with(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App;
    fn optional_app(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App;
    /// An app that takes POST alone, and any body if it is dangerous.
    fn posted_app(dangerous: bool) -> App;
    /// An app whose replay store (or what the form has instead) fails, and the refusal's reason.
    fn failing_app(failure: Failure) -> (App, &'static str)
    where
        Self: Sized,
    {
        (Self::app_with(keys::<Self>(), Failing(failure), super::clock()), "replay_store")
    }
    fn request(wish: &Wish) -> Request_;
    /// The same by POST.
    fn posted(wish: &Wish) -> Request_ {
        let mut request = Self::request(wish);
        *request.method_mut() = Method::POST;
        request
    }
    /// `None` if the form cannot be spoilt that way.
    fn spoil(request: Request_, how: Spoil) -> Option<Request_>;
    fn key(number: usize) -> Secret;
}

/// The two apps of a subject with a `layer` function.
macro_rules! apps_over_the_layer {
    () => {
        fn app_with(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
            App::new(Self::layer(keys, replay, clock).build().unwrap())
        }

        fn optional_app(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
            App::new(Self::layer(keys, replay, clock).optional().build().unwrap())
        }

        fn posted_app(dangerous: bool) -> App {
            let (keys, replay, clock) = (super::keys::<Self>(), crate::support::replay(), crate::support::clock());
            super::posted(Self::layer(keys, replay, clock), dangerous)
        }
    };
}
use apps_over_the_layer;

fn posted<F>(layer: Builder<F>, dangerous: bool) -> App
where
    F: Served,
{
    let layer = layer.methods([Method::POST]);
    App::new(if dangerous { layer.danger_unsigned_body() } else { layer }.build().unwrap())
}

/// The token with another character at this position.
fn changed_at(token: &str, position: usize) -> String {
    let other = if token.as_bytes()[position] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..position], &token[position + 1..])
}

/// A layer over the keys of two tenants: `acme` with keys 0 (current) and 1 (previous, until an hour after `NOW`), and
/// `other` with key 2. Key 3 is nobody's.
pub fn keys<S: Subject>() -> MemoryKeys {
    let keys = MemoryKeys::new().with("other", S::key(2));
    let until = UnixTime::from_secs(NOW + 3_600);
    let acme: Keys = [Key::current(S::key(0)), Key::previous(S::key(1), until)].into_iter().collect();
    keys.set("acme", acme);
    keys
}

/// Runs each case for each form, as a separate test. Tokio's clock is paused.
#[macro_export]
macro_rules! for_every_form {
    ($($(#[$meta:meta])* async fn $case:ident<$s:ident: Subject>() $body:block)*) => {
        $(async fn $case<$s: $crate::support::subject::Subject>() $body)*
        $crate::for_every_form!(@form fernet $crate::support::subject::FernetSubject; $($(#[$meta])* $case)*);
        $crate::for_every_form!(
            @form http_signature $crate::support::subject::HttpSignatureSubject; $($(#[$meta])* $case)*
        );
        $crate::for_every_form!(@form jwt $crate::support::subject::JwtSubject; $($(#[$meta])* $case)*);
        $crate::for_every_form!(
            @form jwt_webhook $crate::support::subject::JwtWebhookSubject; $($(#[$meta])* $case)*
        );
        $crate::for_every_form!(@form oauth1 $crate::support::subject::OAuth1Subject; $($(#[$meta])* $case)*);
        $crate::for_every_form!(@form sealed $crate::support::subject::SealedSubject; $($(#[$meta])* $case)*);
        $crate::for_every_form!(
            @form shared_secret $crate::support::subject::SharedSecretSubject; $($(#[$meta])* $case)*
        );
        $crate::for_every_form!(
            @form signed_json $crate::support::subject::SignedJsonSubject; $($(#[$meta])* $case)*
        );
        $crate::for_every_form!(
            @form signed_parameters $crate::support::subject::SignedParametersSubject; $($(#[$meta])* $case)*
        );
        $crate::for_every_form!(
            @form signed_payload $crate::support::subject::SignedPayloadSubject; $($(#[$meta])* $case)*
        );
        $crate::for_every_form!(@form ticket $crate::support::subject::TicketSubject; $($(#[$meta])* $case)*);
        $crate::for_every_form!(
            @form timestamp_hash $crate::support::subject::TimestampHashSubject; $($(#[$meta])* $case)*
        );
        $crate::for_every_form!(@form webhook $crate::support::subject::WebhookSubject; $($(#[$meta])* $case)*);
    };
    (@form $name:ident $subject:ty; $($(#[$meta:meta])* $case:ident)*) => {
        mod $name {
            $($(#[$meta])* #[tokio::test(start_paused = true)] async fn $case() { super::$case::<$subject>().await })*
        }
    };
}

pub fn get(uri: &str) -> Request_ {
    Request::get(uri).body(Full::default()).unwrap()
}

/// A build that must fail.
pub fn refused<T: std::fmt::Debug>(built: Result<T, ConfigError>) -> String {
    built.unwrap_err().to_string()
}

pub fn store_since(seconds: u64) -> MemoryReplay {
    MemoryReplay::builder().clock(ManualClock::at(UnixTime::from_secs(seconds))).build()
}
