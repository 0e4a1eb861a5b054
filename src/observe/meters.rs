//! What a layer counts and measures, for whichever recorder the application has installed.

use std::sync::atomic::{AtomicI64, Ordering};

use metrics::{Key, Label, Level, Metadata};

use crate::clock::UnixTime;
use crate::keys::KeyUse;
use crate::metrics::names;
use crate::replay::ReplayStore;
use crate::stopwatch::Stopwatch;

/// The keys of one layer's metrics, made when it is built: counting an honest request does not allocate.
pub(crate) struct Meters {
    labels: [Label; 2],
    accepted: Key,
    acknowledged: Key,
    check: Key,
    key_store: Key,
    replay_store: Key,
    offset: Key,
    current: Key,
    previous: Key,
    entries: Key,
    ceiling: Key,
    /// The second in which the store's size was last recorded.
    sized: AtomicI64,
}

/// A store that a check asks.
#[derive(Clone, Copy)]
pub(crate) enum Store {
    Keys,
    Replay,
}

impl Meters {
    pub(crate) fn new(form: &'static str, namespace: &str) -> Self {
        let labels = [Label::from_static_parts("form", form), Label::new("namespace", namespace.to_owned())];
        let key = |name: &'static str, label: Option<(&'static str, &'static str)>| {
            let more = label.map(|(name, value)| Label::from_static_parts(name, value));
            Key::from_parts(name, labels.iter().cloned().chain(more).collect::<Vec<_>>())
        };
        Self {
            accepted: key(names::REQUESTS, Some(("outcome", "accepted"))),
            acknowledged: key(names::REQUESTS, Some(("outcome", "acknowledged"))),
            check: key(names::CHECK, None),
            key_store: key(names::STORE, Some(("store", "keys"))),
            replay_store: key(names::STORE, Some(("store", "replay"))),
            offset: key(names::AGE, None),
            current: key(names::KEY_USE, Some(("use", "current"))),
            previous: key(names::KEY_USE, Some(("use", "previous"))),
            entries: key(names::ENTRIES, None),
            ceiling: key(names::CEILING, None),
            sized: AtomicI64::new(i64::MIN),
            labels,
        }
    }

    pub(crate) fn accepted(&self, issued_at: Option<UnixTime>, key_use: KeyUse, now: UnixTime) {
        increment(&self.accepted);
        increment(if key_use == KeyUse::Current { &self.current } else { &self.previous });
        if let Some(issued_at) = issued_at {
            let age = now.since(issued_at).as_secs_f64() - issued_at.since(now).as_secs_f64();
            record(&self.offset, age);
        }
    }

    pub(crate) fn acknowledged(&self) {
        increment(&self.acknowledged);
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        let outcome = Label::from_static_parts("outcome", reason);
        increment(&Key::from_parts(names::REQUESTS, self.labels.iter().cloned().chain([outcome]).collect::<Vec<_>>()));
    }

    pub(crate) fn checked(&self, since: Stopwatch) {
        record(&self.check, since.elapsed().as_secs_f64());
    }

    pub(crate) fn answered(&self, store: Store, since: Stopwatch) {
        let key = match store {
            Store::Keys => &self.key_store,
            Store::Replay => &self.replay_store,
        };
        record(key, since.elapsed().as_secs_f64());
    }

    /// At most once a second.
    pub(crate) fn sized(&self, store: &dyn ReplayStore, now: UnixTime) {
        let second = now.as_secs();
        // Fast path: a plain load avoids cache-line contention.
        if self.sized.load(Ordering::Relaxed) == second || self.sized.swap(second, Ordering::Relaxed) == second {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        if let Some(fill) = store.fill() {
            gauge(&self.entries, fill.entries as f64);
            gauge(&self.ceiling, fill.ceiling as f64);
        }
    }
}

pub(crate) fn not_settled(form: &'static str) {
    increment(&Key::from_parts(names::UNSETTLED, &[("form", form)]));
}

static METADATA: Metadata<'_> = Metadata::new("tower_sso", Level::INFO, Some("tower_sso"));

fn increment(key: &Key) {
    metrics::with_recorder(|recorder| recorder.register_counter(key, &METADATA)).increment(1);
}

fn record(key: &Key, value: f64) {
    metrics::with_recorder(|recorder| recorder.register_histogram(key, &METADATA)).record(value);
}

fn gauge(key: &Key, value: f64) {
    metrics::with_recorder(|recorder| recorder.register_gauge(key, &METADATA)).set(value);
}
