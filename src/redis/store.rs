use std::collections::HashMap;
use std::fmt;
use std::iter;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ::redis::Value;
use ::redis::aio::{ConnectionLike, ConnectionManager};

use super::batch::Batches;
use super::builder;
use super::memory::Witness;
use super::reopening::Reopening;
use super::script::{self, Answer, Loaded, Scripts, ceil_to_milliseconds, floor_to_milliseconds};
use crate::clock::{Clock, UnixTime};
use crate::replay::{Claim, Claimed, Fingerprint, Group, Hold, LeaseId, ReplayStore};
use crate::store::{StoreError, StoreFuture};
use crate::text::base64::encode_base64url;

/// The value of a spent credential.
const SPENT: &str = "s";
/// The prefix of a lease. Its id follows.
const LEASED: &str = "l";

/// In milliseconds: about 9,000 years, which Redis accepts as an expiry.
const LONGEST: u64 = 1 << 48;

/// A replay store and a ticket store on Redis or Valkey. Clones share a connection; one store may serve every layer.
///
/// See the [module](super) for its guarantees.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_sso::redis::RedisStore;
///
/// let redis = RedisStore::connect("redis://10.0.0.5/", "my-app:production").await?;
/// # Ok(())
/// # }
/// ```
pub struct RedisStore<C = ConnectionManager>(pub(super) Arc<Inner<C>>);

pub(super) struct Inner<C> {
    pub(super) connection: Reopening<C>,
    pub(super) scripts: Scripts,
    /// `{namespace}`: the braces keep all keys in one slot of a cluster.
    pub(super) prefix: String,
    pub(super) memory_key: String,
    #[cfg(feature = "ticket")]
    pub(super) ticket_bytes: u64,
    pub(super) clock_skew: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) check_policy: bool,
    pub(super) witness: Witness,
    /// The longest window of each group among this process's layers. At most one entry per layer.
    pub(super) expected: RwLock<HashMap<Group, Duration>>,
    /// How long a claim may wait for others.
    pub(super) timeout: Duration,
    pub(super) batches: Batches,
}

