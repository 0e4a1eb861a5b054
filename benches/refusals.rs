//! An unknown tenant and a wrong signature must not be told apart by the time that they take, and neither may cost more than
//! a good request.
//!
//! ```sh
//! cargo bench --bench refusals
//! ```
//! Compare `unknown tenant` with `wrong signature` in each group: their ratio is to be 1, within the noise.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use futures::executor::block_on;
use support::subject::{
    FernetSubject, JwtSubject, OAuth1Subject, Subject, TimestampHashSubject, WebhookSubject, Wish, keys,
};
use support::{App, Request_, clock, outcome, replay};

fn form<S: Subject>(criterion: &mut Criterion) {
    let app: App = S::app_with(keys::<S>(), replay(), clock());
    let mut group = criterion.benchmark_group(S::NAME);
    for (name, wish) in [
        // `acme` has two keys while it rotates; `other` has one, as most tenants most of the time.
        ("wrong signature", Wish { tenant: "other", key: 3, ..Wish::default() }),
        ("unknown tenant", Wish { tenant: "nobody", key: 3, ..Wish::default() }),
    ] {
        let request: Request_ = S::request(&wish);
        assert_eq!(outcome(&block_on(app.send(request.clone()))), "invalid", "{name}");
        group.bench_function(name, |bencher| {
            let send = |request| black_box(block_on(app.send(request)));
            bencher.iter_batched(|| request.clone(), send, BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn forms(criterion: &mut Criterion) {
    form::<FernetSubject>(criterion);
    form::<WebhookSubject>(criterion);
    form::<JwtSubject>(criterion);
    form::<TimestampHashSubject>(criterion);
    form::<OAuth1Subject>(criterion);
}

criterion_group!(benches, forms);
criterion_main!(benches);
