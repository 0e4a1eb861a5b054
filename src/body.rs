//! Request bodies: read whole, within limits, if the form signs them; otherwise left alone.

mod passing;
mod payload;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready as poll_ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::body_error::BoxError;
use crate::debug::opaque_debug;
use crate::rejection::Reason;

use passing::{Wait, is_empty, read_before};

pub use passing::HeadOnly;
pub use payload::{FormBody, FromBody, JsonBody, JsonOrForm, RawBody};

/// The limits of a body's size and time of arrival.
///
/// ```
/// use std::time::Duration;
/// use tower_sso::body::BodyLimits;
///
/// let limits = BodyLimits { size: 64 * 1024, timeout: Duration::from_secs(10) };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// The largest body in bytes, inclusive.
    pub size: usize,
    /// The longest time for the body to arrive.
    pub timeout: Duration,
}

/// Whether a form needs the request's body: [`HeadOnly`] or [`WholeBody`].
///
/// ```
/// use tower_sso::body::{HeadOnly, LayerBody, ReadBody, WholeBody};
///
/// /// The type of body that an inner service gets from a layer that reads it.
/// type Inner<B> = <WholeBody as ReadBody<B>>::Out;
/// fn same<B>(body: LayerBody<B>) -> Inner<B>
/// where
///     WholeBody: ReadBody<B, Out = LayerBody<B>>,
/// {
///     body
/// }
/// ```
pub trait ReadBody<B>: Reads {
    /// The body that the inner service gets.
    type Out;
    /// The future that reads it. Its output is the bytes read, and the body to pass on.
    type Reading: Future<Output = Result<(Bytes, Self::Out), Reason>>;

    /// Reads the body as far as the form needs it.
    fn read(body: B, limits: BodyLimits) -> Self::Reading;

    /// Waits for the end of a body that must be empty, for this long. Its first byte is
    /// [`Reason::UnsignedBody`].
    fn read_nothing(body: B, timeout: Duration) -> Self::Reading;

    /// Whether the body is empty, if that can be told without waiting for it.
    fn is_empty(body: &B) -> Option<bool>;

    /// Passes on a body that need not be read, because nothing is checked or the head is enough.
    fn untouched(body: B) -> Self::Out;
}

/// What a form reads of a request: implemented for [`HeadOnly`] and [`WholeBody`], and for nothing else.
///
/// ```
/// use tower_sso::body::{Reads, WholeBody};
///
/// fn reads<R: Reads>() {}
/// reads::<WholeBody>();
/// ```
pub trait Reads: sealed::Sealed {}

pub(crate) mod sealed {
    pub trait Sealed {
        const READS_BODY: bool;
    }
    impl Sealed for super::HeadOnly {
        const READS_BODY: bool = false;
    }
    impl Sealed for super::WholeBody {
        const READS_BODY: bool = true;
    }
}

impl Reads for HeadOnly {}
impl Reads for WholeBody {}

/// For a form that needs the body. The inner service gets a [`LayerBody`] with the same bytes.
#[derive(Clone, Copy, Debug)]
pub struct WholeBody;

impl<B: Body> ReadBody<B> for WholeBody
where
    B::Error: Into<BoxError>,
{
    type Out = LayerBody<B>;
    type Reading = Reading<B>;

    fn read(body: B, limits: BodyLimits) -> Self::Reading {
        Reading { body: Some(body), most: Some(limits.size), read: Read::Nothing, wait: Wait::new(limits.timeout) }
    }

    fn read_nothing(body: B, timeout: Duration) -> Self::Reading {
        Reading { body: Some(body), most: None, read: Read::Nothing, wait: Wait::new(timeout) }
    }

    fn is_empty(body: &B) -> Option<bool> {
        is_empty(body)
    }

    fn untouched(body: B) -> LayerBody<B> {
        LayerBody::from_inner(body)
    }
}

pin_project! {
    /// A body that is being read.
    #[doc(hidden)]
    pub struct Reading<B> {
        #[pin]
        body: Option<B>,
        // `None` if it must be empty.
        most: Option<usize>,
        read: Read,
        wait: Wait,
    }
}

enum Read {
    Nothing,
    /// The first frame is kept as received: most bodies are one frame, and are never copied.
    One(Bytes),
    Several(BytesMut),
}

