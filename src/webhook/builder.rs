use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::{HeaderName, Method};

use super::sameness::Sameness;
use super::signatures::Signatures;
use super::signed::{Part, Template};
use super::{Digest, Encoding, EventId, FromBody, SecretFormat, TimeFormat, Webhook};
use crate::form::HasWindow;
use crate::tenant::Tenant;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Starts a layer for signed calls whose body is read into `C`.
///
/// | setting | default |
/// |---|---|
/// | [`signature_header`](Builder::signature_header) | `Webhook-Signature` |
/// | [`digest`](Builder::digest), [`encoding`](Builder::encoding) | SHA-256, hexadecimal |
/// | [`prefix`](Builder::prefix), [`separator`](Builder::separator) | none |
/// | [`secret_format`](Builder::secret_format) | its bytes |
/// | [`signed`](Builder::signed) | the body |
/// | [`timestamp_header`](Builder::timestamp_header), [`timestamp_element`](Builder::timestamp_element) | none |
/// | [`id_header`](Builder::id_header) | none |
/// | [`timestamp_format`](Builder::timestamp_format) | whole seconds |
/// | [`event_id`](Builder::event_id), [`retried_for`](Builder::retried_for) | none, a day |
/// | [`max_age`](Builder::max_age), [`clock_skew`](Builder::clock_skew) | 300 s, 60 s, where there is a timestamp |
/// | [`content_type`](Builder::content_type) | `application/json` |
/// | [`lease`](Builder::lease) | 30 s |
/// | [`tenant`](Builder::tenant) | one for all |
/// | [`methods`](Builder::methods) | POST |
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{replay::MemoryReplay, webhook};
///
/// // `X-Signature: v0=…` over `v0:1700000000:{"…"}`, as some chat services sign.
/// let verify = webhook::layer::<serde_json::Value>()
///     .signature_header(http::HeaderName::from_static("x-signature"))
///     .prefix("v0=")
///     .timestamp_header(http::HeaderName::from_static("x-request-timestamp"))
///     .signed("v0:{timestamp}:{body}")
///     .secrets(["whsec-shared"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>() -> Builder<Webhook<C>>
where
    C: FromBody + Send + Sync + 'static,
{
    let form = Webhook {
        signatures: Signatures {
            headers: vec![HeaderName::from_static("webhook-signature")],
            separator: None,
            prefix: "".into(),
            timestamp_element: None,
            encoding: Encoding::Hex,
            digest: Digest::Sha256,
        },
        secret_format: SecretFormat::Bytes,
        template: Ok(Template::body_alone()),
        timestamp_header: None,
        time_format: TimeFormat::Seconds,
        id_header: None,
        window: Window { max_age: Duration::from_secs(300), clock_skew: Duration::from_secs(60) },
        content_type: Some("application/json".into()),
        lease: Duration::from_secs(30),
        sameness: Sameness { event_id: None, retried_for: DAY, distinguished_by: Vec::new() },
        every_delivery: false,
        remember: None,
        handler_remembers: false,
        forgetting_is_fine: false,
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::POST)
}

