//! The service that a layer makes: [`Verify`].

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::body::{LayerBody, ReadBody};
use crate::form::Form;
use crate::future::ResponseFuture;
use crate::pipeline::Pipeline;

/// Checks requests by the form `F` before they reach `S`.
///
/// What needs no waiting is done when it is called, not when the future is polled: a request whose body need not be read and
/// whose stores answer at once has then been checked, its credential is spent, and `S` was called, itself and not a clone.
/// Behind a `tower::buffer::Buffer`, it is the buffer's worker that does it; put the buffer inside.
///
/// ```
/// # #[cfg(all(feature = "fernet", feature = "moka"))] {
/// use http::{Request, Response};
/// use tower_layer::Layer;
/// use tower_sso::service::Verify;
///
/// # let layer = tower_sso::fernet::layer::<serde_json::Value>()
/// #     .tenant(tower_sso::tenant::Tenant::fixed("acme"))
/// #     .secrets(["38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c="])
/// #     .replay(tower_sso::replay::MemoryReplay::new())
/// #     .build()
/// #     .unwrap();
/// let inner = tower::service_fn(|_: Request<String>| async { Ok::<_, std::io::Error>(Response::new(String::new())) });
/// let service: Verify<_, _> = layer.layer(inner);
/// # }
/// ```
pub struct Verify<S, F> {
    inner: S,
    pipeline: Arc<Pipeline<F>>,
}

impl<S, F> Verify<S, F> {
    pub(crate) fn new(inner: S, pipeline: Arc<Pipeline<F>>) -> Self {
        Self { inner, pipeline }
    }
}

impl<S, F, B, R> Service<Request<B>> for Verify<S, F>
where
    F: Form,
    F::Reads: ReadBody<B>,
    S: Service<Request<<F::Reads as ReadBody<B>>::Out>, Response = Response<R>> + Clone,
{
    type Response = Response<LayerBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, F, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture::new(&self.pipeline, &mut self.inner, request)
    }
}

impl<S: Clone, F> Clone for Verify<S, F> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), pipeline: Arc::clone(&self.pipeline) }
    }
}

impl<S, F: Form> fmt::Debug for Verify<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verify").field("form", &F::NAME).finish_non_exhaustive()
    }
}
