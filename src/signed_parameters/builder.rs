use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::{At, Order, Recipe, Shape, SignedParameters, Source, Text};
use crate::challenge::ReturnedNonce;
use crate::form::{HasWindow, Usage};
use crate::has_settings::has_settings;
use crate::nonce_setters::HasNonce;
use crate::scheme::{Encoding, Place, Signature, SignedTime};
use crate::signature_setters::HasSignature;
use crate::tenant::Tenant;
use crate::time_setters::HasSignedTime;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

/// Starts a layer for parameters that are signed by this recipe. They are deserialized into `C`, each of them text.
///
/// | setting | default |
/// |---|---|
/// | [`source`](Builder::source) | the query |
/// | [`signature_parameter`](Builder::signature_parameter), [`signature_in`](Builder::signature_in) | `signature` |
/// | [`issued_at`](Builder::issued_at) or [`expires_at`](Builder::expires_at) | none |
/// | [`max_age`](Builder::max_age), [`clock_skew`](Builder::clock_skew) | 300 s, 60 s |
/// | [`digest`](Builder::digest), [`encoding`](Builder::encoding) | SHA-256, hexadecimal |
/// | [`public_key`](Builder::public_key) | none: an HMAC |
/// | [`secret_format`](Builder::secret_format), [`key_derivation`](Builder::key_derivation) | its bytes are the key |
/// | [`require`](Builder::require), [`once`](Builder::once) | nothing |
/// | [`digits`](Builder::digits), [`ends_with`](Builder::ends_with) | nothing |
/// | [`tenant`](Builder::tenant), [`tenant_field`](Builder::tenant_field) | one for all |
/// | [`reusable`](Builder::reusable) | once |
/// | [`methods`](Builder::methods) | GET |
///
/// Say which pair holds the time, or call [`danger_without_time`](Builder::danger_without_time). Parameters that answer
/// a request of your app need none: they have a [nonce](Builder::nonce_member).
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::replay::MemoryReplay;
/// use tower_sso::scheme::TimeFormat;
/// use tower_sso::signed_parameters::{self, Join, Recipe};
///
/// let recipe = Recipe::listed(["timestamp", "user"], Join::values(':'));
/// let sso = signed_parameters::layer::<serde_json::Value>(recipe)
///     .issued_at("timestamp", TimeFormat::Seconds)
///     .secrets(["0123456789abcdef"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(recipe: Recipe) -> Builder<SignedParameters<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let mut signature = Signature::written_as(Encoding::Hex);
    // An MD5 is shorter, so the signature is decoded to another length.
    signature.md5 = recipe.md5;
    let form = SignedParameters {
        recipe,
        source: Source::Query,
        signature_at: At::Parameter("signature".into()),
        signature,
        time: SignedTime::Unset,
        window: Window { max_age: Duration::from_secs(300), clock_skew: Duration::from_secs(60) },
        usage: Usage::Once,
        forgetting_is_fine: false,
        nonce: ReturnedNonce::default(),
        tenant: None,
        required: Vec::new(),
        once: Vec::new(),
        shapes: Vec::new(),
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::GET)
}

/// The signature.
impl<C, D> Builder<SignedParameters<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// Where the pairs are. Default: in the query.
    pub fn source(mut self, source: Source) -> Self {
        self.form.source = source;
        self
    }

    /// The pair that holds the signature, next to those that it signs. Default: `signature`.
    pub fn signature_parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.signature_at = At::Parameter(name.into());
        self
    }

    /// Where the signature is, if it is not among the pairs, such as a header. Default: it is the pair
    /// [`signature`](Self::signature_parameter).
    pub fn signature_in(mut self, place: Place) -> Self {
        self.form.signature_at = At::Place(place);
        self
    }

    /// A public-key algorithm instead of an HMAC. The secrets are then the partner's
    /// [public keys](crate::scheme::PublicKeyAlgorithm), as its page shows them. Default: none, an HMAC.
    ///
    /// A request is recognised by what was signed, as an ECDSA signature can be rewritten into another valid one.
    #[cfg(feature = "public-key")]
    #[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
    pub fn public_key(mut self, algorithm: crate::scheme::PublicKeyAlgorithm) -> Self {
        self.form.signature.key_kind = crate::scheme::KeyKind::public(algorithm);
        self
    }
}

/// Time, use and claims.
impl<C, D> Builder<SignedParameters<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// Lets a request come again as long as it is valid: for pages in frames that send it with each call. The layer
    /// then takes no replay store. **A stolen request works until its end**, so choose a short
    /// [`max_age`](Self::max_age). Default: once.
    pub fn reusable(mut self) -> Self {
        self.form.usage = Usage::Reusable;
        self
    }

    /// Takes a replay store that forgets when the process ends, although requests may have no time: **an old request
    /// can then be used again after a restart**. Default: such a layer does not build.
    pub fn danger_forgets_on_restart(mut self) -> Self {
        self.form.forgetting_is_fine = true;
        self
    }

    /// The signed pair that names the tenant, which selects the keys. It is read before the request is verified, and
    /// proved by the signature. Default: none, and [`tenant`](Self::tenant) decides.
    pub fn tenant_field(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.tenant = Some(name.into());
        self
    }

    /// Signed pairs that must be there once and not be empty. Default: only those that `C` needs, and they may be
    /// empty.
    pub fn require<N: Into<Cow<'static, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.form.required.extend(names.into_iter().map(Into::into));
        self
    }

    /// Signed pairs that may come at most once, where the recipe joins [repeated](Recipe::repeated) names. Default:
    /// those that are required, or hold the tenant, the time or the nonce. With [`Repeated::Commas`], such a value must
    /// not hold a comma. **To any other value, a visitor who may add parameters can add text.**
    ///
    /// [`Repeated::Commas`]: super::Repeated::Commas
    pub fn once<N: Into<Cow<'static, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.form.once.extend(names.into_iter().map(Into::into));
        self
    }

    /// Signed pairs that hold digits alone, or nothing. Default: any text.
    pub fn digits<N: Into<Cow<'static, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.form.shapes.extend(names.into_iter().map(|name| (name.into(), Shape::Digits)));
        self
    }

    /// A signed pair whose value ends like this. If the end begins with a point, it is a domain, and the value must be
    /// a host name below it. Without a separator between pairs, the end must not occur earlier in the value. Default:
    /// any text.
    pub fn ends_with(mut self, name: impl Into<Cow<'static, str>>, end: impl Into<Cow<'static, str>>) -> Self {
        self.form.shapes.push((name.into(), Shape::EndsWith(end.into())));
        self
    }
}

