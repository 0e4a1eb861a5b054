use std::time::Duration;

use bytes::Bytes;
use http::Response;

use crate::webhook::{FromBody, Webhook};
use crate::window::check_retried_for;
use crate::{Builder, ConfigProblem};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What becomes of a duplicate of a processed event.
impl<C, D> Builder<Webhook<C>, D>
where
    C: FromBody + Send + Sync + 'static,
{
    /// The answer to a duplicate of a processed event, for a sender that wants to see its own text there, as from the
    /// handler. Default: 200 without a body. Its status must be a success, or the sender would go on retrying.
    ///
    /// ```
    /// use tower_sso::webhook;
    ///
    /// let answer = http::Response::new("received".into());
    /// let layer = webhook::layer::<serde_json::Value>().acknowledge_with(answer);
    /// ```
    pub fn acknowledge_with(mut self, answer: Response<Bytes>) -> Self {
        self.form.acknowledgement = Some(answer);
        self
    }

    /// Hands duplicates of processed events to the handler, where
    /// [`Identity::is_duplicate`](crate::Identity::is_duplicate) tells them: for an answer that depends on what the
    /// first delivery did, or to count retries. Default: off. Needs [`handler_remembers`](Self::handler_remembers), as
    /// the store recognises a duplicate only while it remembers the event: **the handler must do nothing for an event
    /// that it has stored, whatever the mark says**.
    ///
    /// A duplicate that comes while the first is still being processed waits for it, as without this setting. Whatever
    /// the handler answers to a duplicate, the event stays processed. Logs and metrics count it as `acknowledged`.
    pub fn hand_duplicates_on(mut self) -> Self {
        self.form.hands_duplicates_on = true;
        self
    }
}

pub(super) fn check<C>(form: &Webhook<C>) -> Result<(), ConfigProblem> {
    if form.hands_duplicates_on
        && (!form.processing.handler_remembers || form.every_delivery || form.acknowledgement.is_some())
    {
        return Err(ConfigProblem::setting(
            "hand_duplicates_on",
            "needs `handler_remembers`, and neither `acknowledge_with` nor `danger_every_delivery`: the handler answers",
        ));
    }
    if form.acknowledgement.as_ref().is_some_and(|answer| !answer.status().is_success()) {
        return Err(ConfigProblem::setting("acknowledge_with", "is no success: the sender would go on retrying"));
    }
    check_retried_for(form.sameness.retried_for)?;
    if form.remember.is_some_and(|time| time > 366 * DAY) {
        return Err(ConfigProblem::setting(
            "danger_remember_for",
            "is more than 366 days: leave it out, and deliveries are remembered for ever",
        ));
    }
    Ok(())
}
