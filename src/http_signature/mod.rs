//! A webhook with an HTTP Message Signature (RFC 9421): `Signature-Input: sig1=("@method" "@target-uri"
//! "content-digest");created=1700000000;keyid="one"`, and `Signature: sig1=:…:`.
//!
//! Feature `http-signature`; for this example `axum` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, http::StatusCode, routing::post};
//! use tower_sso::http_signature::{self, Algorithm};
//! use tower_sso::{Identity, MemoryReplay, scheme::Origin};
//!
//! #[derive(serde::Deserialize)]
//! struct Paid { order: u64 }
//! async fn paid(call: Identity<Paid>) -> StatusCode { /* store it */ StatusCode::OK }
//!
//! // The address that the sender calls, without its path.
//! let verify = http_signature::layer::<Paid>(Algorithm::HmacSha256, Origin::new("https://app.example"))
//!     .secrets(["a secret that is shared with the sender"])
//!     .replay(MemoryReplay::new())
//!     .build()?;
//! let app: Router = Router::new().route("/paid", post(paid).layer(verify));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. `Signature-Input` and `Signature` have at most 8 KiB and eight members each, in the canonical spelling of RFC
//!    8941. One signature is checked: the only one, or the one with the layer's [`label`](crate::Builder::label).
//!    Otherwise: `malformed`.
//! 2. A signature covers at most 64 components, each once: headers, `@method`, `@target-uri`, `@authority`, `@scheme`,
//!    `@path`, `@query`, `@request-target`, and `@query-param` for a parameter that comes once. Others, and components
//!    with parameters such as `;req`, are `malformed`.
//!    The URL is the one that [the client sent](crate::received), at the layer's [`Origin`].
//! 3. It must cover what the layer [requires](crate::Builder::required_components): by default the method and the URL.
//!    If there is a body, it must cover `content-digest` too, which no setting changes. Otherwise: `malformed`.
//! 4. The algorithm is the layer's. An `alg` that names another one is `invalid`. The key may be chosen by
//!    [`keyid`](crate::Builder::tenant_keyid); nothing is fetched.
//! 5. After the signature, the body's digest is computed and compared with each of `sha-256` and `sha-512` in
//!    `Content-Digest` (RFC 9530). Another one, or none of the two, is `invalid`, with the reason `body_hash`.
//! 6. `created` is required, and inside the layer's window. `expires` is honoured if it is there.
//! 7. A call is processed once, as a [webhook](crate::webhook) is: calls with the same signed text are one. A duplicate
//!    is acknowledged with 200. A retry with a new `created` or `nonce` is another call.
//!
//! **What a signature does not cover is not signed**: other headers, the query if only `@path` is covered, and the
//! body's type unless `content-type` is covered. The claims are the body's.
//!
//! All algorithms of the RFC are there. Not supported: signatures of responses, and parameters of headers (`;sf`,
//! `;key`, `;bs`).

mod base;
mod builder;
mod fields;
#[cfg(feature = "explain")]
mod near;
#[cfg(feature = "sign")]
mod signing;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::ConfigProblem;
use crate::body::{FromBody, WholeBody};
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules, Usage};
use crate::keys::{Secret, TenantId};
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::rejection::{Facts, Names, Reason};
use crate::replay::FingerprintHasher;
use crate::scheme::{Origin, SecretFormat};
use crate::text::base64::decode_base64;
use crate::text::headers::check_content;
use crate::text::name::shown;
use crate::webhook::signatures::{Signatures, Tags};
use crate::window::{Validity, Window};

pub use builder::{Algorithm, layer};
use fields::{Component, Input};

