use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ::redis::aio::{ConnectionLike, ConnectionManager};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::builder;
use super::memory::Witness;
use super::script::{self, Answer, Loaded, Scripts, ceil_to_milliseconds, floor_to_milliseconds};
use crate::clock::{Clock, UnixTime};
use crate::replay::{Claim, Claimed, Fingerprint, Group, Hold, LeaseId, ReplayStore};
use crate::store::{StoreError, StoreFuture};

/// The value of a spent credential.
const SPENT: &[u8] = b"s";
/// The prefix of a lease. Its id follows.
const LEASED: &[u8] = b"l";

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
    pub(super) connection: C,
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

    async fn raise(&self, connection: &mut C, now: UnixTime) -> Result<(), StoreError> {
        let Inner { scripts, memory_key, witness, clock, .. } = &*self.0;
        let (asked, now) = (Instant::now(), now.max(clock.now()));
        let tolerance = milliseconds(witness.tolerance());
        let memory = scripts.install(connection, memory_key, witness.cutoff(now), tolerance).await?;
        witness.note_own(&memory, now, asked);
        Ok(())
    }

    fn replay_key(&self, key: &Fingerprint) -> String {
        [&self.0.prefix, "r:", &BASE64_URL_SAFE_NO_PAD.encode(key.as_bytes())].concat()
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

    /// Runs a claim or a settlement.
    async fn enter(&self, script: &Loaded, claim: &Claim) -> Result<Answer, StoreError> {
        let Claim { key, now, hold, terms } = claim;
        let value = match hold {
            Hold::Until(_) => SPENT.to_vec(),
            Hold::Lease { id, .. } => lease_value(*id),
        };
        let texts = [
            self.time_to_live(*now, hold.until()),
            terms.group.to_string(),
            milliseconds(terms.window).to_string(),
            ceil_to_milliseconds(*now).to_string(),
            // By the fastest clock: another machine's clock may be ahead.
            ceil_to_milliseconds(now.plus(self.0.clock_skew)).to_string(),
            floor_to_milliseconds(terms.usable_since).to_string(),
            floor_to_milliseconds(terms.until.minus(terms.window)).to_string(),
            milliseconds(self.expected(terms.group)).to_string(),
        ];
        let arguments: Vec<_> = [&value[..]].into_iter().chain(texts.iter().map(String::as_bytes)).collect();
        self.run(script, &[&self.0.memory_key, &self.replay_key(key)], &arguments, *now).await
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

fn lease_value(lease: LeaseId) -> Vec<u8> {
    [LEASED, lease.as_u64().to_string().as_bytes()].concat()
}

impl<C> ReplayStore for RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let (this, claim) = (self.clone(), *claim);
        StoreFuture::new(async move {
            let answer = this.enter(&this.0.scripts.claim, &claim).await?;
            match &answer.word[..] {
                "first" => Ok(Claimed::First),
                "spent" => Ok(Claimed::Spent),
                "leased" => Ok(Claimed::Leased),
                "forgotten" => Ok(Claimed::Forgotten),
                _ => Err(answer.unexpected()),
            }
        })
    }

    /// Reaches the server with the group's next claim.
    fn expect(&self, group: Group, window: Duration, _: UnixTime) {
        let mut expected = self.0.expected.write().unwrap_or_else(PoisonError::into_inner);
        let longest = expected.entry(group).or_default();
        *longest = window.max(*longest);
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        let (this, claim) = (self.clone(), *claim);
        StoreFuture::new(async move {
            // A processed delivery is stored as spent, not as a lease.
            let claim = Claim { hold: Hold::Until(claim.hold.until()), ..claim };
            this.enter(&this.0.scripts.settle, &claim).await.map(drop)
        })
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        let this = self.clone();
        StoreFuture::new(async move {
            let (now, value) = (this.0.clock.now(), lease_value(lease));
            this.run(&this.0.scripts.release, &[&this.0.memory_key, &this.replay_key(&key)], &[&value], now)
                .await
                .map(drop)
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
