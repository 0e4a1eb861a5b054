use std::time::Duration;

use http::HeaderName;

use crate::Builder;
use crate::webhook::{EventId, FromBody, Webhook};

/// What makes two deliveries the same, and what becomes of the second.
impl<C, D> Builder<Webhook<C>, D>
where
    C: FromBody + Send + Sync + 'static,
{
    /// What makes two deliveries one event. Default: the same signed bytes.
    ///
    /// Many senders sign each retry with a new time: without this, **each retry is processed again**. With it, a retry
    /// of a processed event is acknowledged, for as long as the sender [retries](Self::retried_for). A memory replay
    /// store forgets events when the process ends, and a retry that is signed after that looks new. On such a store the
    /// layer does not build, unless the [handler remembers](Self::handler_remembers) events too.
    ///
    /// In a rotation, an event may be retried under another key. To recognise that retry, give the keys an
    /// [owner](crate::keys::Key::owned_by), or use [`secrets`](Self::secrets). The ids of two senders may be the same:
    /// if their layers share a replay store and have one signature header, give each a [`namespace`](Self::namespace).
    pub fn event_id(mut self, id: EventId) -> Self {
        self.form.sameness.event_id = Some(id);
        self
    }

    /// How long after the first attempt the sender retries an event. Default: a day; at most 90 days. An event with
    /// an [`event_id`](Self::event_id) and a time is remembered for that long beyond its window. Without both, this
    /// does nothing.
    ///
    /// For senders whose retries have a new time and signature. A retry with the first attempt's time is `expired`
    /// after [`max_age`](Self::max_age): set that to how long the sender retries, at most 31 days.
    pub fn retried_for(mut self, time: Duration) -> Self {
        self.form.sameness.retried_for = time;
        self
    }

    /// Counts deliveries with different values of this header as different events, such as GitHub's `X-GitHub-Event`.
    ///
    /// The header is not signed: **whoever has recorded a delivery can send it again with another value**, and it is
    /// processed again.
    pub fn danger_distinguished_by(mut self, name: HeaderName) -> Self {
        self.form.sameness.distinguished_by.push(name);
        self
    }

    /// Hands every delivery to the handler, duplicates too, without a replay store: for senders whose bodies say only
    /// that something has happened, such as Dropbox. **Whoever has recorded a delivery can send it again.**
    pub fn danger_every_delivery(mut self) -> Self {
        (self.form.every_delivery, self.form.within_window) = (true, false);
        self
    }

    /// Hands every delivery to the handler as long as its signed time is inside the window, without a replay store: for
    /// requests that want an answer each time they come, such as those of a frame in a partner's page. Within the
    /// window, **whoever has recorded a request gets the same answer**. Without a signed time, see
    /// [`danger_every_delivery`](Self::danger_every_delivery). Default: a duplicate is acknowledged.
    pub fn reusable(mut self) -> Self {
        (self.form.every_delivery, self.form.within_window) = (true, true);
        self
    }

    /// Refuses duplicates as `replayed`: for requests whose answer matters, as an acknowledgement has none. If the
    /// handler fails, the sender has to sign the request again. Default: a duplicate is acknowledged.
    pub fn once(mut self) -> Self {
        self.form.once = true;
        self
    }

    /// How long a delivery without a timestamp is remembered. Default: an hour with
    /// [`handler_remembers`](Self::handler_remembers), else for ever, at the cost of one entry in the replay store per
    /// delivery. At most 366 days. **A duplicate that comes later is processed again**, unless the handler recognises
    /// it by [`Identity::fingerprint`](crate::Identity::fingerprint).
    ///
    /// Layers that share deliveries (one store, one [`namespace`](Self::namespace)) must remember for the same time:
    /// what one has forgotten would pass at the other.
    pub fn danger_remember_for(mut self, time: Duration) -> Self {
        self.form.remember = Some(time);
        self
    }
}
