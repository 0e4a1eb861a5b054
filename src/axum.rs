//! [`Identity`] as an axum extractor.

use ::axum::extract::{FromRequestParts, OptionalFromRequestParts};
use ::axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use std::any::type_name;
use std::convert::Infallible;
use std::fmt;

use crate::Identity;

/// Extracts the identity that a layer has put into the request.
///
/// `Option<Identity<C>>` is for routes behind an [optional](crate::Builder::optional) layer.
///
/// ```
/// use tower_sso::Identity;
///
/// struct User { name: String }
///
/// async fn land(user: Identity<User>) -> String {
///     format!("Hello {}", user.name)
/// }
/// let route = axum::Router::<()>::new().route("/sso", axum::routing::get(land));
/// ```
impl<C, S> FromRequestParts<S> for Identity<C>
where
    C: Send + Sync + 'static,
    S: Send + Sync,
{
    type Rejection = MissingLayer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingLayer> {
        Self::of(&parts.extensions).cloned().ok_or(MissingLayer { claims: type_name::<C>() })
    }
}

impl<C, S> OptionalFromRequestParts<S> for Identity<C>
where
    C: Send + Sync + 'static,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::of(&parts.extensions).cloned())
    }
}

/// A handler asks for an identity on a route that no layer checks. The answer is 500, because the program is wrong, not
/// the request; only the log, at `ERROR`, says which claims are missing.
///
/// ```
/// use axum::extract::FromRequestParts;
/// use tower_sso::Identity;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (mut parts, ()) = http::Request::new(()).into_parts();
/// let missing = <Identity<u8> as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await.unwrap_err();
/// assert!(missing.to_string().contains(".layer("), "it names the fix");
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingLayer {
    claims: &'static str,
}

impl fmt::Display for MissingLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claims = self.claims;
        write!(
            f,
            "no Identity<{claims}> in this request: put the layer whose claims are {claims} on this route, as in \
             .route(path, get(handler).layer(layer)); behind an optional layer take Option<Identity<…>>"
        )
    }
}

impl std::error::Error for MissingLayer {}

impl IntoResponse for MissingLayer {
    fn into_response(self) -> Response {
        tracing::error!(target: "tower_sso", "{self}");
        (StatusCode::INTERNAL_SERVER_ERROR, "This page is not set up correctly.").into_response()
    }
}
