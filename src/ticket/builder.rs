use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::{Ticket, Tickets};
use crate::tenant::Tenant;
use crate::{Builder, ConfigProblem};

/// Starts a layer that redeems tickets, whose claims are deserialized into `C`: the type that they were
/// [issued](Tickets::issue) with, or one of the same shape.
///
/// | setting | default |
/// |---|---|
/// | [`ticket_parameter`](Builder::ticket_parameter) | `ticket` |
/// | [`keys`](Builder::keys), [`replay`](Builder::replay) | the tickets' own: an error |
/// | [`namespace`](Builder::namespace) | the tickets' own: an error |
/// | [`tenant`](Builder::tenant) | not asked, as the ticket says whose it is: an error |
/// | [`clock`](Builder::clock) | not asked: ends are told by [`Tickets::clock`] |
/// | [`methods`](Builder::methods) | GET |
///
/// ```
/// use tower_sso::ticket::{self, MemoryTickets, Tickets};
///
/// let tickets = Tickets::new(MemoryTickets::new()).namespace("editor");
/// let editor = ticket::layer::<serde_json::Value>(tickets.clone()).ticket_parameter("sessionId").build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(tickets: Tickets) -> Builder<Ticket<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let form = Ticket { parameter: "ticket".into(), tickets, claims: PhantomData };
    Builder::new(form, Tenant::fixed("default"), Method::GET)
}

impl<C, D> Builder<Ticket<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// The query parameter that holds the ticket. Default: `ticket`. It is taken out of the URI.
    pub fn ticket_parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.parameter = name.into();
        self
    }
}

pub(super) fn check<C>(form: &Ticket<C>) -> Result<(), ConfigProblem> {
    if form.parameter.is_empty() {
        let problem = "is empty: name the parameter that holds the ticket";
        return Err(ConfigProblem::setting("ticket_parameter", problem));
    }
    if form.tickets.lifetime() == Duration::ZERO {
        let problem = "is zero: a ticket would end at the very instant it is made";
        return Err(ConfigProblem::setting("time_to_live", problem));
    }
    Ok(())
}
