//! The future of a checked request: [`ResponseFuture`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tokio::time::Sleep;
use tower_service::Service;

use crate::body::{LayerBody, ReadBody};
use crate::clock::UnixTime;
use crate::form::Form;
use crate::keys::Keys;
use crate::observe;
use crate::pipeline::{Admission, Extraction, Pipeline, Verdict};
use crate::proof::{Accepted, Proof};
use crate::rejection::{Reason, seal};
use crate::replay::Claimed;
use crate::store::{Patience, StoreError};

type Handed<F, B> = <<F as Form>::Reads as ReadBody<B>>::Out;
type Reading<F, B> = <<F as Form>::Reads as ReadBody<B>>::Reading;

pin_project! {
    /// The answer to a request that is being checked. No part of it is boxed unless a store has to be waited for.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, F, B, R>
    where
        F: Form,
        F::Reads: ReadBody<B>,
        S: Service<Request<Handed<F, B>>>,
    {
        pipeline: Arc<Pipeline<F>>,
        service: S,
        #[pin]
        state: State<F, Reading<F, B>, Handed<F, B>, S::Future, R, S::Error>,
    }

    impl<S, F, B, R> PinnedDrop for ResponseFuture<S, F, B, R>
    where
        F: Form,
        F::Reads: ReadBody<B>,
        S: Service<Request<Handed<F, B>>>,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // The client has gone, or a timeout outside has struck. What the replay store is owed, it is told all the same.
            let conclusion = match this.state.as_mut().project_replace(State::Done) {
                Left::Calling { proof: Some((proof, claimed_at)), .. } => this.pipeline.conclude(proof, claimed_at, false),
                // Whether it was carried out or not, nobody has heard the answer.
                Left::Claiming { checked, .. } => {
                    this.pipeline.conclude(checked.accepted.proof(), checked.claimed_at, false)
                }
                Left::Concluding { conclusion, .. } => Some(conclusion),
                _ => None,
            };
            if let Some(conclusion) = conclusion {
                conclude_alone::<F>(conclusion);
            }
        }
    }
}

/// Brings a conclusion to its end without anyone who waits for it.
fn conclude_alone<F: Form>(mut conclusion: Patience<()>) {
    // Without a runtime only a store in memory can have been waited for, and it has done its part when it was called.
    let Ok(runtime) = Handle::try_current() else { return };
    // A store in memory is done at once, and needs no task.
    if Pin::new(&mut conclusion).poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        runtime.spawn(async move {
            if let Err(error) = conclusion.await {
                observe::store_failed(F::NAME, &error);
            }
        });
    }
}

