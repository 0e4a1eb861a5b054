use http::StatusCode;

/// A code's texts. The body is built at compile time, so that a refusal costs little.
struct Row {
    word: &'static str,
    status: StatusCode,
    title: &'static str,
    problem: &'static str,
}

macro_rules! row {
    ($word:literal, $status:ident, $number:literal, $title:literal) => {
        Row {
            word: $word,
            status: StatusCode::$status,
            title: $title,
            problem: concat!(
                r#"{"type":"https://docs.rs/tower-sso/latest/tower_sso/rejection/enum.Code.html","title":""#,
                $title,
                r#"","status":"#,
                $number,
                r#","code":""#,
                $word,
                r#""}"#
            ),
        }
    };
}

/// The public code of a refusal. Stable: partners may rely on these words.
///
/// | code | status | when |
/// |---|---|---|
/// | `malformed` | 400 | not of this form: a part missing, duplicate or badly encoded; or a body that nobody signed |
/// | `invalid` | 401 | unknown tenant, wrong key or signature; see also below |
/// | `expired`, `not_yet_valid` | 401 | authentic, but outside its window |
/// | `replayed` | 401 | authentic, but used before, or made before the replay store began to remember |
/// | `rejected_claims` | 400 | authentic, but the form, your claims type or your own check refuses the payload |
/// | `method_not_allowed` | 405 | a method that the layer does not list |
/// | `request_timeout` | 408 | the body did not arrive in time |
/// | `payload_too_large` | 413 | the body is over the layer's limit, or over one outside it |
/// | `unsupported_media_type` | 415 | not the form's content type or content encoding |
/// | `too_early` | 425 | a marked prefetch or preview, which must not use up the credential; the click may |
/// | `too_many_requests` | 429 | the source has guessed too often |
/// | `unavailable` | 503 | the key store or the replay store failed, timed out or is full; see also below |
///
/// - `invalid` also covers a JWT with another algorithm or type, or with a wrong or missing registered claim.
/// - `unavailable` also covers a tenant without a usable key, and a webhook whose duplicate is still being processed.
///
/// ```
/// use tower_sso::rejection::Code;
///
/// assert_eq!(Code::Replayed.as_str(), "replayed");
/// assert_eq!(Code::Replayed.status(), 401);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// Not of this form: a part is missing, duplicate or badly encoded, or there is a body that nobody signed.
    Malformed,
    /// Unknown tenant, wrong key, wrong signature: one answer for all of them.
    Invalid,
    /// Authentic, but too old.
    Expired,
    /// Authentic, but from the future.
    NotYetValid,
    /// Authentic, but used before.
    Replayed,
    /// Authentic, but the payload is not what the form requires.
    RejectedClaims,
    /// The layer does not list the request's method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body is over the layer's limit, or over one outside it.
    PayloadTooLarge,
    /// Not the form's content type or content encoding.
    UnsupportedMediaType,
    /// A prefetch or a preview, which must not use up the credential: `Sec-Purpose`, `Purpose`, `X-Purpose`, `X-Moz` or
    /// `X-Sec-Purpose` says `prefetch`, `prerender`, `preview` or `instant`, or `HX-Preloaded` says `true`. Browsers
    /// send or sent these, and Facebook's app, Hotwire Turbo and htmx for links in your own pages.
    TooEarly,
    /// The source has guessed too often.
    TooManyRequests,
    /// The key store or the replay store failed, timed out or is full; no key of the tenant is usable; or a duplicate
    /// of this webhook is still being processed.
    Unavailable,
}

impl Code {
    /// The code's word in the answer.
    pub const fn as_str(self) -> &'static str {
        self.row().word
    }

    /// The HTTP status of the answer.
    pub const fn status(self) -> StatusCode {
        self.row().status
    }

    /// The answer's title.
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// The default answer's body.
    pub(super) const fn problem(self) -> &'static str {
        self.row().problem
    }

    const fn row(self) -> Row {
        match self {
            Self::Malformed => row!("malformed", BAD_REQUEST, 400, "The request is malformed"),
            Self::Invalid => row!("invalid", UNAUTHORIZED, 401, "The request is not valid"),
            Self::Expired => row!("expired", UNAUTHORIZED, 401, "The request has expired"),
            Self::NotYetValid => row!("not_yet_valid", UNAUTHORIZED, 401, "The request is not valid yet"),
            Self::Replayed => row!("replayed", UNAUTHORIZED, 401, "The request was used before, or may have been"),
            Self::RejectedClaims => row!("rejected_claims", BAD_REQUEST, 400, "The request lacks what is required"),
            Self::MethodNotAllowed => {
                row!("method_not_allowed", METHOD_NOT_ALLOWED, 405, "The method is not allowed here")
            }
            Self::RequestTimeout => {
                row!("request_timeout", REQUEST_TIMEOUT, 408, "The body did not arrive in time")
            }
            Self::PayloadTooLarge => row!("payload_too_large", PAYLOAD_TOO_LARGE, 413, "The body is too large"),
            Self::UnsupportedMediaType => {
                row!("unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, 415, "The body's type is not supported")
            }
            Self::TooEarly => row!("too_early", TOO_EARLY, 425, "The sign-in link cannot be fetched ahead"),
            Self::TooManyRequests => row!("too_many_requests", TOO_MANY_REQUESTS, 429, "Too many requests"),
            Self::Unavailable => {
                row!("unavailable", SERVICE_UNAVAILABLE, 503, "Signing in is not possible at the moment")
            }
        }
    }
}
