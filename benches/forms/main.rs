//! The cost of each form: its layer, its verification and its MAC, and the cost of bad requests.
//!
//! ```sh
//! cargo bench --bench forms
//! ```
//! For each form, with keys in memory and without a network:
//! - `raw MAC`: the lower bound. Keyed beforehand if the key stays the same, so not for the timestamp hash.
//! - `authentic`: the methods of [`Form`] that authenticate a credential: `extract`, `verify`, `validity`.
//! - `verify`: all methods of the form in order, including claims and replay key.
//! - `by hand`: the layer's rules written by hand for one route, as a lower bound for any layer.
//! - `layer`: the same request through the layer, with a replay store that remembers nothing.
//! - `request`: the same with the in-memory store, and a new credential each time; `request, dense`: with the dense one.
//! - the rest: bad requests through the layer. Long ones are paired with good ones of the same length.

#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

#[path = "../support/driver.rs"]
mod driver;
#[path = "../support/samples.rs"]
mod samples;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use driver::{ByHand, EachIsNew, NoStore, authentic, by_hand, left, service, through, verify};
use http::StatusCode;
use samples::{
    Fernet, Jwt, LargeWebhook, OAuth1, Sample, Sent, SharedSecret, Ticket, TimestampHash, Webhook, body, forged,
};
use tower_sso::VerifyLayer;
use tower_sso::form::Form;

/// Requests are created outside the measured time, a few at once. The default batch would exceed the processor's caches,
/// which a server's requests do not.
const FEW: BatchSize = BatchSize::NumIterations(32);

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn good<S: Sample>(group: &mut Group<'_>) {
    let request = S::request(0);
    let raw_mac = S::raw_mac(&request);
    group.bench_function("raw MAC", |bencher| bencher.iter(&raw_mac));

    let layer = S::layer(NoStore);
    let (body, key) = (body(&request), S::key());
    let (head, _) = request.clone().into_parts();
    group.bench_function("authentic", |bencher| bencher.iter(|| authentic(layer.form(), &key, &head, &body)));
    group.bench_function("verify", |bencher| {
        let measured = |request: Sent| {
            let (head, _) = request.into_parts();
            drop(verify(layer.form(), &key, &head, &body));
        };
        bencher.iter_batched(|| request.clone(), measured, FEW);
    });
    // Fernet's tenant. The other credentials name their tenant, or have one key for all.
    let (tenant, left) = ("4321".into(), left(&layer, request.clone()));
    let usage = layer.form().rules().usage;
    let hand = ByHand { keys: S::keys(), replay: Arc::new(NoStore), tenant, usage, left };
    group.bench_function("by hand", |bencher| {
        bencher.iter_batched(|| request.clone(), |request| by_hand(layer.form(), &hand, black_box(request)), FEW);
    });
    through_layer::<S>(group, "layer", &layer, &request, true);
    through_layer::<S>(group, "request", &S::layer(EachIsNew::moka()), &request, true);
    through_layer::<S>(group, "request, dense", &S::layer(EachIsNew::dense()), &request, true);
}

fn through_layer<S: Sample>(
    group: &mut Group<'_>,
    name: &str,
    layer: &VerifyLayer<S::Form>,
    request: &Sent,
    passes: bool,
) {
    let mut service = service(layer);
    let status = through(&mut service, request.clone()).status();
    assert_eq!(status == StatusCode::OK, passes, "{} {name}: {status}", S::NAME);
    group.bench_function(name, |bencher| {
        bencher.iter_batched(|| request.clone(), |request| through(&mut service, black_box(request)), FEW);
    });
}

/// "Right shape" is a well-formed credential with a wrong signature. "Wrong shape" is no credential of the form at all.
fn bad<S: Sample>(group: &mut Group<'_>, wrong_shape: impl Fn(usize) -> String) {
    let layer = S::layer(EachIsNew::moka());
    let request = S::request(0);
    let mut measure = |name: &str, request: &Sent, passes| through_layer::<S>(group, name, &layer, request, passes);
    measure("forged", &S::with(&request, &forged(&S::credential(&request))), false);
    if let Some(request) = S::of_tenant(&request, "nobody") {
        measure("unknown tenant", &request, false);
    }
    for kib in [4, 8] {
        measure(&format!("{kib} KiB of the wrong shape"), &S::with(&request, &wrong_shape(kib * 1024)), false);
    }
}

/// For forms of variable length: garbage in the form's alphabet, next to a good credential of the same length.
fn long<S: Sample>(group: &mut Group<'_>) {
    let layer = S::layer(EachIsNew::moka());
    for kib in [4, 8] {
        let good = S::request(kib * 1024 - 600);
        through_layer::<S>(group, &format!("{kib} KiB, good"), &layer, &good, true);
        let bad = S::with(&good, &forged(&S::credential(&good)));
        through_layer::<S>(group, &format!("{kib} KiB of the right shape"), &layer, &bad, false);
    }
}

fn forms(criterion: &mut Criterion) {
    let garbage = |length: usize| "x".repeat(length);
    {
        let mut group = criterion.benchmark_group(Fernet::NAME);
        good::<Fernet>(&mut group);
        bad::<Fernet>(&mut group, garbage);
        long::<Fernet>(&mut group);
        let (fernet, token) =
            (fernet::Fernet::new(samples::FERNET_KEY).unwrap(), Fernet::credential(&Fernet::request(0)));
        group.bench_function("the crate's decrypt", |bencher| {
            bencher.iter(|| fernet.decrypt(black_box(&token)).unwrap());
        });
    }
    {
        let mut group = criterion.benchmark_group(Jwt::NAME);
        good::<Jwt>(&mut group);
        bad::<Jwt>(&mut group, garbage);
        long::<Jwt>(&mut group);
    }
    {
        let mut group = criterion.benchmark_group(TimestampHash::NAME);
        good::<TimestampHash>(&mut group);
        bad::<TimestampHash>(&mut group, garbage);
    }
    {
        let mut group = criterion.benchmark_group(OAuth1::NAME);
        good::<OAuth1>(&mut group);
        bad::<OAuth1>(&mut group, garbage);
        long::<OAuth1>(&mut group);
    }
    {
        let mut group = criterion.benchmark_group(Webhook::NAME);
        good::<Webhook>(&mut group);
        bad::<Webhook>(&mut group, garbage);
        long::<Webhook>(&mut group);
    }
    {
        let mut group = criterion.benchmark_group(LargeWebhook::NAME);
        good::<LargeWebhook>(&mut group);
        bad::<LargeWebhook>(&mut group, garbage);
    }
    {
        let mut group = criterion.benchmark_group(SharedSecret::NAME);
        good::<SharedSecret>(&mut group);
        bad::<SharedSecret>(&mut group, garbage);
    }
    {
        let mut group = criterion.benchmark_group(Ticket::NAME);
        good::<Ticket>(&mut group);
        bad::<Ticket>(&mut group, garbage);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_millis(1_500));
    targets = forms
}
criterion_main!(benches);
