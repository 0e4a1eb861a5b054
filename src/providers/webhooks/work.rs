//! Senders: documents, directories, forms and calendars.

use std::time::Duration;

use http::HeaderName;

use super::urls::FORM;
use super::{Claims, DAY, sender};
use crate::Builder;
use crate::webhook::{Encoding, EventId, TimeFormat, Webhook};

const DOCUSIGN: [&str; 10] = [
    "x-docusign-signature-1",
    "x-docusign-signature-2",
    "x-docusign-signature-3",
    "x-docusign-signature-4",
    "x-docusign-signature-5",
    "x-docusign-signature-6",
    "x-docusign-signature-7",
    "x-docusign-signature-8",
    "x-docusign-signature-9",
    "x-docusign-signature-10",
];

/// Deliveries of Typeform.
///
/// `Typeform-Signature: sha256=` and base64 of HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// As claims: [`TypeformEvent`](super::events::TypeformEvent).
///
/// Source: typeform.com/developers, "Create or update webhook"; SlopMaster2/webhook-verify, second-hand, for the
/// encoding.
///
/// ```
/// let layer = tower_sso::providers::webhooks::typeform::<serde_json::Value>();
/// ```
pub fn typeform<C: Claims>() -> Builder<Webhook<C>> {
    sender("typeform")
        .signature_header(HeaderName::from_static("typeform-signature"))
        .prefix("sha256=")
        .encoding(Encoding::Base64)
}

/// Deliveries of Calendly.
///
/// `Calendly-Webhook-Signature: t=`, the time in seconds, and `v1=`, hexadecimal HMAC-SHA256 of `{timestamp}.{body}`.
///
/// Calendly allows an age of three minutes.
///
/// Calendly sends a failed event again for a day. Events have no id, so an event is recognised by its body, for a day.
/// `created_at` there says when it happened.
///
/// As claims: [`CalendlyEvent`](super::events::CalendlyEvent).
///
/// Source: developer.calendly.com, "Webhook Signatures" and "Webhook Errors".
///
/// ```
/// let layer = tower_sso::providers::webhooks::calendly::<serde_json::Value>();
/// ```
pub fn calendly<C: Claims>() -> Builder<Webhook<C>> {
    sender("calendly")
        .signature_header(HeaderName::from_static("calendly-webhook-signature"))
        .prefix("v1=")
        .separator(',')
        .timestamp_element("t=")
        .signed("{timestamp}.{body}")
        .max_age(Duration::from_secs(180))
        .event_id(EventId::Body)
}

/// Deliveries of Cal.com.
///
/// `X-Cal-Signature-256`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// With a template of your own, the body is what you wrote, as JSON or a form: read both with
/// [`JsonOrForm`](crate::webhook::JsonOrForm) or [`RawBody`](crate::webhook::RawBody).
///
/// As claims: [`CalComEvent`](super::events::CalComEvent).
///
/// Source: calcom/cal.com, packages/features/webhooks/lib/sendPayload.ts.
///
/// ```
/// let layer = tower_sso::providers::webhooks::cal_com::<serde_json::Value>();
/// ```
pub fn cal_com<C: Claims>() -> Builder<Webhook<C>> {
    sender("cal_com")
        .signature_header(HeaderName::from_static("x-cal-signature-256"))
        .content_types(["application/json", FORM])
}

/// Deliveries of Dropbox.
///
/// `X-Dropbox-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// The body says only which accounts have changed, so each change sends the same bytes. **No delivery counts as a
/// duplicate, and whoever has recorded one can send it again**: the handler must do no more than look for changes.
/// Dropbox first asks by GET whether the address is yours: see [`challenges::dropbox`](super::challenges::dropbox).
///
/// Source: dropbox/mdwebhook, app.py.
///
/// ```
/// let layer = tower_sso::providers::webhooks::danger_dropbox::<serde_json::Value>();
/// ```
pub fn danger_dropbox<C: Claims>() -> Builder<Webhook<C>> {
    sender("dropbox").signature_header(HeaderName::from_static("x-dropbox-signature")).danger_every_delivery()
}

/// Deliveries of Box.
///
/// `BOX-SIGNATURE-PRIMARY` and `-SECONDARY`, one for each key: base64 of HMAC-SHA256 of body and
/// `BOX-DELIVERY-TIMESTAMP` in RFC 3339.
///
/// `BOX-DELIVERY-ID` is not signed, and each retry has another. Box allows an age of ten minutes.
///
/// A retry has a new time and signature, so an event is recognised by the `id` in its body, for a day.
///
/// As claims: [`BoxEvent`](super::events::BoxEvent).
///
/// Source: developer.box.com, "V2 Webhooks"; box/box-python-sdk.
///
/// ```
/// let layer = tower_sso::providers::webhooks::box_com::<serde_json::Value>();
/// ```
pub fn box_com<C: Claims>() -> Builder<Webhook<C>> {
    sender("box_com")
        .signature_headers([
            HeaderName::from_static("box-signature-primary"),
            HeaderName::from_static("box-signature-secondary"),
        ])
        .encoding(Encoding::Base64)
        .timestamp_header(HeaderName::from_static("box-delivery-timestamp"))
        .timestamp_format(TimeFormat::Rfc3339)
        .signed("{body}{timestamp}")
        .max_age(Duration::from_secs(600))
        .event_id(EventId::field_if_given("id"))
}

/// Deliveries of DocuSign Connect.
///
/// `X-DocuSign-Signature-1` to `-10`, one for each active key: base64 of HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// DocuSign allows a hundred keys. Signatures from the eleventh on are ignored. In the format JSON SIM a retry counts
/// its attempts in the body, `retryCount`, and is processed again: the handler must recognise it by the envelope and
/// what has happened to it.
///
/// As claims: [`DocuSignEvent`](super::events::DocuSignEvent).
///
/// Source: developers.docusign.com; public receivers, for `retryCount`.
///
/// ```
/// let layer = tower_sso::providers::webhooks::docusign::<serde_json::Value>();
/// ```
pub fn docusign<C: Claims>() -> Builder<Webhook<C>> {
    sender("docusign").signature_headers(DOCUSIGN.map(HeaderName::from_static)).encoding(Encoding::Base64)
}

/// Deliveries of WorkOS.
///
/// `WorkOS-Signature: t=`, the time in milliseconds, and `v1=`, hexadecimal HMAC-SHA256 of `{timestamp}.{body}`.
///
/// WorkOS allows the time to be three minutes off either way.
///
/// A retry has a new time and signature, so an event is recognised by the `id` in its body, for three days.
///
/// As claims: [`WorkOsEvent`](super::events::WorkOsEvent).
///
/// Source: workos.com, "Syncing with webhooks"; workos/workos-node.
///
/// ```
/// let layer = tower_sso::providers::webhooks::workos::<serde_json::Value>();
/// ```
pub fn workos<C: Claims>() -> Builder<Webhook<C>> {
    sender("workos")
        .signature_header(HeaderName::from_static("workos-signature"))
        .prefix("v1=")
        .separator(',')
        .timestamp_element("t=")
        .timestamp_format(TimeFormat::Milliseconds)
        .signed("{timestamp}.{body}")
        .max_age(Duration::from_secs(180))
        .clock_skew(Duration::from_secs(180))
        .event_id(EventId::field_if_given("id"))
        .retried_for(3 * DAY)
}
