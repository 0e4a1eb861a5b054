use std::borrow::Cow;
use std::time::Duration;

use http::request::Parts;

use super::{Binding, Challenge};
use crate::ConfigProblem;
use crate::debug::opaque_debug;
use crate::form::Usage;
use crate::rejection::Reason;
use crate::replay::FingerprintHasher;
#[cfg(any(feature = "signed-parameters", feature = "signed-payload"))]
use crate::scheme::SignedTime;
use crate::window::{Validity, Window};

/// A nonce of ours that a credential brings back: where it is in what the partner signed, and whose it must be.
#[derive(Clone, Default)]
pub struct ReturnedNonce {
    pub(crate) member: Option<Cow<'static, str>>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) any: bool,
    /// Whether the partner's own page posts the answer.
    pub(crate) is_posted: bool,
}

impl ReturnedNonce {
    /// The member of a nonce that is checked.
    pub(crate) fn checked(&self) -> Option<&Cow<'static, str>> {
        self.member.as_ref().filter(|_| self.challenge.is_some())
    }

    /// How long after it was made a nonce may come back.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        self.challenge.as_ref().map(Challenge::lifetime)
    }

    /// The cookie's bits in a request, by which a nonce of its browser is known.
    pub(crate) fn binding(&self, head: &Parts) -> Result<Option<Binding>, Reason> {
        self.challenge.as_ref().map_or(Ok(None), |challenge| challenge.binding(head))
    }

    /// Narrows a credential's validity to that of the nonce in it. The replay store then remembers the nonce for that
    /// long, as the partner may answer it twice. With `danger_any_nonce`, checks only that there is one.
    pub(crate) fn narrow(
        &self,
        validity: Validity,
        clock_skew: Duration,
        binding: Option<&Binding>,
        tenant: Option<&str>,
        member: impl FnOnce(&str) -> Result<Option<String>, Reason>,
    ) -> Result<Validity, Reason> {
        let Some(name) = &self.member else { return Ok(validity) };
        let nonce = member(name)?.filter(|nonce| !nonce.is_empty());
        let nonce = nonce.ok_or_else(|| Reason::MissingClaim(name.clone()))?;
        let Some(challenge) = &self.challenge else { return Ok(validity) };
        let max_age = challenge.lifetime();
        let bad = |what| Reason::BadClaim(name.clone(), what);
        let binding = binding.ok_or_else(|| bad("came without the cookie of the challenge"))?;
        let made_at = challenge
            .made_at(binding, &nonce, tenant)
            .ok_or_else(|| bad("is not one that this browser was given for this partner and tenant"))?;
        Ok(Validity::around_second(made_at, &Window { max_age, clock_skew }).narrowed(&validity))
    }

    /// Recognises an answer by its nonce: a second answer to one nonce is a replay.
    pub(crate) fn fingerprint(nonce: &str, fingerprint: &mut FingerprintHasher) {
        fingerprint.part(b"nonce").part(nonce.as_bytes());
    }

    /// `names_tenant`: whether the layer's credentials name their tenant.
    ///
    /// # Errors
    /// If these settings contradict each other or the layer's.
    pub(crate) fn check(&self, usage: Usage, names_tenant: bool) -> Result<(), ConfigProblem> {
        let problem = |setting, problem| Err(ConfigProblem::setting(setting, problem));
        match (&self.member, &self.challenge) {
            (None, Some(_)) => problem("challenge", "has no member that brings its nonce back: call `nonce_member`"),
            (None, None) if self.any => problem("danger_any_nonce", "is for a layer with a `nonce_member`"),
            (None, None) => Ok(()),
            (Some(name), _) if name.is_empty() => {
                problem("nonce_member", "has no name: say which member holds the nonce")
            }
            (Some(_), _) if usage == Usage::Reusable => {
                problem("reusable", "lets a nonce come back twice: leave it out, as a nonce is of use once")
            }
            (Some(_), Some(_)) if self.any => problem("danger_any_nonce", "contradicts `challenge`: leave it out"),
            (Some(_), Some(challenge)) if self.is_posted && challenge.stays_behind_in_posts() => problem(
                "challenge",
                "has a cookie that browsers leave out of the form that the platform posts: call `in_frames` if the \
                 launch is in a frame, or else `for_form_posts`",
            ),
            (Some(_), Some(challenge)) => challenge.check(names_tenant),
            (Some(_), None) if self.any => Ok(()),
            (Some(_), None) => problem(
                "challenge",
                "is not called: give the browser a nonce by a `Challenge`, or an attacker can log a victim into the \
                 attacker's account",
            ),
        }
    }

    /// The problem of a time next to a nonce, which tells the time if nothing else does.
    #[cfg(any(feature = "signed-parameters", feature = "signed-payload"))]
    pub(crate) fn check_time(&self, time: &SignedTime, usage: Usage) -> Result<(), ConfigProblem> {
        match (&self.member, time) {
            (Some(_), SignedTime::Unset) => Ok(()),
            (Some(_), SignedTime::Without) => Err(ConfigProblem::setting(
                "danger_without_time",
                "has no effect, as the nonce tells the time: leave it out",
            )),
            _ => time.check(usage),
        }
    }
}

opaque_debug!(ReturnedNonce { member });
