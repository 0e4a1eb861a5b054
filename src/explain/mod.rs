//! Why was this request refused, and which slip of the partner's explains it?
//!
//! [`request`] repeats the steps of a check up to the claims. It does not ask the replay store, so it uses nothing up,
//! and what a startup cutoff or an earlier use would refuse passes. If the signature is wrong, it tries what partners
//! most often get wrong, with the tenant's own keys, and names what fits: a line feed after the secret,
//! `http` for `https`, a value that was encoded twice, a key that has ended.
//!
//! It is for operators: an admin's page, a command, a test. **Never show it to whoever sent the request**: it tells
//! which part of a forgery was wrong, and may name other tenants. It contains no secret, MAC, credential or value of a
//! claim. A wrong [`shared_secret`](crate#forms-and-partners) counts as one guess for its throttle, as in a check.
//!
//! Feature `explain`; for this example `webhook` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "webhook", feature = "sign"))] {
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use tower_sso::{explain, replay::MemoryReplay, sign::SigningWebhook, webhook};
//!
//! let layer = webhook::layer::<serde_json::Value>()
//!     .secrets(["a-secret-shared-with-the-sender"])
//!     .replay(MemoryReplay::new())
//!     .handler_remembers()
//!     .build()?;
//! // The sender's copy of the secret ends with a line feed.
//! let call = SigningWebhook::new("a-secret-shared-with-the-sender\n".into()).sign("{}").request("/hook");
//! let (head, body) = call.into_parts();
//! let explanation = explain::request(&layer, &head, &body.into()).await;
//! assert!(explanation.cause().unwrap().contains("line feed"));
//! # Ok(())
//! # }
//! # }
//! ```
//!
//! # In your app
//!
//! The log does not have what this needs: ask the partner for the request as it was sent, with its headers and the
//! exact body. Serve the explanations to operators, on a listener of their own and at the **same paths**, as some forms
//! sign the path; then send the request there:
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::body::to_bytes;
//! use axum::extract::Request;
//! use axum::routing::{MethodRouter, any};
//! use tower_sso::{VerifyLayer, explain, form::Form};
//!
//! // Takes a clone of the layer that is on the public route.
//! fn why<F: Form, C: Send + Sync + 'static>(layer: VerifyLayer<F, C>) -> MethodRouter {
//!     any(async move |request: Request| {
//!         let (head, body) = request.into_parts();
//!         match to_bytes(body, 64 * 1024).await {
//!             Ok(body) => explain::request(&layer, &head, &body).await.to_string(),
//!             Err(_) => "The body is over 64 KiB, or did not arrive.".to_owned(),
//!         }
//!     })
//! }
//! # }
//! ```
//!
//! With `.route("/hooks/github", why(github.clone()))` on port 9000, that is:
//!
//! ```sh
//! curl -i http://127.0.0.1:9000/hooks/github -H 'X-Hub-Signature-256: sha256=…' --data-binary @body.json
//! ```
//!
//! - **The time is that of your question**: by then, an honest request may have expired. Whether the partner's clock
//!   was off is in the log of the refusal: `age: 360 s`, or `age: -360 s` for a clock that is ahead.
//! - **An old secret is recognised while the key store has it**: with [`MemoryKeys::rotate`] and `keys::sql`, until the
//!   tenant's next rotation. A store of your own shows it by [`stored_keys`](crate::keys::KeyStore::stored_keys).
//!   [`secrets`](crate::Builder::secrets) keeps none that has ended: build a second layer with the old secret, and ask
//!   that one. If the request passes there, the partner has not changed over.
//!
//! [`MemoryKeys::rotate`]: crate::keys::MemoryKeys::rotate

mod bodies;
mod cause;
mod keys;
mod normal_forms;
mod requests;
mod search;
mod work;

use std::fmt;

use bytes::Bytes;
use http::request::Parts;

