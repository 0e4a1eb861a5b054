use std::borrow::Cow;

use bytes::Bytes;
use http::request::Parts;

use crate::ConfigProblem;
use crate::form::Presence;
use crate::rejection::Reason;
use crate::scheme::{Encoding, Place};
#[cfg(feature = "sign")]
use crate::steps::{Expr, Outgoing};

/// Where the payload and its signature are.
///
/// ```
/// use tower_sso::scheme::Place;
/// use tower_sso::signed_payload::Layout;
///
/// // ?token=payload.signature
/// let joined = Layout::payload_first(Place::query("token"), ".");
/// // ?sso=payload&sig=signature
/// let apart = Layout::apart(Place::query("sso"), Place::query("sig"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Joined { place: Place, signature_first: bool, separator: Cow<'static, str> },
    Apart { payload: Place, signature: Place },
}

impl Layout {
    /// One value: the payload, a separator, the signature.
    ///
    /// The separator must have a character that no signature has, so that there is one way to cut. A separator of such
    /// characters alone does not build.
    pub fn payload_first(place: Place, separator: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Joined { place, signature_first: false, separator: separator.into() })
    }

    /// One value: the signature, a separator, the payload. As [`payload_first`](Self::payload_first) otherwise.
    pub fn signature_first(place: Place, separator: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Joined { place, signature_first: true, separator: separator.into() })
    }

    /// Two values.
    pub fn apart(payload: Place, signature: Place) -> Self {
        Self(Kind::Apart { payload, signature })
    }

    /// The separator, if the payload comes first. A time can then follow the payload.
    pub(super) fn separator_after_payload(&self) -> Option<&str> {
        match &self.0 {
            Kind::Joined { separator, signature_first: false, .. } => Some(separator),
            _ => None,
        }
    }

    /// Where a request tells that there is a credential.
    pub(super) fn main_place(&self) -> &Place {
        match &self.0 {
            Kind::Joined { place, .. } | Kind::Apart { payload: place, .. } => place,
        }
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        let other = match &self.0 {
            Kind::Joined { .. } => None,
            Kind::Apart { signature, .. } => Some(signature),
        };
        std::iter::once(self.main_place()).chain(other)
    }

    pub(super) fn presence(&self, head: &Parts) -> Result<Presence, Reason> {
        let presence = self.main_place().presence(head)?;
        match &self.0 {
            Kind::Apart { signature, .. } if presence == Presence::InHead && signature.is_in_body() => {
                // Without a body of the right type, `find` says what is missing.
                Ok(if signature.presence(head)? == Presence::Absent { presence } else { Presence::InBody })
            }
            _ => Ok(presence),
        }
    }

    /// Whether the payload is in the head, and the body has more than the signature.
    pub(super) fn signs_no_more_of(&self, body: &[u8]) -> bool {
        match &self.0 {
            Kind::Apart { payload, signature } => !payload.is_in_body() && signature.leaves_some_of(body),
            Kind::Joined { .. } => false,
        }
    }

    /// The payload and the signature, as received.
    pub(super) fn find<'a>(&self, head: &'a Parts, body: &'a Bytes) -> Result<(Cow<'a, str>, Cow<'a, str>), Reason> {
        match &self.0 {
            Kind::Apart { payload, signature } => Ok((payload.required(head, body)?, signature.required(head, body)?)),
            Kind::Joined { place, signature_first, separator } => {
                let value = place.required(head, body)?;
                let cut = match signature_first {
                    true => value.split_once(&**separator).map(|(signature, payload)| (payload, signature)),
                    false => value.rsplit_once(&**separator),
                };
                let (payload, signature) = cut.ok_or(Reason::Malformed(place.name(), "has no signature"))?;
                Ok((payload.to_owned().into(), signature.to_owned().into()))
            }
        }
    }

    /// What the signature is called in refusals.
    pub(super) fn signature_name(&self) -> Cow<'static, str> {
        match &self.0 {
            Kind::Joined { place, .. } => place.name(),
            Kind::Apart { signature, .. } => signature.name(),
        }
    }

    /// Payload and signature in each other's place.
    #[cfg(feature = "explain")]
    pub(super) fn turned(&self) -> Self {
        Self(match self.0.clone() {
            Kind::Joined { place, signature_first, separator } => {
                Kind::Joined { place, signature_first: !signature_first, separator }
            }
            Kind::Apart { payload, signature } => Kind::Apart { payload: signature, signature: payload },
        })
    }

    /// Puts a payload and its signature here. `what` says how each is encoded.
    #[cfg(feature = "sign")]
    pub(super) fn put(&self, outgoing: &mut Outgoing, payload: Expr, signature: Expr, what: [&str; 2]) {
        let [payload_is, signature_is] = what;
        match &self.0 {
            Kind::Apart { payload: at, signature: beside } => {
                at.put(outgoing, payload, format!("the payload, {payload_is}"));
                beside.put(outgoing, signature, format!("the signature, {signature_is}"));
            }
            Kind::Joined { place, signature_first, separator } => {
                let mut parts = [payload, Expr::text(separator.clone()), signature];
                let mut words = [format!("the payload, {payload_is}"), format!("the signature, {signature_is}")];
                if *signature_first {
                    parts.reverse();
                    words.reverse();
                }
                place.put(outgoing, Expr::concat(parts), words.join(format!("; then `{separator}` and ").as_str()));
            }
        }
    }

    pub(super) fn check(&self, encoding: Encoding) -> Result<(), ConfigProblem> {
        self.places().try_for_each(|place| place.check("layout"))?;
        match &self.0 {
            Kind::Joined { separator, .. } if separator.chars().all(|letter| encoding.may_have(letter)) => {
                Err(ConfigProblem::setting(
                    "layout",
                    "has a separator that could be part of a signature, so that the value could be cut in two ways: \
                     write the separator that the partner's page names, or set the right `encoding`",
                ))
            }
            Kind::Apart { payload, signature } if payload == signature => {
                Err(ConfigProblem::setting("layout", "has the payload and its signature in one place: name two"))
            }
            Kind::Apart { payload, signature }
                if payload.body_type().zip(signature.body_type()).is_some_and(|(one, other)| one != other) =>
            {
                Err(ConfigProblem::setting("layout", "has two kinds of body, and a request has one: take a header"))
            }
            _ => Ok(()),
        }
    }
}
