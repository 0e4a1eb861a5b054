//! Platforms that sign their requests for a part of a page, and show the answer there.

use std::borrow::Cow;

use http::HeaderName;

use super::money::with_stripes_header;
use super::{Claims, sender};
use crate::Builder;
use crate::webhook::{Digest, Encoding, SecretFormat, Webhook};

/// Requests of Stripe Apps' pages to their backend.
///
/// `Stripe-Signature: t=`, the time in seconds, and `v1=`, hexadecimal HMAC-SHA256 of `{timestamp}.{body}`.
///
/// Stripe signs the JSON `{"user_id":"usr_1","account_id":"acct_1"}`, and further fields behind these if the page asks
/// for them. The page must send that very JSON as the body, and nothing else. A request may come again within five
/// minutes, and is answered each time. The secret is the text `absec_…`.
///
/// Source: docs.stripe.com, "Add server-side logic" of Stripe Apps.
///
/// ```
/// let layer = tower_sso::providers::webhooks::stripe_apps::<serde_json::Value>();
/// ```
pub fn stripe_apps<C: Claims>() -> Builder<Webhook<C>> {
    with_stripes_header("stripe_apps").reusable()
}

/// Requests of Intercom's Canvas Kit.
///
/// `X-Body-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed, and the same request comes again whenever the same page is opened: **whoever has recorded one
/// gets an answer at any time**. The key is the app's client secret.
///
/// Source: developers.intercom.com, Canvas Kit, "Signing notifications".
///
/// ```
/// let layer = tower_sso::providers::webhooks::danger_intercom_canvas_kit::<serde_json::Value>();
/// ```
pub fn danger_intercom_canvas_kit<C: Claims>() -> Builder<Webhook<C>> {
    sender("intercom_canvas_kit").signature_header(HeaderName::from_static("x-body-signature")).danger_every_delivery()
}

/// Requests of Help Scout's legacy apps.
///
/// `X-HelpScout-Signature`: base64 of HMAC-SHA1 of the body.
///
/// No time is signed, and the same request comes again whenever the same page is opened: **whoever has recorded one
/// gets an answer at any time**. The key is the app's secret.
///
/// Source: Help Scout's developer documentation, "Dynamic content" of legacy apps.
///
/// ```
/// let layer = tower_sso::providers::webhooks::danger_help_scout_legacy::<serde_json::Value>();
/// ```
pub fn danger_help_scout_legacy<C: Claims>() -> Builder<Webhook<C>> {
    sender("help_scout_legacy")
        .signature_header(HeaderName::from_static("x-helpscout-signature"))
        .digest(Digest::Sha1)
        .encoding(Encoding::Base64)
        .danger_every_delivery()
}

/// Requests of Enchant's custom apps.
///
/// `Enchant-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed, and the same request comes again whenever the same page is opened: **whoever has recorded one
/// gets an answer at any time**. The key is the app's secret.
///
/// Source: second-hand, public servers of such apps, in two languages.
///
/// ```
/// let layer = tower_sso::providers::webhooks::danger_enchant::<serde_json::Value>();
/// ```
pub fn danger_enchant<C: Claims>() -> Builder<Webhook<C>> {
    sender("enchant").signature_header(HeaderName::from_static("enchant-signature")).danger_every_delivery()
}

/// Requests of Shopware 6 to apps, by POST.
///
/// `shopware-shop-signature`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook). A duplicate is
/// acknowledged without an answer: for action buttons, which show one, add [`once`](Builder::once).
///
/// The key is the shop's secret, so give each shop its own: `source.shopId` in the body is not known before. While a
/// shop's secret is replaced, both are accepted if both are given.
///
/// Source: shopware/app-php-sdk, src/Authentication.
///
/// ```
/// let layer = tower_sso::providers::webhooks::shopware_webhook::<serde_json::Value>();
/// ```
pub fn shopware_webhook<C: Claims>() -> Builder<Webhook<C>> {
    sender("shopware_webhook").signature_header(HeaderName::from_static("shopware-shop-signature")).any_content_type()
}

/// Deliveries of Viber.
///
/// `X-Viber-Content-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the bot's token. Viber shows the answer to `conversation_started` as a message; a duplicate gets an empty
/// one. Some numbers in bodies are beyond 2⁵³.
///
/// Source: Viber/viber-bot-python.
///
/// ```
/// let layer = tower_sso::providers::webhooks::viber::<serde_json::Value>();
/// ```
pub fn viber<C: Claims>() -> Builder<Webhook<C>> {
    sender("viber").signature_header(HeaderName::from_static("x-viber-content-signature"))
}

/// Requests of Canva's extensions, by POST.
///
/// `X-Canva-Signatures`: a comma-separated list, each hexadecimal HMAC-SHA256 of `v1:{timestamp}:{path}:{body}`, with
/// `X-Canva-Timestamp` in seconds.
///
/// Canva signs the path behind the extension's base URL: give that URL's path, or `""` if it has none. The query is not
/// signed. A request may come again within five minutes, and is answered each time. The secret is in base64, as Canva
/// shows it. New apps have user tokens instead: [`launches::canva`](crate::providers::launches::canva).
///
/// Source: canva.dev, "Verifying requests", and public extensions.
///
/// ```
/// // The base URL is https://app.example/canva.
/// let layer = tower_sso::providers::webhooks::canva::<serde_json::Value>("/canva");
/// ```
pub fn canva<C: Claims>(base_path: impl Into<Cow<'static, str>>) -> Builder<Webhook<C>> {
    sender("canva")
        .signature_header(HeaderName::from_static("x-canva-signatures"))
        .separator(',')
        .timestamp_header(HeaderName::from_static("x-canva-timestamp"))
        .signed("v1:{timestamp}:{path}:{body}")
        .path_below(base_path)
        .secret_format(SecretFormat::Base64 { prefix: "" })
        .reusable()
}
