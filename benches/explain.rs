//! What it costs to explain a refused request, at worst: no slip of a partner explains it, so all that may be tried is.
//!
//! ```sh
//! cargo bench --bench explain
//! ```
//! Each form's request is of the tenant `acme`, which has two keys, and signed with a key that nobody has. `refused` is
//! the same request through the layer, which explains nothing. The bodies of 4 and 64 KiB are JSON.

#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use futures::executor::block_on;
use http::Request;
use http::request::Parts;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use support::subject::{
    FernetSubject, HttpSignatureSubject, JwtSubject, JwtWebhookSubject, OAuth1Subject, SealedSubject,
    SharedSecretSubject, SignedJsonSubject, SignedParametersSubject, SignedPayloadSubject, Subject, TicketSubject,
    TimestampHashSubject, WebhookSubject, Wish, keys,
};
use support::{clock, outcome, replay};
use tower_sso::form::Form;
use tower_sso::webhook::RawBody;
use tower_sso::{VerifyLayer, explain, signed_json, webhook};

fn explained<F: Form, C>(
    criterion: &mut Criterion,
    name: &str,
    layer: &VerifyLayer<F, C>,
    (head, body): (&Parts, &Bytes),
) {
    let explanation = block_on(explain::request(layer, head, body));
    assert!(explanation.refused().is_some(), "{name}: {explanation}");
    criterion.bench_function(&format!("explain/{name}"), |bencher| {
        bencher.iter(|| black_box(block_on(explain::request(layer, black_box(head), body))));
    });
}

fn form<S: Subject, F: Form, C>(criterion: &mut Criterion, layer: &VerifyLayer<F, C>) {
    let request = S::request(&Wish { key: 3, ..Wish::default() });
    let app = S::app_with(keys::<S>(), replay(), clock());
    assert_eq!(outcome(&block_on(app.send(request.clone()))), "invalid", "{}", S::NAME);
    criterion.bench_function(&format!("refused/{}", S::NAME), |bencher| {
        let send = |request| black_box(block_on(app.send(request)));
        bencher.iter_batched(|| request.clone(), send, BatchSize::SmallInput);
    });
    let (head, body) = request.into_parts();
    let body = block_on(body.collect()).unwrap().to_bytes();
    explained(criterion, S::NAME, layer, (&head, &body));
}

fn forms(criterion: &mut Criterion) {
    macro_rules! forms {
        ($($subject:ident)*) => {
            $(let layer = $subject::layer(keys::<$subject>(), replay(), clock()).build().unwrap();
            form::<$subject, _, _>(criterion, &layer);)*
        };
    }
    forms!(FernetSubject HttpSignatureSubject JwtSubject JwtWebhookSubject OAuth1Subject SealedSubject SignedJsonSubject
        SignedParametersSubject SignedPayloadSubject TimestampHashSubject WebhookSubject);
    let layer = SharedSecretSubject::layer(keys::<SharedSecretSubject>(), clock()).build().unwrap();
    form::<SharedSecretSubject, _, _>(criterion, &layer);
    form::<TicketSubject, _, _>(criterion, &TicketSubject::layer(clock()).build().unwrap());
}

/// JSON of about this length, with all that may be written in another way.
fn long(kib: usize) -> Value {
    let item = json!({"id": 1234567, "name": "Ada Lovelace é", "url": "https://x.example/a/b", "list": [1, 2, 3]});
    Value::Array(vec![item; kib * 1024 / 100])
}

fn bodies(criterion: &mut Criterion) {
    for kib in [4, 64] {
        let layer = webhook::layer::<RawBody>().keys(keys::<WebhookSubject>()).replay(replay()).handler_remembers();
        let layer = layer.tenant(tower_sso::tenant::Tenant::fixed("acme")).clock(clock()).build().unwrap();
        let mut body = serde_json::to_vec_pretty(&long(kib)).unwrap();
        body.truncate(kib * 1024);
        let request = Request::post("/").header("content-type", "application/json");
        let (head, ()) = request.header("webhook-signature", "00".repeat(32)).body(()).unwrap().into_parts();
        explained(criterion, &format!("webhook, {kib} KiB"), &layer, (&head, &body.into()));

        let layer = signed_json::layer::<Value>(["/a", "/b", "/c", "/d"]).keys(keys::<SignedJsonSubject>());
        let layer = layer.layout(signed_json::Layout::Joined(':')).replay(replay()).handler_remembers();
        let layer = layer.tenant(tower_sso::tenant::Tenant::fixed("acme")).clock(clock()).build().unwrap();
        let mut items = long(kib);
        items.as_array_mut().unwrap().truncate(kib * 10 - 10);
        let body = json!({"a": 1, "b": "2", "c": 3, "d": "4", "signature": "00".repeat(32), "items": items});
        let request = Request::post("/").header("content-type", "application/json");
        let (head, ()) = request.body(()).unwrap().into_parts();
        explained(criterion, &format!("signed_json, {kib} KiB"), &layer, (&head, &body.to_string().into()));
    }
}

criterion_group!(benches, forms, bodies);
criterion_main!(benches);
