//! The future of a checked request: [`ResponseFuture`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tokio::task::JoinHandle;
use tower_service::Service;

use super::Engine;
use super::check::{Passed, Screening, Stop, check};
use super::lease::LeaseGuard;
use crate::body::{LayerBody, ReadBody};
use crate::form::Form;
use crate::identity::Identity;
use crate::rejection::seal;

type Handed<F, B> = <<F as Form>::Reads as ReadBody<B>>::Out;
type Reading<F, B> = <<F as Form>::Reads as ReadBody<B>>::Reading;

/// The check of a request, which owns the request's head meanwhile.
type Check<C> = Pin<Box<dyn Future<Output = (Parts, Result<Passed<C>, Stop>)> + Send>>;

pin_project! {
    /// The answer to a request that is being checked. Nothing is checked before it is polled.
    #[must_use = "nothing is checked unless it is polled"]
    pub struct ResponseFuture<S, F, B, R, C = <F as Form>::Claims>
    where
        F: Form,
        F::Reads: ReadBody<B>,
        S: Service<Request<Handed<F, B>>>,
    {
        engine: Arc<Engine<F, C>>,
        #[pin]
        state: State<S, Handed<F, B>, Reading<F, B>, S::Future, R, S::Error, C>,
    }
}

pin_project! {
    // Each state is left with `project_replace`, which takes out of it what the next one needs.
    #[project = StateProj]
    #[project_replace = StateOwn]
    enum State<S, Out, Rd, Fut, R, E, C> {
        Reading { #[pin] reading: Rd, head: Parts, service: S },
        Checking { check: Check<C>, body: Out, service: S },
        // Field order is drop order: the inner service's work is cancelled before its lease is released.
        Calling { #[pin] answer: Fut, lease: Option<LeaseGuard>, sealed: bool },
        Settling { settled: JoinHandle<()>, outcome: Result<Response<LayerBody<R>>, E> },
        Answered { response: Response<LayerBody<R>> },
        Done,
    }
}

impl<S, F, B, R, C> ResponseFuture<S, F, B, R, C>
where
    F: Form,
    F::Reads: ReadBody<B>,
    C: Send + Sync + 'static,
    S: Service<Request<Handed<F, B>>, Response = Response<R>>,
{
    /// `service` was polled ready.
    pub(super) fn new(engine: Arc<Engine<F, C>>, mut service: S, request: Request<B>) -> Self {
        let (mut head, body) = request.into_parts();
        // Nobody but this layer may say who the user is.
        head.extensions.remove::<Identity<C>>();
        let state = match engine.screen(&head) {
            Ok(Screening::PassThrough) => {
                let answer = service.call(Request::from_parts(head, F::Reads::untouched(body)));
                State::Calling { answer, lease: None, sealed: false }
            }
            Ok(Screening::Head) => {
                State::Checking { check: begin(&engine, head, Bytes::new()), body: F::Reads::untouched(body), service }
            }
            Ok(Screening::Body) => State::Reading { reading: F::Reads::read(body, engine.body), head, service },
            Err(reason) => State::Answered { response: engine.refuse(reason, &head.headers) },
        };
        Self { engine, state }
    }
}

fn begin<F: Form, C: Send + Sync + 'static>(engine: &Arc<Engine<F, C>>, head: Parts, body: Bytes) -> Check<C> {
    let engine = Arc::clone(engine);
    Box::pin(async move {
        let checked = check(&engine, &head, &body).await;
        (head, checked)
    })
}

impl<S, F, B, R, C> Future for ResponseFuture<S, F, B, R, C>
where
    F: Form,
    F::Reads: ReadBody<B>,
    C: Send + Sync + 'static,
    S: Service<Request<Handed<F, B>>, Response = Response<R>>,
{
    type Output = Result<Response<LayerBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let engine = &*this.engine;
        loop {
            match this.state.as_mut().project() {
                StateProj::Reading { reading, .. } => {
                    let read = ready!(reading.poll(cx));
                    let StateOwn::Reading { head, service, .. } = this.state.as_mut().project_replace(State::Done)
                    else {
                        return Poll::Pending;
                    };
                    match read {
                        Ok((bytes, body)) => {
                            this.state.set(State::Checking { check: begin(engine, head, bytes), body, service });
                        }
                        Err(reason) => return Poll::Ready(Ok(engine.refuse(reason, &head.headers))),
                    }
                }
                StateProj::Checking { check, .. } => {
                    let (mut head, checked) = ready!(check.as_mut().poll(cx));
                    let StateOwn::Checking { body, mut service, .. } = this.state.as_mut().project_replace(State::Done)
                    else {
                        return Poll::Pending;
                    };
                    match checked {
                        Ok(Passed { admitted, lease }) => {
                            engine.admit(&mut head, admitted);
                            let answer = service.call(Request::from_parts(head, body));
                            this.state.set(State::Calling { answer, lease, sealed: true });
                        }
                        Err(Stop::Refused(reason)) => return Poll::Ready(Ok(engine.refuse(reason, &head.headers))),
                        Err(Stop::Acknowledged) => return Poll::Ready(Ok(engine.acknowledge())),
                    }
                }
                StateProj::Calling { answer, lease, sealed } => {
                    let mut outcome = ready!(answer.poll(cx));
                    let settled = lease.take().and_then(|lease| lease.end(is_processed(&outcome)));
                    // After that, as `http` panics where an answer has no room for another header.
                    if let (true, Ok(response)) = (*sealed, &mut outcome) {
                        seal(response.headers_mut());
                    }
                    let outcome = outcome.map(|response| response.map(LayerBody::inner));
                    let Some(settled) = settled else {
                        this.state.set(State::Done);
                        return Poll::Ready(outcome);
                    };
                    this.state.set(State::Settling { settled, outcome });
                }
                StateProj::Settling { settled, .. } => {
                    // Whatever became of it is in the log: the answer stands.
                    _ = ready!(Pin::new(settled).poll(cx));
                    if let StateOwn::Settling { outcome, .. } = this.state.as_mut().project_replace(State::Done) {
                        return Poll::Ready(outcome);
                    }
                }
                StateProj::Answered { .. } => {
                    if let StateOwn::Answered { response } = this.state.as_mut().project_replace(State::Done) {
                        return Poll::Ready(Ok(response));
                    }
                }
                // Polled after its end, it has nothing to say, and no reason to panic.
                StateProj::Done => return Poll::Pending,
            }
        }
    }
}

/// Whether a call was processed, so that a duplicate has nothing left to do. A call that the inner service refused was not: a
/// duplicate gets the inner service's own answer again.
fn is_processed<R, E>(outcome: &Result<Response<R>, E>) -> bool {
    let processed = |status: StatusCode| status.is_success() || status.is_redirection();
    outcome.as_ref().is_ok_and(|response| processed(response.status()))
}

impl<S, F, B, R, C> fmt::Debug for ResponseFuture<S, F, B, R, C>
where
    F: Form,
    F::Reads: ReadBody<B>,
    S: Service<Request<Handed<F, B>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("form", &F::NAME).finish_non_exhaustive()
    }
}
