//! Settings for the tenant and the request that a token names.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::super::Jwt;
use super::super::named::{Named, Part};
use super::super::query_hash::QueryHash;
use crate::text::json::is_pointer;
use crate::{Builder, ConfigProblem};

impl<C, D> Builder<Jwt<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// The claim that names the tenant, such as `iss`: text, or a whole number. The name chooses the keys before
    /// anything is proved, and is read again from the authentic token. A name that begins with `/` is a pointer (RFC
    /// 6901). Default: the layer's [`tenant`](Self::tenant).
    ///
    /// With [`secrets`](Self::secrets), one secret serves all tenants: right for a platform that signs for all its
    /// customers with the app's one secret.
    ///
    /// ```
    /// use tower_sso::{jwt, keys::MemoryKeys};
    ///
    /// let keys = MemoryKeys::new().with("client-key-1", "the secret of this installation, which nobody else has");
    /// let layer = jwt::layer::<serde_json::Value>(jwt::Algorithm::HS256).tenant_claim("iss").keys(keys);
    /// ```
    pub fn tenant_claim(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.tenant_in(Part::Payload, name.into())
    }

    /// The member of the token's header that names the tenant, or one of the sender's keys, such as `kid`. As
    /// [`tenant_claim`](Self::tenant_claim) otherwise.
    ///
    /// ```
    /// use tower_sso::{jwt, keys::MemoryKeys};
    ///
    /// let keys = MemoryKeys::new().with("client-1", "the secret of this client, which nobody else has");
    /// let layer = jwt::layer::<serde_json::Value>(jwt::Algorithm::HS256).tenant_header("kid").keys(keys);
    /// ```
    pub fn tenant_header(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.tenant_in(Part::Header, name.into())
    }

    fn tenant_in(mut self, part: Part, name: Cow<'static, str>) -> Self {
        // Whatever the order of the calls, the issuer stays checked.
        let hosts_issuer = self.form.named.is_some_and(|named| named.hosts_issuer);
        self.form.named = Some(Named { hosts_issuer, ..Named::new(part, name) });
        self
    }

    /// What stands before the tenant's name in the [claim](Self::tenant_claim) or [header](Self::tenant_header), such
    /// as `https://` or `stores/`. A token without it is an unknown tenant's. Default: nothing.
    pub fn tenant_after(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        match &mut self.form.named {
            Some(named) => named.prefix = prefix.into(),
            // Refused when the layer is built.
            None => self.form.named = Some(Named::new(Part::Payload, "".into())),
        }
        self
    }

    /// Requires that `iss` is an `https` address at the host that the [tenant claim](Self::tenant_claim) names. For
    /// senders with both claims, such as Shopify. Default: not compared.
    ///
    /// ```
    /// use tower_sso::jwt;
    ///
    /// let layer = jwt::layer::<serde_json::Value>(jwt::Algorithm::HS256).audience("app");
    /// let layer = layer.tenant_claim("dest").tenant_after("https://").issuer_at_tenant();
    /// ```
    pub fn issuer_at_tenant(mut self) -> Self {
        // Without a claim, refused when the layer is built.
        self.form.named.get_or_insert(Named::new(Part::Payload, "".into())).hosts_issuer = true;
        self
    }

    /// A member that the token's header must have with exactly this text, such as the `signer` of a load balancer of
    /// AWS. Default: none.
    pub fn require_header(mut self, name: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        self.form.verifier.require_member(name.into(), text.into());
        self
    }

    /// Requires the claim `qsh` of Atlassian Connect, and that it is the hash of this request's method, path and query.
    /// `base_path` is the path of the app's own address, which is not hashed; empty if it has none. Default: a token
    /// with a `qsh` is `invalid`, as nobody checks it.
    ///
    /// Neither the body nor the host is hashed. A query of more than 1,000 parameters is `malformed`.
    pub fn query_hash(mut self, base_path: impl Into<Cow<'static, str>>) -> Self {
        self.form.query_hash = Some(QueryHash { base_path: base_path.into(), may_be_unbound: false });
        self
    }

    /// Also accepts `context-qsh`, which Atlassian's own scripts in the browser get: **such a token is bound to no
    /// request, and works for every path and query of the app until it expires.** Needs
    /// [`query_hash`](Self::query_hash).
    pub fn danger_context_qsh(mut self) -> Self {
        let hash = self.form.query_hash.get_or_insert(QueryHash { base_path: "".into(), may_be_unbound: true });
        hash.may_be_unbound = true;
        self
    }
}

pub(super) fn check<C>(form: &Jwt<C>) -> Result<(), ConfigProblem> {
    if form.named.as_ref().is_some_and(|named| named.member.is_empty()) {
        return Err(ConfigProblem::setting(
            "tenant_claim",
            "has no name: say which claim or member of the header names the tenant, before `tenant_after`",
        ));
    }
    if form.named.as_ref().is_some_and(|named| named.member.starts_with('/') && !is_pointer(&named.member)) {
        return Err(ConfigProblem::setting(
            "tenant_claim",
            "is no pointer (RFC 6901): `~` stands before `0` or `1` alone",
        ));
    }
    let base_path = form.query_hash.as_ref().map_or("", |hash| &hash.base_path);
    if !base_path.is_empty() && (!base_path.starts_with('/') || base_path.ends_with('/')) {
        return Err(ConfigProblem::setting(
            "query_hash",
            "has a path that does not begin with a slash, or ends with one: write it as in `/addon`, or leave it empty",
        ));
    }
    Ok(())
}
