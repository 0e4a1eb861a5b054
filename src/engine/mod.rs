//! Checks every request in the same order, whatever its form.
//!
//! ```text
//! service.rs   the tower `Service`: hands each request to a future
//!    │
//! future.rs    takes the inner service that is ready: reads the body → checks → calls the inner service → settles
//!    │
//! check.rs     screen, before the body is read; check: extract → keys → verify → time → claims → cutoff → replay
//!    │           parts.rs: helpers of single steps. proof.rs: types by which no step is skipped by accident
//!    │
//! replay.rs    what the replay store is asked, and until when it has to remember
//!    │
//! lease.rs     a delivery in progress: settled, or released wherever its request ends
//! ```
//!
//! A layer (`layer.rs`) is set up in `builder.rs`; `settings/validate.rs` refuses what is missing or unsafe, before any
//! request comes. `rehearsal.rs` runs the steps up to the claims for `explain`: it claims nothing, and notes no key as
//! used. A new form implements [`Form`], and nothing here changes: see the [guide](crate::guide::own_form).
//!
//! Between the replay store's answer and the call of the inner service nothing is awaited. [What remains if the client
//! hangs up](crate::guide::check#if-the-client-hangs-up) depends on it.

mod builder;
mod check;
mod future;
mod layer;
mod lease;
mod parts;
mod proof;
#[cfg(feature = "explain")]
mod rehearsal;
mod replay;
mod service;

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response};

use crate::body::LayerBody;
use crate::form::{Extracted, Form, Rules};
use crate::keys::TenantId;
use crate::observe::{Meters, Watch};
use crate::rejection::{Facts, Reason, Rejection, seal};
use crate::settings::Settings;
use crate::text::strip::CredentialParameters;
use check::Stop;
use replay::Replay;

pub use builder::Builder;
pub use future::ResponseFuture;
pub use layer::VerifyLayer;
#[cfg(feature = "explain")]
pub(crate) use rehearsal::Rehearsal;
pub use service::Verify;

/// A form and everything that its layer was set up with. Immutable once built.
pub(crate) struct Engine<F: Form, C> {
    form: F,
    rules: Rules,
    map_claims: MapClaims<F, C>,
    settings: Settings,
    /// `None` for a form whose credentials may come again.
    replay: Option<Arc<Replay>>,
    allow: HeaderValue,
    credential: CredentialParameters,
    meters: Meters,
}

/// Turns the form's claims into the application's, or refuses them.
type MapClaims<F, C> = Box<dyn Fn(<F as Form>::Claims) -> Result<C, Reason> + Send + Sync>;

type Presented<F> = Extracted<<F as Form>::Credential>;

impl<F: Form, C> Engine<F, C> {
    fn rejection(&self, reason: Reason, tenant: Option<TenantId>, facts: Facts) -> Rejection {
        Rejection::new(F::NAME, reason).found(self.settings.namespace.clone(), tenant, facts)
    }

    fn refuse(&self, rejection: Rejection, head: &Parts, watch: Watch) -> Response<Bytes> {
        watch.refused(&rejection, &self.meters);
        let mut response = (self.settings.responder)(&rejection, head);
        rejection.finish(&mut response, &self.allow);
        response
    }

    /// The response to a request that does not reach the inner service.
    fn respond<B>(&self, stop: Stop, head: &Parts, watch: Watch) -> Response<LayerBody<B>> {
        self.meters.checked(self.settings.clock.now().since(watch.began()));
        let mut response = match stop {
            Stop::Refused(reason, tenant, facts) => self.refuse(self.rejection(reason, tenant, facts), head, watch),
            Stop::Untimely(reason, tenant, facts, age) => {
                self.meters.untimely(&reason, tenant.as_ref(), age);
                self.refuse(self.rejection(reason, tenant, facts), head, watch)
            }
            Stop::Acknowledged(tenant) => {
                watch.acknowledged(F::NAME, &self.settings.namespace, &tenant, &self.meters);
                self.rules.acknowledgement.clone().unwrap_or_default()
            }
        };
        seal(response.headers_mut());
        response.map(LayerBody::from_bytes)
    }
}
