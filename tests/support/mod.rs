//! Shared by the tests: a service that shows what reached it, and each form's requests, good and bad.
#![allow(
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    reason = "each test program uses its own part of it"
)]

pub mod integrators;
pub mod log;
pub mod pairs;
pub mod random;
pub mod subject;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::Identity;
use tower_sso::VerifyLayer;
use tower_sso::body::{LayerBody, ReadBody};
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::form::Form;
use tower_sso::rejection::Rejection;
use tower_sso::replay::MemoryReplay;

pub const NOW: u64 = 1_700_000_000;

pub fn clock() -> ManualClock {
    ManualClock::at(UnixTime::from_secs(NOW))
}

/// A store whose startup cutoff is an hour before [`NOW`].
pub fn replay() -> MemoryReplay {
    MemoryReplay::builder().clock(ManualClock::at(UnixTime::from_secs(NOW - 3_600))).build()
}

pub type Request_ = Request<Full<Bytes>>;
pub type Answer = Response<Bytes>;

/// A layer of any form over an [`Inner`] service.
#[derive(Clone)]
pub struct App {
    service: BoxCloneSyncService<Request_, Answer, Infallible>,
    pub inner: Inner,
}

/// Counts what reaches it, shows the URI it saw, and answers with the status it was told.
#[derive(Clone)]
pub struct Inner {
    calls: Arc<AtomicUsize>,
    status: Arc<std::sync::Mutex<StatusCode>>,
}

impl Inner {
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn answer_with(&self, status: StatusCode) {
        *self.status.lock().unwrap() = status;
    }
}

/// What the inner service saw, in the extensions of its answer.
#[derive(Clone, Debug)]
pub struct Seen {
    pub uri: Uri,
    pub body: Bytes,
    pub identified: bool,
    pub tenant: Option<String>,
    pub credential: Option<String>,
    pub key: Option<tower_sso::keys::KeyUse>,
    /// As [`App::showing`] shows them.
    pub claims: Option<String>,
}

/// A form whose requests an [`App`] can take: any form of this crate.
pub trait Served: Form<Reads: ReadBody<Full<Bytes>, Out = <Self as Served>::Out, Reading: Send>> + Sync {
    type Out: Body<Data = Bytes, Error: std::fmt::Debug> + Send + Sync + 'static;
}

impl<F, Out> Served for F
where
    F: Form<Reads: ReadBody<Full<Bytes>, Out = Out, Reading: Send>> + Sync,
    Out: Body<Data = Bytes, Error: std::fmt::Debug> + Send + Sync + 'static,
{
    type Out = Out;
}

impl App {
    pub fn new<F, C>(layer: VerifyLayer<F, C>) -> Self
    where
        F: Served,
        C: Send + Sync + 'static,
    {
        Self::showing(layer, |_| None)
    }

    /// Also shows what the identity says.
    pub fn showing<F, C>(layer: VerifyLayer<F, C>, show: fn(&C) -> Option<String>) -> Self
    where
        F: Served,
        C: Send + Sync + 'static,
    {
        let inner = Inner { calls: Arc::default(), status: Arc::new(std::sync::Mutex::new(StatusCode::OK)) };
        let shown = inner.clone();
        let service = service_fn(move |request: Request<F::Out>| {
            let inner = shown.clone();
            async move {
                inner.calls.fetch_add(1, Ordering::SeqCst);
                let (head, body) = request.into_parts();
                let identity = Identity::<C>::of(&head.extensions);
                let mut seen = Seen {
                    uri: head.uri.clone(),
                    body: Bytes::new(),
                    identified: identity.is_some(),
                    tenant: identity.map(|identity| identity.tenant().to_string()),
                    credential: identity.map(|identity| identity.fingerprint().to_string()),
                    key: identity.map(Identity::key_use),
                    claims: identity.and_then(|identity| show(identity)),
                };
                seen.body = body.collect().await.unwrap().to_bytes();
                let mut response = Response::new(Full::<Bytes>::default());
                *response.status_mut() = *inner.status.lock().unwrap();
                response.extensions_mut().insert(seen);
                Ok::<_, Infallible>(response)
            }
        });
        let service = layer.layer(service).and_then(|response: Response<LayerBody<Full<Bytes>>>| async move {
            let (head, body) = response.into_parts();
            Ok(Response::from_parts(head, body.collect().await.unwrap().to_bytes()))
        });
        Self { service: BoxCloneSyncService::new(service), inner }
    }

    /// For requests that the layer passes on unchecked and whose answers it does not mark.
    pub async fn send_unsealed(&self, request: Request_) -> Answer {
        self.service.clone().oneshot(request).await.unwrap()
    }

    pub async fn send(&self, request: Request_) -> Answer {
        let answer = self.send_unsealed(request).await;
        assert_sealed(&answer);
        answer
    }
}

/// No cache may store an answer.
fn assert_sealed(answer: &Answer) {
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
}

/// The outcome of a request: `ok`, or the code of the refusal.
pub fn outcome(answer: &Answer) -> &'static str {
    match answer.extensions().get::<Rejection>() {
        None => "ok",
        Some(rejection) => {
            let code = rejection.code();
            assert_eq!(answer.status(), code.status());
            let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            assert_eq!(body["code"], code.as_str());
            assert_eq!(body["status"], code.status().as_u16());
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            code.as_str()
        }
    }
}

/// The precise reason of a refusal.
pub fn reason(answer: &Answer) -> &'static str {
    answer.extensions().get::<Rejection>().map_or("ok", |rejection| rejection.reason().as_str())
}

pub fn seen(answer: &Answer) -> &Seen {
    answer.extensions().get().expect("the request reached the inner service")
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
