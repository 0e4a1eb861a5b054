use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::json;
use tower::service_fn;
use tower::util::BoxCloneSyncService;
use tower_sso::providers::seatmap::SeatmapRegistration;

use crate::routes::{Route, Service};
use crate::{Reply, answer};

/// The organisation of each registered email address. Passwords are not needed: nobody signs in with one here.
#[derive(Clone, Default)]
pub(crate) struct Users(Arc<Mutex<HashMap<String, String>>>);

impl Users {
    /// The registration route. Its requests carry no credential, so it has no layer.
    pub(crate) fn register(&self, route: &Route) -> Service {
        let (users, said) = (self.clone(), json!({"ok": true, "scheme": route.scheme, "route": route.id}));
        BoxCloneSyncService::new(service_fn(move |request: Request<Incoming>| {
            let (users, mut said) = (users.clone(), said.clone());
            async move {
                Ok::<_, Infallible>(match users.take(request).await {
                    Ok(user) => {
                        said["email"] = user.email.clone().into();
                        said["subject"] = user.email.into();
                        said["tenant"] = user.organization_name.into();
                        answer::json(StatusCode::OK, &said)
                    }
                    Err(refused) => refused,
                })
            }
        }))
    }

    async fn take(&self, request: Request<Incoming>) -> Result<SeatmapRegistration, Reply> {
        if request.method() != Method::POST {
            return Err(answer::refused(StatusCode::METHOD_NOT_ALLOWED, "method"));
        }
        if !is_json(request.headers()) {
            return Err(answer::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type"));
        }
        let body = Limited::new(request.into_body(), 64 * 1024).collect().await;
        let body = body.map_err(|_| answer::refused(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"))?.to_bytes();
        let user: Result<SeatmapRegistration, _> = serde_json::from_slice(&body);
        let user = user.map_err(|_| answer::refused(StatusCode::BAD_REQUEST, "malformed"))?;
        if user.email.trim().is_empty() || user.organization_name.trim().is_empty() {
            return Err(answer::refused(StatusCode::BAD_REQUEST, "malformed"));
        }
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let organisation = users.entry(user.email.clone()).or_insert_with(|| user.organization_name.clone());
        // Registering the same user again changes nothing; another organisation's user is refused.
        if *organisation == user.organization_name {
            Ok(user)
        } else {
            Err(answer::refused(StatusCode::CONFLICT, "registered"))
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}
