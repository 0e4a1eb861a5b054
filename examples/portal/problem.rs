//! The portal's own errors, as `application/problem+json` (RFC 9457) or as a page for browsers.

use std::fmt;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::page;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    pub(crate) detail: &'static str,
}

impl Problem {
    pub(crate) const NOT_SIGNED_IN: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        code: "not_signed_in",
        title: "Nobody is signed in",
        detail: "Sign in from your partner's site.",
    };
    pub(crate) const NOT_FOUND: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: "not_found",
        title: "There is nothing here",
        detail: "Check the address.",
    };
    const METHOD_NOT_ALLOWED: Self = Self {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "method_not_allowed",
        title: "The method is not allowed here",
        detail: "The Allow header lists the allowed methods.",
    };
    pub(crate) const CROSS_SITE: Self = Self {
        status: StatusCode::FORBIDDEN,
        code: "cross_site",
        title: "The request came from another site",
        detail: "Use the portal's own page.",
    };
    pub(crate) const CLAIMS_TOO_LARGE: Self = Self {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: "claims_too_large",
        title: "The user’s data is too large",
        detail: "Its fields may take 64 KiB in all, as JSON.",
    };
    pub(crate) const UNAVAILABLE: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "unavailable",
        title: "This is not possible at the moment",
        detail: "Try again in a moment.",
    };
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, title, detail } = self;
        let body = json!({
            "type": "about:blank", "title": title, "status": status.as_u16(), "code": code, "detail": detail,
        });
        let headers = [(CONTENT_TYPE, "application/problem+json"), (CACHE_CONTROL, "no-store")];
        let mut response = (status, headers, body.to_string()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, 15.5.2: a 401 carries a challenge.
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("SSO"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Logs the database's message, which holds no secret: statements come without their values.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the database failed");
        Self::UNAVAILABLE
    }
}

impl From<tower_sessions::session::Error> for Problem {
    fn from(error: tower_sessions::session::Error) -> Self {
        tracing::error!(%error, "the session store failed");
        Self::UNAVAILABLE
    }
}

/// Turns problems into pages for browsers. Other clients get JSON.
pub(crate) async fn present(request: Request, next: Next) -> Response {
    let html = wants_html(request.headers());
    let mut response = next.run(request).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED && !response.headers().contains_key(CONTENT_TYPE) {
        // axum answers 405 itself, without a body.
        let allow = response.headers_mut().remove(ALLOW);
        response = Problem::METHOD_NOT_ALLOWED.into_response();
        response.headers_mut().extend(allow.map(|allow| (ALLOW, allow)));
    }
    match response.extensions().get::<Problem>() {
        Some(problem) if html => {
            let page = page::message(problem.title, problem.code, problem.detail);
            let (mut head, _) = response.into_parts();
            head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            head.headers.remove(CONTENT_LENGTH);
            Response::from_parts(head, page.into())
        }
        _ => response,
    }
}

pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")))
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "a template failed");
        Self::UNAVAILABLE
    }
}
