//! Bodies that a form does not read: passed on as they are, or after their end was awaited.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::Body;

use super::{BodyLimits, ReadBody};
use crate::body_error::{self, BoxError};
use crate::debug::opaque_debug;
use crate::rejection::Reason;

/// For a form that needs only the request's head. The body's type does not change.
///
/// The body must be [`Unpin`]: if only waiting tells that it is empty, the inner service gets it after that. Those of
/// hyper and axum are. One that is not, such as `tower_http`'s with a timeout, is boxed on its way:
/// `.map_request(|request: Request<_>| request.map(axum::body::Body::new))`. It may be polled once more after its end:
/// a stream that panics then has to be fused.
#[derive(Clone, Copy, Debug)]
pub struct HeadOnly;

impl<B: Body + Unpin> ReadBody<B> for HeadOnly
where
    B::Error: Into<BoxError>,
{
    type Out = B;
    type Reading = Passing<B>;

    fn read(body: B, _: BodyLimits) -> Self::Reading {
        Passing { body: Some(body), wait: None }
    }

    fn read_nothing(body: B, timeout: Duration) -> Self::Reading {
        Passing { body: Some(body), wait: Some(Wait::new(timeout)) }
    }

    fn is_empty(body: &B) -> Option<bool> {
        is_empty(body)
    }

    fn untouched(body: B) -> B {
        body
    }
}

/// A body that goes on as it is, perhaps after its end was seen.
#[doc(hidden)]
pub struct Passing<B> {
    body: Option<B>,
    /// If the body must be empty.
    wait: Option<Wait>,
}

impl<B: Body + Unpin> Future for Passing<B>
where
    B::Error: Into<BoxError>,
{
    type Output = Result<(Bytes, B), Reason>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { body, wait } = &mut *self;
        if let (Some(body), Some(wait)) = (body.as_mut(), wait.as_mut()) {
            ready!(wait.for_the_end(Pin::new(body), cx))?;
        }
        Poll::Ready(body.take().map(|body| (Bytes::new(), body)).ok_or_else(read_before))
    }
}

opaque_debug!(Passing<B>);

pub(super) fn read_before() -> Reason {
    Reason::IncompleteBody("it was read before".into())
}

/// A limited wait for frames.
pub(super) struct Wait {
    timeout: Duration,
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Wait {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, timer: None }
    }

    /// The next data; `None` at the end. Trailers are not signed, so they are dropped.
    pub(super) fn for_data<B: Body>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<B::Data>, Reason>>
    where
        B::Error: Into<BoxError>,
    {
        loop {
            // A server knows of most requests that no body follows: nothing is to be read.
            if body.is_end_stream() {
                return Poll::Ready(Ok(None));
            }
            match body.as_mut().poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(body_error::reason(&error.into()))),
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Ok(Some(data)));
                    }
                }
                Poll::Pending => {
                    let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.timeout)));
                    ready!(timer.as_mut().poll(cx));
                    return Poll::Ready(Err(Reason::BodyTimeout));
                }
            }
        }
    }

    /// The end of a body that must be empty.
    pub(super) fn for_the_end<B: Body>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Reason>>
    where
        B::Error: Into<BoxError>,
    {
        while let Some(data) = ready!(self.for_data(body.as_mut(), cx))? {
            if data.has_remaining() {
                return Poll::Ready(Err(Reason::UnsignedBody));
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// By its end. A body without a length, or in a wrapper that hides its end, may be empty nevertheless. One of no bytes
/// that has not ended, as over HTTP/2, may have trailers, which are not signed either.
pub(super) fn is_empty(body: &impl Body) -> Option<bool> {
    match (body.is_end_stream(), body.size_hint().lower()) {
        (true, _) => Some(true),
        (false, 0) => None,
        (false, _) => Some(false),
    }
}