impl Read {
    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(bytes) => bytes.len(),
            Self::Several(bytes) => bytes.len(),
        }
    }

    fn push(&mut self, mut data: impl Buf) {
        if !data.has_remaining() {
            return;
        }
        match self {
            Self::Nothing => *self = Self::One(data.copy_to_bytes(data.remaining())),
            Self::One(first) => {
                let mut bytes = BytesMut::with_capacity((first.len() + data.remaining()) * 2);
                bytes.extend_from_slice(first);
                *self = Self::Several(bytes);
                self.push(data);
            }
            Self::Several(bytes) => {
                while data.has_remaining() {
                    let chunk = data.chunk();
                    let length = chunk.len();
                    bytes.extend_from_slice(chunk);
                    data.advance(length);
                }
            }
        }
    }

    fn take(&mut self) -> Bytes {
        match std::mem::replace(self, Self::Nothing) {
            Self::Nothing => Bytes::new(),
            Self::One(bytes) => bytes,
            Self::Several(bytes) => bytes.freeze(),
        }
    }
}

impl<B: Body> Future for Reading<B>
where
    B::Error: Into<BoxError>,
{
    type Output = Result<(Bytes, LayerBody<B>), Reason>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let read = this.read;
        let Some(mut body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(Err(read_before())) };
        match *this.most {
            None => poll_ready!(this.wait.for_the_end(body, cx))?,
            Some(most) => loop {
                let room = most - read.len();
                // A Content-Length over the limit is refused before a byte is read.
                if body.size_hint().lower() > room as u64 {
                    return Poll::Ready(Err(Reason::BodyTooLarge(most)));
                }
                let Some(data) = poll_ready!(this.wait.for_data(body.as_mut(), cx))? else { break };
                if data.remaining() > room {
                    return Poll::Ready(Err(Reason::BodyTooLarge(most)));
                }
                read.push(data);
            },
        }
        let bytes = read.take();
        this.body.set(None);
        Poll::Ready(Ok((bytes.clone(), LayerBody::from_bytes(bytes))))
    }
}

opaque_debug!(Reading<B>);

// By hand: `http_body_util::Either` boxes the error, so it would not fit where the inner body fitted.
pin_project! {
    /// The body of an answer, from the inner service or the layer itself, or of a request that the layer may have read.
    ///
    /// It has the inner body's data and error types, so it fits wherever that body fits.
    ///
    /// ```
    /// use http_body::Body;
    /// use tower_sso::body::LayerBody;
    ///
    /// let own: LayerBody<http_body_util::Empty<bytes::Bytes>> = LayerBody::from_bytes("as received".into());
    /// assert_eq!(own.size_hint().exact(), Some(11));
    /// ```
    pub struct LayerBody<B> {
        #[pin]
        either: Either<B>,
    }
}

pin_project! {
    #[project = EitherProjection]
    enum Either<B> {
        Own { bytes: Option<Bytes> },
        Inner { #[pin] body: B },
    }
}

impl<B> LayerBody<B> {
    /// A body of these bytes.
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self { either: Either::Own { bytes: Some(bytes).filter(|bytes| !bytes.is_empty()) } }
    }

    /// The inner body.
    pub fn from_inner(body: B) -> Self {
        Self { either: Either::Inner { body } }
    }

    /// The whole body, if the layer has read or written it and nothing was taken from it yet. `None` for an empty one,
    /// of which there is nothing to take: [`Body::is_end_stream`] tells that it is empty.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.either {
            Either::Own { bytes } => bytes.as_ref(),
            Either::Inner { .. } => None,
        }
    }
}

impl<B: Body> Body for LayerBody<B>
where
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().either.project() {
            EitherProjection::Own { bytes } => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes.into())))),
            EitherProjection::Inner { body } => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.either {
            Either::Own { bytes } => bytes.is_none(),
            Either::Inner { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.either {
            Either::Own { bytes } => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Either::Inner { body } => body.size_hint(),
        }
    }
}

impl<B: Default> Default for LayerBody<B> {
    fn default() -> Self {
        Self::from_inner(B::default())
    }
}

opaque_debug!(LayerBody<B>);
