//! Several places, one of which has the value: [`Places`].

use std::borrow::Cow;

use http::request::Parts;

use super::Place;
use crate::ConfigProblem;
use crate::form::Presence;
use crate::rejection::Reason;

/// Where a value may be. A request has it in one of these places, and is refused if it has it in two.
#[derive(Clone, Debug)]
pub(crate) struct Places(Vec<Place>);

impl Places {
    pub(crate) fn one(place: Place) -> Self {
        Self(vec![place])
    }

    pub(crate) fn add(&mut self, place: Place) {
        self.0.push(place);
    }

    #[cfg(feature = "fernet")]
    pub(crate) fn is_in_body(&self) -> bool {
        self.0.iter().any(Place::is_in_body)
    }

    pub(crate) fn check(&self, setting: &'static str) -> Result<(), ConfigProblem> {
        self.0.iter().try_for_each(|place| place.check(setting))
    }

    /// The query parameters to be taken out of the URI.
    pub(crate) fn parameters(&self) -> Vec<Cow<'static, str>> {
        self.0.iter().filter_map(Place::parameter).collect()
    }

    /// Whether the head has the value, or the body may have it.
    pub(crate) fn presence(&self, head: &Parts) -> Result<Presence, Reason> {
        let (mut in_head, mut refused) = (false, None);
        for place in &self.0 {
            match place.presence(head) {
                // The body is read even if the head has a value: it must not have another one.
                Ok(Presence::InBody) => return Ok(Presence::InBody),
                Ok(Presence::InHead) => in_head = true,
                Ok(Presence::Absent) => {}
                Err(reason) => refused = refused.or(Some(reason)),
            }
        }
        match (in_head, refused) {
            (true, _) => Ok(Presence::InHead),
            (false, Some(reason)) => Err(reason),
            (false, None) => Ok(Presence::Absent),
        }
    }

    /// The value, and the name of its place, for refusals.
    pub(crate) fn required<'a>(&self, head: &'a Parts, body: &'a [u8]) -> Result<(&Place, Cow<'a, str>), Reason> {
        let mut found = None;
        for place in &self.0 {
            if place.is_in_body() && place.presence(head) != Ok(Presence::InBody) {
                continue;
            }
            if let Some(value) = place.find(head, body)?
                && found.replace((place, value)).is_some()
            {
                return Err(Reason::DuplicateParameter(place.name()));
            }
        }
        let missing = || Reason::MissingParameter(self.0.first().map(Place::name).unwrap_or_default());
        found.ok_or_else(missing)
    }

    /// Where a partner that signs puts the value.
    #[cfg(feature = "sign")]
    pub(crate) fn first(&self) -> Option<&Place> {
        self.0.first()
    }

    /// Takes the value out of the headers.
    pub(crate) fn redact(&self, head: &mut Parts) {
        self.0.iter().for_each(|place| place.redact(head));
    }
}
