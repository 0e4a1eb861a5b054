use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use zeroize::Zeroizing;

use super::{NewTickets, TicketDigest, TicketStore};
use crate::clock::{Clock, SystemClock};
use crate::form::Form;
use crate::keys::{Key, Keys, Secret, TenantId};
use crate::replay::FingerprintHasher;
use crate::store::{StoreError, StoreFuture};
use crate::text::base64::{decode_base64url_into, encode_base64url};

const RANDOM_BYTES: usize = 32;
pub(super) type Random = Zeroizing<[u8; RANDOM_BYTES]>;
/// How long that is as text.
pub(super) const CHARACTERS: usize = RANDOM_BYTES * 4 / 3 + 1;

/// Makes tickets, and knows where they wait. Cheap to clone; clones share the store.
///
/// ```
/// use tower_sso::ticket::{MemoryTickets, TicketError, Tickets};
///
/// async fn link(tickets: &Tickets) -> Result<String, TicketError> {
///     let ticket = tickets.issue(&"acme".into(), &serde_json::json!({"email": "ada@acme.example"})).await?;
///     Ok(format!("https://app.example/enter?ticket={ticket}"))
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(link(&Tickets::new(MemoryTickets::new())).await.unwrap().len(), 33 + 43);
/// # });
/// ```
#[derive(Clone)]
pub struct Tickets {
    store: Arc<dyn TicketStore>,
    namespace: Cow<'static, str>,
    time_to_live: Duration,
    largest_claims: usize,
    clock: Arc<dyn Clock>,
}

impl Tickets {
    /// Tickets that wait in this store.
    pub fn new(store: impl TicketStore) -> Self {
        Self {
            store: Arc::new(store),
            namespace: Cow::Borrowed(""),
            time_to_live: Duration::from_secs(60),
            largest_claims: 64 * 1024,
            clock: Arc::new(SystemClock),
        }
    }

    /// What these tickets are for: those of one namespace are unknown to a layer with another. Default: one for all, so
    /// that a ticket from one answer can be redeemed at any layer with the same store.
    #[must_use]
    pub fn namespace(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.namespace = name.into();
        self
    }

    /// How long a ticket may be redeemed, inclusive. Default: 60 s. The longer, the longer a stolen link works.
    #[must_use]
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = time;
        self
    }

    /// How many bytes one ticket's claims may take as JSON, the tenant's name included. Default: 64 KiB, which holds
    /// whatever came in a URI. What is larger is not issued: [`TicketError::TooLarge`].
    ///
    /// A store that keeps each ticket by itself takes 6.4 MB for a hundred of the largest. `MemoryTickets` and
    /// `RedisStore` keep once what the tickets of one call share. Set what your users need, such as 4 KiB.
    #[must_use]
    pub fn largest_claims(mut self, bytes: usize) -> Self {
        self.largest_claims = bytes;
        self
    }

    /// The clock that tells when a ticket ends. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes a ticket for a user of this tenant: 43 characters, fit for a query as they are. It is a credential: do not
    /// log it.
    ///
    /// The future does not borrow anything.
    ///
    /// # Errors
    /// [`TicketError`], as the future's answer.
    pub fn issue<C>(&self, tenant: &TenantId, claims: &C) -> StoreFuture<Result<String, TicketError>>
    where
        C: Serialize + ?Sized,
    {
        let payload = name_of(tenant).and_then(|mut payload| {
            serde_json::to_writer(&mut payload, claims)?;
            Ok(payload)
        });
        match payload {
            Ok(payload) => {
                let tickets = self.put(tenant, Vec::new(), vec![payload]);
                tickets.map(|tickets| tickets.map(|tickets| tickets.into_iter().collect()))
            }
            Err(error) => StoreFuture::ready(Err(TicketError::Claims(error.into()))),
        }
    }

    /// Makes a ticket for each of these choices, all for one user of this tenant. What each stands for is the pair of
    /// claims and choice, so the layer's claims are of the type `(C, S)`. `MemoryTickets` and `RedisStore` keep the
    /// claims once.
    ///
    /// ```
    /// use tower_sso::ticket::{self, MemoryTickets, Tickets};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct User { email: String }
    ///
    /// let (tickets, ada) = (Tickets::new(MemoryTickets::new()), User { email: "ada@acme.example".into() });
    /// let enter = ticket::layer::<(User, String)>(tickets.clone()).build()?;
    ///
    /// let links = tickets.issue_each(&"acme".into(), &ada, &["site-1", "site-2"]).await.unwrap();
    /// assert_eq!(links.len(), 2);
    /// # Ok::<(), tower_sso::ConfigError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`TicketError`], as the future's answer. There are all tickets or none.
    pub fn issue_each<C, S>(
        &self,
        tenant: &TenantId,
        claims: &C,
        choices: &[S],
    ) -> StoreFuture<Result<Vec<String>, TicketError>>
    where
        C: Serialize + ?Sized,
        S: Serialize,
    {
        // `[claims,` and `choice]`: a pair in JSON, cut in two.
        let shared = name_of(tenant).and_then(|mut shared| {
            shared.push(b'[');
            serde_json::to_writer(&mut shared, claims)?;
            shared.push(b',');
            Ok(shared)
        });
        let own = choices.iter().map(|choice| {
            let mut own = serde_json::to_vec(choice)?;
            own.push(b']');
            Ok(own)
        });
        match shared.and_then(|shared| Ok((shared, own.collect::<Result<_, _>>()?))) {
            Ok((shared, own)) => self.put(tenant, shared, own),
            Err(error) => StoreFuture::ready(Err(TicketError::Claims(error.into()))),
        }
    }

    fn put(
        &self,
        tenant: &TenantId,
        shared: Vec<u8>,
        own: Vec<Vec<u8>>,
    ) -> StoreFuture<Result<Vec<String>, TicketError>> {
        let largest = own.iter().map(Vec::len).max().unwrap_or(0).saturating_add(shared.len());
        if largest > self.largest_claims {
            return StoreFuture::ready(Err(TicketError::TooLarge { bytes: largest, most: self.largest_claims }));
        }
        let now = self.clock.now();
        let mut new = NewTickets::new(tenant.clone(), now, now.plus(self.time_to_live));
        new.shared = shared;
        let mut tickets = Vec::with_capacity(own.len());
        for own in own {
            let mut random = Random::default();
            if getrandom::fill(random.as_mut()).is_err() {
                return StoreFuture::ready(Err(TicketError::NoRandomness));
            }
            new.tickets.push((self.digest_of(&random), own));
            tickets.push(encode_base64url(random.as_ref()));
        }
        self.store.put(new).map(|put| put.map(|()| tickets).map_err(TicketError::Store))
    }

    pub(super) fn lifetime(&self) -> Duration {
        self.time_to_live
    }

    pub(super) fn namespace_name(&self) -> Cow<'static, str> {
        self.namespace.clone()
    }

    /// The replay key that the engine makes of a ticket of this namespace.
    pub(super) fn digest_of(&self, random: &Random) -> TicketDigest {
        let mut fingerprint = FingerprintHasher::new(<super::Ticket<()> as Form>::NAME);
        fingerprint.namespace(&self.namespace);
        fingerprint.part(random.as_slice());
        TicketDigest::from(*fingerprint.finish().as_bytes())
    }

    /// What a ticket stands for, as a key that is the tenant's.
    pub(super) fn look(&self, digest: TicketDigest) -> StoreFuture<Result<Keys, StoreError>> {
        self.store.look(digest, self.clock.now()).map(move |found| {
            let Some(payload) = found?.map(Zeroizing::new) else { return Ok(Keys::unknown_tenant()) };
            let (tenant, claims) =
                unpack(&payload).ok_or_else(|| StoreError::new("what a ticket stands for is damaged"))?;
            let secret = [digest.as_bytes().as_slice(), claims].concat();
            Ok([Key::current(Secret::new(secret)).owned_by(tenant)].into_iter().collect())
        })
    }

    pub(super) fn take(&self, digest: TicketDigest) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        self.store.take(digest, self.clock.now())
    }
}

