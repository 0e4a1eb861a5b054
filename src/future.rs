//! The future of a checked request: [`ResponseFuture`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_service::Service;

use crate::body::{LayerBody, ReadBody};
use crate::form::Form;
use crate::keys::Keys;
use crate::pipeline::{Admission, Extraction, Pipeline};
use crate::rejection::{Reason, seal};
use crate::replay::Claimed;
use crate::steps::{After, Check, Checked, Conclusion, Later, Step};
use crate::store::{Patience, StoreError};

type Handed<F, B> = <<F as Form>::Reads as ReadBody<B>>::Out;
type Reading<F, B> = <<F as Form>::Reads as ReadBody<B>>::Reading;

pin_project! {
    /// The answer to a request that is being checked. No part of it is boxed unless a store has to be waited for.
    ///
    /// Where nothing has to be waited for, the request was checked before this future was made, and the inner service has it.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, F, B, R>
    where
        F: Form,
        F::Reads: ReadBody<B>,
        S: Service<Request<Handed<F, B>>>,
    {
        // `None`: the inner service has been called, or will not be. It is larger than all else, and stays in its place.
        held: Option<Held<S, F, Handed<F, B>>>,
        #[pin]
        state: State<F, Reading<F, B>, S::Future, R, S::Error>,
    }
}

pin_project! {
    /// The states of a request. Each is left with `project_replace`, which takes out of it what the next one needs. Field
    /// order is drop order: a pending store call is cancelled before its claim is released.
    #[project = Standing]
    #[project_replace = Left]
    enum State<F: Form, Rd, Fut, R, E> {
        /// Its body is being read.
        Reading { #[pin] reading: Rd },
        /// The tenant's keys are being looked up.
        Finding { keys: Patience<Keys>, extraction: Extraction<F::Credential> },
        /// The replay store is being asked.
        Claiming { claim: Patience<Claimed>, checked: Checked<F> },
        /// Another request has the same call in hand: ask again in a moment.
        Waiting { timer: Timer, checked: Checked<F> },
        /// The inner service is at work, on a checked credential or on a request that passed without one.
        Calling { #[pin] answer: Fut, after: After<F> },
        /// The replay store is being told what came of it.
        Concluding { conclusion: Conclusion<F>, outcome: Result<Response<LayerBody<R>>, E> },
        /// Answered by the layer itself.
        Answered { response: Response<LayerBody<R>> },
        /// Polled to its end.
        Done,
    }
}

/// A pause, whose timer is made when it is first polled: before that there may be no runtime.
enum Timer {
    Of(Duration),
    Running(Pin<Box<Sleep>>),
}

impl Timer {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self {
                Self::Of(pause) => *self = Self::Running(Box::pin(tokio::time::sleep(*pause))),
                Self::Running(sleep) => return sleep.as_mut().poll(cx),
            }
        }
    }
}

/// A request that waits, and all that it needs to go on.
struct Held<S, F, Out> {
    pipeline: Arc<Pipeline<F>>,
    /// It was polled ready for this request.
    service: S,
    head: Parts,
    /// `None`: it is being read.
    body: Option<Out>,
}

impl<S, F, B, R> ResponseFuture<S, F, B, R>
where
    F: Form,
    F::Reads: ReadBody<B>,
    S: Service<Request<Handed<F, B>>, Response = Response<R>> + Clone,
{
    /// Goes as far as it can without waiting. `inner` was polled ready.
    pub(crate) fn new(pipeline: &Arc<Pipeline<F>>, inner: &mut S, request: Request<B>) -> Self {
        let (mut head, body) = request.into_parts();
        let (step, body) = match pipeline.admit(&mut head) {
            Err(reason) => (Step::Refuse(reason), F::Reads::untouched(body)),
            Ok(Admission::PassThrough) => (Step::Call(After::Nothing), F::Reads::untouched(body)),
            Ok(Admission::Check { read_body }) if !read_body || F::Reads::is_read(&body) => {
                (Check { pipeline, head: &mut head }.extract(&Bytes::new()), F::Reads::untouched(body))
            }
            Ok(Admission::Check { .. }) => {
                let reading = F::Reads::read(body, pipeline.body_limits());
                let held = Held { pipeline: Arc::clone(pipeline), service: taken(inner), head, body: None };
                return Self { held: Some(held), state: State::Reading { reading } };
            }
        };
        match step {
            Step::Call(after) => {
                let answer = inner.call(Request::from_parts(head, body));
                Self { held: None, state: State::Calling { answer, after } }
            }
            Step::Refuse(reason) => {
                drop(taken(inner));
                Self { held: None, state: State::Answered { response: pipeline.refuse(reason, &head.headers) } }
            }
            Step::Acknowledge => {
                drop(taken(inner));
                Self { held: None, state: State::Answered { response: pipeline.acknowledge() } }
            }
            Step::Later(later) => {
                let held = Held { pipeline: Arc::clone(pipeline), service: taken(inner), head, body: Some(body) };
                Self { held: Some(held), state: later.into() }
            }
        }
    }
}

/// The service that was polled ready: it goes with the request, or gives back what it keeps ready for one. A clone, which was
/// not polled, stays for the next request.
fn taken<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    std::mem::replace(inner, clone)
}

