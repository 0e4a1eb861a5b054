//! Compares other crates with tower-sso on the same credentials.
//!
//! ```sh
//! cd benches/peers && cargo bench
//! ```
//! Layers and extractors are measured as a whole, in front of a service that does nothing. The same request without them is
//! measured too, so that its cost can be subtracted.

#![allow(clippy::unwrap_used, reason = "a measurement")]

mod by_hand;
#[path = "../support/driver.rs"]
mod driver;
#[path = "../support/samples.rs"]
mod samples;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts};
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use driver::{NoStore, authentic, service, through, verify};
use futures::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::Full;
use jwt_authorizer::{IntoLayer, JwtAuthorizer};
use samples::{Fernet, Jwt, LargeWebhook, OAuth1, Sample, Webhook, body, parameter};
use sha2::Sha256;
use tower::{Layer, Service};
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::providers::waggl::WagglUser;
use tower_sso::providers::webhooks;
use webhook_verify::{Provider, Secret};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

const FEW: BatchSize = BatchSize::NumIterations(32);

/// tower-sso: the layer, the form's methods, and those that only authenticate.
fn ours<S: Sample>(group: &mut Group<'_>) {
    let (layer, request) = (S::layer(NoStore), S::request(0));
    let (body, key) = (body(&request), S::key());
    let (head, _) = request.clone().into_parts();
    group.bench_function("tower-sso, authentic", |bencher| {
        bencher.iter(|| authentic(layer.form(), &key, &head, &body));
    });
    group.bench_function("tower-sso, verify", |bencher| {
        bencher.iter(|| verify(layer.form(), &key, &head, &body));
    });
    let mut service = service(&layer);
    group.bench_function("tower-sso, layer", |bencher| {
        bencher.iter_batched(|| request.clone(), |request| through(&mut service, request), FEW);
    });
    // The overhead without a layer: dropping the request, and the answer.
    group.bench_function("tower-sso, no layer", |bencher| {
        bencher.iter_batched(|| request.clone(), |request| driver::Nothing.call(black_box(request)), FEW);
    });
}

fn fernet(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("peers_fernet");
    ours::<Fernet>(&mut group);
    let token = parameter(&Fernet::request(0), "token");
    let key = fernet::Fernet::new(samples::FERNET_KEY).unwrap();
    group.bench_function("fernet", |bencher| bencher.iter(|| key.decrypt_with_ttl(black_box(&token), 3_600).unwrap()));
}

#[derive(Clone)]
struct Nothing;

impl<B> Service<Request<B>> for Nothing {
    type Response = Response<axum_07::body::Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(axum_07::body::Body::empty())))
    }
}

struct State(Decoder<WagglUser>);

impl FromRef<State> for Decoder<WagglUser> {
    fn from_ref(state: &State) -> Self {
        Arc::clone(&state.0)
    }
}

fn jwt(criterion: &mut Criterion) {
    const AUDIENCE: &str = "app.waggl.com";
    let mut group = criterion.benchmark_group("peers_jwt");
    ours::<Jwt>(&mut group);
    let token = parameter(&Jwt::request(0), "sso_jwt");
    let bearer = || {
        let request = Request::get("/i/9745804b").header("authorization", format!("Bearer {token}"));
        request.body(Body::empty()).unwrap()
    };

    let key = jsonwebtoken::DecodingKey::from_secret(samples::JWT_SECRET.as_bytes());
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS512);
    validation.set_audience(&[AUDIENCE]);
    group.bench_function("jsonwebtoken", |bencher| {
        bencher.iter(|| jsonwebtoken::decode::<WagglUser>(black_box(&token), &key, &validation).unwrap());
    });

    let validation = jwt_authorizer::Validation::new().aud(&[AUDIENCE]);
    let build = JwtAuthorizer::<WagglUser>::from_secret(samples::JWT_SECRET).validation(validation).build();
    let mut service = build.now_or_never().unwrap().unwrap().into_layer().layer(Nothing);
    let mut send = |request| service.call(request).now_or_never().unwrap().unwrap().status();
    assert_eq!(send(bearer()), 200);
    group.bench_function("jwt-authorizer", |bencher| bencher.iter_batched(bearer, &mut send, FEW));
    let bare = |request| Nothing.call(black_box(request)).now_or_never().unwrap().unwrap().status();
    group.bench_function("jwt-authorizer, no layer", |bencher| bencher.iter_batched(bearer, bare, FEW));

    let key = jsonwebtoken_10::DecodingKey::from_secret(samples::JWT_SECRET.as_bytes());
    let mut validation = jsonwebtoken_10::Validation::new(jsonwebtoken_10::Algorithm::HS512);
    validation.set_audience(&[AUDIENCE]);
    let state = State(Arc::new(LocalDecoder::new(vec![key], validation).unwrap()));
    let extract = |request: Request<Body>| {
        let (mut head, _) = request.into_parts();
        Claims::<WagglUser>::from_request_parts(&mut head, &state).now_or_never().unwrap().unwrap()
    };
    group.bench_function("axum-jwt-auth", |bencher| bencher.iter_batched(bearer, extract, FEW));
    group.bench_function("axum-jwt-auth, no extractor", |bencher| {
        bencher.iter_batched(bearer, |request| drop(black_box(request).into_parts()), FEW);
    });
}

fn oauth1(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("peers_oauth1");
    ours::<OAuth1>(&mut group);
    // It takes parameters sorted and encoded: the rest of the work is left to its caller.
    let request = OAuth1::request(0);
    let mut pairs: Vec<&str> = request.uri().query().unwrap().split('&').collect();
    pairs.retain(|pair| !pair.starts_with("oauth_signature="));
    pairs.sort_unstable();
    let (query, signature) = (pairs.join("&"), parameter(&request, "oauth_signature"));
    let check = || {
        let secret = samples::CONSUMER_SECRET;
        oauth_client::check_signature(&signature, "GET", "https://app.example/widget/", &query, secret, None)
    };
    assert!(check());
    group.bench_function("oauth-client", |bencher| bencher.iter(check));
}

