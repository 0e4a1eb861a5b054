mod named;
mod token;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::verifier::Verifier;
use super::{Algorithm, Audience, Jwt};
use crate::challenge::ReturnedNonce;
use crate::form::Usage;
use crate::has_settings::has_settings;
use crate::nonce_setters::HasNonce;
use crate::scheme::{Place, Places};
use crate::tenant::Tenant;
use crate::window::LONGEST;
use crate::{Builder, ConfigProblem};

/// Starts a layer for JWTs of one algorithm whose payload is deserialized into `C`.
///
/// | setting | default |
/// |---|---|
/// | [`token_in`](Builder::token_in), [`or_in`](Builder::or_in) | the query parameter `sso_jwt` |
/// | [`audience`](Builder::audience) | none: call it or [`danger_any_audience`](Builder::danger_any_audience) |
/// | [`issuer`](Builder::issuer) | any |
/// | [`leeway`](Builder::leeway) | 60 s |
/// | [`max_lifetime`](Builder::max_lifetime) | 15 min |
/// | [`max_age`](Builder::max_age) | none: `exp` is required |
/// | [`require_type`](Builder::require_type) | any but the explicit type of another kind of token |
/// | [`max_token_length`](Builder::max_token_length), [`padded`](Builder::padded) | 8 KiB, not padded |
/// | [`algorithms`](Builder::algorithms) | the one given |
/// | [`secret_format`](Builder::secret_format) | the secret's bytes |
/// | [`replay_by_id`](Builder::replay_by_id) | two tokens are the same if they have one signature |
/// | [`danger_reusable`](Builder::danger_reusable) | a token signs in once |
/// | [`require`](Builder::require) | nothing but what `C` needs |
/// | [`tenant`](Builder::tenant) | one for all; the token does not say whose it is |
/// | [`tenant_claim`](Builder::tenant_claim), [`tenant_header`](Builder::tenant_header) | not asked |
/// | [`require_header`](Builder::require_header) | nothing |
/// | [`nonce_member`](Builder::nonce_member), [`challenge`](Builder::challenge) | a token answers no request of ours |
/// | [`query_hash`](Builder::query_hash) | a token with `qsh` is refused |
/// | [`methods`](Builder::methods) | GET |
///
/// A key is the shared secret for HS256, HS384 and HS512. For the others, which need the feature `jwt-public-key`, it
/// is the partner's public key in PEM; an RSA key has 2,048 to 4,096 bits and the exponent 65,537. A key that can never
/// check a signature is an error when the layer is built, or `unavailable` if it is found later.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::jwt::{self, Algorithm};
/// use tower_sso::replay::MemoryReplay;
///
/// let sso = jwt::layer::<serde_json::Value>(Algorithm::HS256)
///     .audience("www.example.com")
///     .secrets(["a secret that is shared with the partner"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(algorithm: Algorithm) -> Builder<Jwt<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let form = Jwt {
        verifier: Verifier::new(algorithm),
        places: Places::one(Place::query("sso_jwt")),
        padded: false,
        usage: Usage::Once,
        by_id: false,
        named: None,
        query_hash: None,
        nonce: ReturnedNonce::default(),
        issuer: None,
        needs_issuer: false,
        audience: Audience::Unset,
        checks_party: false,
        header_expires: false,
        max_age: None,
        remember_endless: None,
        clock: None,
        leeway: Duration::from_secs(60),
        max_lifetime: Some(Duration::from_secs(15 * 60)),
        longest: 8 * 1024,
        required: Vec::new(),
        required_claims: Vec::new(),
        unchecked_claims: Vec::new(),
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::GET)
}

