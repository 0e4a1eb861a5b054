use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::SignedJson;
use super::fields::{Fields, Layout, is_inside, is_pointer};
use crate::form::HasWindow;
use crate::has_settings::has_settings;
use crate::mac::Digest;
use crate::processing::{HasProcessing, Processing};
use crate::scheme::{Encoding, SecretFormat, TimeFormat};
use crate::tenant::Tenant;
use crate::webhook::signatures::Signatures;
use crate::window::{Window, check_retried_for};
use crate::{Builder, ConfigProblem};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Starts a layer for JSON bodies in which these fields are signed, in this order. They are pointers (RFC 6901), such
/// as `/amount/value`; a name in one has neither `/` nor `~`. The signed fields are deserialized into `C`, each where
/// it was.
///
/// | setting | default |
/// |---|---|
/// | [`within`](Builder::within) | the body is the object that has the fields |
/// | [`signature_field`](Builder::signature_field) | `/signature` |
/// | [`layout`](Builder::layout) | one value after the other |
/// | [`optional_fields`](Builder::optional_fields), [`free_field`](Builder::free_field) | none |
/// | [`timestamp_field`](Builder::timestamp_field) | none |
/// | [`event_id_field`](Builder::event_id_field) | none: the signed text |
/// | [`accepted_values`](Builder::accepted_values) | any |
/// | [`digest`](Builder::digest), [`encoding`](Builder::encoding) | SHA-256, hexadecimal |
/// | [`secret_format`](Builder::secret_format) | its bytes |
/// | [`max_age`](Builder::max_age), [`clock_skew`](Builder::clock_skew) | 300 s, 60 s, where there is a timestamp |
/// | [`lease`](Builder::lease) | 30 s |
/// | [`tenant`](Builder::tenant) | one for all |
/// | [`methods`](Builder::methods) | POST |
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::replay::MemoryReplay;
/// use tower_sso::signed_json::{self, Layout};
///
/// // {"order": "7", "amount": {"value": 500, "currency": "EUR"}, "signature": "…"}
/// let verify = signed_json::layer::<serde_json::Value>(["/order", "/amount/value", "/amount/currency"])
///     .layout(Layout::Joined(':'))
///     .secrets(["a secret that is shared"])
///     .replay(MemoryReplay::new())
///     .handler_remembers()
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(signed: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Builder<SignedJson<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let signed = signed.into_iter().map(Into::into).collect();
    let form = SignedJson {
        fields: Fields { within: "".into(), signed, optional: Vec::new(), free: None, layout: Layout::Concatenated },
        signature_field: "/signature".into(),
        signatures: Signatures::alone(),
        secret_format: SecretFormat::Bytes,
        timestamp_field: None,
        time_format: TimeFormat::Seconds,
        window: Window { max_age: Duration::from_secs(300), clock_skew: Duration::from_secs(60) },
        event_id_field: None,
        accepted: None,
        retried_for: DAY,
        any_content_type: false,
        processing: Processing::default(),
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::POST)
}