has_settings!(SignedParameters<C>: HasSignature::signature_mut, signature: Signature);
has_settings!(SignedParameters<C>: HasSignedTime::time_mut, time: SignedTime);
has_settings!(SignedParameters<C>: HasNonce::nonce_mut, nonce: ReturnedNonce);
has_settings!(SignedParameters<C>: HasWindow::window_mut, window: Window);

pub(super) fn check<C>(form: &SignedParameters<C>) -> Result<(), ConfigProblem> {
    let problem = |setting, problem| Err(ConfigProblem::setting(setting, problem));
    form.window.check()?;
    form.recipe.check()?;
    form.signature.check()?;
    if form.signature.is_public() && form.recipe.hashed_secret.is_some() {
        return problem("public_key", "has no secret to be hashed: take one out");
    }
    if form.recipe.md5 && form.signature.digest != Signature::written_as(Encoding::Hex).digest {
        return problem("digest", "is MD5 by the recipe: leave it out, or take `danger_digest_with_secret_at_the_end`");
    }
    form.nonce.check(form.usage, form.tenant.is_some())?;
    form.nonce.check_time(&form.time, form.usage)?;
    if form.source == Source::Json && (form.recipe.text == Text::Raw || form.recipe.order == Order::Sent) {
        return problem("source", "is JSON, whose text and order are not signed: take another `text` and `order`");
    }
    form.places().try_for_each(|place| place.check("source"))?;
    if let At::Place(place) = &form.signature_at {
        let is_pair = form.source.pair_in(place).is_some_and(|name| form.recipe.signs(name));
        if is_pair || form.source.place() == Some(place) {
            return problem("signature_in", "is among the pairs, and cannot sign itself: call `signature_parameter`");
        }
        if form.source.body_type().zip(place.body_type()).is_some_and(|(pairs, signature)| pairs != signature) {
            return problem("signature_in", "is in another body than the pairs, and a request has one: take a header");
        }
    }
    let is_signed = |name: &Cow<'static, str>| {
        form.recipe.signs(name) && !matches!(&form.signature_at, At::Parameter(signature) if signature == name)
    };
    if let At::Parameter(name) = &form.signature_at {
        if name.is_empty() {
            return problem("signature_parameter", "is empty: name the parameter that holds the signature");
        }
        if form.recipe.selected.names().contains(name) {
            return problem("signature_parameter", "is one of the signed ones: a signature cannot sign itself");
        }
    }
    for (setting, name) in [
        ("issued_at", form.time.member()),
        ("tenant_field", form.tenant.as_ref()),
        ("nonce_member", form.nonce.member.as_ref()),
    ] {
        if name.is_some_and(|name| !is_signed(name)) {
            return problem(setting, "is not signed: anyone could write another value there. Sign it, or leave it out");
        }
    }
    if form.known().iter().any(|name| !is_signed(name)) {
        return problem("require", "names a parameter that is not signed: anyone could write another value there");
    }
    if form.recipe.has_no_separator() { check_shapes(form) } else { Ok(()) }
}

/// Without a separator, the end of a value is known by its shape.
fn check_shapes<C>(form: &SignedParameters<C>) -> Result<(), ConfigProblem> {
    let problem = |setting, problem| Err(ConfigProblem::setting(setting, problem));
    if form.shapes.is_empty() {
        return problem(
            "recipe",
            "joins pairs without a separator, so that the border between a value and the next name can be moved: say \
             which values have a known shape, by `digits` or `ends_with`, and decide nothing by others",
        );
    }
    if form.tenant.as_ref().is_some_and(|tenant| !form.shapes.iter().any(|(name, _)| name == tenant)) {
        return problem("tenant_field", "has no known shape, so that a visitor can lengthen it: call `ends_with`");
    }
    if form.shapes.iter().any(|(_, shape)| *shape == Shape::EndsWith("".into())) {
        return problem("ends_with", "says nothing about the value: say how it ends, such as `.example.com`");
    }
    // Pairs are sorted, so a name that begins with a digit is in front of these, and its digits cannot lengthen them.
    let mut digits = form.shapes.iter().filter(|(_, shape)| *shape == Shape::Digits).map(|(name, _)| name);
    if digits.any(|name| name.bytes().next().is_none_or(|first| first <= b'9')) {
        return problem(
            "digits",
            "names a parameter that sorts before digits, so that a visitor can lengthen it: it must begin with a letter",
        );
    }
    Ok(())
}
