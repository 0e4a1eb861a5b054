//! Runs the same request through a layer, through its form's methods, and through the same rules written by hand.

#![allow(dead_code, unreachable_pub, reason = "each program uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "a measurement")]

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::header::{CACHE_CONTROL, REFERRER_POLICY};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service};
use tower_sso::VerifyLayer;
use tower_sso::body::{LayerBody, ReadBody};
use tower_sso::clock::{Clock, SystemClock, UnixTime};
use tower_sso::form::{Form, Presence, Usage};
use tower_sso::keys::{KeyStore, Secret, TenantId};
use tower_sso::replay::{
    Claim, Claimed, DenseReplay, Fingerprint, FingerprintHasher, Hold, LeaseId, MemoryReplay, ReplayStore,
};
use tower_sso::service::Verify;
use tower_sso::store::{StoreError, StoreFuture};

use super::samples::Sent;

/// An inner service that does nothing.
#[derive(Clone)]
pub struct Nothing;

impl<B> Service<Request<B>> for Nothing {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}

pub type Answer = Response<LayerBody<()>>;

/// One request through the whole layer. All stores answer at once, so one poll is enough.
pub fn through<F>(service: &mut Verify<Nothing, F>, request: Sent) -> Answer
where
    F: Form<Reads: ReadBody<Full<Bytes>>>,
{
    // Polled in place, like in a server.
    let future = pin!(service.call(request));
    let Poll::Ready(Ok(answer)) = future.poll(&mut Context::from_waker(Waker::noop())) else { unreachable!() };
    answer
}

pub fn service<F: Form>(layer: &VerifyLayer<F>) -> Verify<Nothing, F> {
    layer.layer(Nothing)
}

/// All of the form's methods in order, with the key given and the time read once.
pub fn verify<F: Form>(form: &F, key: &Secret, head: &Parts, body: &Bytes) -> F::Claims {
    let now = SystemClock.now();
    form.screen(head).unwrap();
    let extracted = form.extract(head, body).unwrap();
    let message = form.verify(&extracted.credential, key).unwrap();
    let mut fingerprint = FingerprintHasher::new(F::NAME);
    form.fingerprint(&message, &mut fingerprint);
    std::hint::black_box(fingerprint.finish());
    form.validity(&message).unwrap().check(now).unwrap();
    form.claims(message, now).unwrap()
}

/// The form's methods that authenticate the credential and its time.
pub fn authentic<F: Form>(form: &F, key: &Secret, head: &Parts, body: &Bytes) -> F::Message {
    let extracted = form.extract(head, body).unwrap();
    let message = form.verify(&extracted.credential, key).unwrap();
    std::hint::black_box(form.validity(&message).unwrap());
    message
}

/// The parts of the check by hand.
pub struct ByHand {
    pub keys: Arc<dyn KeyStore>,
    pub replay: Arc<dyn ReplayStore>,
    pub tenant: TenantId,
    pub usage: Usage,
    /// The URI without the credential.
    pub left: PathAndQuery,
}

/// The layer's rules, written by hand for one route: the form's methods, the key lookup, a claim, reading the clock again, the
/// identity in the extensions, the credential removed from the URI, and two response headers. It takes shortcuts that a layer
/// cannot: no store has to be awaited, and the remaining URI is known in advance.
pub fn by_hand<F: Form>(form: &F, hand: &ByHand, request: Sent) -> Answer {
    let now = SystemClock.now();
    let (mut head, mut body) = request.into_parts();
    let mut bytes = Bytes::new();
    if form.screen(&head).unwrap() == Presence::InBody {
        bytes = body.collect().now_or_never().unwrap().unwrap().to_bytes();
        body = Full::new(bytes.clone());
    }
    let extracted = form.extract(&head, &bytes).unwrap();
    let keys = form.look_up(&extracted.credential);
    let keys = keys.unwrap_or_else(|| hand.keys.keys(extracted.tenant.as_ref().unwrap_or(&hand.tenant)));
    let keys = keys.now_or_never().unwrap().unwrap();
    let message = form.verify(&extracted.credential, keys.first().unwrap().secret()).unwrap();
    let mut fingerprint = FingerprintHasher::new(F::NAME);
    form.fingerprint(&message, &mut fingerprint);
    let key = fingerprint.finish();
    let validity = form.validity(&message).unwrap();
    validity.check(now).unwrap();
    let claims = form.claims(message, now).unwrap();
    let usage = hand.usage;
    if usage != Usage::Reusable {
        let claimed = hand.replay.claim(&Claim::new(key, now, Hold::Until(validity.not_after()))).now_or_never();
        assert_eq!(claimed.unwrap().unwrap(), Claimed::First);
        assert!(SystemClock.now().since(now) < Duration::from_secs(5), "the process stalled");
    }
    head.extensions.insert(Arc::new((claims, key)));
    if head.uri.query().is_some() {
        head.uri = Uri::from(match hand.left.query() {
            None => hand.left.clone(),
            Some(_) => hand.left.as_str().to_owned().try_into().unwrap(),
        });
    }
    let mut answer =
        Nothing.call(std::hint::black_box(Request::from_parts(head, body))).now_or_never().unwrap().unwrap();
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Usage::Idempotent { lease, .. } = usage {
        let now = SystemClock.now();
        hand.replay.settle(&Claim::new(key, now, Hold::Until(now.plus(lease)))).now_or_never().unwrap().unwrap();
    }
    answer.map(LayerBody::from_inner)
}

/// A request's URI as the inner service sees it.
pub fn left<F>(layer: &VerifyLayer<F>, request: Sent) -> PathAndQuery
where
    F: Form<Reads: ReadBody<Full<Bytes>>>,
{
    let answer = layer.layer(Show).call(request).now_or_never().unwrap().unwrap();
    answer.extensions().get::<Uri>().unwrap().path_and_query().unwrap().clone()
}

/// An inner service that answers with the request's URI.
#[derive(Clone)]
struct Show;

impl<B> Service<Request<B>> for Show {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut response = Response::new(());
        response.extensions_mut().insert(request.uri().clone());
        ready(Ok(response))
    }
}

/// A replay store that remembers nothing, to measure the layer without a store.
pub struct NoStore;

impl ReplayStore for NoStore {
    fn claim(&self, _: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        StoreFuture::ready(Ok(Claimed::First))
    }

    fn settle(&self, _: &Claim) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    fn release(&self, _: Fingerprint, _: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        None
    }
}

/// An in-memory store with a new key for each claim, so that one credential can be sent again and again.
pub struct EachIsNew<R>(R, AtomicU64);

impl EachIsNew<MemoryReplay> {
    pub fn moka() -> Self {
        Self(MemoryReplay::builder().ceiling(u64::MAX).build(), AtomicU64::new(1))
    }
}

impl EachIsNew<DenseReplay> {
    pub fn dense() -> Self {
        Self(DenseReplay::builder().ceiling(u64::MAX).build(), AtomicU64::new(1))
    }
}

impl<R> EachIsNew<R> {
    fn another(&self, key: Fingerprint) -> Fingerprint {
        let mut bytes = *key.as_bytes();
        let number = self.1.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        bytes.into()
    }
}

impl<R: ReplayStore> ReplayStore for EachIsNew<R> {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let hold = Hold::Until(claim.now.plus(Duration::from_secs(1)));
        self.0.claim(&Claim::new(self.another(claim.key), claim.now, hold))
    }

    fn settle(&self, _: &Claim) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    fn release(&self, _: Fingerprint, _: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        None
    }
}
