//! Parameters with a signature over them: all of a query, those with a prefix, or those of a list.
//!
//! Shopify, Telegram, VK, Shopware and the add-on programmes of Heroku and DigitalOcean sign in this way:
//! [`providers::launches`](crate::providers::launches) has them. A [`Recipe`] says which pairs are signed and how they
//! are joined. For a timestamp and a few values with a hash, [`timestamp_hash`](crate::timestamp_hash) is simpler.
//!
//! Feature `signed-parameters`; for this example `axum` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, routing::get};
//! use tower_sso::scheme::TimeFormat;
//! use tower_sso::signed_parameters::{self, Join, Recipe};
//! use tower_sso::{Identity, replay::MemoryReplay};
//!
//! #[derive(serde::Deserialize)]
//! struct User { email: String, name: Option<String> }
//! async fn land(user: Identity<User>) -> String { format!("Hello {}", user.email) }
//!
//! // sig = hex(HMAC-SHA256(secret, all other parameters, sorted, joined by `&`))
//! let sso = signed_parameters::layer::<User>(Recipe::all(Join::pairs('&')))
//!     .signature_parameter("sig")
//!     .issued_at("ts", TimeFormat::Seconds)
//!     .secrets(["0123456789abcdef"])
//!     .replay(MemoryReplay::new())
//!     .build()?;
//! let app: Router = Router::new().route("/sso", get(land).layer(sso));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. The pairs are in the query, a form, a JSON object, or one value that is itself a query: [`Source`]. At most 256
//!    are signed; all together have at most 64 KiB. They are decoded strictly; the signature appears once.
//! 2. Only the recipe's pairs are signed, and **claims come only from them**. Other parameters, path, headers and body
//!    are not. A body beside pairs in the head is `malformed`, unless the layer has
//!    [`danger_unsigned_body`](crate::Builder::danger_unsigned_body), or is [`reusable`](crate::Builder::reusable) with
//!    all pairs in one value: its holder sends that with each request, and may send any body beside it. If the pairs
//!    are in the head and the signature in the body, a body with more than the signature is refused too.
//!    Beside signed fields of a form, other fields are let through: trust nothing in them.
//! 3. One signed text has one reading: a name or value that holds the separator is `malformed`. Joins that can be read
//!    in two ways do not build. Pairs [without a separator](Join::pairs_without_separator) prove less.
//! 4. A pair may be empty or absent, unless it is [required](crate::Builder::require).
//! 5. The decoded MAC is the replay key, or with a [public key](crate::Builder::public_key) what was signed. The time
//!    is a signed pair; a layer for which none was chosen does not build.
//! 6. Parameters that answer a request of ours bring a [nonce](crate::challenge) back, as a signed pair. A layer with a
//!    [`nonce_member`](crate::Builder::nonce_member) does not build until it knows whose nonces.

mod builder;
#[cfg(feature = "explain")]
mod near;
mod pairs;
mod recipe;
#[cfg(feature = "sign")]
mod signing;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::ConfigProblem;
use crate::body::WholeBody;
use crate::challenge::{Binding, ReturnedNonce};
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules, Usage};
use crate::keys::{Secret, TenantId, check_length};
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::rejection::{Facts, Names, Reason};
use crate::replay::FingerprintHasher;
use crate::scheme::{Given, Place, Signature, SignedTime};
use crate::text::fields;
use crate::text::name::shown;
use crate::window::{Validity, Window};

pub use crate::scheme::{Digest, Encoding, KeyDerivation, SecretFormat, Source, TimeFormat};
pub use builder::layer;
use pairs::Pairs;
pub use recipe::{Join, Order, Recipe, Repeated, Text};

/// The longest query or form.
const LONGEST: usize = 64 * 1024;

/// The signed parameters form, with claims of type `C`. Made by [`layer`].
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::signed_parameters::SignedParameters;
///
/// struct State {
///     sso: VerifyLayer<SignedParameters<serde_json::Value>>,
/// }
/// ```
pub struct SignedParameters<C> {
    recipe: Recipe,
    source: Source,
    signature_at: At,
    signature: Signature,
    time: SignedTime,
    window: Window,
    usage: Usage,
    forgetting_is_fine: bool,
    nonce: ReturnedNonce,
    tenant: Option<Cow<'static, str>>,
    required: Vec<Cow<'static, str>>,
    once: Vec<Cow<'static, str>>,
    shapes: Vec<(Cow<'static, str>, Shape)>,
    claims: PhantomData<fn() -> C>,
}

/// Where the signature is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Parameter(Cow<'static, str>),
    Place(Place),
}

/// What a value must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Digits,
    EndsWith(Cow<'static, str>),
}

/// Pairs and a signature, not verified.
#[doc(hidden)]
pub struct Credential(Arc<Signed>);

/// Authentic pairs.
#[doc(hidden)]
pub struct Message(Arc<Signed>);

