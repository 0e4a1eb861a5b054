//! A hash over a timestamp, some fields and a secret: `GET /sso/oauth/?timestamp=&email=&slug=&hash=&next=`.
//!
//! LCvista's customers sign their users in this way: see [`providers::lcvista`](crate::providers::lcvista). Similar
//! protocols hash other fields, in another order, joined differently, with the secret elsewhere. A [`Recipe`] describes
//! this.
//!
//! Feature `timestamp-hash`; for this example `axum` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, routing::get};
//! use tower_sso::timestamp_hash::{self, Digest, Recipe};
//! use tower_sso::{Identity, replay::MemoryReplay};
//!
//! #[derive(serde::Deserialize)]
//! struct User { email: String }
//! async fn land(user: Identity<User>) -> String { format!("Hello {}", user.email) }
//!
//! // hash = hex(HMAC-SHA256(secret, timestamp|email))
//! let recipe = Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|");
//! let sso = timestamp_hash::layer::<User>(recipe).secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
//! let app: Router = Router::new().route("/sso", get(land).layer(sso));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. The timestamp is hashed as received: digits, optionally a point and one to nine digits; no leading zero, no sign,
//!    no exponent. Parsing and reformatting the number would break real partners.
//! 2. Every field of the recipe appears once, and has 1 to 1,024 bytes. Otherwise: `malformed`. Case is never folded.
//! 3. The hash is hexadecimal of full length, in either case. Its decoded bytes are the replay key.
//! 4. The timestamp may be [`max_age`](crate::Builder::max_age) old and
//!    [`clock_skew`](crate::Builder::clock_skew) ahead, both inclusive, to the nanosecond.
//! 5. A raw `+` in a field is a space to some partners and a plus to others. By default both readings are tried, and
//!    the one that matches the hash becomes the claim: [`Plus`]. Only the [tenant](crate::Builder::tenant_field) is
//!    read in one way.
//! 6. The fields and the hash are in the query, or where [`source`](crate::Builder::source) says: a form, a JSON
//!    object, or one value that is itself written like a query.
//! 7. Only the recipe's fields are signed. Other parameters, such as `next`, are not (see
//!    [`LocalPath`](crate::landing::LocalPath)), nor are path, headers and body. A body beside fields in the head is
//!    `malformed`, unless the layer has [`danger_unsigned_body`](crate::Builder::danger_unsigned_body).

mod builder;
mod form_key;
#[cfg(feature = "explain")]
mod near;
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
use crate::body::{HeadOnly, Reads};
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules};
use crate::keys::{self, Secret, TenantId};
use crate::mac::{self, Tag};
use crate::query::{Indexed, Query};
use crate::rejection::{Facts, Names, Reason};
use crate::replay::FingerprintHasher;
use crate::scheme::{Encoding, Place, Source};
use crate::text::fields::{self, Texts};
use crate::text::hex::encode_hex;
use crate::text::percent::{decode_escapes, decode_form};
use crate::text::timestamp::parse_with_fraction;
use crate::window::{Validity, Window};

pub use crate::mac::Digest;
pub use builder::{body_layer, layer};
pub use recipe::Recipe;

/// The limit of every tenant name: see [`Tenant`](crate::tenant::Tenant).
const LONGEST_TENANT: usize = 255;

/// The meaning of a raw `+` in a field. In a JSON object, a plus is always one.
///
/// ```
/// use tower_sso::timestamp_hash::Plus;
///
/// assert_eq!(Plus::default(), Plus::Either);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Plus {
    /// A space, as in form data.
    Space,
    /// A plus: the partner did not encode the value.
    Literal,
    /// Whichever matches the hash. Costs a second hash for links with a raw `+`. Weakens nothing: only a matching hash
    /// passes.
    #[default]
    Either,
}

