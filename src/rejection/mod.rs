//! Why a request was refused: the public [`Code`], the inner [`Reason`], and the answer made of them.

mod code;
mod facts;
mod reason;
mod step;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

pub use crate::store::StoreFailure;
use crate::tenant_id::TenantId;
pub use code::Code;
pub use facts::Facts;
#[cfg(any(
    feature = "http-signature",
    feature = "oauth1",
    feature = "signed-parameters",
    feature = "timestamp-hash"
))]
pub(crate) use facts::Names;
pub use reason::{Reason, RefusedClaims};
pub use step::Step;

/// A refusal, as a responder sees it. It is also in the extensions of every answer that a layer gave itself.
///
/// ```
/// use tower_sso::rejection::{Code, Reason, Rejection};
///
/// let rejection = Rejection::new("fernet", Reason::Expired);
/// assert_eq!(rejection.code(), Code::Expired);
/// assert_eq!(rejection.to_string(), "fernet: expired: it is too old");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    form: &'static str,
    namespace: Cow<'static, str>,
    tenant: Option<TenantId>,
    reason: Reason,
    facts: Facts,
}

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}

impl Rejection {
    /// A refusal by the layer of this form.
    pub fn new(form: &'static str, reason: Reason) -> Self {
        Self { form, namespace: "".into(), tenant: None, reason, facts: Facts::new() }
    }

    /// The same, by the layer of this [namespace](crate::Builder::namespace), of a request that names this tenant, and
    /// with what was compared.
    #[must_use]
    pub fn found(self, namespace: Cow<'static, str>, tenant: Option<TenantId>, facts: Facts) -> Self {
        Self { namespace, tenant, facts, ..self }
    }

    /// The form whose layer refused.
    pub fn form(&self) -> &'static str {
        self.form
    }

    /// The [namespace](crate::Builder::namespace) of the layer that refused; empty if it has none.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The tenant that the request names. **Nothing has proved it** unless the [step](Reason::step) is later than the
    /// signature's: then it is the owner of the key, if that has one. `None` if it names none that could be known.
    pub fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// What was compared. Not for the client.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The public code.
    pub fn code(&self) -> Code {
        self.reason.code()
    }

    /// The exact reason. Not for the client.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The reason as a sentence: two forms find the key by the credential itself, where no tenant is named.
    pub(crate) fn detail(&self) -> &dyn fmt::Display {
        match (&self.reason, self.form) {
            (Reason::UnknownKey, "shared_secret") => &"nobody has this secret",
            (Reason::UnknownKey, "ticket") => &"no such ticket: it is spent, has expired or was never issued",
            (reason, _) => reason,
        }
    }

    /// The default answer: RFC 9457 `application/problem+json` with `type`, `title`, `status` and `code`.
    pub fn problem_json(&self) -> Response<Bytes> {
        let (status, problem) = (self.code().status(), self.code().problem());
        let mut response = Response::new(Bytes::from_static(problem.as_bytes()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }

    /// Adds the headers of every refusal, also to a custom responder's answer.
    pub(crate) fn finish(self, response: &mut Response<Bytes>, allow: &HeaderValue) {
        let status = response.status();
        let headers = response.headers_mut();
        match self.code() {
            Code::MethodNotAllowed => _ = headers.insert(ALLOW, allow.clone()),
            Code::Unavailable => insert_default(headers, RETRY_AFTER, "1"),
            _ => {}
        }
        if let Reason::TooManyGuesses(wait) = self.reason {
            // Rounded up, so that a retry at that second succeeds.
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            headers.entry(RETRY_AFTER).or_insert(HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, 15.5.2: a 401 carries a challenge.
            insert_default(headers, WWW_AUTHENTICATE, "SSO");
        }
        response.extensions_mut().insert(self);
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.form, self.reason.as_str(), self.detail())
    }
}

/// The headers of every answer on a login route, accepted or refused: it may contain a session, and its URL a
/// credential.
pub(crate) fn seal(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

fn insert_default(headers: &mut HeaderMap, name: http::HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn problems_say_what_the_code_says() {
        for reason in [
            Reason::MissingSignature,
            Reason::UnknownKey,
            Reason::Expired,
            Reason::NotYetValid,
            Reason::Replayed,
            Reason::MissingField("id".into()),
            Reason::Method,
            Reason::BodyTooLarge(1),
            Reason::BodyTimeout,
            Reason::ContentType,
            Reason::Prefetch,
            Reason::TooManyGuesses(Duration::ZERO),
            Reason::InProgress,
        ] {
            let rejection = Rejection::new("fernet", reason);
            let (code, answer) = (rejection.code(), rejection.problem_json());
            let problem: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            assert_eq!(answer.status(), code.status());
            assert_eq!(problem["status"], code.status().as_u16());
            assert_eq!(problem["code"], code.as_str());
            assert_eq!(problem["title"], code.title());
            assert!(problem["type"].as_str().unwrap().ends_with("/rejection/enum.Code.html"));
        }
    }
}
