use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use super::ends::Ends;
use super::key::TableSecret;
use super::shard::Shard;
use super::{DenseReplay, Inner, SHARDS};
use crate::replay::builder::{InMemoryBuilder, open};
use crate::replay::forever::Forever;
use crate::replay::room::Room;
use crate::replay::windows::Windows;

/// Sets up a [`DenseReplay`].
pub type DenseReplayBuilder = InMemoryBuilder<DenseReplay>;

impl DenseReplay {
    /// A store to be set up.
    pub fn builder() -> DenseReplayBuilder {
        DenseReplayBuilder::new(10_000_000)
    }
}

impl DenseReplayBuilder {
    /// The store, once its first second and the [margin](Self::cutoff_margin) are over: listen after it, and no honest
    /// link is refused. Takes up to a second and the margin, and a tokio runtime with time enabled.
    pub async fn opened(self) -> DenseReplay {
        let store = self.build();
        open(&store, &*store.0.clock).await;
        store
    }

    /// The store. Its startup cutoff is this moment.
    pub fn build(self) -> DenseReplay {
        DenseReplay(Arc::new(Inner {
            shards: (0..SHARDS).map(|_| Shard::new()).collect(),
            secret: TableSecret::default(),
            windows: Windows::default(),
            ends: Ends::new(),
            room: Room::new(self.ceiling),
            forever: Arc::new(Forever::new(self.ceiling)),
            cutoff: self.cutoff(),
            made: self.clock.steady(),
            clock: self.clock,
            swept: AtomicU64::new(0),
            next_search: AtomicUsize::new(0),
        }))
    }
}