struct Signed {
    pairs: Pairs,
    tag: Given,
    /// The cookie's bits, by which a nonce of this browser is known.
    binding: Option<Binding>,
}

impl<C> Form for SignedParameters<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    const NAME: &'static str = "signed_parameters";
    type Reads = WholeBody;
    type Credential = Credential;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = self.signature.rules();
        rules.bound_to_owner = self.signature.is_public();
        rules.usage = self.usage;
        // One value comes with every request of its holder. A query's pairs belong to that request alone.
        rules.bearer = self.usage == Usage::Reusable && self.source.place().is_some();
        rules.parameters = self.parameters();
        rules.signed_parameters = if self.source == Source::Query { self.known() } else { Vec::new() };
        rules.signs_tenant = self.tenant.is_some();
        rules.has_time = self.time.is_always_there() || self.nonce.checked().is_some();
        rules.survives_restart = self.forgetting_is_fine;
        rules.longest_window = self.nonce.lifetime().unwrap_or_else(|| self.time.longest_window(&self.window));
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        match &self.signature_at {
            At::Parameter(name) => self.source.presence(head, name),
            At::Place(place) => {
                // Any request may have pairs. The signature's place then tells whether this one is signed.
                let presence = self.source.place().unwrap_or(place).presence(head)?;
                let is_in_body = self.source.is_in_body() || place.is_in_body();
                Ok(if presence == Presence::InHead && is_in_body { Presence::InBody } else { presence })
            }
        }
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Credential>, Reason> {
        let text = self.source.text(head, body)?;
        if text.len() > LONGEST {
            return Err(Reason::Malformed("parameters".into(), "are too long"));
        }
        let name = match &self.signature_at {
            At::Parameter(name) => Some(&**name),
            At::Place(_) => None,
        };
        let (pairs, found) = Pairs::read(&text, &self.recipe, name)?;
        let (signature, name) = match &self.signature_at {
            At::Parameter(name) => (found.ok_or_else(|| Reason::MissingParameter(name.clone()))?, name.clone()),
            At::Place(place) => (place.required(head, body)?, place.name()),
        };
        let tag = self.signature.decode(&signature).map_err(|what| Reason::Malformed(name, what))?;
        self.check_pairs(&pairs)?;
        let tenant = self.tenant.as_ref().map(|name| tenant_in(name, &pairs)).transpose()?;
        let signed = Signed { pairs, tag, binding: self.nonce.binding(head)? };
        let in_head = !self.source.is_in_body()
            && matches!(&self.signature_at, At::Place(place) if place.is_in_body() && place.leaves_some_of(body));
        Ok(Extracted { tenant, in_head, credential: Credential(Arc::new(signed)) })
    }

    fn verify(&self, Credential(signed): &Credential, key: &Secret) -> Result<Message, Reason> {
        let check = |[before, after]: [&[u8]; 2]| match self.recipe.hashed_secret {
            None => self.signature.verify(key, [before, after], &signed.tag),
            Some(_) => self.signature.verify_digest(key, before, after, &signed.tag),
        };
        // The texts differ only in the spelling of the same pairs, so any of them proves the pairs.
        let mut checked = Err(Reason::BadSignature);
        for text in signed.pairs.texts() {
            checked = check(text);
            if checked.is_ok() {
                break;
            }
        }
        checked.map(|()| Message(Arc::clone(signed)))
    }

    fn validity(&self, Message(signed): &Message) -> Result<Validity, Reason> {
        let member = |name: &str| Ok(signed.pairs.value(name).filter(|value| !value.is_empty()).map(str::to_owned));
        let validity = self.time.validity(&self.window, None, member)?;
        let tenant = self.tenant.as_ref().and_then(|name| signed.pairs.value(name));
        self.nonce.narrow(validity, self.window.clock_skew, signed.binding.as_ref(), tenant, member)
    }

    fn fingerprint(&self, Message(signed): &Message, fingerprint: &mut FingerprintHasher) {
        if let Some(nonce) = self.nonce.checked().and_then(|name| signed.pairs.value(name)) {
            ReturnedNonce::fingerprint(nonce, fingerprint);
        } else if self.signature.is_public() {
            // Some signatures have a second spelling.
            fingerprint.part(&signed.pairs.before).part(&signed.pairs.after);
        } else {
            fingerprint.part(&signed.tag);
        }
    }

    fn claims(&self, Message(signed): Message, _: UnixTime) -> Result<C, Reason> {
        // Without a separator, only the borders of known pairs are checked.
        let known = self.recipe.has_no_separator().then(|| self.known());
        let is_proved = |name: &str| known.as_ref().is_none_or(|known| known.iter().any(|other| other == name));
        let pairs = signed.pairs.all.iter().filter(|pair| is_proved(&pair.name));
        fields::read(pairs.map(|pair| (pair.name.as_str(), pair.value.as_str())))
    }

    fn describe(&self, Credential(signed): &Credential, facts: &mut Facts) {
        let bytes = signed.pairs.before.len() + signed.pairs.after.len();
        facts.add("signed", Names(signed.pairs.all.iter().map(|pair| shown(&pair.name))));
        facts.add("text", format_args!("{bytes} bytes"));
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, head: &Parts, body: &Bytes) -> Vec<NearMiss<Self>> {
        let mut near = NearMiss::forms(self.near());
        near.extend(self.sorted_without_case(head, body));
        near
    }

    #[cfg(feature = "explain")]
    fn with_any_secret(&self) -> Option<Self> {
        let mut copy = self.copy();
        copy.signature.secret_format = self.signature.secret_format.as_it_is()?;
        Some(copy)
    }

    fn redact(&self, head: &mut Parts) {
        for place in self.places() {
            place.redact(head);
        }
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        self.signature.check_key(Self::NAME, key)
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }
}