pin_project! {
    /// Where a request stands. Each state is left with `project_replace`, which takes out of it what the next one needs.
    #[project = Standing]
    #[project_replace = Left]
    enum State<F: Form, Rd, Out, Fut, R, E> {
        /// Its body is being read, if the form needs it.
        Reading { #[pin] reading: Rd, head: Parts, check: bool },
        /// The tenant's keys are being looked up.
        Finding { keys: Patience<Keys>, request: (Parts, Out), extraction: Extraction<F::Credential> },
        /// The replay store is being asked.
        Claiming { claim: Patience<Claimed>, checked: Checked<F, Out> },
        /// Another request has the same call in hand: ask again in a moment.
        Waiting { timer: Pin<Box<Sleep>>, checked: Checked<F, Out> },
        /// The inner service is at work, on a checked credential or on a request that passed without one.
        Calling { #[pin] answer: Fut, proof: Option<(Proof, UnixTime)> },
        /// The replay store is being told what came of it.
        Concluding { conclusion: Patience<()>, outcome: Result<Response<LayerBody<R>>, E> },
        /// Answered by the layer itself.
        Answered { response: Response<LayerBody<R>> },
        /// Polled to its end.
        Done,
    }
}

/// A request of which everything is checked but whether it is the first of its copies.
struct Checked<F: Form, Out> {
    request: (Parts, Out),
    accepted: Accepted<F>,
    now: UnixTime,
    claimed_at: UnixTime,
    waited: Duration,
}

impl<S, F, B, R> ResponseFuture<S, F, B, R>
where
    F: Form,
    F::Reads: ReadBody<B>,
    S: Service<Request<Handed<F, B>>>,
{
    pub(crate) fn new(pipeline: Arc<Pipeline<F>>, service: S, request: Request<B>) -> Self {
        let (mut head, body) = request.into_parts();
        let limits = pipeline.body_limits();
        let state = match pipeline.admit(&mut head) {
            Err(reason) => State::Answered { response: pipeline.refuse(reason, &head.headers) },
            Ok(Admission::PassThrough) => {
                State::Reading { reading: F::Reads::read(body, false, limits), head, check: false }
            }
            Ok(Admission::Check { read_body }) => {
                State::Reading { reading: F::Reads::read(body, read_body, limits), head, check: true }
            }
        };
        Self { pipeline, service, state }
    }
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
        let pipeline = &**this.pipeline;
        loop {
            // What the current state waits for; then, having left it, what comes next.
            let event = match this.state.as_mut().project() {
                Standing::Reading { reading, .. } => Event::Read(ready!(reading.poll(cx))),
                Standing::Finding { keys, .. } => Event::Found(ready!(Pin::new(keys).poll(cx))),
                Standing::Claiming { claim, .. } => Event::Claimed(ready!(Pin::new(claim).poll(cx))),
                Standing::Waiting { timer, .. } => {
                    ready!(timer.as_mut().poll(cx));
                    Event::Waited
                }
                Standing::Calling { answer, .. } => Event::Answered(ready!(answer.poll(cx))),
                Standing::Concluding { conclusion, .. } => Event::Concluded(ready!(Pin::new(conclusion).poll(cx))),
                Standing::Answered { .. } => Event::Over,
                // A future that is polled after its end has nothing to say, and no reason to panic.
                Standing::Done => return Poll::Pending,
            };
            let next = match (event, this.state.as_mut().project_replace(State::Done)) {
                (Event::Read(read), Left::Reading { head, check, .. }) => match read {
                    Err(reason) => State::Answered { response: pipeline.refuse(reason, &head.headers) },
                    Ok((_, body)) if !check => {
                        State::Calling { answer: this.service.call(Request::from_parts(head, body)), proof: None }
                    }
                    Ok((bytes, body)) => match pipeline.extract(&head, &bytes) {
                        Err(reason) => State::Answered { response: pipeline.refuse(reason, &head.headers) },
                        Ok(extraction) => find(pipeline, this.service, cx, (head, body), extraction),
                    },
                },
                (Event::Found(keys), Left::Finding { request, extraction, .. }) => {
                    verify(pipeline, this.service, cx, request, extraction, keys)
                }
                (Event::Claimed(claimed), Left::Claiming { checked, .. }) => {
                    judge(pipeline, this.service, checked, Some(claimed))
                }
                (Event::Waited, Left::Waiting { checked, .. }) => claim(pipeline, this.service, cx, checked),
                (Event::Answered(outcome), Left::Calling { proof, .. }) => match (proof, outcome) {
                    (None, outcome) => return Poll::Ready(outcome.map(|response| response.map(LayerBody::inner))),
                    (Some((proof, claimed_at)), outcome) => {
                        let carried_out = outcome.as_ref().is_ok_and(|response| is_carried_out(response.status()));
                        let outcome = outcome.map(|mut response| {
                            seal(response.headers_mut());
                            response.map(LayerBody::inner)
                        });
                        match pipeline
                            .conclude(proof, claimed_at, carried_out)
                            .map(|conclusion| at_once(conclusion, cx))
                        {
                            None => return Poll::Ready(outcome),
                            Some(Ok(concluded)) => return Poll::Ready(conclude::<F, _>(concluded, outcome)),
                            Some(Err(conclusion)) => State::Concluding { conclusion, outcome },
                        }
                    }
                },
                (Event::Concluded(concluded), Left::Concluding { outcome, .. }) => {
                    return Poll::Ready(conclude::<F, _>(concluded, outcome));
                }
                (Event::Over, Left::Answered { response }) => return Poll::Ready(Ok(response)),
                // Every event comes from its own state.
                _ => State::Done,
            };
            this.state.set(next);
        }
    }
}

enum Event<Out, R, E> {
    Read(Result<(Bytes, Out), Reason>),
    Found(Result<Keys, StoreError>),
    Claimed(Result<Claimed, StoreError>),
    Waited,
    Answered(Result<Response<R>, E>),
    Concluded(Result<(), StoreError>),
    Over,
}

/// The state of a request and its service, which is what these functions make of it.
type StateOf<S, F, Rd, Out, R> =
    State<F, Rd, Out, <S as Service<Request<Out>>>::Future, R, <S as Service<Request<Out>>>::Error>;

/// A store's answer, if it is there already: a request is then not put away until it comes.
fn at_once<T>(mut answer: Patience<T>, cx: &mut Context<'_>) -> Result<Result<T, StoreError>, Patience<T>> {
    match Pin::new(&mut answer).poll(cx) {
        Poll::Ready(answer) => Ok(answer),
        Poll::Pending => Err(answer),
    }
}

fn find<S, F, Rd, Out, R>(
    pipeline: &Pipeline<F>,
    service: &mut S,
    cx: &mut Context<'_>,
    request: (Parts, Out),
    extraction: Extraction<F::Credential>,
) -> StateOf<S, F, Rd, Out, R>
where
    F: Form,
    S: Service<Request<Out>, Response = Response<R>>,
{
    match at_once(pipeline.keys(&extraction), cx) {
        Ok(keys) => verify(pipeline, service, cx, request, extraction, keys),
        Err(keys) => State::Finding { keys, request, extraction },
    }
}

fn verify<S, F, Rd, Out, R>(
    pipeline: &Pipeline<F>,
    service: &mut S,
    cx: &mut Context<'_>,
    request: (Parts, Out),
    extraction: Extraction<F::Credential>,
    keys: Result<Keys, StoreError>,
) -> StateOf<S, F, Rd, Out, R>
where
    F: Form,
    S: Service<Request<Out>, Response = Response<R>>,
{
    let now = pipeline.now();
    match pipeline.verify(extraction, keys, now) {
        Err(reason) => State::Answered { response: pipeline.refuse(reason, &request.0.headers) },
        Ok(accepted) => {
            let claimed_at = pipeline.time_of_claim(now);
            claim(pipeline, service, cx, Checked { request, accepted, now, claimed_at, waited: Duration::ZERO })
        }
    }
}

fn claim<S, F, Rd, Out, R>(
    pipeline: &Pipeline<F>,
    service: &mut S,
    cx: &mut Context<'_>,
    checked: Checked<F, Out>,
) -> StateOf<S, F, Rd, Out, R>
where
    F: Form,
    S: Service<Request<Out>, Response = Response<R>>,
{
    let Some(claim) = pipeline.claim(checked.accepted.proof(), checked.now, checked.claimed_at) else {
        return judge(pipeline, service, checked, None);
    };
    match at_once(claim, cx) {
        Ok(claimed) => judge(pipeline, service, checked, Some(claimed)),
        Err(claim) => State::Claiming { claim, checked },
    }
}

/// The answer stands, whatever the store says: what was done is done, and a lease that it did not settle will run out.
fn conclude<F: Form, T>(concluded: Result<(), StoreError>, outcome: T) -> T {
    if let Err(error) = concluded {
        observe::store_failed(F::NAME, &error);
    }
    outcome
}

fn judge<S, F, Rd, Out, R>(
    pipeline: &Pipeline<F>,
    service: &mut S,
    checked: Checked<F, Out>,
    claimed: Option<Result<Claimed, StoreError>>,
) -> StateOf<S, F, Rd, Out, R>
where
    F: Form,
    S: Service<Request<Out>, Response = Response<R>>,
{
    let Checked { request: (mut head, body), accepted, now, claimed_at, waited } = checked;
    let proof = accepted.proof();
    match pipeline.judge(accepted, claimed, now, waited) {
        Verdict::Pass(unique) => {
            pipeline.admit_identity(&mut head, unique);
            State::Calling { answer: service.call(Request::from_parts(head, body)), proof: Some((proof, claimed_at)) }
        }
        Verdict::Acknowledge => State::Answered { response: pipeline.acknowledge() },
        Verdict::Wait(accepted) if waited < pipeline.longest_wait() => {
            let pause = Duration::from_millis(20).max(waited / 2);
            let waited = waited + pause;
            State::Waiting {
                timer: Box::pin(tokio::time::sleep(pause)),
                checked: Checked { request: (head, body), accepted, now, claimed_at, waited },
            }
        }
        Verdict::Wait(_) => State::Answered { response: pipeline.refuse(Reason::InProgress, &head.headers) },
        Verdict::Refuse(reason) => State::Answered { response: pipeline.refuse(reason, &head.headers) },
        Verdict::Forfeit(reason) => {
            if let Some(conclusion) = pipeline.conclude(proof, claimed_at, false) {
                conclude_alone::<F>(conclusion);
            }
            State::Answered { response: pipeline.refuse(reason, &head.headers) }
        }
    }
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
