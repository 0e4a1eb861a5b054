use bytes::Bytes;
use http::request::Parts;

/// A request, and perhaps other settings of the form, under which the signature would fit if a partner had made this
/// slip. See [`Form::near_misses`](crate::form::Form::near_misses).
///
/// ```
/// use bytes::Bytes;
/// use tower_sso::explain::NearMiss;
///
/// # struct Password;
/// let (head, ()) = http::Request::get("/").body(()).unwrap().into_parts();
/// let near: NearMiss<Password> = NearMiss::request("it was signed as a GET", head, Bytes::new());
/// ```
#[derive(Debug)]
pub struct NearMiss<F> {
    pub(crate) cause: String,
    pub(crate) form: Option<F>,
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

impl<F> NearMiss<F> {
    /// The form as it is, and another request. The cause is a sentence: it holds no value of the request.
    pub fn request(cause: impl Into<String>, head: Parts, body: Bytes) -> Self {
        Self { cause: cause.into(), form: None, head, body }
    }

    /// The request as it is, and a form with another setting.
    pub fn form(cause: impl Into<String>, form: F, head: &Parts, body: &Bytes) -> Self {
        Self { cause: cause.into(), form: Some(form), head: head.clone(), body: body.clone() }
    }
}