impl<C> SignedParameters<C> {
    fn check_pairs(&self, pairs: &Pairs) -> Result<(), Reason> {
        for name in self.required.iter().chain(&self.tenant).chain(&self.nonce.member) {
            if pairs.value(name).is_none_or(str::is_empty) {
                return Err(Reason::MissingParameter(name.clone()));
            }
        }
        let named = self.tenant.iter().chain(&self.nonce.member).chain(self.time.member());
        for name in self.required.iter().chain(&self.once).chain(named) {
            if pairs.is_repeated(name) {
                return Err(Reason::DuplicateParameter(name.clone()));
            }
            // Two values that were signed with a comma between them could be sent as one.
            if self.recipe.repeated == Repeated::Commas && pairs.value(name).is_some_and(|value| value.contains(',')) {
                return Err(Reason::Malformed(name.clone(), "holds a comma, and may come only once"));
            }
        }
        for (name, shape) in &self.shapes {
            let Some(value) = pairs.value(name) else { continue };
            let (fits, what) = match shape {
                Shape::Digits => (value.bytes().all(|byte| byte.is_ascii_digit()), "is not all digits"),
                Shape::EndsWith(end) => {
                    // Without a separator, a visitor could lengthen the value by a second end.
                    let begins = match self.recipe.has_no_separator() {
                        true => value.split_once(&**end).filter(|(_, rest)| rest.is_empty()).map(|(begins, _)| begins),
                        false => value.strip_suffix(&**end),
                    };
                    let fits = begins.is_some_and(|begins| !end.starts_with('.') || begins_a_host(begins));
                    (fits, "does not end as it has to")
                }
            };
            if !fits {
                return Err(Reason::Malformed(name.clone(), what));
            }
        }
        if self.recipe.has_no_separator() { self.check_borders(pairs) } else { Ok(()) }
    }

    /// Refuses a text without separators in which a known pair could begin in another place.
    fn check_borders(&self, pairs: &Pairs) -> Result<(), Reason> {
        for name in self.known() {
            if pairs.occurrences(&name) != usize::from(pairs.value(&name).is_some()) {
                return Err(Reason::Malformed(name, "could begin in another place of the signed text"));
            }
        }
        Ok(())
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        let of_signature = if let At::Place(place) = &self.signature_at { Some(place) } else { None };
        self.source.place().into_iter().chain(of_signature)
    }

    /// The names of signed pairs that are known.
    fn known(&self) -> Vec<Cow<'static, str>> {
        let listed = self.recipe.selected.names();
        let named = self.tenant.iter().chain(&self.nonce.member).chain(self.time.member());
        let named = self.required.iter().chain(&self.once).chain(named);
        listed.iter().chain(named).chain(self.shapes.iter().map(|(name, _)| name)).cloned().collect()
    }

    /// The query parameters to be taken out: the signature and those that are known. The others are worth nothing
    /// without it.
    fn parameters(&self) -> Vec<Cow<'static, str>> {
        let in_query = match (&self.source, &self.signature_at) {
            (Source::Query, At::Parameter(name)) => self.known().into_iter().chain([name.clone()]).collect(),
            (Source::Query, At::Place(_)) => self.known(),
            _ => Vec::new(),
        };
        in_query.into_iter().chain(self.places().filter_map(Place::parameter)).collect()
    }
}

/// Whether this and a domain, such as `.example.com`, make a host name.
fn begins_a_host(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(is_fit)
}

/// The tenant that the pairs name. Its key then proves the same pairs.
fn tenant_in(name: &str, pairs: &Pairs) -> Result<TenantId, Reason> {
    let tenant = pairs.value(name).ok_or_else(|| Reason::MissingParameter(name.to_owned().into()))?;
    check_length(tenant).map_err(|what| Reason::Malformed(name.to_owned().into(), what))?;
    Ok(tenant.into())
}

opaque_debug!(SignedParameters<C> { recipe, source, signature, time });
opaque_debug!(Credential);
opaque_debug!(Message);
