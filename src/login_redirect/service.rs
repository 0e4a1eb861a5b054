use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderValue, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::LoginRequired;
use super::layer::Settings;
use super::location::collapse_slashes;
use crate::body::LayerBody;
use crate::debug::opaque_debug;
use crate::rejection::seal;

/// The service that [`LoginRedirectLayer`](super::LoginRedirectLayer) makes.
///
/// ```
/// use http::{Request, Response};
/// use tower_layer::Layer;
/// use tower_sso::login_redirect::{LoginRedirect, LoginRedirectLayer, login_required};
///
/// let inner = tower::service_fn(|_: Request<()>| async { Ok::<Response<String>, std::io::Error>(login_required()) });
/// let service: LoginRedirect<_> = LoginRedirectLayer::new(|_| None).layer(inner);
/// ```
#[derive(Clone)]
pub struct LoginRedirect<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> LoginRedirect<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, R> Service<Request<B>> for LoginRedirect<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<LayerBody<R>>;
    type Error = S::Error;
    type Future = LoginRedirectFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let location = self.settings.location(&head);
        collapse_slashes(&mut head.uri);
        // The ready service is called at once, so it need not be moved out.
        LoginRedirectFuture { answer: self.inner.call(Request::from_parts(head, body)), location }
    }
}

pin_project! {
    /// The answer of the inner service, or a redirect in its place.
    #[must_use = "futures do nothing unless polled"]
    pub struct LoginRedirectFuture<F> {
        #[pin]
        answer: F,
        location: Option<HeaderValue>,
    }
}

impl<F, R, E> Future for LoginRedirectFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<LayerBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx))?;
        let required = answer.extensions().get::<LoginRequired>().is_some();
        let (true, Some(location)) = (required, this.location.take()) else {
            return Poll::Ready(Ok(answer.map(LayerBody::from_inner)));
        };
        let mut redirect = Response::new(LayerBody::from_bytes(Bytes::new()));
        *redirect.status_mut() = StatusCode::FOUND;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            redirect.headers_mut().append(SET_COOKIE, cookie.clone());
        }
        redirect.headers_mut().insert(LOCATION, location);
        seal(redirect.headers_mut());
        Poll::Ready(Ok(redirect))
    }
}

opaque_debug!(LoginRedirect<S>);
opaque_debug!(LoginRedirectFuture<F>);
