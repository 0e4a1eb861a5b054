//! The tenant that a token names, which chooses the key.

use std::borrow::Cow;

use serde_json::Value;

use super::claims;
use super::token::Parts;
use crate::keys::TenantId;
use crate::rejection::Reason;
use crate::text::json::Object;

/// Which word of a token names its tenant.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) part: Part,
    /// A pointer (RFC 6901), if it begins with `/`.
    pub(super) member: Cow<'static, str>,
    /// What stands before the tenant's name, such as `https://`.
    pub(super) prefix: Cow<'static, str>,
    /// Whether `iss` has to be an address at the tenant's host.
    pub(super) hosts_issuer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Header,
    Payload,
}

impl Named {
    pub(super) fn new(part: Part, member: Cow<'static, str>) -> Self {
        Self { part, member, prefix: "".into(), hosts_issuer: false }
    }

    /// The tenant that a token names, which nothing has proved yet. `None` if it names none that could be known.
    pub(super) fn unverified(&self, parts: &Parts) -> Option<TenantId> {
        let text = match self.part {
            Part::Header => parts.header(),
            Part::Payload => parts.payload(),
        };
        self.of(&Object::read(text).ok()?)
    }

    /// Reads the word again from an authentic token, and compares it with what chose the key.
    pub(super) fn check(&self, parts: &Parts, named: Option<&TenantId>) -> Result<(), Reason> {
        match self.unverified(parts) {
            Some(proved) if Some(&proved) == named => Ok(()),
            _ => Err(Reason::BadClaim(self.member.clone(), "is not the tenant whose key was asked for")),
        }
    }

    /// Whether the issuer is at the tenant's host.
    pub(super) fn check_issuer(&self, payload: &Object<'_>, tenant: Option<&TenantId>) -> Result<(), Reason> {
        if !self.hosts_issuer {
            return Ok(());
        }
        let issuer = claims::text(payload, "iss")?;
        let host = issuer.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
        match (host, tenant) {
            (Some(host), Some(tenant)) if host == tenant.as_str() => Ok(()),
            _ => Err(Reason::BadClaim("iss".into(), "is not at the tenant's host")),
        }
    }

    /// Text, or a whole number, after the prefix.
    fn of(&self, object: &Object<'_>) -> Option<TenantId> {
        let text = match object.at(&self.member)? {
            Value::String(text) => text,
            Value::Number(number) if number.is_u64() => number.to_string(),
            _ => return None,
        };
        text.strip_prefix(&*self.prefix).map(TenantId::from)
    }
}
