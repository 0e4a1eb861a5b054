//! The settings of a webhook.

mod check;
mod duplicates;
mod sameness;
mod signature;
mod signed;

use std::marker::PhantomData;
use std::time::Duration;

use http::{HeaderName, Method};

use super::request::Reading;
use super::sameness::Sameness;
use super::signatures::Signatures;
use super::signed::Template;
use super::{FromBody, SecretFormat, TimeFormat, Webhook};
use crate::Builder;
use crate::form::HasWindow;
use crate::processing::{HasProcessing, Processing};
use crate::tenant::Tenant;
use crate::window::Window;

pub(super) use check::check;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Starts a layer for signed calls whose body is read into `C`.
///
/// | setting | default |
/// |---|---|
/// | [`signature_header`](Builder::signature_header) | `Webhook-Signature` |
/// | [`digest`](Builder::digest), [`encoding`](Builder::encoding) | SHA-256, hexadecimal |
/// | [`public_key`](Builder::public_key) | none: an HMAC |
/// | [`prefix`](Builder::prefix), [`separator`](Builder::separator) | none |
/// | [`secret_format`](Builder::secret_format) | its bytes |
/// | [`signed`](Builder::signed) | the body |
/// | [`origin`](Builder::origin) | none |
/// | [`timestamp_header`](Builder::timestamp_header), [`timestamp_element`](Builder::timestamp_element) | none |
/// | [`timestamp_field`](Builder::timestamp_field) | none |
/// | [`id_header`](Builder::id_header) | none |
/// | [`timestamp_format`](Builder::timestamp_format) | whole seconds |
/// | [`timestamp_is_expiry`](Builder::timestamp_is_expiry) | no: it is when the delivery was made |
/// | [`event_id`](Builder::event_id), [`retried_for`](Builder::retried_for) | none, a day |
/// | [`acknowledge_with`](Builder::acknowledge_with) | 200 without a body |
/// | [`hand_duplicates_on`](Builder::hand_duplicates_on) | off |
/// | [`max_age`](Builder::max_age), [`clock_skew`](Builder::clock_skew) | 300 s, 60 s, where there is a timestamp |
/// | [`content_type`](Builder::content_type), [`content_types`](Builder::content_types) | `application/json` |
/// | [`optional_body`](Builder::optional_body) | no |
/// | [`object_or_list`](Builder::object_or_list) | no: any body |
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
        signatures: Signatures { headers: vec![HeaderName::from_static("webhook-signature")], ..Signatures::alone() },
        secret_format: SecretFormat::Bytes,
        template: Ok(Template::body_alone()),
        cut_is_free: false,
        reading: Reading::new(),
        timestamp_header: None,
        timestamp_field: None,
        time_format: TimeFormat::Seconds,
        expires_within: None,
        id_header: None,
        window: Window { max_age: Duration::from_secs(300), clock_skew: Duration::from_secs(60) },
        content_types: Some(vec!["application/json".into()]),
        optional_body: false,
        object_or_list: false,
        processing: Processing::default(),
        sameness: Sameness { event_id: None, retried_for: DAY, distinguished_by: Vec::new() },
        every_delivery: false,
        within_window: false,
        once: false,
        acknowledgement: None,
        hands_duplicates_on: false,
        remember: None,
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::POST)
}

impl<C> HasWindow for Webhook<C>
where
    C: FromBody + Send + Sync + 'static,
{
    fn window_mut(&mut self) -> &mut Window {
        &mut self.window
    }
}

impl<C> HasProcessing for Webhook<C>
where
    C: FromBody + Send + Sync + 'static,
{
    fn processing_mut(&mut self) -> &mut Processing {
        &mut self.processing
    }
}