impl<C, D> Builder<SignedJson<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// The object that has the fields: `/items/0/item`. A list on the way there must have one element, as what others
    /// say would not be signed. Default: the body. All other pointers start from this object.
    pub fn within(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.form.fields.within = pointer.into();
        self
    }

    /// The field that holds the signature. Default: `/signature`.
    pub fn signature_field(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.form.signature_field = pointer.into();
        self
    }

    /// How the fields make the signed text. Default: one value after the other.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.form.fields.layout = layout;
        self
    }

    /// Signed fields that may be missing or null. Default: none; a body without a signed field is `malformed`.
    ///
    /// In [`Layout::Lines`], an optional field cannot come right after the [free](Self::free_field) one, whose value
    /// could hold its lines, nor share its name with another.
    pub fn optional_fields<N: Into<Cow<'static, str>>>(mut self, pointers: impl IntoIterator<Item = N>) -> Self {
        self.form.fields.optional.extend(pointers.into_iter().map(Into::into));
        self
    }

    /// The one signed field whose value may hold the [layout](Self::layout)'s separator. Any other that does is
    /// `malformed`: otherwise one signed text could be cut into other values. Default: none.
    pub fn free_field(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.form.fields.free = Some(pointer.into());
        self
    }

    /// The signed field with the time of the call. Default: none; a call may then have any age.
    pub fn timestamp_field(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.form.timestamp_field = Some(pointer.into());
        self
    }

    /// How the sender writes the time. Default: whole seconds since 1970.
    pub fn timestamp_format(mut self, format: TimeFormat) -> Self {
        self.form.time_format = format;
        self
    }

    /// The signed field with the event's id: all calls with one id are one event. Default: none, the signed text is
    /// what makes two calls the same.
    pub fn event_id_field(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.form.event_id_field = Some(pointer.into());
        self
    }

    /// The values that a signed field may have, such as the name of your account: for a key that signs for others too.
    /// An authentic call with another value is `invalid`, and not remembered. No value at all does not build. Default:
    /// any value.
    ///
    /// ```
    /// use tower_sso::signed_json;
    ///
    /// let layer = signed_json::layer::<serde_json::Value>(["/account"]).accepted_values("/account", ["mine"]);
    /// ```
    pub fn accepted_values<V: Into<Cow<'static, str>>>(
        mut self,
        pointer: impl Into<Cow<'static, str>>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.form.accepted = Some((pointer.into(), values.into_iter().map(Into::into).collect()));
        self
    }

    /// How long after the first attempt the sender retries an event with an [id](Self::event_id_field). Default: a day;
    /// at most 90 days.
    pub fn retried_for(mut self, time: Duration) -> Self {
        self.form.retried_for = time;
        self
    }

    /// The digest of the HMAC. Default: SHA-256.
    pub fn digest(mut self, digest: Digest) -> Self {
        self.form.signatures.digest = Some(digest);
        self
    }

    /// A public-key algorithm instead of an HMAC. The secrets are then the sender's
    /// [public keys](crate::scheme::PublicKeyAlgorithm). Default: none, an HMAC.
    #[cfg(feature = "public-key")]
    #[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
    pub fn public_key(mut self, algorithm: crate::scheme::PublicKeyAlgorithm) -> Self {
        self.form.signatures.key_kind = crate::scheme::KeyKind::public(algorithm);
        self
    }

    /// The encoding of the signature. Default: hexadecimal.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.form.signatures.encoding = encoding;
        self
    }

    /// The format in which the sender's page shows the secret. Default: its bytes are the key.
    pub fn secret_format(mut self, format: SecretFormat) -> Self {
        self.form.secret_format = format;
        self
    }

    /// Takes any content type, or none. Default: `application/json` alone.
    pub fn any_content_type(mut self) -> Self {
        self.form.any_content_type = true;
        self
    }
}

has_settings!(SignedJson<C>: HasWindow::window_mut, window: Window);
has_settings!(SignedJson<C>: HasProcessing::processing_mut, processing: Processing);

pub(super) fn check<C>(form: &SignedJson<C>) -> Result<(), ConfigProblem> {
    form.window.check()?;
    check_retried_for(form.retried_for)?;
    form.time_format.check("timestamp_format")?;
    form.signatures.check(form.secret_format)?;
    let fixed_time = form.timestamp_field.as_deref().filter(|_| form.time_format.length().is_some());
    form.fields.check(fixed_time)?;
    let accepted = form.accepted.as_ref().map(|(field, _)| field.clone());
    let [time, id] = [&form.timestamp_field, &form.event_id_field];
    for (name, field) in [("timestamp_field", time), ("event_id_field", id), ("accepted_values", &accepted)] {
        let is_signed = |field| form.fields.signed.contains(field) && !form.fields.optional.contains(field);
        if field.as_ref().is_some_and(|field| !is_signed(field)) {
            return Err(ConfigProblem::setting(name, "is not signed in every call: anyone could change it"));
        }
    }
    if form.accepted.as_ref().is_some_and(|(_, values)| values.is_empty()) {
        return Err(ConfigProblem::setting("accepted_values", "are none: name those that are yours"));
    }
    if !is_pointer(&form.signature_field) || form.fields.signed.contains(&form.signature_field) {
        return Err(ConfigProblem::setting("signature_field", "is not a pointer like `/a/b` to a field of its own"));
    }
    let texts = || form.fields.signed.iter().chain([&form.signature_field]);
    if texts().any(|outer| texts().any(|pointer| is_inside(pointer, outer))) {
        return Err(ConfigProblem::setting("signed_json", "has a field inside of another, which is a text: name one"));
    }
    let is_cut = matches!(form.fields.layout, Layout::Joined(separator) if form.time_format.always_has(separator));
    if is_cut && form.timestamp_field.is_some() && form.timestamp_field != form.fields.free {
        return Err(ConfigProblem::setting(
            "timestamp_format",
            "has the layout's separator in each time: say that the `timestamp_field` is the `free_field`",
        ));
    }
    form.processing.check()
}