fn webhook(criterion: &mut Criterion) {
    fn each<S: Sample>(criterion: &mut Criterion, name: &str) {
        let mut group = criterion.benchmark_group(name);
        ours::<S>(&mut group);
        let request = S::request(0);
        let body = body(&request);
        let keyed = Hmac::<Sha256>::new_from_slice(samples::WEBHOOK_SECRET.as_bytes()).unwrap();
        let tag = keyed.clone().chain_update(&body).finalize().into_bytes();
        let bare = || keyed.clone().chain_update(black_box(&body)).verify_slice(&tag).unwrap();
        group.bench_function("bare MAC", |bencher| bencher.iter(bare));
        let check = || by_hand::webhook(samples::WEBHOOK_SECRET, black_box(request.headers()), &body).unwrap();
        group.bench_function("by hand", |bencher| bencher.iter(check));
        // GitHub signs like TutorCruncher, but with another header name and a prefix.
        let headers = vec![("X-Hub-Signature-256".to_owned(), format!("sha256={}", S::credential(&request)))];
        let secret = Secret::new(samples::WEBHOOK_SECRET.to_owned());
        let check =
            || webhook_verify::verify(Provider::GitHub, &headers, black_box(&body), &secret, Default::default());
        check().unwrap();
        group.bench_function("webhook-verify", |bencher| bencher.iter(check));
    }
    each::<Webhook>(criterion, "peers_webhook");
    each::<LargeWebhook>(criterion, "peers_webhook_64_kib");
}

/// A delivery of Svix: HMAC-SHA256 of id, time and body. `standardwebhooks` always checks the time, which is the real one; `svix`
/// need not, and does not here.
fn standard_webhooks(criterion: &mut Criterion) {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    let mut group = criterion.benchmark_group("peers_standard_webhooks");
    let body = body(&Webhook::request(0));
    let now = SystemClock.now().as_secs();
    let svix = svix::webhooks::Webhook::new(SECRET).unwrap();
    let signature = svix.sign(ID, now, &body).unwrap();
    let headers = |prefix: &str| {
        let names =
            ["id", "timestamp", "signature"].map(|name| format!("{prefix}-{name}").parse::<HeaderName>().unwrap());
        let values = [ID, &now.to_string(), &signature].map(|value| HeaderValue::from_str(value).unwrap());
        names.into_iter().zip(values).collect::<HeaderMap>()
    };
    let request = || {
        let mut request = Request::post("/hook").header("content-type", "application/json");
        request.headers_mut().unwrap().extend(headers("svix"));
        request.body(Full::new(body.clone())).unwrap()
    };

    let layer = webhooks::svix::<serde_json::Value>().secrets([SECRET]).max_age(Duration::from_secs(3_600));
    let layer = layer.replay(NoStore).handler_remembers().build().unwrap();
    let (head, _) = request().into_parts();
    let key = tower_sso::Secret::new(SECRET);
    group.bench_function("tower-sso, authentic", |bencher| {
        bencher.iter(|| authentic(layer.form(), &key, &head, &body));
    });
    let mut service = service(&layer);
    assert_eq!(through(&mut service, request()).status(), 200);
    group.bench_function("tower-sso, layer", |bencher| {
        bencher.iter_batched(request, |request| through(&mut service, request), FEW);
    });
    group.bench_function("tower-sso, no layer", |bencher| {
        bencher.iter_batched(request, |request| driver::Nothing.call(black_box(request)), FEW);
    });

    let secret = BASE64_STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let keyed = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    let tag = BASE64_STANDARD.decode(signature.trim_start_matches("v1,")).unwrap();
    let start = format!("{ID}.{now}.");
    let bare =
        || keyed.clone().chain_update(black_box(&start)).chain_update(black_box(&body)).verify_slice(&tag).unwrap();
    group.bench_function("bare MAC", |bencher| bencher.iter(bare));

    let of_svix = headers("svix");
    let check = || by_hand::standard_webhooks(black_box(&secret), black_box(&of_svix), black_box(&body)).unwrap();
    group.bench_function("by hand", |bencher| bencher.iter(check));
    group.bench_function("svix", |bencher| {
        bencher.iter(|| svix.verify_ignoring_timestamp(black_box(&body), &of_svix).unwrap());
    });
    let standard = standardwebhooks::Webhook::new(SECRET).unwrap();
    let of_standard = headers("webhook");
    group.bench_function("standardwebhooks", |bencher| {
        bencher.iter(|| standard.verify(black_box(&body), &of_standard).unwrap());
    });
}

/// Writes the credentials for `peers.py`, if `PEERS_CREDENTIALS` is set.
fn write_credentials(_: &mut Criterion) {
    let Some(path) = std::env::var_os("PEERS_CREDENTIALS") else { return };
    let credentials = serde_json::json!({
        "fernet": parameter(&Fernet::request(0), "token"),
        "fernet_key": samples::FERNET_KEY,
        "jwt": parameter(&Jwt::request(0), "sso_jwt"),
        "jwt_secret": samples::JWT_SECRET,
        "oauth1": format!("https://app.example{}", OAuth1::request(0).uri()),
        "consumer": parameter(&OAuth1::request(0), "oauth_consumer_key"),
        "consumer_secret": samples::CONSUMER_SECRET,
    });
    std::fs::write(path, credentials.to_string()).unwrap();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_millis(1_500));
    targets = write_credentials, fernet, jwt, oauth1, webhook, standard_webhooks
}
criterion_main!(benches);
