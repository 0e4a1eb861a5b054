//! How a partner signs a request, as a list of steps: [`Steps`]. Each form says it once, in [`Signs`]. A
//! [`Signer`](crate::sign::Signer) carries the steps out; the partner kit writes them down, in words and in seven
//! languages.

mod error;
mod expr;
mod places;
mod private;
#[cfg(feature = "public-key")]
mod private_key;
mod request;
mod run;
mod sealing;
mod signatures;
mod wanted;
pub(crate) mod words;

use std::time::Duration;

use crate::debug::opaque_debug;
use crate::form::Form;
use crate::scheme::SecretFormat;
use crate::window::Window;

pub use error::SignError;
#[allow(unused_imports, reason = "each form needs its own part of it")]
pub(crate) use expr::{Escape, Expr, Joined, Kind};
pub(crate) use private::PrivateAlgorithm;
#[cfg(feature = "public-key")]
#[allow(unused_imports, reason = "each form needs its own part of it")]
pub(crate) use private_key::PrivateKey;
#[allow(unused_imports, reason = "each form needs its own part of it")]
pub(crate) use request::{Body, Outgoing, Part, Request, as_written};
#[cfg(feature = "kit")]
pub(crate) use run::Computed;
#[cfg(feature = "fernet")]
pub(crate) use run::fernet;
pub(crate) use run::{Run, Values};
#[allow(unused_imports, reason = "one form needs it")]
pub(crate) use sealing::Sealing;
pub use wanted::Wanted;

/// A form whose partners' side is known, step by step: its layers have a
/// [`signer`](crate::VerifyLayer::signer) and a partner kit.
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::keys::Secret;
/// use tower_sso::sign::{SignError, Signs};
///
/// fn link<F: Signs>(layer: &VerifyLayer<F>, secret: &Secret) -> Result<http::Uri, SignError> {
///     let claims = serde_json::json!({"email": "ada@example.com"});
///     Ok(layer.signer(secret).request("https://app.example/sso", &claims)?.uri().clone())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "requests of `{Self}` cannot be described step by step: it has no signer and no partner kit",
    note = "a ticket is issued by your own app: call `ticket::Tickets::issue`",
    note = "a form of your own that signs in steps implements `Signs` by that of the form inside it"
)]
pub trait Signs: Form {
    /// The steps to a request. Reads no key.
    ///
    /// # Errors
    /// If the form is set up in a way that cannot be described, or if what is wanted lacks something.
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError>;
}

/// How a partner signs a request for a layer: steps, and the request that they end in. Made by [`Signs::signing`].
///
/// ```
/// use tower_sso::sign::{SignError, Steps, Wanted};
///
/// // A form of your own has none, unless it hands over those of a form inside it.
/// fn signing(_: &Wanted<'_>) -> Result<Steps, SignError> {
///     Err(SignError::Unsupported("the partner shows the secret itself"))
/// }
/// ```
pub struct Steps {
    pub(crate) steps: Vec<Step>,
    pub(crate) request: Request,
    /// The parts of the request that the partner has to set.
    pub(crate) parts: Vec<Part>,
    pub(crate) secret: SecretShape,
    /// `None`: a request may have any age.
    pub(crate) lifetime: Option<Lifetime>,
}

opaque_debug!(Steps { steps });

/// One step: a value and its name, which later steps use.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) expr: Expr,
}

/// How long a request is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// For so long after it was made.
    Window(Window),
    /// Until the end that it states, and for so long more.
    Stated(Duration),
}

/// What a secret looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretShape {
    /// Any text.
    Text,
    /// Base64 of bytes, after a prefix.
    Base64(&'static str),
    /// `user:password`.
    Credentials,
    /// base64url of 32 bytes.
    Fernet,
    Hex,
    /// A private key in PEM, whose public key the layer has.
    #[cfg_attr(not(feature = "public-key"), allow(dead_code, reason = "no form has public keys"))]
    PrivateKey(PrivateAlgorithm),
}

impl SecretShape {
    /// A private key, or a secret of this format.
    pub(crate) fn either(private: Option<PrivateAlgorithm>, format: SecretFormat) -> Self {
        private.map_or_else(|| Self::of(format), Self::PrivateKey)
    }

    fn of(format: SecretFormat) -> Self {
        match format {
            SecretFormat::Bytes | SecretFormat::Text => Self::Text,
            SecretFormat::Base64 { prefix } => Self::Base64(prefix),
            SecretFormat::Hex => Self::Hex,
        }
    }
}

/// The key that a secret of this format holds.
pub(crate) fn key(format: SecretFormat, draft: &mut Draft) -> Expr {
    let secret = Box::new(Expr::Secret);
    match format {
        SecretFormat::Bytes | SecretFormat::Text => Expr::Secret,
        SecretFormat::Base64 { prefix } => draft.step("key", Expr::FromBase64(prefix, secret)),
        SecretFormat::Hex => draft.step("key", Expr::FromHex(secret)),
    }
}

/// Collects steps.
#[derive(Default)]
pub(crate) struct Draft(Vec<Step>);

impl Draft {
    /// Adds a step, and returns what stands for its value.
    pub(crate) fn step(&mut self, name: &'static str, expr: Expr) -> Expr {
        let kind = expr.kind();
        self.0.push(Step { name, expr });
        Expr::Step(name, kind)
    }

    /// The steps, with the request that they end in.
    pub(crate) fn end(self, outgoing: Outgoing, secret: SecretShape, lifetime: Option<Lifetime>) -> Steps {
        let Outgoing { request, parts } = outgoing;
        Steps { steps: self.0, request, parts, secret, lifetime }
    }
}
