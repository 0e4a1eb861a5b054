//! The check of a request, in order, once, for every form.
//!
//! ```text
//! service.rs   takes the inner service that was polled ready, and makes the future
//!    │
//! future.rs    reading the body → checking → calling the inner service → settling
//!    │
//! check.rs     screen → extract → keys → verify → time → claims → startup cutoff → replay
//!    │           proof.rs: each step takes what only the step before it makes
//!    │
//! replay.rs    what the replay store is asked, and until when it has to remember
//!    │
//! lease.rs     a delivery in progress: settled, or released wherever its request ends
//! ```
//!
//! A layer is set up in `builder.rs`. `validate.rs` refuses what is missing or unsafe, before any request comes.

pub(crate) mod builder;
mod check;
mod future;
mod layer;
mod lease;
mod proof;
#[cfg(feature = "explain")]
mod rehearsal;
mod replay;
mod service;
#[cfg(feature = "sign")]
mod signing;
mod validate;

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response};

use crate::body::LayerBody;
use crate::form::{Form, Rules};
use crate::keys::TenantId;
use crate::observe::{self, Meters, Watch};
use crate::rejection::{Facts, Reason, Rejection, seal};
use crate::text::strip::CredentialParameters;
use builder::Settings;
use check::Found;
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

type Responder = Arc<dyn Fn(&Rejection, &Parts) -> Response<Bytes> + Send + Sync>;

impl<F: Form, C> Engine<F, C> {
    /// The answer to a refused request.
    fn refuse<B>(&self, reason: Reason, found: Option<Found>, head: &Parts, watch: Watch) -> Response<LayerBody<B>> {
        let Found { tenant, facts } = found.unwrap_or_else(|| self.found_in(head));
        let rejection = Rejection::new(F::NAME, reason).found(self.settings.namespace.clone(), tenant, facts);
        watch.observe(|| observe::rejected(&rejection));
        watch.refused(&rejection, &self.meters);
        let mut response = (self.settings.responder)(&rejection, head);
        rejection.finish(&mut response, &self.allow);
        seal(response.headers_mut());
        response.map(LayerBody::from_bytes)
    }

    /// Before a credential was found, the head may name a tenant already.
    fn found_in(&self, head: &Parts) -> Found {
        let names_none = self.rules.signs_tenant || self.rules.looks_keys_up;
        let tenant = if names_none { None } else { self.settings.tenant.of(head).ok().flatten() };
        Found { tenant, facts: Facts::new() }
    }

    /// The answer to a duplicate of a processed delivery.
    fn acknowledge<B>(&self, tenant: &TenantId, watch: Watch) -> Response<LayerBody<B>> {
        watch.observe(|| observe::acknowledged::<F>(&self.settings.namespace, tenant));
        watch.acknowledged(tenant, &self.meters);
        let mut response = self.rules.acknowledgement.clone().unwrap_or_default();
        seal(response.headers_mut());
        response.map(LayerBody::from_bytes)
    }
}
