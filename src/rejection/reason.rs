use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::{Code, Step, StoreFailure};

/// The exact reason of a refusal: for logs, metrics and a custom responder. Clients do not see it by default.
///
/// Showing it to a client tells an attacker which part of a forgery was wrong. The log has it as one line, escaped and
/// cut after 512 bytes. Even so, a form of your own should not put received data into it.
///
/// ```
/// use tower_sso::rejection::{Code, Reason};
///
/// // Two reasons, one answer.
/// assert_eq!(Reason::UnknownKey.code(), Code::Invalid);
/// assert_eq!(Reason::BadSignature.code(), Code::Invalid);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A part of the form is missing: its name.
    MissingParameter(Cow<'static, str>),
    /// A part of the form is duplicate: its name.
    DuplicateParameter(Cow<'static, str>),
    /// A part of the form is malformed: its name and what is wrong with it.
    Malformed(Cow<'static, str>, &'static str),
    /// The signature's header is missing.
    MissingSignature,
    /// The body broke off or could not be decompressed: the error of the connection or decompressor.
    IncompleteBody(Cow<'static, str>),
    /// The body did not arrive in time: within [`body_timeout`](crate::Builder::body_timeout), or a timeout outside
    /// the layer.
    BodyTimeout,
    /// The body is larger than this many bytes.
    BodyTooLarge(usize),
    /// The body is larger than a limit outside the layer allows, such as `RequestBodyLimitLayer`.
    BodyOverOuterLimit,
    /// The request has a body that its credential does not sign. See
    /// [`danger_unsigned_body`](crate::Builder::danger_unsigned_body).
    UnsignedBody,
    /// The content type is not the form's.
    ContentType,
    /// The body is compressed, which would make the signed bytes ambiguous.
    ContentEncoding,
    /// The layer does not list the method.
    Method,
    /// The request says that nobody clicked: a prefetch or a preview. See [`Code::TooEarly`].
    Prefetch,
    /// No key is known for the tenant.
    UnknownKey,
    /// No active key of the tenant made this signature.
    BadSignature,
    /// The body is not the one whose hash was signed.
    BodyHash,
    /// The token or the request names another algorithm than the layer's.
    AlgorithmNotAllowed,
    /// The token's header is wrong: what is wrong with it.
    BadToken(&'static str),
    /// Too old.
    Expired,
    /// From the future.
    NotYetValid,
    /// Used before.
    Replayed,
    /// Usable before the replay store started to remember: it may have been used before that.
    BeforeCutoff,
    /// From a time when the replay store kept entries for less long than this layer accepts a credential. It may have
    /// been used then, and its entry removed. See [`Claimed::Forgotten`](crate::replay::Claimed::Forgotten).
    Forgotten,
    /// The token is for another audience.
    WrongAudience,
    /// A registered claim is missing: its name.
    MissingClaim(Cow<'static, str>),
    /// A registered claim is wrong: its name and what is wrong with it.
    BadClaim(Cow<'static, str>, &'static str),
    /// The payload is wrong: what is wrong with it.
    BadPayload(Cow<'static, str>),
    /// A required field of the payload is missing: its name.
    MissingField(Cow<'static, str>),
    /// The application's own check refused the claims: its text.
    RefusedByApplication(Cow<'static, str>),
    /// The key store failed.
    KeyStore(StoreFailure),
    /// The key store returned an unusable key: what is wrong with it.
    UnusableKey(&'static str),
    /// The replay store failed.
    ReplayStore(StoreFailure),
    /// A duplicate of this delivery is still being processed.
    InProgress,
    /// The source has guessed too often: the time until it may try again.
    TooManyGuesses(Duration),
}

impl std::error::Error for Reason {}

/// The application refuses authentic claims. Its text goes to the log.
///
/// ```
/// use tower_sso::rejection::RefusedClaims;
///
/// let refused = RefusedClaims::new("not a teacher");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedClaims(Cow<'static, str>);

impl RefusedClaims {
    /// Refused for this reason.
    pub fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self(why.into())
    }
}

impl From<RefusedClaims> for Reason {
    fn from(RefusedClaims(why): RefusedClaims) -> Self {
        Self::RefusedByApplication(why)
    }
}

impl Reason {
    /// The reason's name: one word, stable, fit for a metric's label.
    pub const fn as_str(&self) -> &'static str {
        self.row().0
    }

    /// The public code for it.
    pub const fn code(&self) -> Code {
        self.row().1
    }

    /// The step at which the request was refused. All earlier steps passed, but for [`AlgorithmNotAllowed`]: that can
    /// show before the keys are looked up.
    ///
    /// [`AlgorithmNotAllowed`]: Self::AlgorithmNotAllowed
    pub const fn step(&self) -> Step {
        self.row().2
    }

    const fn row(&self) -> (&'static str, Code, Step) {
        match self {
            Self::MissingParameter(_) => ("missing_parameter", Code::Malformed, Step::Extract),
            Self::DuplicateParameter(_) => ("duplicate_parameter", Code::Malformed, Step::Extract),
            Self::Malformed(..) => ("malformed", Code::Malformed, Step::Extract),
            Self::MissingSignature => ("missing_signature", Code::Malformed, Step::Extract),
            Self::IncompleteBody(_) => ("incomplete_body", Code::Malformed, Step::Extract),
            Self::UnsignedBody => ("unsigned_body", Code::Malformed, Step::Extract),
            Self::BodyTimeout => ("body_timeout", Code::RequestTimeout, Step::Extract),
            Self::BodyOverOuterLimit => ("body_over_outer_limit", Code::PayloadTooLarge, Step::Extract),
            Self::BodyTooLarge(_) => ("body_too_large", Code::PayloadTooLarge, Step::Extract),
            Self::ContentType => ("content_type", Code::UnsupportedMediaType, Step::Extract),
            Self::ContentEncoding => ("content_encoding", Code::UnsupportedMediaType, Step::Extract),
            Self::Method => ("method", Code::MethodNotAllowed, Step::Extract),
            Self::Prefetch => ("prefetch", Code::TooEarly, Step::Extract),
            Self::TooManyGuesses(_) => ("too_many_guesses", Code::TooManyRequests, Step::Extract),
            Self::KeyStore(_) => ("key_store", Code::Unavailable, Step::Keys),
            Self::UnusableKey(_) => ("unusable_key", Code::Unavailable, Step::Keys),
            Self::UnknownKey => ("unknown_key", Code::Invalid, Step::Keys),
            Self::BadSignature => ("bad_signature", Code::Invalid, Step::Verify),
            Self::BodyHash => ("body_hash", Code::Invalid, Step::Verify),
            Self::AlgorithmNotAllowed => ("alg_not_allowed", Code::Invalid, Step::Verify),
            Self::BadToken(_) => ("bad_token", Code::Invalid, Step::Verify),
            Self::WrongAudience => ("wrong_audience", Code::Invalid, Step::Claims),
            Self::MissingClaim(_) => ("missing_claim", Code::Invalid, Step::Claims),
            Self::BadClaim(..) => ("bad_claim", Code::Invalid, Step::Claims),
            Self::Expired => ("expired", Code::Expired, Step::Time),
            Self::NotYetValid => ("not_yet_valid", Code::NotYetValid, Step::Time),
            Self::BadPayload(_) => ("bad_payload", Code::RejectedClaims, Step::Claims),
            Self::MissingField(_) => ("missing_field", Code::RejectedClaims, Step::Claims),
            Self::RefusedByApplication(_) => ("refused_by_application", Code::RejectedClaims, Step::Claims),
            Self::Replayed => ("replayed", Code::Replayed, Step::Replay),
            Self::BeforeCutoff => ("before_cutoff", Code::Replayed, Step::Replay),
            Self::Forgotten => ("forgotten", Code::Replayed, Step::Replay),
            Self::ReplayStore(_) => ("replay_store", Code::Unavailable, Step::Replay),
            Self::InProgress => ("in_progress", Code::Unavailable, Step::Replay),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingParameter(name) => write!(f, "`{name}` is missing"),
            Self::DuplicateParameter(name) => write!(f, "`{name}` is there twice"),
            Self::Malformed(name, what) => write!(f, "`{name}` {what}"),
            Self::MissingSignature => f.write_str("the signature is missing"),
            Self::IncompleteBody(what) => write!(f, "the body did not arrive as it was sent: {what}"),
            Self::BodyTimeout => f.write_str("the body did not arrive in time"),
            Self::BodyOverOuterLimit => f.write_str("the body is over a limit outside this layer"),
            Self::BodyTooLarge(limit) => write!(f, "the body is over {limit} bytes: see `body_limit`"),
            Self::UnsignedBody => f.write_str("the body is not signed: sign it, leave it out, or call `danger_unsigned_body`"),
            Self::ContentType => f.write_str("the content type is not the form's: see `content_type` and `any_content_type`"),
            Self::ContentEncoding => f.write_str("the body has a content encoding"),
            Self::Method => f.write_str("the method is not listed"),
            Self::Prefetch => f.write_str("the request is marked as a prefetch or a preview"),
            Self::UnknownKey => f.write_str("no key is known for this tenant"),
            Self::BadSignature => f.write_str("no active key of this tenant made the signature"),
            Self::BodyHash => f.write_str("the body is not the one whose hash was signed: it was changed on the way"),
            Self::AlgorithmNotAllowed => f.write_str("the signature is made in a way that this layer does not take"),
            Self::BadToken(what) => write!(f, "the token {what}"),
            Self::WrongAudience => f.write_str("the token is for another audience: compare its `aud` with `audience`"),
            Self::MissingClaim(name) if name == "exp" => {
                f.write_str("the claim `exp` is missing: for tokens with `iat` alone see `max_age`")
            }
            Self::MissingClaim(name) => write!(f, "the claim `{name}` is missing"),
            Self::BadClaim(name, what) => write!(f, "the claim `{name}` {what}"),
            Self::Expired => f.write_str("it is too old"),
            Self::NotYetValid => f.write_str("it is from the future: compare the partner's clock with this one"),
            Self::Replayed => f.write_str("it was used before"),
            Self::BeforeCutoff => {
                f.write_str(
                "it was made, or may have been made, before this process began to remember what was used; a JWT without `iat` \
                 and `nbf` may have been, for its longest lifetime: ask for `iat`",
            )
            }
            Self::Forgotten => f.write_str(
                "it may have been used before a layer was added that accepts it for longer: its entry is no longer kept",
            ),
            Self::BadPayload(what) => write!(f, "the payload: {what}"),
            Self::MissingField(name) => write!(f, "the payload has no `{name}`"),
            Self::RefusedByApplication(what) => write!(f, "the application refuses the claims: {what}"),
            Self::KeyStore(failure) => write!(f, "the key store {failure}"),
            Self::UnusableKey(what) => write!(f, "the key store's key {what}"),
            Self::ReplayStore(failure) => write!(f, "the replay store {failure}"),
            Self::InProgress => f.write_str("a duplicate of this delivery is being processed"),
            Self::TooManyGuesses(wait) => write!(f, "its source has guessed too often, and may try again in {wait:?}"),
        }
    }
}