impl<C, D> Builder<Webhook<C>, D>
where
    C: FromBody + Send + Sync + 'static,
{
    /// The header that holds the signature. Default: `Webhook-Signature`.
    pub fn signature_header(mut self, name: HeaderName) -> Self {
        self.form.signatures.headers = vec![name];
        self
    }

    /// Several headers that may each hold a signature, such as one for each of the sender's keys. One right signature
    /// is enough. A single header that may come several times needs a [`separator`](Self::separator) too.
    pub fn signature_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.form.signatures.headers = names.into_iter().collect();
        self
    }

    /// The separator of a signature header that holds a list: `','` for `t=1700000000,v1=…,v1=…`. Default: none, the
    /// header is one signature.
    ///
    /// Elements that begin with the [`prefix`](Self::prefix) are signatures, of which one has to be right. Other
    /// elements and white space around elements are ignored. More than 16 elements are `malformed`. A delivery is then
    /// recognised by what was signed, as a copy could leave out one of several signatures.
    pub fn separator(mut self, separator: char) -> Self {
        self.form.signatures.separator = Some(separator);
        self
    }

    /// The prefix of the list's element that holds the time, such as `t=`. The time must be signed. Needs a
    /// [`separator`](Self::separator).
    pub fn timestamp_element(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.form.signatures.timestamp_element = Some(prefix.into());
        self
    }

    /// How the sender writes the time. Default: whole seconds since 1970.
    pub fn timestamp_format(mut self, format: TimeFormat) -> Self {
        self.form.time_format = format;
        self
    }

    /// The format in which the sender's page shows the secret. Default: its bytes are the key.
    pub fn secret_format(mut self, format: SecretFormat) -> Self {
        self.form.secret_format = format;
        self
    }

    /// What makes two deliveries one event. Default: the same signed bytes.
    ///
    /// Many senders sign each retry with a new time: without this, **each retry is processed again**. With it, a retry
    /// of a processed event is acknowledged, for as long as the sender [retries](Self::retried_for). A memory replay
    /// store forgets events when the process ends, and a retry that is signed after that looks new. On such a store the
    /// layer does not build, unless the [handler remembers](Self::handler_remembers) events too.
    ///
    /// In a rotation, an event may be retried under another key. To recognise that retry, give the keys an
    /// [owner](crate::keys::Key::owned_by), or use [`secrets`](Self::secrets). The ids of two senders may be the same:
    /// if their layers share a replay store and have one signature header, give each a [`namespace`](Self::namespace).
    pub fn event_id(mut self, id: EventId) -> Self {
        self.form.sameness.event_id = Some(id);
        self
    }

    /// How long after the first attempt the sender retries an event. Default: a day. An event with an
    /// [`event_id`](Self::event_id) and a time is remembered for that long beyond its window. Without both, this does
    /// nothing.
    pub fn retried_for(mut self, time: Duration) -> Self {
        self.form.sameness.retried_for = time;
        self
    }

    /// Counts deliveries with different values of this header as different events, such as GitHub's `X-GitHub-Event`.
    ///
    /// The header is not signed: **whoever has recorded a delivery can send it again with another value**, and it is
    /// processed again.
    pub fn danger_distinguished_by(mut self, name: HeaderName) -> Self {
        self.form.sameness.distinguished_by.push(name);
        self
    }

    /// Hands every delivery to the handler, duplicates too, without a replay store: for senders whose bodies say only
    /// that something has happened, such as Dropbox. **Whoever has recorded a delivery can send it again.**
    pub fn danger_every_delivery(mut self) -> Self {
        self.form.every_delivery = true;
        self
    }

    /// The digest of the HMAC. Default: SHA-256.
    pub fn digest(mut self, digest: Digest) -> Self {
        self.form.signatures.digest = digest;
        self
    }

    /// The encoding of the MAC. Default: hexadecimal.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.form.signatures.encoding = encoding;
        self
    }

    /// The text before the MAC, such as `sha256=`. The header must begin with exactly this. Default: nothing.
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.form.signatures.prefix = prefix.into();
        self
    }

    /// A template of the signed content, with the placeholders `{timestamp}`, `{id}` and `{body}`. Default: `{body}`.
    pub fn signed(mut self, template: impl AsRef<str>) -> Self {
        self.form.template = Template::parse(template.as_ref());
        self
    }

    /// The header with the time of the delivery, in the [`timestamp_format`](Self::timestamp_format). It must be
    /// signed. Default: none, and so no time check: a delivery may have any age.
    pub fn timestamp_header(mut self, name: HeaderName) -> Self {
        self.form.timestamp_header = Some(name);
        self
    }

    /// The header with the delivery's id. It must be signed. Default: none.
    pub fn id_header(mut self, name: HeaderName) -> Self {
        self.form.id_header = Some(name);
        self
    }

    /// The content type, without parameters. Default: `application/json`.
    pub fn content_type(mut self, essence: impl Into<Cow<'static, str>>) -> Self {
        self.form.content_type = Some(essence.into());
        self
    }

    /// Takes any content type, or none.
    pub fn any_content_type(mut self) -> Self {
        self.form.content_type = None;
        self
    }

    /// How long the inner service may take. Default: 30 s. If it neither answers nor fails within that time, its
    /// process may be gone, and a duplicate is let through, [`store_timeout`](Self::store_timeout) later at the latest.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.form.lease = lease;
        self
    }

    /// States that the handler recognises a duplicate itself: it stores
    /// [`Identity::fingerprint`](crate::Identity::fingerprint) with its own data, in one transaction. Required for
    /// deliveries without a timestamp if the replay store forgets when the process ends.
    ///
    /// The replay store then remembers a delivery without a timestamp for an hour instead of for ever, so it does not
    /// grow without bound. **A later duplicate reaches the handler**, which must do nothing and answer as before.
    /// [`danger_remember_for`](Self::danger_remember_for) sets another time.
    pub fn handler_remembers(mut self) -> Self {
        self.form.handler_remembers = true;
        self
    }

    /// Builds without [`handler_remembers`](Self::handler_remembers): **after a restart, any past delivery is processed
    /// once more** if it is sent again, and brings back an old key or an old state.
    pub fn danger_forgets_on_restart(mut self) -> Self {
        self.form.forgetting_is_fine = true;
        self
    }

    /// How long a delivery without a timestamp is remembered. Default: an hour with
    /// [`handler_remembers`](Self::handler_remembers), else for ever, at the cost of one entry in the replay store per
    /// delivery. **A duplicate that comes later is processed again**, unless the handler recognises it by
    /// [`Identity::fingerprint`](crate::Identity::fingerprint).
    ///
    /// Layers that share deliveries (one store, one [`namespace`](Self::namespace)) must remember for the same time:
    /// what one has forgotten would pass at the other.
    pub fn danger_remember_for(mut self, time: Duration) -> Self {
        self.form.remember = Some(time);
        self
    }
}

