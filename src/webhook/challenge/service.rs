use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::answer::{Kind, Verdict, decided};
use crate::body::LayerBody;
use crate::debug::opaque_debug;
use crate::store::{StoreError, StoreFuture};

/// The service that a [`Challenge`](super::Challenge) makes.
///
/// ```
/// use http::{Request, Response};
/// use tower_layer::Layer;
/// use tower_sso::webhook::challenge::{Challenge, Challenged};
///
/// let inner = tower::service_fn(|_: Request<()>| async { Ok::<_, std::io::Error>(Response::new(String::new())) });
/// let service: Challenged<_> = Challenge::found().layer(inner);
/// ```
#[derive(Clone)]
pub struct Challenged<S> {
    inner: S,
    kind: Arc<Kind>,
}

impl<S> Challenged<S> {
    pub(super) fn new(inner: S, kind: Arc<Kind>) -> Self {
        Self { inner, kind }
    }
}

impl<S, B, R> Service<Request<B>> for Challenged<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<LayerBody<R>>;
    type Error = S::Error;
    type Future = ChallengeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let state = match self.kind.verdict(&head) {
            // The ready service is called at once, so it need not be moved out.
            Verdict::NoChallenge => State::Inner { answer: self.inner.call(Request::from_parts(head, body)) },
            Verdict::Answer(answer) => State::Answered { answer: Some(answer) },
            Verdict::Asked { accepted, header } => State::Asked { accepted, header: Some(header) },
        };
        ChallengeFuture { state }
    }
}

pin_project! {
    /// The answer to a challenge, or the inner service's to another request.
    #[must_use = "futures do nothing unless polled"]
    pub struct ChallengeFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Inner { #[pin] answer: F },
        Answered { answer: Option<Response<Bytes>> },
        Asked { accepted: StoreFuture<Result<bool, StoreError>>, header: Option<(HeaderName, HeaderValue)> },
    }
}

impl<F, R, E> Future for ChallengeFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<LayerBody<R>>, E>;

    /// Polled again after it has answered a challenge, it stays pending.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match self.project().state.project() {
            StateProj::Inner { answer } => return answer.poll(cx).map_ok(|answer| answer.map(LayerBody::from_inner)),
            StateProj::Answered { answer } => answer.take(),
            StateProj::Asked { accepted, header } => {
                let accepted = ready!(Pin::new(accepted).poll(cx));
                header.take().map(|header| decided(&accepted, header))
            }
        };
        answer.map_or(Poll::Pending, |answer| Poll::Ready(Ok(answer.map(LayerBody::from_bytes))))
    }
}

opaque_debug!(Challenged<S>);
opaque_debug!(ChallengeFuture<F>);
