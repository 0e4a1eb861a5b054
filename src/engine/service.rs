//! The service that a layer makes: [`Verify`].

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::{Engine, ResponseFuture};
use crate::body::{LayerBody, ReadBody};
use crate::debug::form_debug;
use crate::form::Form;

/// Checks requests by the form `F` before they reach `S`. The identity has claims of type `C`.
///
/// # Readiness and cloning
///
/// It is ready when the inner service is. If no body has to be waited for and the stores answer at once, the whole
/// check and the call of the inner service run inside `call`. Otherwise the rest runs when the future is polled. The
/// check's processor time, some tens of microseconds for a MAC and more for a public key, may thus be spent in `call`:
/// under [`tower::buffer`](https://docs.rs/tower/latest/tower/buffer/), in the buffer's single worker.
///
/// A request that has to wait takes the inner service that was polled ready with it, and leaves a clone for the next
/// request: hence `S: Clone`. What the ready service holds, such as the permit of a concurrency limit, stays taken
/// while the body arrives, the stores answer, and a duplicate waits for the delivery in progress. A refused request
/// gives it back. Dropping the future of `call` unpolled can use a sign-in link up.
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
/// let unchecked = service.into_inner();
/// # }
/// ```
pub struct Verify<S, F: Form, C = <F as Form>::Claims> {
    inner: S,
    engine: Arc<Engine<F, C>>,
}

impl<S, F: Form, C> Verify<S, F, C> {
    pub(super) fn new(inner: S, engine: Arc<Engine<F, C>>) -> Self {
        Self { inner, engine }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service. What is sent to it directly is not checked.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service, without the check.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, F, C, B, R> Service<Request<B>> for Verify<S, F, C>
where
    F: Form,
    F::Reads: ReadBody<B>,
    C: Send + Sync + 'static,
    S: Service<Request<<F::Reads as ReadBody<B>>::Out>, Response = Response<R>> + Clone,
{
    type Response = Response<LayerBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, F, B, R, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture::new(Arc::clone(&self.engine), &mut self.inner, request)
    }
}

impl<S: Clone, F: Form, C> Clone for Verify<S, F, C> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), engine: Arc::clone(&self.engine) }
    }
}

form_debug!(Verify<S, F, C>);