/// The random bytes of a ticket as it came, if it is spelled as one.
pub(super) fn parse(ticket: &str) -> Option<Random> {
    let mut random = Random::default();
    decode_base64url_into(ticket.as_bytes(), random.as_mut()).map(|()| random)
}

/// What a ticket stands for, as the store keeps it, is the tenant and the claims, each as JSON on a line of its own.
/// This is the first line.
fn name_of(tenant: &TenantId) -> Result<Vec<u8>, serde_json::Error> {
    let mut payload = serde_json::to_vec(tenant.as_str())?;
    payload.push(b'\n');
    Ok(payload)
}

fn unpack(payload: &[u8]) -> Option<(TenantId, &[u8])> {
    // JSON escapes the line feeds of a string, so the first one is ours.
    let end = payload.iter().position(|byte| *byte == b'\n')?;
    let (tenant, claims) = payload.split_at_checked(end)?;
    let tenant: String = serde_json::from_slice(tenant).ok()?;
    Some((tenant.into(), claims.trim_ascii_start()))
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets")
            .field("namespace", &self.namespace)
            .field("time_to_live", &self.time_to_live)
            .field("largest_claims", &self.largest_claims)
            .finish_non_exhaustive()
    }
}

/// Why there is no ticket.
///
/// ```
/// use tower_sso::store::StoreError;
/// use tower_sso::ticket::TicketError;
///
/// assert_eq!(TicketError::Store(StoreError::full()).to_string(), "the ticket was not stored: the store is full");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TicketError {
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// The claims cannot be written as JSON.
    #[error("the claims cannot be written as JSON: {0}")]
    Claims(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The claims take more bytes than [`largest_claims`](Tickets::largest_claims) allows. Answer 413 or 422: it will
    /// not go better the next time.
    #[error("the claims take {bytes} bytes as JSON, and `largest_claims` is {most}")]
    TooLarge {
        /// How many they take, with the tenant's name.
        bytes: usize,
        /// How many they may.
        most: usize,
    },
    /// The store failed, or is full, or the tenant's share of it is. Answer 503.
    #[error("the ticket was not stored: {0}")]
    Store(StoreError),
}
