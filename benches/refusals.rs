//! Timing of refusals: an unknown tenant and a wrong signature must take the same time, and neither may cost more than a good
//! request.
//!
//! ```sh
//! cargo bench --bench refusals
//! ```
//! In each group, the ratio of `unknown tenant` to `wrong signature` should be 1, within the noise. In the RSA groups the sender
//! chooses the length of the signature: all tenants of a group should take the same time.
//! In the group of names the sender chooses the names of an object: 100,000 in one object should take at most some 20 times as
//! long as one in each of 100,000 objects.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use futures::executor::block_on;
use support::subject::{
    FernetSubject, JwtSubject, OAuth1Subject, Subject, TimestampHashSubject, WebhookSubject, Wish, get, keys,
};
use support::{App, Request_, clock, outcome, replay};
use tower_sso::jwt::{self, Algorithm};
use tower_sso::keys::MemoryKeys;
use tower_sso::tenant::Tenant;
use tower_sso::webhook::FromBody;

fn form<S: Subject>(criterion: &mut Criterion) {
    let app: App = S::app_with(keys::<S>(), replay(), clock());
    let mut group = criterion.benchmark_group(S::NAME);
    for (name, wish) in [
        // `acme` has two keys, as during a rotation; `other` has one, like most tenants.
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

/// Signatures of each common length, sent to tenants with keys of that size, with keys of other sizes, and unknown ones.
fn rsa(criterion: &mut Criterion) {
    const KEYS: [(&str, &str); 3] = [
        ("2048", include_str!("../tests/vectors/keys/rsa-2048-public.pem")),
        ("3072", include_str!("../tests/vectors/keys/rsa-3072-public.pem")),
        ("4096", include_str!("../tests/vectors/keys/rsa-4096-public.pem")),
    ];
    let keys = KEYS.into_iter().fold(MemoryKeys::new(), |keys, (tenant, key)| keys.with(tenant, key));
    let layer = jwt::layer::<serde_json::Value>(Algorithm::RS256).audience("rp.example").tenant(Tenant::query("t"));
    let app = App::new(layer.keys(keys).replay(replay()).clock(clock()).build().unwrap());
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
    for (shape, byte) in [("small", 1), ("above the modulus", 0xff)] {
        for length in [256, 384, 512] {
            let mut group = criterion.benchmark_group(format!("rsa, {length} bytes, {shape}"));
            let signature = URL_SAFE_NO_PAD.encode(vec![byte; length]);
            for tenant in ["2048", "3072", "4096", "unknown"] {
                let request = get(&format!("/?t={tenant}&sso_jwt={header}.e30.{signature}"));
                assert_eq!(outcome(&block_on(app.send(request.clone()))), "invalid", "{tenant}");
                group.bench_function(tenant, |bencher| {
                    let send = |request| black_box(block_on(app.send(request)));
                    bencher.iter_batched(|| request.clone(), send, BatchSize::SmallInput);
                });
            }
            group.finish();
        }
    }
}

/// Duplicate names are looked for in each object: 100,000 names that one object has, next to 100,000 objects of one name.
fn names(criterion: &mut Criterion) {
    const COUNT: u32 = 100_000;
    let object = |number: fn(u32) -> u32| {
        let names: Vec<_> = (0..COUNT).map(|n| format!(r#""{:010}":0"#, number(n))).collect();
        format!("{{{}}}", names.join(","))
    };
    let one_each: Vec<_> = (0..COUNT).map(|n| format!(r#"{{"{n:010}":0}}"#)).collect();
    let mut group = criterion.benchmark_group("names");
    group.sample_size(10);
    for (name, json) in [
        ("one in each object", format!(r#"{{"list":[{}]}}"#, one_each.join(","))),
        ("ascending", object(|n| n)),
        ("descending", object(|n| COUNT - n)),
        ("in no order", object(|n| n.wrapping_mul(0x9E37_79B1))),
    ] {
        let body = Bytes::from(json);
        group.bench_function(name, |bencher| bencher.iter(|| Nothing::from_body(black_box(&body)).unwrap()));
    }
    group.finish();
}

/// Claims that read nothing.
#[derive(serde::Deserialize)]
struct Nothing {}

criterion_group!(benches, forms, rsa, names);
criterion_main!(benches);