impl<C> RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    /// For a readiness probe: checks that the server answers, takes writes and does not evict, and that the cutoff is
    /// plausible.
    ///
    /// # Errors
    /// [`StoreError`] if the server does not answer, evicts, is full
    /// ([`StoreFailure::Full`](crate::rejection::StoreFailure)) or a replica, or if the cutoff is further ahead of the
    /// server's clock than [`clock_skew`](super::RedisStoreBuilder::clock_skew) allows.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let Inner { connection, scripts, memory_key, check_policy, witness, clock, .. } = &*self.0;
        if *check_policy {
            builder::check_policy(&mut connection.clone()).await.map_err(StoreError::new)?;
        }
        let answer = self.run(&scripts.write, &[memory_key], &[], clock.now()).await?;
        witness.excess(&answer.memory).map_or(Ok(()), |excess| Err(StoreError::new(cutoff_ahead(excess, memory_key))))
    }

    /// Reads the cutoff from the server.
    pub(super) async fn look(&self) -> Result<(), StoreError> {
        let Inner { scripts, memory_key, clock, .. } = &*self.0;
        self.run(&scripts.look, &[memory_key], &[], clock.now()).await.map(drop)
    }

    /// Runs a script. If the server has lost its memory, raises the cutoff first. `keys` begins with the memory key.
    pub(super) async fn run(
        &self,
        script: &Loaded,
        keys: &[&str],
        arguments: &[&[u8]],
        now: UnixTime,
    ) -> Result<Answer, StoreError> {
        let Inner { memory_key, witness, clock, .. } = &*self.0;
        let mut connection = self.0.connection.clone();
        for _ in 0..2 {
            let asked = Instant::now();
            let Some(answer) = script::run(&mut connection, script, keys, arguments).await? else {
                tracing::warn!(
                    target: "tower_sso",
                    "the Redis server has lost its memory or part of it: links made before now are refused"
                );
                self.raise(&mut connection, now).await?;
                continue;
            };
            if witness.clock_was_set_forward(asked, Instant::now(), &answer.memory) {
                tracing::warn!(
                    target: "tower_sso",
                    "the Redis server's clock was set forward and entries expired early: links made before now are refused"
                );
                self.raise(&mut connection, now).await?;
            }
            if witness.note(&answer.memory, clock.now())
                && let Some(excess) = witness.excess(&answer.memory)
            {
                tracing::warn!(target: "tower_sso", "{}", cutoff_ahead(excess, memory_key));
            }
            return Ok(answer);
        }
        Err(StoreError::new("the Redis server loses its memory again and again"))
    }

    async fn raise(&self, connection: &mut Reopening<C>, now: UnixTime) -> Result<(), StoreError> {
        let Inner { scripts, memory_key, witness, clock, .. } = &*self.0;
        let (asked, now) = (Instant::now(), now.max(clock.exact()));
        let tolerance = milliseconds(witness.tolerance());
        let answer = scripts.install(connection, memory_key, witness.cutoff(now), tolerance).await?;
        if let Some(error) = answer.clock_ahead() {
            // Another node has to raise it before anything is accepted. To try again would undo that.
            witness.begin_again(&answer.memory, asked);
            return Err(error);
        }
        witness.note_own(&answer.memory, now, asked);
        Ok(())
    }

    fn replay_key(&self, key: &Fingerprint) -> String {
        [&self.0.prefix, "r:", &encode_base64url(key.as_bytes())].concat()
    }

    /// How long to keep an entry, in milliseconds, including the skew. Empty for an entry that never expires.
    pub(super) fn time_to_live(&self, now: UnixTime, until: UnixTime) -> String {
        if until == UnixTime::MAX {
            return String::new();
        }
        // One skew for a machine whose clock is behind, one for corrections of the server's clock.
        let time = until.since(now).saturating_add(self.0.clock_skew.saturating_mul(2));
        // Redis refuses an expiry of zero.
        milliseconds(time).max(1).to_string()
    }

    fn expected(&self, group: Group) -> Duration {
        let expected = self.0.expected.read().unwrap_or_else(PoisonError::into_inner);
        expected.get(&group).copied().unwrap_or_default()
    }

    /// The nine arguments of a claim or a settlement: see [`WINDOWS`](super::lua::WINDOWS).
    fn arguments(&self, claim: &Claim) -> [String; 9] {
        let Claim { now, hold, terms, .. } = claim;
        let value = match hold {
            Hold::Until(_) => SPENT.to_owned(),
            Hold::Lease { id, .. } => lease_value(*id),
        };
        [
            value,
            self.time_to_live(*now, hold.until()),
            terms.group.to_string(),
            milliseconds(terms.window).to_string(),
            ceil_to_milliseconds(*now).to_string(),
            // By the fastest clock: another machine's clock may be ahead.
            ceil_to_milliseconds(now.plus(self.0.clock_skew)).to_string(),
            floor_to_milliseconds(terms.usable_since).to_string(),
            floor_to_milliseconds(terms.until.minus(terms.window)).to_string(),
            milliseconds(self.expected(terms.group)).to_string(),
        ]
    }

    /// Runs a script for some claims.
    async fn enter(&self, script: &Loaded, claims: &[Claim]) -> Result<Answer, StoreError> {
        let entries: Vec<_> = claims.iter().map(|claim| self.replay_key(&claim.key)).collect();
        let keys: Vec<_> = iter::once(&self.0.memory_key).chain(&entries).map(String::as_str).collect();
        let texts: Vec<_> = claims.iter().map(|claim| self.arguments(claim)).collect();
        let arguments: Vec<_> = texts.iter().flatten().map(String::as_bytes).collect();
        let now = claims.iter().map(|claim| claim.now).max().unwrap_or(UnixTime::MIN);
        self.run(script, &keys, &arguments, now).await
    }

    /// Makes some claims in one call. Each has its own answer, unless the call fails.
    pub(super) async fn claim_all(
        &self,
        claims: &[Claim],
    ) -> Result<impl Iterator<Item = Result<Claimed, StoreError>> + use<C>, StoreError> {
        let answer = self.enter(&self.0.scripts.claim, claims).await?;
        match answer.payload {
            Value::Array(made) if made.len() == claims.len() => Ok(made.into_iter().map(script::claimed)),
            _ => Err(answer.unexpected()),
        }
    }
}

/// Rounds up, and caps at what the server accepts.
fn milliseconds(time: Duration) -> u64 {
    time.as_nanos().div_ceil(1_000_000).try_into().map_or(LONGEST, |milliseconds: u64| milliseconds.min(LONGEST))
}

fn cutoff_ahead(excess: Duration, memory_key: &str) -> String {
    format!(
        "the cutoff on the Redis server is {} s further ahead of the server's clock than `clock_skew` allows, and \
         links made before the cutoff are refused: set all clocks by NTP, then delete the key {memory_key}",
        excess.as_secs()
    )
}

fn lease_value(lease: LeaseId) -> String {
    format!("{LEASED}{}", lease.as_u64())
}

impl<C> ReplayStore for RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let (this, claim) = (self.clone(), *claim);
        StoreFuture::new(async move { this.claim_with_others(claim).await })
    }

    /// Reaches the server with the group's next claim.
    fn announce(&self, group: Group, window: Duration, _: UnixTime) {
        let mut expected = self.0.expected.write().unwrap_or_else(PoisonError::into_inner);
        let longest = expected.entry(group).or_default();
        *longest = window.max(*longest);
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        let (this, claim) = (self.clone(), *claim);
        StoreFuture::new(async move {
            // A processed delivery is stored as spent, not as a lease.
            let claim = Claim { hold: Hold::Until(claim.hold.until()), ..claim };
            this.enter(&this.0.scripts.settle, &[claim]).await.map(drop)
        })
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        let this = self.clone();
        StoreFuture::new(async move {
            let store = this.clone();
            let release = async move {
                let (now, value) = (store.0.clock.now(), lease_value(lease));
                let keys = [&store.0.memory_key[..], &store.replay_key(&key)];
                store.run(&store.0.scripts.release, &keys, &[value.as_bytes()], now).await.map(drop)
            };
            this.after_claims_of(&key, release).await
        })
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        Some(self.0.witness.since())
    }
}

impl<C> Clone for RedisStore<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("namespace", &self.0.prefix).finish_non_exhaustive()
    }
}