/// The timestamp hash form, with claims of type `C`. Made by [`layer`], or by [`body_layer`] if it reads bodies.
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::timestamp_hash::TimestampHash;
///
/// struct State {
///     sso: VerifyLayer<TimestampHash<serde_json::Value>>,
/// }
/// ```
pub struct TimestampHash<C, R = HeadOnly> {
    recipe: Recipe,
    source: Source,
    timestamp: Cow<'static, str>,
    hash: Cow<'static, str>,
    tenant: Option<Cow<'static, str>>,
    plus: Plus,
    window: Window,
    claims: PhantomData<fn() -> (C, R)>,
}

/// A hash and its fields, not verified yet.
#[doc(hidden)]
pub struct Credential(Arc<Hashed>);

/// Fields that match the hash.
#[doc(hidden)]
pub struct Message {
    hashed: Arc<Hashed>,
    literally: bool,
}

struct Hashed {
    /// The fields' values in the recipe's order.
    values: Texts,
    /// The other reading, if there are two.
    literal: Option<Texts>,
    time: UnixTime,
    mac: Tag,
}

impl<C, R> Form for TimestampHash<C, R>
where
    C: DeserializeOwned + Send + Sync + 'static,
    R: Reads + 'static,
{
    const NAME: &'static str = "timestamp_hash";
    type Reads = R;
    type Credential = Credential;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        // Printable and of a usual length: the secret itself is hashed, so encoding it must take no longer than
        // encoding a real one.
        let random = mac::random_key();
        let mut rules = Rules::new(Secret::new(encode_hex(random.get(..8).unwrap_or(&random))));
        match &self.source {
            Source::Query => {
                let names = [&self.hash, &self.timestamp].into_iter().chain(self.recipe.fields());
                rules.parameters = names.cloned().collect();
                rules.signed_parameters = self.recipe.fields().cloned().collect();
            }
            source => rules.parameters = source.place().and_then(Place::parameter).into_iter().collect(),
        }
        rules.signs_tenant = self.tenant.is_some();
        rules.has_time = true;
        rules.longest_window = self.window.max_age;
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        self.source.presence(head, &self.hash)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Credential>, Reason> {
        let text = self.source.text(head, body)?;
        let query = &Query::new(&text).indexed();
        let malformed = |name: &Cow<'static, str>, what| Reason::Malformed(name.clone(), what);
        let length = self.recipe.digest().length();
        let not_a_hash = |hash: &str| malformed(&self.hash, Encoding::Hex.problem(hash, length));
        let hash = query.raw_value(&self.hash)?.ok_or_else(|| Reason::MissingParameter(self.hash.clone()))?;
        let mac = match Tag::from_hex(hash, length) {
            Some(mac) => mac,
            // Two digits per byte, each perhaps escaped. A longer text is refused without decoding.
            None if hash.len() > 6 * length => return Err(not_a_hash(hash)),
            None => {
                let hash = decode_form(hash).map_err(|what| malformed(&self.hash, what))?;
                Tag::from_hex(&hash, length).ok_or_else(|| not_a_hash(&hash))?
            }
        };
        let (values, literal) = match self.plus {
            Plus::Space => (self.fields(query, |_| false)?.0, None),
            Plus::Literal => (self.fields(query, |_| true)?.0, None),
            Plus::Either => {
                let (space, has_plus) = self.fields(query, |_| false)?;
                // One tenant's keys are looked up, so its name is read in one way. Otherwise it could sign under
                // another tenant's name.
                let is_literal = |name: &str| self.tenant.as_deref() != Some(name);
                let literal = if has_plus { Some(self.fields(query, is_literal)?.0) } else { None };
                let literal = literal.filter(|literal| *literal != space);
                (space, literal)
            }
        };
        let time = parse_with_fraction(self.field(&self.timestamp, &values)?);
        let time = time.ok_or_else(|| malformed(&self.timestamp, "is not a number of seconds in plain digits"))?;
        let tenant = self.tenant.as_ref().map(|name| self.tenant_in(name, &values)).transpose()?;
        Ok(Extracted { tenant, ..Credential(Arc::new(Hashed { values, literal, time, mac })).into() })
    }

    fn verify(&self, Credential(hashed): &Credential, key: &Secret) -> Result<Message, Reason> {
        keys::check_shared(key).map_err(Reason::UnusableKey)?;
        let is_made_of = |values: &Texts| self.recipe.verify(values.iter(), key, &hashed.mac);
        let literally = if is_made_of(&hashed.values) {
            false
        } else if hashed.literal.as_ref().is_some_and(is_made_of) {
            true
        } else {
            return Err(Reason::BadSignature);
        };
        Ok(Message { hashed: Arc::clone(hashed), literally })
    }

    fn validity(&self, message: &Message) -> Result<Validity, Reason> {
        Ok(Validity::around(message.hashed.time, &self.window))
    }

    fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        fingerprint.part(&message.hashed.mac);
    }

    fn claims(&self, message: Message, _: UnixTime) -> Result<C, Reason> {
        let Hashed { values, literal, .. } = &*message.hashed;
        let values = literal.as_ref().filter(|_| message.literally).unwrap_or(values);
        fields::read(self.recipe.fields().map(AsRef::as_ref).zip(values.iter()))
    }

    fn describe(&self, Credential(hashed): &Credential, facts: &mut Facts) {
        facts.add("signed", Names(self.recipe.fields()));
        facts.add("readings", if hashed.literal.is_some() { "a plus as a space, and as a plus" } else { "one" });
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, _: &Parts, _: &Bytes) -> Vec<crate::near_miss::NearMiss<Self>> {
        let with = |(cause, recipe)| (cause, Self { recipe, ..self.copy() });
        crate::near_miss::NearMiss::forms(self.recipe.near().into_iter().map(with).collect())
    }

    fn redact(&self, head: &mut Parts) {
        if let Some(place) = self.source.place() {
            place.redact(head);
        }
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        mac::check_key(Self::NAME, key)
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }
}