const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// The form of an HTTP Message Signature, with claims of type `C` in the body. Made by [`layer`].
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::http_signature::HttpSignature;
///
/// struct State {
///     verify: VerifyLayer<HttpSignature<serde_json::Value>>,
/// }
/// ```
pub struct HttpSignature<C> {
    algorithm: Algorithm,
    signatures: Signatures,
    secret_format: SecretFormat,
    origin: Origin,
    label: Option<Cow<'static, str>>,
    tag: Option<Cow<'static, str>>,
    required: Vec<Cow<'static, str>>,
    named_by_keyid: bool,
    window: Window,
    any_content_type: bool,
    optional_body: bool,
    lease: Duration,
    /// A slip of a sender, while it is tried.
    #[cfg(feature = "explain")]
    slip: Option<near::Slip>,
    claims: PhantomData<fn() -> C>,
}

/// A call as received. Its sender is not verified yet.
#[doc(hidden)]
pub struct Call {
    tags: Tags,
    input: Input,
    base: String,
    created: UnixTime,
    /// What `Content-Digest` says, if it is covered: algorithms, and digests in base64.
    digests: Option<Vec<(String, String)>>,
    body: Bytes,
}

/// An authentic call.
#[doc(hidden)]
pub struct Message {
    base: String,
    created: UnixTime,
    expires: Option<UnixTime>,
    body: Bytes,
}

impl<C> Form for HttpSignature<C>
where
    C: FromBody + Send + Sync + 'static,
{
    const NAME: &'static str = "http_signature";
    type Reads = WholeBody;
    type Credential = Call;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = self.signatures.key_kind.rules(self.secret_format);
        rules.usage = Usage::Idempotent { lease: self.lease, remember: None };
        rules.has_time = true;
        rules.longest_window = self.window.max_age;
        rules.bound_to_owner = true;
        rules.signs_tenant = self.named_by_keyid;
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        if ![SIGNATURE, SIGNATURE_INPUT].iter().any(|name| head.headers.contains_key(name)) {
            return Ok(Presence::Absent);
        }
        self.check_content(head, true)?;
        Ok(Presence::InBody)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Call>, Reason> {
        if body.is_empty() && !self.optional_body {
            return Err(Reason::Malformed("body".into(), "is empty"));
        }
        self.check_content(head, body.is_empty())?;
        let (label, input) = self.input(head)?;
        let signatures = fields::sequences(&head.headers, &SIGNATURE)?;
        let signature = signatures.iter().find(|(other, _)| *other == label).ok_or(Reason::MissingSignature)?;
        let malformed = |what| Reason::Malformed("Signature".into(), what);
        let tags = self.signatures.only(&signature.1).map_err(malformed)?;
        self.check_coverage(&input, body)?;
        let created = input.created.ok_or(Reason::MissingParameter("created".into()))?;
        let is_covered = input.components.iter().any(|component| component.name == "content-digest");
        let digests = is_covered.then(|| fields::sequences(&head.headers, &CONTENT_DIGEST)).transpose()?;
        let tenant = input.keyid.as_deref().filter(|_| self.named_by_keyid).map(TenantId::from);
        let base = base::base(&input, head, &self.origin.urls(head)?.0)?;
        #[cfg(feature = "explain")]
        let base = match self.slip {
            Some(slip) => slip.signed(base, &label, body),
            None => base,
        };
        let created = UnixTime::from_secs(created);
        let call = Call { tags, input, base, created, digests, body: body.clone() };
        Ok(Extracted { tenant, ..call.into() })
    }

    fn verify(&self, call: &Call, key: &Secret) -> Result<Message, Reason> {
        let (parts, key) = (std::iter::once(call.base.as_bytes()), (key, self.secret_format));
        if !self.signatures.verify(key, parts, &call.tags).map_err(Reason::UnusableKey)? {
            return Err(Reason::BadSignature);
        }
        if call.input.alg.as_deref().is_some_and(|alg| alg != self.algorithm.name()) {
            return Err(Reason::AlgorithmNotAllowed);
        }
        if self.tag.is_some() && self.tag.as_deref() != call.input.tag.as_deref() {
            return Err(Reason::BadClaim("tag".into(), "is not the one that the layer requires"));
        }
        if call.digests.as_ref().is_some_and(|digests| !are_of(digests, &call.body)) {
            return Err(Reason::BodyHash);
        }
        let expires = call.input.expires.map(UnixTime::from_secs);
        Ok(Message { base: call.base.clone(), created: call.created, expires, body: call.body.clone() })
    }

    fn validity(&self, message: &Message) -> Result<Validity, Reason> {
        let Window { max_age, clock_skew } = self.window;
        let (created, end) = (message.created, message.created.plus(max_age));
        let start = created.minus(clock_skew);
        let validity = Validity::between(Some(created), start, message.expires.unwrap_or(end).min(end), Duration::ZERO);
        Ok(validity.remembered_until(end, max_age))
    }

    fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        // With the body's digest in it.
        fingerprint.part(message.base.as_bytes());
    }

    fn claims(&self, message: Message, _: UnixTime) -> Result<C, Reason> {
        C::from_body(&message.body)
    }

    fn describe(&self, call: &Call, facts: &mut Facts) {
        facts.add("algorithm", self.algorithm.name());
        let shown = |component: &Component| match component.name.strip_prefix('@') {
            Some(derived) => format!("@{}", shown(derived)),
            None => shown(&component.name).to_owned(),
        };
        facts.add("signed", Names(call.input.components.iter().map(shown)));
        facts.add("body", format_args!("{} bytes", call.body.len()));
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, head: &Parts, _: &Bytes) -> Vec<NearMiss<Self>> {
        NearMiss::forms(self.near(head))
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        self.signatures.key_kind.check_key(Self::NAME, key, self.secret_format)
    }
}

