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
    ///
    /// Where nothing has to be waited for, the request was checked before this future was made, and the inner service has it.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, F, B, R>
    where
        F: Form,
        F::Reads: ReadBody<B>,
        S: Service<Request<Handed<F, B>>>,
    {
        pipeline: Arc<Pipeline<F>>,
        // `None`: the inner service has been called. The request is larger than all else, and stays in its place until then.
        held: Option<Held<S, Handed<F, B>>>,
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
        /// Its body is being read.
        Reading { #[pin] reading: Rd },
        /// The tenant's keys are being looked up.
        Finding { keys: Patience<Keys>, extraction: Extraction<F::Credential> },
        /// The replay store is being asked.
        Claiming { claim: Patience<Claimed>, checked: Checked<F> },
        /// Another request has the same call in hand: ask again in a moment.
        Waiting { timer: Timer, checked: Checked<F> },
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

/// The inner service, which is ready for one request, and that request while it is being checked.
struct Held<S, Out> {
    service: S,
    request: Option<InHand<Out>>,
}

/// A request's head; and its body, once that is known to be complete or not to be needed.
type InHand<Out> = (Parts, Option<Out>);

impl<S, F, B, R> ResponseFuture<S, F, B, R>
where
    F: Form,
    F::Reads: ReadBody<B>,
    S: Service<Request<Handed<F, B>>, Response = Response<R>> + Clone,
{
    /// Goes as far as it can without waiting. `inner` was polled ready.
    pub(crate) fn new(pipeline: &Arc<Pipeline<F>>, inner: &mut S, request: Request<B>) -> Self {
        let (mut head, body) = request.into_parts();
        let admission = pipeline.admit(&mut head);
        let mut request = Some((head, None));
        let mut hand = Hand { pipeline, service: inner, request: &mut request };
        let state = match admission {
            Err(reason) => hand.refuse(reason),
            Ok(Admission::Check { read_body: true }) => {
                State::Reading { reading: F::Reads::read(body, pipeline.body_limits()) }
            }
            Ok(Admission::Check { read_body: false }) => hand.extract(&Bytes::new(), F::Reads::untouched(body)),
            Ok(Admission::PassThrough) => hand.pass_through(F::Reads::untouched(body)),
        };
        let mut this = Self { pipeline: Arc::clone(pipeline), held: None, state };
        if !matches!(this.state, State::Calling { .. }) {
            // The service that was polled ready goes with the request, or gives back what it keeps ready for one. A clone,
            // which was not polled, stays for the next request.
            let clone = inner.clone();
            let service = std::mem::replace(inner, clone);
            if !matches!(this.state, State::Answered { .. }) {
                this.held = Some(Held { service, request });
            }
        }
        this
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
                Standing::Calling { answer, proof } => {
                    let outcome = ready!(answer.poll(cx));
                    // Taken out, so that it is concluded once, even if the store panics.
                    let Some((proof, claimed_at)) = proof.take() else {
                        this.state.set(State::Done);
                        return Poll::Ready(outcome.map(|response| response.map(LayerBody::inner)));
                    };
                    let carried_out = outcome.as_ref().is_ok_and(|response| is_carried_out(response.status()));
                    let outcome = outcome.map(|mut response| {
                        seal(response.headers_mut());
                        response.map(LayerBody::inner)
                    });
                    let conclusion = pipeline.conclude(proof, claimed_at, carried_out).map(Patience::at_once);
                    if let Some(Err(conclusion)) = conclusion {
                        this.state.set(State::Concluding { conclusion, outcome });
                        continue;
                    }
                    this.state.set(State::Done);
                    return Poll::Ready(conclude::<F, _>(conclusion.and_then(Result::ok), outcome));
                }
                Standing::Concluding { conclusion, .. } => Event::Concluded(ready!(Pin::new(conclusion).poll(cx))),
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
                (Event::Concluded(concluded), Left::Concluding { outcome, .. }) => {
                    return Poll::Ready(conclude::<F, _>(Some(concluded), outcome));
                }
                (Event::Over, Left::Answered { response }) => return Poll::Ready(Ok(response)),
                (event, left) => match this.held.as_mut() {
                    Some(Held { service, request }) => Hand { pipeline, service, request }.go_on(event, left),
                    None => State::Done,
                },
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
    Concluded(Result<(), StoreError>),
    Over,
}

/// The answer stands, whatever the store says: what was done is done, and a lease that it did not settle will run out.
fn conclude<F: Form, T>(concluded: Option<Result<(), StoreError>>, outcome: T) -> T {
    if let Some(Err(error)) = concluded {
        observe::store_failed(F::NAME, &error);
    }
    outcome
}

/// A request in hand: each step goes on to the next one, or leaves the state in which the next one has to be waited for.
struct Hand<'a, S, F, Out> {
    pipeline: &'a Pipeline<F>,
    service: &'a mut S,
    request: &'a mut Option<InHand<Out>>,
}

/// What becomes of a request in hand.
type Next<S, F, Rd, Out, R> =
    State<F, Rd, <S as Service<Request<Out>>>::Future, R, <S as Service<Request<Out>>>::Error>;
/// What it comes from.
type Last<S, F, Rd, Out, R> = Left<F, Rd, <S as Service<Request<Out>>>::Future, R, <S as Service<Request<Out>>>::Error>;

impl<S, F, Out, R> Hand<'_, S, F, Out>
where
    F: Form,
    S: Service<Request<Out>, Response = Response<R>>,
{
    /// Something that was waited for is there.
    fn go_on<Rd>(&mut self, event: Event<Out>, left: Last<S, F, Rd, Out, R>) -> Next<S, F, Rd, Out, R> {
        match (event, left) {
            (Event::Read(Err(reason)), Left::Reading { .. }) => self.refuse(reason),
            (Event::Read(Ok((bytes, body))), Left::Reading { .. }) => self.extract(&bytes, body),
            (Event::Found(keys), Left::Finding { extraction, .. }) => self.verify(extraction, keys),
            (Event::Claimed(claimed), Left::Claiming { checked, .. }) => self.judge(checked, Some(claimed)),
            (Event::Waited, Left::Waiting { checked, .. }) => self.claim(checked),
            // Every event comes from its own state.
            _ => State::Done,
        }
    }

    fn pass_through<Rd>(&mut self, body: Out) -> Next<S, F, Rd, Out, R> {
        if let Some((_, place)) = self.request {
            *place = Some(body);
        }
        self.call(None)
    }

    fn extract<Rd>(&mut self, bytes: &Bytes, body: Out) -> Next<S, F, Rd, Out, R> {
        let Some((head, place)) = self.request else { return State::Done };
        *place = Some(body);
        match self.pipeline.extract(head, bytes) {
            Err(reason) => self.refuse(reason),
            Ok(extraction) => match self.pipeline.keys(&extraction).at_once() {
                Ok(keys) => self.verify(extraction, keys),
                Err(keys) => State::Finding { keys, extraction },
            },
        }
    }

    fn verify<Rd>(
        &mut self,
        extraction: Extraction<F::Credential>,
        keys: Result<Keys, StoreError>,
    ) -> Next<S, F, Rd, Out, R> {
        let now = self.pipeline.now();
        match self.pipeline.verify(extraction, keys, now) {
            Err(reason) => self.refuse(reason),
            Ok(accepted) => {
                let claimed_at = self.pipeline.time_of_claim(now);
                self.claim(Checked { accepted, now, claimed_at, waited: Duration::ZERO })
            }
        }
    }

    fn claim<Rd>(&mut self, checked: Checked<F>) -> Next<S, F, Rd, Out, R> {
        let claim = self.pipeline.claim(checked.accepted.proof(), checked.now, checked.claimed_at);
        let Some(claim) = claim else { return self.judge(checked, None) };
        match claim.at_once() {
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
                State::Waiting { timer: Timer::Of(pause), checked }
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