impl<S, F, B, R> Future for ResponseFuture<S, F, B, R>
where
    F: Form,
    F::Reads: ReadBody<B>,
    S: Service<Request<Handed<F, B>>, Response = Response<R>>,
{
    type Output = Result<Response<LayerBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            // What the current state waits for; then, having left it, what comes next.
            let event = match this.state.as_mut().project() {
                Standing::Calling { answer, after } => {
                    let mut outcome = ready!(answer.poll(cx));
                    let after = std::mem::replace(after, After::Nothing);
                    let conclusion = conclude(after, &mut outcome).and_then(Conclusion::at_once);
                    let outcome = outcome.map(|response| response.map(LayerBody::inner));
                    if let Some(conclusion) = conclusion {
                        this.state.set(State::Concluding { conclusion, outcome });
                        continue;
                    }
                    this.state.set(State::Done);
                    return Poll::Ready(outcome);
                }
                Standing::Concluding { conclusion, .. } => {
                    ready!(Pin::new(conclusion).poll(cx));
                    Event::Over
                }
                Standing::Reading { reading } => Event::Read(ready!(reading.poll(cx))),
                Standing::Finding { keys, .. } => Event::Found(ready!(Pin::new(keys).poll(cx))),
                Standing::Claiming { claim, .. } => Event::Claimed(ready!(Pin::new(claim).poll(cx))),
                Standing::Waiting { timer, .. } => {
                    ready!(timer.poll(cx));
                    Event::Waited
                }
                Standing::Answered { .. } => Event::Over,
                // A future that is polled after its end has nothing to say, and no reason to panic.
                Standing::Done => return Poll::Pending,
            };
            let next = match (event, this.state.as_mut().project_replace(State::Done)) {
                (Event::Over, Left::Concluding { outcome, .. }) => return Poll::Ready(outcome),
                (Event::Over, Left::Answered { response }) => return Poll::Ready(Ok(response)),
                (event, left) => go_on(this.held, event, left),
            };
            this.state.set(next);
        }
    }
}

enum Event<Out> {
    Read(Result<(Bytes, Out), Reason>),
    Found(Result<Keys, StoreError>),
    Claimed(Result<Claimed, StoreError>),
    Waited,
    Over,
}

/// What becomes of a request that waits.
fn go_on<S, F, Rd, Out, R>(
    held: &mut Option<Held<S, F, Out>>,
    event: Event<Out>,
    left: Left<F, Rd, S::Future, R, S::Error>,
) -> State<F, Rd, S::Future, R, S::Error>
where
    F: Form,
    S: Service<Request<Out>, Response = Response<R>>,
{
    let Some(Held { pipeline, head, body, .. }) = held else { return State::Done };
    let mut check = Check { pipeline, head };
    let step = match (event, left) {
        (Event::Read(Err(reason)), Left::Reading { .. }) => Step::Refuse(reason),
        (Event::Read(Ok((bytes, read))), Left::Reading { .. }) => {
            *body = Some(read);
            check.extract(&bytes)
        }
        (Event::Found(keys), Left::Finding { extraction, .. }) => check.verify(extraction, keys),
        (Event::Claimed(claimed), Left::Claiming { claim, checked }) => {
            // It may be under way still, if there was no more time for it.
            drop(claim);
            check.judge(checked, Some(claimed))
        }
        (Event::Waited, Left::Waiting { checked, .. }) => check.claim(checked),
        // Every event comes from its own state.
        _ => return State::Done,
    };
    let response = match step {
        Step::Later(later) => return later.into(),
        Step::Call(after) => {
            // It is there until it is called, and is called once.
            let Some(Held { mut service, head, body: Some(body), .. }) = held.take() else { return State::Done };
            return State::Calling { answer: service.call(Request::from_parts(head, body)), after };
        }
        Step::Refuse(reason) => pipeline.refuse(reason, &head.headers),
        Step::Acknowledge => pipeline.acknowledge(),
    };
    *held = None;
    State::Answered { response }
}

impl<F: Form, Rd, Fut, R, E> From<Later<F>> for State<F, Rd, Fut, R, E> {
    fn from(later: Later<F>) -> Self {
        match later {
            Later::Find { keys, extraction } => Self::Finding { keys, extraction },
            Later::Claim { claim, checked } => Self::Claiming { claim, checked },
            Later::Wait { pause, checked } => Self::Waiting { timer: Timer::Of(pause), checked },
        }
    }
}

/// Seals the answer to a checked request, and begins to tell the replay store what came of it.
fn conclude<F: Form, R, E>(after: After<F>, outcome: &mut Result<Response<R>, E>) -> Option<Conclusion<F>> {
    let conclusion = match after {
        After::Nothing => return None,
        After::Seal => None,
        After::Settle(settling) => {
            Some(settling.conclude(outcome.as_ref().is_ok_and(|response| is_carried_out(response.status()))))
        }
    };
    // Last, as `http` panics where an answer has no room for another header: what was carried out is then known already.
    if let Ok(response) = outcome {
        seal(response.headers_mut());
    }
    conclusion
}

/// Whether a call was carried out, so that a copy of it has nothing left to do. A call that the inner service refused
/// was not: a copy gets the inner service's own answer again.
fn is_carried_out(status: StatusCode) -> bool {
    status.is_success() || status.is_redirection()
}

impl<S, F, B, R> fmt::Debug for ResponseFuture<S, F, B, R>
where
    F: Form,
    F::Reads: ReadBody<B>,
    S: Service<Request<Handed<F, B>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("form", &F::NAME).finish_non_exhaustive()
    }
}
