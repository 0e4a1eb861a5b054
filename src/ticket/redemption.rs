use super::{TicketDigest, Tickets};
use crate::clock::UnixTime;
use crate::replay::{Claim, Claimed, Fingerprint, LeaseId, ReplayStore};
use crate::store::{StoreError, StoreFuture};

/// The tickets' store as the engine's replay store: a ticket is there from the start, and claimed by being taken out.
pub(super) struct Redemption(pub(super) Tickets);

impl ReplayStore for Redemption {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let taken = self.0.take(TicketDigest::from(*claim.key.as_bytes()));
        taken.map(|taken| Ok(if taken?.is_some() { Claimed::First } else { Claimed::Spent }))
    }

    fn settle(&self, _: &Claim) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    /// What was taken out is not put back.
    fn release(&self, _: Fingerprint, _: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    /// What it forgets can no longer be redeemed.
    fn remembers_since(&self) -> Option<UnixTime> {
        None
    }
}
