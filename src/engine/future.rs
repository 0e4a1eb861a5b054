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
use super::check::Stage;
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
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, F, B, R, C = <F as Form>::Claims>
    where
        F: Form,
        F::Reads: ReadBody<B>,
        S: Service<Request<Handed<F, B>>>,
    {
        engine: Arc<Engine<F, C>>,
        watch: Watch,
        #[pin]
        state: State<S, Stage<F, C>, Handed<F, B>, Reading<F, B>, S::Future, R, S::Error>,
    }
}

pin_project! {
    // Each state is left with `project_replace`, which takes out of it what the next one needs.
    #[project = StateProj]
    #[project_replace = StateOwn]
    enum State<S, St, Out, Rd, Fut, R, E> {
        Reading { #[pin] reading: Rd, head: Parts, service: S },
        Checking { stage: St, head: Parts, body: Out, service: S },
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
    S: Service<Request<Handed<F, B>>, Response = Response<R>> + Clone,
{
    /// `inner` was polled ready.
    pub(super) fn new(engine: Arc<Engine<F, C>>, inner: &mut S, request: Request<B>) -> Self {
        let mut watch = Watch::start(F::NAME, &engine.settings.namespace);
        let (mut head, body) = request.into_parts();
        // Nobody but this layer may say who the user is.
        head.extensions.remove::<Identity<C>>();
        let checked = match watch.in_span(|| engine.screen(&head)) {
            Ok(Presence::Absent) => {
                // The span covers the check only, not the inner service.
                drop(watch.take());
                let answer = inner.call(Request::from_parts(head, F::Reads::untouched(body)));
                return Self { engine, watch, state: State::Calling { answer, lease: None, sealed: false } };
            }
            Ok(Presence::InBody) => {
                let reading = F::Reads::read(body, engine.settings.body);
                return Self { engine, watch, state: State::Reading { reading, head, service: take_ready(inner) } };
            }
            Ok(Presence::InHead) => match (engine.takes_unsigned_body(), F::Reads::is_empty(&body)) {
                (true, _) | (_, Some(true)) => watch.in_span(|| engine.check(Stage::Begun, &head, &Bytes::new(), None)),
                (false, Some(false)) => Err(engine.refuse_head(Reason::UnsignedBody, &head)),
                (false, None) => {
                    let reading = F::Reads::read_nothing(body, engine.settings.body.timeout);
                    return Self { engine, watch, state: State::Reading { reading, head, service: take_ready(inner) } };
                }
            },
            Err(reason) => Err(engine.refuse_head(reason, &head)),
        };
        let body = F::Reads::untouched(body);
        let state = match checked {
            Ok(Stage::Passed(identity, lease)) => engine.call(identity, lease, head, body, inner, watch.take()),
            Ok(stage) => State::Checking { stage, head, body, service: take_ready(inner) },
            Err(stop) => {
                drop(take_ready(inner));
                State::Answered { response: engine.respond(stop, &head, watch.take()) }
            }
        };
        Self { engine, watch, state }
    }
}

/// Takes the service that was polled ready. It serves the request, or is dropped to give back what it reserved. A
/// clone, which was not polled, stays for the next request.
fn take_ready<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    mem::replace(inner, clone)
}

impl<F: Form, C: Send + Sync + 'static> Engine<F, C> {
    fn call<S, St, Out, Rd, R>(
        &self,
        identity: Identity<C>,
        lease: Option<LeaseGuard>,
        mut head: Parts,
        body: Out,
        service: &mut S,
        watch: Watch,
    ) -> State<S, St, Out, Rd, S::Future, R, S::Error>
    where
        S: Service<Request<Out>, Response = Response<R>>,
    {
        self.admit(&mut head, identity, watch);
        State::Calling { answer: service.call(Request::from_parts(head, body)), lease, sealed: true }
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
                StateProj::Reading { reading, .. } => {
                    let read = ready!(reading.poll(cx));
                    let StateOwn::Reading { head, service, .. } = this.state.as_mut().project_replace(State::Done)
                    else {
                        return Poll::Pending;
                    };
                    let (bytes, body) = match read {
                        Ok(read) => read,
                        Err(reason) => {
                            let stop = engine.refuse_head(reason, &head);
                            return Poll::Ready(Ok(engine.respond(stop, &head, this.watch.take())));
                        }
                    };
                    match this.watch.in_span(|| engine.check(Stage::Begun, &head, &bytes, None)) {
                        Ok(stage) => this.state.set(State::Checking { stage, head, body, service }),
                        Err(stop) => return Poll::Ready(Ok(engine.respond(stop, &head, this.watch.take()))),
                    }
                }
                StateProj::Checking { .. } => {
                    let left = this.state.as_mut().project_replace(State::Done);
                    let StateOwn::Checking { stage, head, body, mut service } = left else { return Poll::Pending };
                    // The body was used in step 1.
                    match this.watch.in_span(|| engine.check(stage, &head, &Bytes::new(), Some(cx))) {
                        Ok(Stage::Passed(identity, lease)) => {
                            this.state.set(engine.call(identity, lease, head, body, &mut service, this.watch.take()));
                        }
                        Ok(stage) => {
                            this.state.set(State::Checking { stage, head, body, service });
                            return Poll::Pending;
                        }
                        Err(stop) => return Poll::Ready(Ok(engine.respond(stop, &head, this.watch.take()))),
                    }
                }
                StateProj::Calling { answer, lease, sealed } => {
                    let mut outcome = ready!(answer.poll(cx));
                    let settled = lease.take().and_then(|lease| lease.end(is_processed(&outcome)));
                    // After the lease has ended, as `http` panics if an answer has no room for another header.
                    if let (true, Ok(response)) = (*sealed, &mut outcome) {
                        seal(response.headers_mut());
                    }
                    let outcome = outcome.map(|response| response.map(LayerBody::from_inner));
                    let Some(settled) = settled else {
                        this.state.set(State::Done);
                        return Poll::Ready(outcome);
                    };
                    this.state.set(State::Settling { settled, outcome });
                }
                StateProj::Settling { settled, .. } => {
                    // A failure is in the log. The answer stands.
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
                // Polled after it has answered: it stays pending rather than panic, as the type says.
                StateProj::Done => return Poll::Pending,
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