use crate::VerifyLayer;
use crate::form::Form;
use crate::keys::check_shared;
use crate::observe::OneLine;
use crate::rejection::{Reason, Rejection, Step};

use search::Search;
use work::Work;

pub use crate::near_miss::NearMiss;
pub use work::MOST_WORK;

/// Explains what a layer says to this request. See the [module](self).
///
/// It asks the key store as a check does. If no key fits, it asks a few times more, as another tenant may be meant, and
/// for up to 10,000 of its [`stored_keys`](crate::keys::KeyStore::stored_keys). It does not ask the replay store.
/// Besides the time of the key store, it takes about a millisecond at most: [`MOST_WORK`] bounds what is tried, the
/// likeliest slips first. None is tried for a body over 64 KiB.
pub async fn request<F: Form, C>(layer: &VerifyLayer<F, C>, head: &Parts, body: &Bytes) -> Explanation {
    let mut rehearsal = layer.rehearse(head, body).await;
    let passed = cause::passed(&rehearsal);
    let Some(refused) = rehearsal.refused.take() else { return Explanation { passed, refused: None, cause: None } };
    // A copy, so that what is tried counts as no guess.
    let harmless = layer.form().without_effects();
    let form = harmless.as_ref().unwrap_or(layer.form());
    if harmless.is_some() {
        rehearsal.presented = layer.read_by(form, head, body);
    }
    if search::is_about_keys(refused.reason()) {
        layer.stored_beside(&mut rehearsal).await;
    }
    let mut work = Work::new(check_shared(&layer.rules().decoy).is_err());
    let of_request = cause::Refused { layer, form, rejection: &refused, head, body };
    let mut cause = of_request.before_the_search(&rehearsal, &work);
    if cause.is_none() && search::is_worthwhile(refused.reason()) {
        cause = Search::new(layer, form, &rehearsal, refused.reason(), &mut work).run(head, body).await;
    }
    let cause = cause.or_else(|| of_request.after_the_search(&rehearsal, &work));
    Explanation { passed, refused: Some(refused), cause }
}

/// What was found out about a request.
///
/// Its `Display` is some lines of text for an operator, in which the client's text is escaped and cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    passed: Vec<Passed>,
    refused: Option<Rejection>,
    cause: Option<String>,
}

/// A step that the request has passed, and what was seen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Which one.
    pub step: Step,
    /// What was seen, such as the tenant or the number of keys.
    pub seen: String,
}

impl Explanation {
    /// The steps that the request passes, in order. None if it has no credential.
    pub fn passed(&self) -> &[Passed] {
        &self.passed
    }

    /// Why it is refused. `None` if it passes up to the replay store, whose cutoff and claim are not asked, or if an
    /// [optional](crate::Builder::optional) layer lets it through without a credential.
    pub fn refused(&self) -> Option<&Rejection> {
        self.refused.as_ref()
    }

    /// What the partner, or this side, most probably did. `None` if nothing that was tried fits.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Passed { step, seen } in &self.passed {
            writeln!(f, "passed   {step}: {}", OneLine(seen))?;
        }
        let Some(rejection) = &self.refused else {
            return f.write_str(match self.passed.is_empty() {
                true => "It passes without a credential, as the layer is optional.\n",
                false => {
                    "It passes, unless it was used before, or made before the replay store was: the log says so.\n"
                }
            });
        };
        writeln!(f, "refused  {}: {}", rejection.reason().step(), OneLine(rejection.reason()))?;
        for (name, value) in rejection.facts().iter() {
            writeln!(f, "         {name}: {}", OneLine(value))?;
        }
        match &self.cause {
            Some(cause) => writeln!(f, "Cause: {}", OneLine(cause)),
            None if *rejection.reason() == Reason::BadSignature => f.write_str(
                "Nothing that was tried explains it. Most often the partner signs with another secret, such as another \
                 environment's: compare the first and last characters.\n",
            ),
            None => writeln!(f, "Nothing that was tried explains it."),
        }
    }
}