impl<C, D> Builder<Jwt<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// The audience: `aud` must be this string, or a list that contains it.
    pub fn audience(mut self, ours: impl Into<Cow<'static, str>>) -> Self {
        self.form.audience = Audience::Ours(ours.into());
        self
    }

    /// An `azp` must be the audience, too: a token of OpenID Connect for several parties names the one that asked.
    #[cfg_attr(not(feature = "jwt-public-key"), expect(dead_code, reason = "for LTI 1.3"))]
    pub(crate) fn authorized_party(mut self) -> Self {
        self.form.checks_party = true;
        self
    }

    /// The header may have the `exp`, as AWS writes it. If the payload has one too, the earlier counts.
    #[cfg_attr(not(feature = "jwt-public-key"), expect(dead_code, reason = "for AWS"))]
    pub(crate) fn header_expires(mut self) -> Self {
        self.form.header_expires = true;
        self
    }

    /// The issuer: `iss` must be exactly this string. Default: any or none, since the key says who made the token.
    ///
    /// Set it if several issuers sign with one key, or if the keys come from a place that has those of several.
    pub fn issuer(mut self, theirs: impl Into<Cow<'static, str>>) -> Self {
        self.form.issuer = Some(theirs.into());
        self
    }

    /// The platform's own page posts the answer, so the layer builds only with a challenge whose cookie comes along.
    #[cfg_attr(not(feature = "jwt-public-key"), expect(dead_code, reason = "for LTI 1.3"))]
    pub(crate) fn answers_by_post(mut self) -> Self {
        self.form.nonce.is_posted = true;
        self
    }

    /// Without an [`issuer`](Self::issuer), the layer does not build: the platform's rule demands to check it.
    #[cfg_attr(not(feature = "jwt-public-key"), expect(dead_code, reason = "for platforms with public keys"))]
    pub(crate) fn needs_issuer(mut self) -> Self {
        self.form.needs_issuer = true;
        self
    }

    /// Accepts any `iss`, or none, where a preset does not build without an [`issuer`](Self::issuer). **A token that
    /// somebody else made with a key of the layer's signs in here.**
    pub fn danger_any_issuer(mut self) -> Self {
        (self.form.issuer, self.form.needs_issuer) = (None, false);
        self
    }

    /// Accepts any `aud`, or none. **A token that the partner made for another app with the same secret signs in
    /// here.**
    pub fn danger_any_audience(mut self) -> Self {
        self.form.audience = Audience::Any;
        self
    }

    /// The maximum age since `iat`, inclusive, plus [`leeway`](Self::leeway). `iat` is then required and `exp` is not:
    /// for partners whose tokens have only `iat`. If there is an `exp`, it counts too. Default: none, and `exp` is
    /// required.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.form.max_age = Some(age);
        self
    }

    /// Accepts tokens without an end: no `exp`, and no `iat` with [`max_age`](Self::max_age). **A stolen, unused token
    /// works for ever, and a used one works again `remember_for` after its use**: remembered for ever, such tokens
    /// would fill the replay store until nobody can sign in. If the tokens have an `iat`, call
    /// [`max_age`](Self::max_age) instead.
    ///
    /// A token with neither `iat` nor `nbf` never passes a store that forgets at a restart, such as
    /// [`MemoryReplay`](crate::replay::MemoryReplay): it may have been used before the start, so it is `replayed`. Such
    /// tokens need a store that outlives the process, such as Redis, or [`danger_reusable`](Self::danger_reusable).
    pub fn danger_without_expiry(mut self, remember_for: Duration) -> Self {
        self.form.remember_endless = Some(remember_for);
        self
    }

    /// The required `typ` of the header, such as `JWT` or `sso+jwt`; case-insensitive, with or without `application/`
    /// (RFC 7515, 4.1.9). Default: any or none, except the explicit type of another kind of token. One that ends in
    /// `+jwt`, such as `at+jwt` or `logout+jwt`, is `invalid` (RFC 8725, 3.11).
    ///
    /// Call it if the partner signs several kinds of tokens with one key: otherwise another kind would sign in here.
    pub fn require_type(mut self, typ: impl Into<Cow<'static, str>>) -> Self {
        self.form.verifier.require_type(typ.into());
        self
    }

    /// Accepts tokens with these claims, which bind the token to a request or a sender and which this layer does not
    /// check: see rule 7 of [`jwt`](crate::jwt#rules). **Unless the application checks them, anybody can use a token
    /// that is bound to one request or one sender's key, for anything.** Default: a token with one is `invalid`.
    pub fn danger_unchecked_claims<N: Into<Cow<'static, str>>>(mut self, claims: impl IntoIterator<Item = N>) -> Self {
        self.form.unchecked_claims.extend(claims.into_iter().map(Into::into));
        self
    }

    /// How far the partner's clock may differ from ours, either way, inclusive. Default: 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.form.leeway = leeway;
        self
    }

    /// The longest time from `iat` to `exp`, inclusive. Without `iat`, it is counted from now, plus
    /// [`leeway`](Self::leeway), as the partner's clock may be that far ahead. Default: 15 min.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.form.max_lifetime = Some(lifetime);
        self
    }

    /// Accepts tokens of any lifetime. **A stolen token works until it is used or expires**, and each is remembered
    /// until it expires: tokens whose `exp` is years away fill the replay store. With [`max_age`](Self::max_age), a
    /// token is refused earlier, but remembered as long, as another layer may accept it.
    pub fn danger_any_lifetime(mut self) -> Self {
        self.form.max_lifetime = None;
        self
    }

    /// Registered claims (RFC 7519) that the payload must have besides those that other settings need, such as `sub` or
    /// `jti`. A token without one is `invalid`, and so is one whose required `iss`, `sub` or `jti` is not a string.
    /// Default: none.
    pub fn require_claims<N: Into<Cow<'static, str>>>(mut self, claims: impl IntoIterator<Item = N>) -> Self {
        self.form.required_claims.extend(claims.into_iter().map(Into::into));
        self
    }

    /// Fields that the payload must have, and not null, even if `C` makes them optional. Default: none.
    pub fn require<N: Into<Cow<'static, str>>>(mut self, fields: impl IntoIterator<Item = N>) -> Self {
        self.form.required.extend(fields.into_iter().map(Into::into));
        self
    }
}

