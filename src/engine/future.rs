//! The future of a checked request: [`ResponseFuture`].

use std::fmt;
use std::future::Future;
use std::mem;
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
use super::check::{Passed, Stage};
use super::lease::LeaseGuard;
use crate::Identity;
use crate::body::{LayerBody, ReadBody};
use crate::form::{Form, Presence};
use crate::observe::Watch;
use crate::rejection::{Reason, seal};

type Handed<F, B> = <<F as Form>::Reads as ReadBody<B>>::Out;
type Reading<F, B> = <<F as Form>::Reads as ReadBody<B>>::Reading;

pin_project! {
    /// The answer to a request that is being checked.
    ///
    /// What needs no waiting was done when this was made. If the body need not be read and the stores answer at once,
    /// the credential is then spent, and the inner service has been called.
    ///
    /// Like any future it must not be polled after it has answered: it then stays pending and wakes nobody, rather than
    /// panic.
    #[must_use = "a credential may be spent already: await the answer"]
    pub struct ResponseFuture<S, F, B, R, C = <F as Form>::Claims>
    where
        F: Form,
        F::Reads: ReadBody<B>,
        S: Service<Request<Handed<F, B>>>,
    {
        engine: Arc<Engine<F, C>>,
        watch: Watch,
        // `None` once it has gone on to the inner service, or is refused.
        waiting: Option<Waiting<S, Handed<F, B>>>,
        #[pin]
        state: State<Reading<F, B>, Stage<F, C>, S::Future, Result<Response<LayerBody<R>>, S::Error>>,
    }
}

/// A request that has to wait, and the inner service that was polled ready for it.
struct Waiting<S, B> {
    head: Parts,
    /// `None` while it is read.
    body: Option<B>,
    service: S,
}