impl<C> HasWindow for Webhook<C>
where
    C: FromBody + Send + Sync + 'static,
{
    fn window_mut(&mut self) -> &mut Window {
        &mut self.window
    }
}

pub(super) fn check<C>(form: &Webhook<C>) -> Result<(), ConfigProblem> {
    form.window.check()?;
    let template = form.template.as_ref().map_err(Clone::clone)?;
    if template.is_ambiguous(form.time_format) {
        return Err(ConfigProblem::setting(
            "signed",
            "can be cut in two ways: put something between its parts, and {body} last",
        ));
    }
    let (element, list) = (&form.signatures.timestamp_element, form.signatures.separator);
    if form.signatures.headers.is_empty() {
        return Err(ConfigProblem::setting("signature_headers", "are none: name the header that holds the signature"));
    }
    if element.is_some() && (list.is_none() || form.timestamp_header.is_some()) {
        return Err(ConfigProblem::setting(
            "timestamp_element",
            "needs a `separator` and no `timestamp_header`: the time has one place",
        ));
    }
    for (part, is_set, name) in
        [(Part::Timestamp, form.has_time(), "timestamp_header"), (Part::Id, form.id_header.is_some(), "id_header")]
    {
        match (template.has(&part), is_set) {
            (true, false) => {
                return Err(ConfigProblem::setting(name, "is not set, but its value is signed: name the header"));
            }
            (false, true) => {
                return Err(ConfigProblem::setting(
                    name,
                    "is set, but its value is not signed: anyone could change it; put it into `signed`",
                ));
            }
            _ => {}
        }
    }
    if form.sameness.event_id == Some(EventId::Header) && form.id_header.is_none() {
        return Err(ConfigProblem::setting(
            "event_id",
            "is said to stand in a header: name it with `id_header`, and sign it",
        ));
    }
    if form.every_delivery && (form.sameness.event_id.is_some() || !form.sameness.distinguished_by.is_empty()) {
        return Err(ConfigProblem::setting(
            "danger_every_delivery",
            "leaves nothing to recognise: take the other setting out",
        ));
    }
    if form.lease.is_zero() {
        return Err(ConfigProblem::ZeroTimeout("lease"));
    }
    if form.content_type.as_ref().is_some_and(|essence| essence.contains(';')) {
        return Err(ConfigProblem::setting("content_type", "has parameters: leave them out, as senders may have any"));
    }
    match form.remember {
        Some(_) if form.has_time() => Err(ConfigProblem::setting(
            "danger_remember_for",
            "is for calls without a timestamp: one with is remembered for its whole window",
        )),
        Some(time) if time.is_zero() => {
            Err(ConfigProblem::setting("danger_remember_for", "is zero: nothing is remembered"))
        }
        _ => Ok(()),
    }
}
