//! A one-time ticket in the query: `GET …?ticket={43 characters}`, which hands an identity on from one answer to one
//! browser.
//!
//! What a partner's server was told, a browser must still bring along: the script that Site Builder loads holds links
//! that sign in, and seatmap.pro's answer a session id that travels in a redirect. [`Tickets::issue`] makes such a
//! link's ticket, and this layer redeems it.
//!
//! Feature `ticket`; for this example `axum` too.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! # use axum::{Router, routing::get};
//! use tower_sso::{Identity, ticket::{self, MemoryTickets, Tickets}};
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct User { email: String }
//! async fn enter(user: Identity<User>) -> String { format!("{} of {}", user.email, user.tenant()) }
//!
//! let tickets = Tickets::new(MemoryTickets::new());
//! // let link = format!("/enter?ticket={}", tickets.issue(&"acme".into(), &user).await?);
//! let enter_once = ticket::layer::<User>(tickets).build()?;
//! let app: Router = Router::new().route("/enter", get(enter).layer(enter_once));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. A ticket is 256 random bits, in base64url without padding: 43 characters, canonical. Else `malformed`.
//! 2. The store keeps its SHA-256 digest, the identity and an end, 60 s later by default. Whoever reads the store
//!    cannot redeem what is in it.
//! 3. It is redeemed once, atomically: by being taken out of the store, after its claims were read. HEAD requests,
//!    prefetches and claims that are refused do not redeem it.
//! 4. Unknown, spent and expired are one answer, `invalid`: the store does not remember what it held.
//! 5. [`Identity::tenant`](crate::Identity::tenant) is the tenant that it was issued for.
//! 6. Claims are bounded: 64 KiB a ticket ([`largest_claims`](Tickets::largest_claims)), and in all 64 MiB in memory
//!    and 256 MiB on Redis, of which a tenant may take at most what is still free.
//! 7. A ticket is worth what a session is: send it over https, and only to its user. With
//!    [`namespace`](Tickets::namespace)s, a ticket for one entrance opens no other.
//! 8. A request with a body is `malformed`, as the ticket does not cover it, unless the layer has
//!    [`danger_unsigned_body`](crate::Builder::danger_unsigned_body).

mod builder;
mod memory;
#[cfg(feature = "explain")]
mod near;
mod redemption;
mod store;
mod tickets;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

use crate::ConfigProblem;
use crate::body::HeadOnly;
use crate::clock::UnixTime;
use crate::form::{Extracted, Form, Presence, Rules};
use crate::keys::{Keys, Secret};
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::query::Query;
use crate::rejection::Reason;
use crate::replay::FingerprintHasher;
use crate::store::{StoreError, StoreFuture};
use crate::text::percent::decode_form;
use crate::window::Validity;

pub use builder::layer;
pub use memory::{MemoryTickets, MemoryTicketsBuilder};
use redemption::Redemption;
pub use store::{NewTickets, TicketDigest, TicketStore};
use tickets::Random;
pub use tickets::{TicketError, Tickets};

/// The one-time ticket form, with claims of type `C`. Made by [`layer`].
///
/// To the engine, what a ticket stands for is a key that is found by the ticket's digest, and taking it out is the
/// claim.
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::ticket::Ticket;
///
/// struct State {
///     enter: VerifyLayer<Ticket<serde_json::Value>>,
/// }
/// ```
pub struct Ticket<C> {
    parameter: Cow<'static, str>,
    tickets: Tickets,
    claims: PhantomData<fn() -> C>,
}

/// What looks like a ticket. Nothing is known of it.
#[doc(hidden)]
pub struct Presented {
    random: Random,
    digest: TicketDigest,
}

/// A ticket that is in the store.
#[doc(hidden)]
pub struct Known {
    random: Random,
    /// The digest, then the claims: see [`Tickets::look`].
    found: Secret,
}

impl<C> Form for Ticket<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    const NAME: &'static str = "ticket";
    type Reads = HeadOnly;
    type Credential = Presented;
    type Message = Known;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut decoy = vec![0; TicketDigest::LENGTH];
        _ = getrandom::fill(&mut decoy);
        let mut rules = Rules::new(Secret::new(decoy));
        rules.parameters = vec![self.parameter.clone()];
        rules.looks_keys_up = true;
        // It was there a moment ago, and another request has taken it out. A moment later it would have been unknown.
        rules.duplicate = Reason::UnknownKey;
        rules.replay = Some(Arc::new(Redemption(self.tickets.clone())));
        rules.namespace = Some(self.tickets.namespace_name());
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        let ticket = Query::of(&head.uri).raw_value(&self.parameter)?;
        Ok(if ticket.is_some() { Presence::InHead } else { Presence::Absent })
    }

    fn extract(&self, head: &Parts, _: &Bytes) -> Result<Extracted<Presented>, Reason> {
        let malformed = |what| Reason::Malformed(self.parameter.clone(), what);
        let not_a_ticket =
            || malformed("is not 43 characters of canonical base64url: something is behind it, or its end was cut off");
        let raw = Query::of(&head.uri).raw_value(&self.parameter)?;
        let raw = raw.ok_or_else(|| Reason::MissingParameter(self.parameter.clone()))?;
        // Each character may be escaped: what is longer need not be decoded to be refused.
        if raw.len() > 3 * tickets::CHARACTERS {
            return Err(not_a_ticket());
        }
        let ticket = decode_form(raw).map_err(malformed)?;
        let random = tickets::parse(&ticket).ok_or_else(not_a_ticket)?;
        Ok(Presented { digest: self.tickets.digest_of(&random), random }.into())
    }

    fn look_up(&self, presented: &Presented) -> Option<StoreFuture<Result<Keys, StoreError>>> {
        Some(self.tickets.look(presented.digest))
    }

    fn verify(&self, presented: &Presented, key: &Secret) -> Result<Known, Reason> {
        // What the store held is preceded by the digest of its own ticket, so that no other key can stand in for it.
        match key.expose().first_chunk::<{ TicketDigest::LENGTH }>() {
            Some(digest) if presented.digest.as_bytes().ct_eq(digest).into() => {
                Ok(Known { random: presented.random.clone(), found: key.clone() })
            }
            _ => Err(Reason::BadSignature),
        }
    }

    fn validity(&self, _: &Known) -> Result<Validity, Reason> {
        // The store has compared its end with the clock.
        Ok(Validity::unlimited())
    }

    /// The ticket's digest, under which it waits: see `Tickets::digest_of`.
    fn fingerprint(&self, known: &Known, fingerprint: &mut FingerprintHasher) {
        fingerprint.part(known.random.as_slice());
    }

    fn claims(&self, known: Known, _: UnixTime) -> Result<C, Reason> {
        let claims = known.found.expose().get(TicketDigest::LENGTH..).unwrap_or_default();
        serde_json::from_slice(claims)
            .map_err(|_| Reason::BadPayload("does not have the shape that the claims require".into()))
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, head: &Parts, _: &Bytes) -> Vec<NearMiss<Self>> {
        NearMiss::forms(self.near(head))
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }
}

impl<C> fmt::Debug for Ticket<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("parameter", &self.parameter).finish_non_exhaustive()
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").finish_non_exhaustive()
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}