has_settings!(Jwt<C>: HasNonce::nonce_mut, nonce: ReturnedNonce);

pub(super) fn check<C>(form: &Jwt<C>) -> Result<(), ConfigProblem> {
    form.places.check("token_in")?;
    named::check(form)?;
    form.verifier.check()?;
    // Years added to a time would keep entries in the replay store for years.
    for (name, set) in [("max_lifetime", form.max_lifetime), ("max_age", form.max_age)] {
        if set.is_some_and(|set| set > LONGEST) {
            return Err(ConfigProblem::setting(name, "is more than 31 days: a token for so long is a password"));
        }
    }
    if form.remember_endless.is_some_and(|set| set.is_zero() || set > LONGEST) {
        return Err(ConfigProblem::setting(
            "danger_without_expiry",
            "remembers tokens for no time, or for more than 31 days: give it a day",
        ));
    }
    let names_tenant = form.named.as_ref().is_some_and(|named| named.part == super::named::Part::Payload);
    form.nonce.check(form.usage, names_tenant)?;
    if form.by_id && form.nonce.checked().is_some() {
        return Err(ConfigProblem::setting(
            "replay_by_id",
            "has no effect on tokens that bring a nonce back, which is used up instead: leave it out",
        ));
    }
    if form.usage == Usage::Reusable && form.by_id {
        return Err(ConfigProblem::setting(
            "replay_by_id",
            "has no effect on tokens that may come again: call it or `danger_reusable`, not both",
        ));
    }
    if form.issuer.as_deref().is_some_and(str::is_empty) {
        return Err(ConfigProblem::setting("issuer", "is empty: say who makes the tokens (their `iss`)"));
    }
    if form.needs_issuer && form.issuer.is_none() {
        return Err(ConfigProblem::setting(
            "issuer",
            "is not called: say whose tokens these are (their `iss`), as the platform's documentation demands",
        ));
    }
    if form.leeway > Duration::from_secs(3_600) {
        return Err(ConfigProblem::setting("leeway", "is more than an hour: have the partner set its clock"));
    }
    match &form.audience {
        Audience::Unset => Err(ConfigProblem::setting(
            "audience",
            "is not set: say for whom tokens must be made (their `aud`), or call `danger_any_audience()` if they have none",
        )),
        Audience::Ours(ours) if ours.is_empty() => {
            Err(ConfigProblem::setting("audience", "is empty: say for whom tokens must be made"))
        }
        _ => Ok(()),
    }
}