impl<C, R> TimestampHash<C, R> {
    /// The recipe's fields in order, and whether one contains a raw plus, which has two readings.
    fn fields(&self, query: &Indexed<'_>, plus_is_literal: impl Fn(&str) -> bool) -> Result<(Texts, bool), Reason> {
        let mut texts = Texts::with_capacity(self.recipe.fields().count(), 96);
        let mut any_plus = false;
        for name in self.recipe.fields() {
            let malformed = |what| Reason::Malformed(name.clone(), what);
            let raw = query.raw_value(name)?.ok_or_else(|| Reason::MissingParameter(name.clone()))?;
            let mut value = decode_form(raw).map_err(malformed)?;
            // A field that was borrowed as received has no plus.
            if matches!(value, Cow::Owned(_)) && raw.contains('+') {
                any_plus = true;
                if plus_is_literal(name) {
                    value = decode_escapes(raw).map_err(malformed)?;
                }
            }
            self.recipe.check_value(&value).map_err(malformed)?;
            texts.push(&value);
        }
        Ok((texts, any_plus))
    }

    /// The value of one of the recipe's fields, at the field's index.
    fn field<'a>(&self, name: &str, values: &'a Texts) -> Result<&'a str, Reason> {
        let named = self.recipe.fields().zip(values.iter()).find(|(field, _)| *field == name);
        named.map(|(_, value)| value).ok_or_else(|| Reason::MissingParameter(name.to_owned().into()))
    }

    /// The tenant, the same in both readings.
    fn tenant_in(&self, name: &str, values: &Texts) -> Result<TenantId, Reason> {
        match self.field(name, values)? {
            tenant if tenant.len() > LONGEST_TENANT => Err(Reason::Malformed(name.to_owned().into(), "is too long")),
            tenant => Ok(tenant.into()),
        }
    }
}

#[cfg(feature = "explain")]
crate::near_miss::copy_form!(TimestampHash<C, R> { recipe, source, timestamp, hash, tenant, plus, window });

opaque_debug!(TimestampHash < C, R > { recipe });
opaque_debug!(Credential);
opaque_debug!(Message);
