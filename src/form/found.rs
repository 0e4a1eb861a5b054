//! Where a form's credential is, and what was found there.

use crate::tenant_id::TenantId;

/// Whether a request has a credential of the form, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// No credential. The request is refused, unless the layer is [optional](crate::Builder::optional):
    /// [`extract`], with an empty body, says what is missing, and what it finds does not count.
    ///
    /// [`extract`]: crate::form::Form::extract
    Absent,
    /// The whole credential is in the head. The body is no part of it: [`extract`](crate::form::Form::extract) gets an
    /// empty one. A body that is not empty is refused, as nobody signed it. For
    /// [bearers](crate::form::Rules::bearer), and with
    /// [`danger_unsigned_body`](crate::Builder::danger_unsigned_body), the inner service gets it unread and unchecked,
    /// even from a form that can read it.
    InHead,
    /// The body is part of the credential, which signs it or is in it. It is read first. **The layer then trusts the
    /// form to check what is signed of it.**
    InBody,
}

/// A form's findings in a request.
///
/// ```
/// use tower_sso::form::Extracted;
///
/// // The layer's `Tenant` says whose it is …
/// let extracted = Extracted::from("credential");
/// // … unless the credential itself does.
/// let extracted = Extracted { tenant: Some("consumer-key".into()), ..Extracted::from("credential") };
/// ```
#[derive(Debug)]
pub struct Extracted<C> {
    /// The credential.
    pub credential: C,
    /// The tenant, if the credential names it. `None`: the layer's [`Tenant`](crate::tenant::Tenant) decides, unless
    /// the form [signs its tenant](crate::form::Rules::signs_tenant).
    pub tenant: Option<TenantId>,
    /// Whether the credential was in the head, although the body was read as it could have been there. The body must
    /// then be empty, as with [`Presence::InHead`]. Default: no.
    pub in_head: bool,
}

impl<C> From<C> for Extracted<C> {
    fn from(credential: C) -> Self {
        Self { credential, tenant: None, in_head: false }
    }
}
