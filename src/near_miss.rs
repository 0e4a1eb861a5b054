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
    /// `None`: the layer's own.
    pub(crate) form: Option<F>,
    /// `None`: the request as it is.
    pub(crate) request: Option<(Parts, Bytes)>,
}

impl<F> NearMiss<F> {
    /// The form as it is, and another request. The cause is a sentence: it holds no value of the request.
    pub fn request(cause: impl Into<String>, head: Parts, body: Bytes) -> Self {
        Self { cause: cause.into(), form: None, request: Some((head, body)) }
    }

    /// The request as it is, and a form with another setting.
    pub fn form(cause: impl Into<String>, form: F) -> Self {
        Self { cause: cause.into(), form: Some(form), request: None }
    }

    /// The request as it is, and forms with other settings.
    pub(crate) fn forms(forms: Vec<(String, F)>) -> Vec<Self> {
        forms.into_iter().map(|(cause, form)| Self::form(cause, form)).collect()
    }
}

/// All orders of up to five things.
pub(crate) fn orders<T: Clone>(things: &[T]) -> Vec<Vec<T>> {
    match things {
        [] => vec![Vec::new()],
        _ if things.len() > 5 => Vec::new(),
        _ => {
            let first = |at: usize| {
                let mut rest = things.to_vec();
                let first = rest.remove(at);
                orders(&rest).into_iter().map(move |rest| [vec![first.clone()], rest].concat())
            };
            (0..things.len()).flat_map(first).collect()
        }
    }
}

/// A copy of a form, whatever its claims are: `derive(Clone)` would ask for `C: Clone`.
#[allow(unused_macros, reason = "without forms there is nothing to copy")]
macro_rules! copy_form {
    ($form:ident<$($parameter:ident),+> { $($field:ident),+ $(,)? }) => {
        impl<$($parameter),+> $form<$($parameter),+> {
            #[allow(clippy::clone_on_copy, reason = "some fields are `Copy`")]
            pub(crate) fn copy(&self) -> Self {
                Self { $($field: self.$field.clone(),)+ claims: std::marker::PhantomData }
            }
        }
    };
}

#[allow(unused_imports, reason = "without forms there is nothing to copy")]
pub(crate) use copy_form;