impl<C> HttpSignature<C> {
    /// An empty body, where it is allowed, needs no content type.
    fn check_content(&self, head: &Parts, may_be_empty: bool) -> Result<(), Reason> {
        let needs_none = self.optional_body && may_be_empty && !head.headers.contains_key(CONTENT_TYPE);
        check_content(&head.headers, (!self.any_content_type && !needs_none).then_some("application/json"))
    }

    /// The label of the signature that counts, and what it covers.
    fn input(&self, head: &Parts) -> Result<(String, Input), Reason> {
        let mut inputs = fields::inputs(&head.headers, &SIGNATURE_INPUT)?;
        if let Some(label) = &self.label {
            inputs.retain(|(other, _)| other == label);
        }
        match (inputs.pop(), inputs.is_empty()) {
            (Some(input), true) => Ok(input),
            (None, _) => Err(Reason::MissingSignature),
            (Some(_), false) => Err(Reason::Malformed("Signature-Input".into(), "has several signatures: see `label`")),
        }
    }

    /// Whether what is required is covered. The parts of a URL cover the whole.
    fn check_coverage(&self, input: &Input, body: &Bytes) -> Result<(), Reason> {
        let covers = |name: &str| input.components.iter().any(|component| component.name == name);
        let has_all_of_url = ["@scheme", "@authority", "@path", "@query"].iter().all(|part| covers(part));
        let is_covered = |name: &str| covers(name) || (name == "@target-uri" && has_all_of_url);
        let digest = (!body.is_empty()).then_some("content-digest");
        match self.required.iter().map(|name| &**name).chain(digest).find(|name| !is_covered(name)) {
            None => Ok(()),
            Some(name) => Err(Reason::Malformed(name.to_owned().into(), "is not covered by the signature")),
        }
    }
}

/// Whether one digest at least is of an algorithm that this layer knows, and all of these are the body's.
fn are_of(digests: &[(String, String)], body: &[u8]) -> bool {
    let mut known = 0;
    let is_right = digests.iter().all(|(algorithm, stated)| {
        let computed = match algorithm.as_str() {
            "sha-256" => Sha256::digest(body).to_vec(),
            "sha-512" => Sha512::digest(body).to_vec(),
            // Unknown, or broken: it neither proves nor disproves anything.
            _ => return true,
        };
        known += 1;
        decode_base64(stated).is_some_and(|stated| stated.ct_eq(&computed).into())
    });
    is_right && known > 0
}

opaque_debug!(HttpSignature<C> { algorithm, label, required });
opaque_debug!(Call);
opaque_debug!(Message);
