use std::collections::HashSet;

use ::redis::Value;
use ::redis::aio::ConnectionLike;
use sha2::{Digest, Sha256};

use super::RedisStore;
use super::script::Loaded;
use crate::clock::UnixTime;
use crate::keys::TenantId;
use crate::store::{StoreError, StoreFuture};
use crate::text::base64::encode_base64url;
use crate::ticket::{NewTickets, TicketDigest, TicketStore};

/// The limit for one call, in counted bytes. The server is blocked while the script runs.
const LARGEST_PUT: u64 = 8 * 1024 * 1024;

impl<C> TicketStore for RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    fn put(&self, tickets: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        let this = self.clone();
        StoreFuture::new(async move { this.put_all(&tickets).await })
    }

    fn look(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        let this = self.clone();
        StoreFuture::new(async move { this.read(&this.0.scripts.look_at_ticket, &digest, now).await })
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        let this = self.clone();
        StoreFuture::new(async move { this.read(&this.0.scripts.take, &digest, now).await })
    }
}

impl<C> RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    /// Reads a ticket with `look_at_ticket` or `take`.
    async fn read(&self, script: &Loaded, digest: &TicketDigest, now: UnixTime) -> Result<Option<Vec<u8>>, StoreError> {
        let [held, ends] = self.count_keys();
        let keys = [&self.0.memory_key[..], &held, &ends, &self.ticket_key(digest)];
        let answer = self.run(script, &keys, &[self.key("s:").as_bytes()], now).await?;
        let Value::BulkString(payload) = &answer.payload else { return Err(answer.unexpected()) };
        match (&answer.word[..], payload.split_first_chunk()) {
            ("none", _) => Ok(None),
            ("ticket", Some((until, payload))) => {
                let live = now <= UnixTime::from_nanos(i64::from_be_bytes(*until));
                Ok(live.then(|| payload.to_vec()))
            }
            ("ticket", None) => Err(StoreError::new("the ticket on the Redis server is truncated")),
            _ => Err(answer.unexpected()),
        }
    }

    async fn put_all(&self, new: &NewTickets) -> Result<(), StoreError> {
        let Some((first, _)) = new.tickets.first() else { return Ok(()) };
        let mut digests = HashSet::new();
        if !new.tickets.iter().all(|(digest, _)| digests.insert(digest)) {
            return Err(there_already());
        }
        // A single ticket shares nothing.
        let (shared, begin) =
            if new.tickets.len() > 1 { (&new.shared[..], &[][..]) } else { (&[][..], &new.shared[..]) };
        let name = if shared.is_empty() { String::new() } else { encode_base64url(first.as_bytes()) };
        let shared_bytes = if shared.is_empty() { 0 } else { self.bytes(shared.len()) };
        let own_bytes = |own: &[u8]| self.bytes(begin.len().saturating_add(own.len()));
        let bytes = new.tickets.iter().map(|(_, own)| own_bytes(own)).fold(shared_bytes, u64::saturating_add);
        if bytes > self.0.ticket_bytes {
            return Err(StoreError::full());
        }
        if bytes > LARGEST_PUT {
            let problem = format!("these tickets take {bytes} bytes: a call may store at most 8 MiB");
            return Err(StoreError::new(problem));
        }

        let [held, ends] = self.count_keys();
        let mut keys =
            vec![self.0.memory_key.clone(), held, ends, [self.key("s:"), encode_base64url(first.as_bytes())].concat()];
        let mut arguments: Vec<Vec<u8>> = vec![
            self.time_to_live(new.now, new.until).into(),
            name_of(&new.tenant).into(),
            self.0.ticket_bytes.to_string().into(),
            bytes.to_string().into(),
            shared_bytes.to_string().into(),
            name.into(),
            shared.to_vec(),
        ];
        for (digest, own) in &new.tickets {
            keys.push(self.ticket_key(digest));
            arguments.push(own_bytes(own).to_string().into());
            // The machine that redeems the ticket compares this with its own clock.
            arguments.push([&new.until.as_nanos().to_be_bytes(), begin, own].concat());
        }
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let arguments: Vec<_> = arguments.iter().map(Vec::as_slice).collect();
        let answer = self.run(&self.0.scripts.put, &keys, &arguments, new.now).await?;
        match &answer.word[..] {
            "done" => Ok(()),
            "taken" => Err(there_already()),
            "full" => Err(StoreError::full()),
            _ => Err(answer.unexpected()),
        }
    }
}

impl<C> RedisStore<C> {
    /// The bytes to count for a ticket or for shared data.
    fn bytes(&self, payload: usize) -> u64 {
        NewTickets::OVERHEAD.saturating_add(payload as u64)
    }

    fn key(&self, name: &str) -> String {
        [&self.0.prefix, name].concat()
    }

    fn ticket_key(&self, digest: &TicketDigest) -> String {
        [self.key("t:"), encode_base64url(digest.as_bytes())].concat()
    }

    fn count_keys(&self) -> [String; 2] {
        [self.key("held"), self.key("ends")]
    }
}

fn there_already() -> StoreError {
    StoreError::new("the ticket exists already")
}

/// A tenant's name in the counts: of fixed length, without blanks. 128 bits are enough: in a collision, two tenants
/// would merely share a limit.
fn name_of(tenant: &TenantId) -> String {
    let digest = <[u8; 32]>::from(Sha256::digest(tenant.as_str()));
    encode_base64url(digest.split_at(16).0)
}