pin_project! {
    #[project = StateProj]
    enum State<Reading, Stage, Call, Outcome> {
        Reading { #[pin] reading: Reading },
        Checking { stage: Stage },
        // Field order is drop order: the inner service's work is cancelled before its lease is released.
        Calling { #[pin] call: Call, lease: Option<LeaseGuard>, sealed: bool },
        Settling { settled: JoinHandle<()>, outcome: Option<Outcome> },
        Answered { outcome: Option<Outcome> },
    }
}

impl<S, F, B, R, C> ResponseFuture<S, F, B, R, C>
where
    F: Form,
    F::Reads: ReadBody<B>,
    C: Send + Sync + 'static,
    S: Service<Request<Handed<F, B>>, Response = Response<R>> + Clone,
{
    /// `inner` was polled ready.
    pub(super) fn new(engine: Arc<Engine<F, C>>, inner: &mut S, request: Request<B>) -> Self {
        let began = engine.settings.clock.now();
        let mut watch = Watch::start(F::NAME, &engine.settings.namespace, began);
        let (mut head, body) = request.into_parts();
        // Nobody but this layer may say who the user is.
        head.extensions.remove::<Identity<C>>();
        let mut stage = Stage::Begun(Bytes::new());
        let checked = match watch.in_span(|| engine.screen(&head)) {
            Ok(Presence::Absent) => {
                // The span covers the check only, not the inner service.
                drop(watch.take());
                let call = inner.call(Request::from_parts(head, F::Reads::untouched(body)));
                let state = State::Calling { call, lease: None, sealed: false };
                return Self { engine, watch, waiting: None, state };
            }
            Ok(Presence::InBody) => {
                let reading = F::Reads::read(body, engine.settings.body);
                let waiting = Some(Waiting { head, body: None, service: take_ready(inner) });
                return Self { engine, watch, waiting, state: State::Reading { reading } };
            }
            Ok(Presence::InHead) => match (engine.takes_unsigned_body(), F::Reads::is_empty(&body)) {
                (true, _) | (_, Some(true)) => watch.in_span(|| engine.check(&mut stage, &head, began, None)),
                (false, Some(false)) => Poll::Ready(Err(engine.refuse_head(Reason::UnsignedBody, &head))),
                (false, None) => {
                    let reading = F::Reads::read_nothing(body, engine.settings.body.timeout);
                    let waiting = Some(Waiting { head, body: None, service: take_ready(inner) });
                    return Self { engine, watch, waiting, state: State::Reading { reading } };
                }
            },
            Err(reason) => Poll::Ready(Err(engine.refuse_head(reason, &head))),
        };
        let body = F::Reads::untouched(body);
        let (waiting, state) = match checked {
            Poll::Ready(Ok(passed)) => (None, engine.call(passed, head, body, inner, watch.take())),
            Poll::Ready(Err(stop)) => {
                drop(take_ready(inner));
                (None, State::Answered { outcome: Some(Ok(engine.respond(stop, &head, watch.take()))) })
            }
            Poll::Pending => {
                (Some(Waiting { head, body: Some(body), service: take_ready(inner) }), State::Checking { stage })
            }
        };
        Self { engine, watch, waiting, state }
    }
}

/// Takes the service that was polled ready. It serves the request, or is dropped to give back what it reserved. A
/// clone, which was not polled, stays for the next request.
fn take_ready<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    mem::replace(inner, clone)
}

impl<F: Form, C: Send + Sync + 'static> Engine<F, C> {
    fn call<S, B, Reading, Stage, Outcome>(
        &self,
        Passed { identity, lease, ended }: Passed<C>,
        mut head: Parts,
        body: B,
        service: &mut S,
        watch: Watch,
    ) -> State<Reading, Stage, S::Future, Outcome>
    where
        S: Service<Request<B>>,
    {
        self.meters.checked(ended.since(watch.began()));
        self.admit(&mut head, identity, watch);
        State::Calling { call: service.call(Request::from_parts(head, body)), lease, sealed: true }
    }
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
                StateProj::Reading { reading } => {
                    let read = ready!(reading.poll(cx));
                    let Some(waiting) = this.waiting else { return Poll::Pending };
                    match read {
                        Ok((bytes, body)) => {
                            waiting.body = Some(body);
                            this.state.set(State::Checking { stage: Stage::Begun(bytes) });
                        }
                        Err(reason) => {
                            let stop = engine.refuse_head(reason, &waiting.head);
                            let response = engine.respond(stop, &waiting.head, this.watch.take());
                            *this.waiting = None;
                            this.state.set(State::Answered { outcome: Some(Ok(response)) });
                        }
                    }
                }
                StateProj::Checking { stage } => {
                    let Some(Waiting { head, .. }) = this.waiting else { return Poll::Pending };
                    let now = engine.settings.clock.now();
                    let checked = ready!(this.watch.in_span(|| engine.check(stage, head, now, Some(cx))));
                    let Some(Waiting { head, body: Some(body), mut service }) = this.waiting.take() else {
                        return Poll::Pending;
                    };
                    let watch = this.watch.take();
                    this.state.set(match checked {
                        Ok(passed) => engine.call(passed, head, body, &mut service, watch),
                        Err(stop) => State::Answered { outcome: Some(Ok(engine.respond(stop, &head, watch))) },
                    });
                }
                StateProj::Calling { call, lease, sealed } => {
                    let mut outcome = ready!(call.poll(cx));
                    let settled = lease.take().and_then(|lease| lease.end(is_processed(&outcome)));
                    // After the lease has ended, as `http` panics if an answer has no room for another header.
                    if let (true, Ok(response)) = (*sealed, &mut outcome) {
                        seal(response.headers_mut());
                    }
                    let outcome = outcome.map(|response| response.map(LayerBody::from_inner));
                    let Some(settled) = settled else {
                        this.state.set(State::Answered { outcome: None });
                        return Poll::Ready(outcome);
                    };
                    this.state.set(State::Settling { settled, outcome: Some(outcome) });
                }
                StateProj::Settling { settled, outcome } => {
                    // A failure is in the log. The answer stands.
                    _ = ready!(Pin::new(settled).poll(cx));
                    let outcome = outcome.take();
                    this.state.set(State::Answered { outcome });
                }
                // Polled after it has answered: it stays pending rather than panic, as the type says.
                StateProj::Answered { outcome } => return outcome.take().map_or(Poll::Pending, Poll::Ready),
            }
        }
    }
}

/// Whether a delivery was processed, so that a duplicate has nothing left to do. One that the inner service refused was
/// not: a duplicate gets the inner service's own answer again.
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
