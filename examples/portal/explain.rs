//! Why a partner's request does not pass, for the operator: on the operators' page, and by `--explain`.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use tower::ServiceExt;
use tower_sso::VerifyLayer;
use tower_sso::explain::{self, Explanation};
use tower_sso::form::Form;

/// Said of a request that no layer checks.
pub(crate) const UNKNOWN: &str = "no partner signs requests to this path and host, or the body is over 2 MiB";

/// As much as the operators' page takes.
const LONGEST_BODY: usize = 2 * 1024 * 1024;

/// The layers by their routes. Not mounted: no client reaches them.
#[derive(Default)]
pub(crate) struct Explainers {
    routes: Mutex<Router>,
    /// Those of [presets](crate::presets), which the configuration sets.
    paths: Mutex<HashMap<String, Router>>,
}

impl Explainers {
    /// Explains requests to this path by this layer.
    pub(crate) fn add<F: Form, C: Send + Sync + 'static>(&self, path: &str, layer: &VerifyLayer<F, C>) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        *routes = routes.clone().route(path, explainer(layer));
    }

    /// Explains requests to just this path by this layer.
    pub(crate) fn add_at<F: Form, C: Send + Sync + 'static>(&self, path: &str, layer: &VerifyLayer<F, C>) {
        let router = Router::new().fallback_service(explainer(layer));
        self.paths.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), router);
    }

    /// `None` if no layer is explained at its path.
    pub(crate) async fn explain(&self, request: http::Request<Body>) -> Option<Explanation> {
        let preset = self.paths.lock().unwrap_or_else(PoisonError::into_inner).get(request.uri().path()).cloned();
        let routes = preset.unwrap_or_else(|| self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let response = routes.oneshot(request).await.unwrap_or_else(|never| match never {});
        response.extensions().get().cloned()
    }
}

fn explainer<F: Form, C: Send + Sync + 'static>(layer: &VerifyLayer<F, C>) -> MethodRouter {
    let layer = layer.clone();
    any(async move |request: Request| -> Response {
        let (head, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, LONGEST_BODY).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        let mut response = ().into_response();
        response.extensions_mut().insert(explain::request(&layer, &head, &body).await);
        response
    })
}

/// Reads a URL, or a line for curl as a browser's developer tools copy it.
pub(crate) fn read(line: &str) -> Result<http::Request<Body>, NotARequest> {
    let mut words = shlex::split(line).ok_or(NotARequest("has an open quote"))?.into_iter().peekable();
    words.next_if_eq("curl");
    let (mut request, mut address, mut body, mut method) = (http::Request::builder(), None, None, None);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(NotARequest("ends with an option that needs a value"));
        match word.as_str() {
            "-X" | "--request" => method = Some(value()?),
            "-H" | "--header" => {
                let header = value()?;
                let (name, value) = header.split_once(':').ok_or(NotARequest("has a header without a colon"))?;
                request = request.header(name.trim(), value.trim());
            }
            "-d" | "--data" | "--data-raw" | "--data-binary" | "--data-ascii" => body = Some(value()?),
            "-b" | "--cookie" => request = request.header("cookie", value()?),
            "--url" => address = Some(value()?),
            option if option.starts_with('-') => {}
            _ => address = Some(word),
        }
    }
    let uri: http::Uri = address.and_then(|address| address.parse().ok()).ok_or(NotARequest("has no URL"))?;
    if let Some(host) = uri.authority() {
        request = request.header("host", host.as_str());
    }
    if body.is_some() && request.headers_ref().is_some_and(|headers| !headers.contains_key("content-type")) {
        request = request.header("content-type", "application/x-www-form-urlencoded");
    }
    let method = method.unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.to_owned());
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let request = request.method(method.as_str()).uri(path).body(Body::from(body.unwrap_or_default()));
    request.map_err(|_| NotARequest("has a method, header or path that HTTP does not know"))
}

/// What is wrong with the line.
#[derive(Debug)]
pub(crate) struct NotARequest(&'static str);

impl fmt::Display for NotARequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request {}: give a URL, or a line for curl with its arguments in quotes", self.0)
    }
}

impl std::error::Error for NotARequest {}
