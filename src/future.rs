//! The future of a checked request: [`ResponseFuture`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
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
        // What the inner service is given. It is larger than all else, and stays in its place until then.
        request: Option<(Parts, Option<Handed<F, B>>)>,
        #[pin]
        state: State<F, Reading<F, B>, S::Future, R, S::Error>,
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
    enum State<F: Form, Rd, Fut, R, E> {
        /// Its body is being read, if the form needs it.
        Reading { #[pin] reading: Rd, check: bool },
        /// The tenant's keys are being looked up.
        Finding { keys: Patience<Keys>, extraction: Extraction<F::Credential> },
        /// The replay store is being asked.
        Claiming { claim: Patience<Claimed>, checked: Checked<F> },
        /// Another request has the same call in hand: ask again in a moment.
        Waiting { timer: Pin<Box<Sleep>>, checked: Checked<F> },
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
struct Checked<F: Form> {
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
            Ok(Admission::PassThrough) => State::Reading { reading: F::Reads::read(body, false, limits), check: false },
            Ok(Admission::Check { read_body }) => {
                State::Reading { reading: F::Reads::read(body, read_body, limits), check: true }
            }
        };
        Self { pipeline, service, request: Some((head, None)), state }
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
            let pipeline = &**this.pipeline;
            let mut hand = Hand { pipeline, service: &mut *this.service, request: &mut *this.request };
            let next = match (event, this.state.as_mut().project_replace(State::Done)) {
                (Event::Read(read), Left::Reading { check, .. }) => match read {
                    Err(reason) => hand.refuse(reason),
                    Ok((bytes, body)) => hand.extract(cx, &bytes, body, check),
                },
                (Event::Found(keys), Left::Finding { extraction, .. }) => hand.verify(cx, extraction, keys),
                (Event::Claimed(claimed), Left::Claiming { checked, .. }) => hand.judge(checked, Some(claimed)),
                (Event::Waited, Left::Waiting { checked, .. }) => hand.claim(cx, checked),
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

/// A store's answer, if it is there already: a request is then not put away until it comes.
fn at_once<T>(mut answer: Patience<T>, cx: &mut Context<'_>) -> Result<Result<T, StoreError>, Patience<T>> {
    match Pin::new(&mut answer).poll(cx) {
        Poll::Ready(answer) => Ok(answer),
        Poll::Pending => Err(answer),
    }
}

/// The answer stands, whatever the store says: what was done is done, and a lease that it did not settle will run out.
fn conclude<F: Form, T>(concluded: Result<(), StoreError>, outcome: T) -> T {
    if let Err(error) = concluded {
        observe::store_failed(F::NAME, &error);
    }
    outcome
}

/// A request in hand: each step goes on to the next one, or leaves the state in which the next one has to be waited for.
struct Hand<'a, S, F, Out> {
    pipeline: &'a Pipeline<F>,
    service: &'a mut S,
    request: &'a mut Option<(Parts, Option<Out>)>,
}

/// What becomes of a request in hand.
type Next<S, F, Rd, Out, R> =
    State<F, Rd, <S as Service<Request<Out>>>::Future, R, <S as Service<Request<Out>>>::Error>;

impl<S, F, Out, R> Hand<'_, S, F, Out>
where
    F: Form,
    S: Service<Request<Out>, Response = Response<R>>,
{
    fn extract<Rd>(&mut self, cx: &mut Context<'_>, bytes: &Bytes, body: Out, check: bool) -> Next<S, F, Rd, Out, R> {
        let Some((head, place)) = self.request else { return State::Done };
        *place = Some(body);
        if !check {
            return self.call(None);
        }
        match self.pipeline.extract(head, bytes) {
            Err(reason) => self.refuse(reason),
            Ok(extraction) => match at_once(self.pipeline.keys(&extraction), cx) {
                Ok(keys) => self.verify(cx, extraction, keys),
                Err(keys) => State::Finding { keys, extraction },
            },
        }
    }

    fn verify<Rd>(
        &mut self,
        cx: &mut Context<'_>,
        extraction: Extraction<F::Credential>,
        keys: Result<Keys, StoreError>,
    ) -> Next<S, F, Rd, Out, R> {
        let now = self.pipeline.now();
        match self.pipeline.verify(extraction, keys, now) {
            Err(reason) => self.refuse(reason),
            Ok(accepted) => {
                let claimed_at = self.pipeline.time_of_claim(now);
                self.claim(cx, Checked { accepted, now, claimed_at, waited: Duration::ZERO })
            }
        }
    }

    fn claim<Rd>(&mut self, cx: &mut Context<'_>, checked: Checked<F>) -> Next<S, F, Rd, Out, R> {
        let claim = self.pipeline.claim(checked.accepted.proof(), checked.now, checked.claimed_at);
        let Some(claim) = claim else { return self.judge(checked, None) };
        match at_once(claim, cx) {
            Ok(claimed) => self.judge(checked, Some(claimed)),
            Err(claim) => State::Claiming { claim, checked },
        }
    }

    fn judge<Rd>(
        &mut self,
        checked: Checked<F>,
        claimed: Option<Result<Claimed, StoreError>>,
    ) -> Next<S, F, Rd, Out, R> {
        let Checked { accepted, now, claimed_at, waited } = checked;
        let proof = accepted.proof();
        match self.pipeline.judge(accepted, claimed, now, waited) {
            Verdict::Pass(unique) => {
                if let Some((head, _)) = self.request {
                    self.pipeline.admit_identity(head, unique);
                }
                self.call(Some((proof, claimed_at)))
            }
            Verdict::Acknowledge => State::Answered { response: self.pipeline.acknowledge() },
            Verdict::Wait(accepted) if waited < self.pipeline.longest_wait() => {
                let pause = Duration::from_millis(20).max(waited / 2);
                let checked = Checked { accepted, now, claimed_at, waited: waited + pause };
                State::Waiting { timer: Box::pin(tokio::time::sleep(pause)), checked }
            }
            Verdict::Wait(_) => self.refuse(Reason::InProgress),
            Verdict::Refuse(reason) => self.refuse(reason),
            Verdict::Forfeit(reason) => {
                if let Some(conclusion) = self.pipeline.conclude(proof, claimed_at, false) {
                    conclude_alone::<F>(conclusion);
                }
                self.refuse(reason)
            }
        }
    }

    fn call<Rd>(&mut self, proof: Option<(Proof, UnixTime)>) -> Next<S, F, Rd, Out, R> {
        // It is there until it is called, and is called once.
        let Some((head, Some(body))) = self.request.take() else { return State::Done };
        State::Calling { answer: self.service.call(Request::from_parts(head, body)), proof }
    }

    fn refuse<Rd>(&self, reason: Reason) -> Next<S, F, Rd, Out, R> {
        let none = HeaderMap::new();
        let headers = self.request.as_ref().map_or(&none, |(head, _)| &head.headers);
        State::Answered { response: self.pipeline.refuse(reason, headers) }
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
