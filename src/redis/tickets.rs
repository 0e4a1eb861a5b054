use ::redis::aio::ConnectionLike;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::RedisStore;
use crate::clock::UnixTime;
use crate::store::{StoreError, StoreFuture};
use crate::ticket::{NewTickets, TicketDigest, TicketStore};

impl<C> TicketStore for RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    fn put(&self, tickets: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        let this = self.clone();
        StoreFuture::new(async move {
            let time_to_live = this.time_to_live(tickets.now, tickets.until);
            for (digest, payload) in tickets.payloads() {
                // The machine that redeems it goes by its own clock.
                let value = [&tickets.until.as_nanos().to_be_bytes(), &payload[..]].concat();
                let arguments = [&value[..], time_to_live.as_bytes()];
                let answer = this.run(&this.0.scripts.put, &this.ticket_key(&digest), &arguments, tickets.now).await?;
                match &answer.word[..] {
                    "done" => {}
                    "taken" => return Err(StoreError::new("the ticket is there already")),
                    _ => return Err(answer.unexpected()),
                }
            }
            Ok(())
        })
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        let this = self.clone();
        StoreFuture::new(async move {
            let answer = this.run(&this.0.scripts.take, &this.ticket_key(&digest), &[], now).await?;
            match (&answer.word[..], answer.payload.split_first_chunk()) {
                ("none", _) => Ok(None),
                ("ticket", Some((until, payload))) => {
                    let live = now <= UnixTime::from_nanos(i64::from_be_bytes(*until));
                    Ok(live.then(|| payload.to_vec()))
                }
                ("ticket", None) => Err(StoreError::new("the ticket on the Redis server is cut off")),
                _ => Err(answer.unexpected()),
            }
        })
    }
}

impl<C> RedisStore<C> {
    fn ticket_key(&self, digest: &TicketDigest) -> String {
        [&self.0.prefix, "t:", &BASE64_URL_SAFE_NO_PAD.encode(digest.as_bytes())].concat()
    }
}
