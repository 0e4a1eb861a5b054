//! Senders that sign the address of the webhook too. Give each the public one, see [`Origin`].

use std::time::Duration;

use http::{HeaderName, Method};

use super::{Claims, sender};
use crate::Builder;
use crate::scheme::Origin;
use crate::webhook::{Digest, Encoding, EventId, SecretFormat, TimeFormat, Webhook};

pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// What HubSpot decodes in a URL before it signs it.
const HUBSPOT_DECODES: &str = ":/@&=+$`\",;><?";

/// Methods of senders that let their users choose one.
pub(super) const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Deliveries of Twilio.
///
/// `X-Twilio-Signature`: base64 of HMAC-SHA1 of the URL, and the fields of a form sorted by name, with nothing between
/// names and values. Any other body is signed by its SHA-256 in the URL's `bodySHA256`, the last parameter.
///
/// **Where a field's name ends is not signed**: whoever holds back a delivery can send another one in its place, in
/// which a value goes on as another field, or the query as the first field. If an attacker wrote the last value of a
/// form, such as the last field's of a message, the other delivery can be any JSON. No time is signed: the handler must
/// recognise old deliveries, see [`webhook`](crate::webhook). Nor is the content type.
///
/// The key is the auth token. The URL counts with its port and without it, as Twilio is not consistent; a user and
/// password belong into the origin. Read forms with [`FormBody`](crate::webhook::FormBody).
///
/// As claims: [`TwilioMessage`](super::events::TwilioMessage) and [`TwilioCall`](super::events::TwilioCall).
///
/// Source: twilio/twilio-ruby, request_validator.
///
/// ```
/// use tower_sso::{providers::webhooks, scheme::Origin, webhook::FormBody};
///
/// #[derive(serde::Deserialize)]
/// struct Sms { #[serde(rename = "Body")] body: String }
///
/// let layer = webhooks::danger_twilio::<FormBody<Sms>>(Origin::new("https://app.example"));
/// ```
pub fn danger_twilio<C: Claims>(origin: Origin) -> Builder<Webhook<C>> {
    sender("twilio")
        .signature_header(HeaderName::from_static("x-twilio-signature"))
        .digest(Digest::Sha1)
        .encoding(Encoding::Base64)
        .danger_signed("{url}{form}")
        .origin(origin)
        .url_with_or_without_port()
        .body_digest_parameter("bodySHA256")
        .content_types([FORM, "application/json"])
        .optional_body()
        .methods([Method::GET, Method::POST])
}

/// Deliveries of Mandrill (Mailchimp Transactional).
///
/// `X-Mandrill-Signature`: base64 of HMAC-SHA1 of the URL, and the form's fields sorted by name, with nothing between
/// names and values.
///
/// **Where a field's name ends is not signed**: whoever holds back a delivery can send another one in its place, in
/// which a value goes on as another field. No time is signed: the handler must recognise old deliveries, see
/// [`webhook`](crate::webhook).
///
/// The key is the webhook's. Mandrill's check of the URL is signed with the key `test-webhook` and is refused: let it
/// pass on another layer. The field `mandrill_events` is a JSON list, in text.
///
/// Source: second-hand, Mailchimp's guide on authenticating webhook requests as quoted in SlopMaster2/webhook-verify.
///
/// ```
/// use tower_sso::{providers::webhooks, scheme::Origin, webhook::FormBody};
///
/// #[derive(serde::Deserialize)]
/// struct Batch { mandrill_events: String }
///
/// let layer = webhooks::danger_mandrill::<FormBody<Batch>>(Origin::new("https://app.example"));
/// ```
pub fn danger_mandrill<C: Claims>(origin: Origin) -> Builder<Webhook<C>> {
    sender("mandrill")
        .signature_header(HeaderName::from_static("x-mandrill-signature"))
        .digest(Digest::Sha1)
        .encoding(Encoding::Base64)
        .danger_signed("{url}{form}")
        .origin(origin)
        .content_type(FORM)
}

/// Deliveries of Square.
///
/// `x-square-hmacsha256-signature`: base64 of HMAC-SHA256 of the URL and the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The signature key is text. The body is an object, whose brace no URL holds, so nothing can move between the two. An
/// event is recognised by the `event_id` in its body.
///
/// As claims: [`SquareEvent`](super::events::SquareEvent).
///
/// Source: developer.squareup.com, "Square Webhooks"; square/square-nodejs-sdk.
///
/// ```
/// use tower_sso::scheme::Origin;
///
/// let origin = Origin::new("https://app.example");
/// let layer = tower_sso::providers::webhooks::square::<serde_json::Value>(origin);
/// ```
pub fn square<C: Claims>(origin: Origin) -> Builder<Webhook<C>> {
    sender("square")
        .signature_header(HeaderName::from_static("x-square-hmacsha256-signature"))
        .encoding(Encoding::Base64)
        .signed("{url}{body}")
        .origin(origin)
        .secret_format(SecretFormat::Text)
        .event_id(EventId::field_if_given("event_id"))
}

/// Deliveries of Trello.
///
/// `X-Trello-Webhook`: base64 of HMAC-SHA1 of the body and the callback URL.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the application's OAuth secret. Give Trello a callback URL with a path. Trello first asks by HEAD whether
/// it exists: see [`challenges::trello`](super::challenges::trello).
///
/// Source: developer.atlassian.com, "Trello webhooks".
///
/// ```
/// use tower_sso::scheme::Origin;
///
/// let origin = Origin::new("https://app.example");
/// let layer = tower_sso::providers::webhooks::trello::<serde_json::Value>(origin);
/// ```
pub fn trello<C: Claims>(origin: Origin) -> Builder<Webhook<C>> {
    sender("trello")
        .signature_header(HeaderName::from_static("x-trello-webhook"))
        .digest(Digest::Sha1)
        .encoding(Encoding::Base64)
        .signed("{body}{url}")
        .origin(origin)
}

/// Deliveries of HubSpot, version 1.
///
/// `X-HubSpot-Signature`: hexadecimal SHA-256 of the client secret and the body.
///
/// **Whoever has recorded a delivery can append to its body**, as this is no HMAC: take [`hubspot_v3`]. No time is
/// signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook). A retry counts its attempts in
/// the body, and is processed again. `X-HubSpot-Signature-Version` is not signed. Bodies are lists: read them with
/// [`JsonBody`](crate::webhook::JsonBody).
///
/// As claims: [`HubSpotEvent`](super::events::HubSpotEvent).
///
/// Source: HubSpot/hubspot-api-nodejs, test/unit/signature.spec.ts.
///
/// ```
/// use tower_sso::webhook::JsonBody;
///
/// let layer = tower_sso::providers::webhooks::danger_hubspot_v1::<JsonBody<Vec<serde_json::Value>>>();
/// ```
pub fn danger_hubspot_v1<C: Claims>() -> Builder<Webhook<C>> {
    sender("hubspot_v1").signature_header(HeaderName::from_static("x-hubspot-signature")).danger_secret_first()
}

/// Requests of HubSpot, version 2.
///
/// `X-HubSpot-Signature`: hexadecimal SHA-256 of the client secret, method, URL and body.
///
/// **Whoever has recorded a request can append to its body**, as this is no HMAC: take [`hubspot_v3`]. No time is
/// signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
/// `X-HubSpot-Signature-Version` is not signed.
///
/// Source: HubSpot/hubspot-api-nodejs, test/unit/signature.spec.ts.
///
/// ```
/// use tower_sso::scheme::Origin;
///
/// let origin = Origin::new("https://app.example");
/// let layer = tower_sso::providers::webhooks::danger_hubspot_v2::<serde_json::Value>(origin);
/// ```
pub fn danger_hubspot_v2<C: Claims>(origin: Origin) -> Builder<Webhook<C>> {
    sender("hubspot_v2")
        .signature_header(HeaderName::from_static("x-hubspot-signature"))
        .danger_secret_first()
        .signed("{method}{url}{body}")
        .origin(origin)
        .optional_body()
        .methods(METHODS)
}

/// Requests of HubSpot, version 3.
///
/// `X-HubSpot-Signature-v3`: base64 of HMAC-SHA256 of method, URL, body and time, with `X-HubSpot-Request-Timestamp` in
/// milliseconds.
///
/// HubSpot decodes the escapes of fourteen characters in the URL before it signs it: `` : / @ & = + $ ` " , ; > < ? ``.
/// **Whether `&`, `/` or another of these was escaped in the URL is not signed**. A retry with a new time is processed
/// again, as HubSpot says that `eventId` is not unique. Bodies of webhooks are lists: read them with
/// [`JsonBody`](crate::webhook::JsonBody). For a page that wants an answer each time, add
/// [`reusable`](Builder::reusable).
///
/// As claims: [`HubSpotEvent`](super::events::HubSpotEvent).
///
/// Source: second-hand, developers.hubspot.com, "Validating requests", as quoted in SlopMaster2/webhook-verify.
///
/// ```
/// use tower_sso::{providers::webhooks, scheme::Origin, webhook::JsonBody};
///
/// let origin = Origin::new("https://app.example");
/// let layer = webhooks::hubspot_v3::<JsonBody<Vec<serde_json::Value>>>(origin);
/// ```
pub fn hubspot_v3<C: Claims>(origin: Origin) -> Builder<Webhook<C>> {
    sender("hubspot_v3")
        .signature_header(HeaderName::from_static("x-hubspot-signature-v3"))
        .encoding(Encoding::Base64)
        .timestamp_header(HeaderName::from_static("x-hubspot-request-timestamp"))
        .timestamp_format(TimeFormat::Milliseconds)
        .signed("{method}{url}{body}{timestamp}")
        .origin(origin)
        .url_decoded(HUBSPOT_DECODES)
        .optional_body()
        .methods(METHODS)
}

/// Requests of Contentful to the backends of apps.
///
/// `x-contentful-signature`: hexadecimal HMAC-SHA256 of method, path with query, the headers that
/// `x-contentful-signed-headers` names, and body, one to a line, with `x-contentful-timestamp` in milliseconds.
///
/// Other headers are not signed; of Contentful's own, `x-contentful-…`, the layer removes those. So
/// `x-contentful-user-id`, if the handler sees it, is signed. The secret is text of 64 characters. A request is valid
/// for 30 s. One that is signed with a new time is processed again, as it has no id.
///
/// Source: contentful/node-apps-toolkit, src/requests.
///
/// ```
/// let layer = tower_sso::providers::webhooks::contentful::<tower_sso::webhook::RawBody>();
/// ```
pub fn contentful<C: Claims>() -> Builder<Webhook<C>> {
    sender("contentful")
        .signature_header(HeaderName::from_static("x-contentful-signature"))
        .signed_headers(HeaderName::from_static("x-contentful-signed-headers"), "x-contentful-")
        .timestamp_header(HeaderName::from_static("x-contentful-timestamp"))
        .timestamp_format(TimeFormat::Milliseconds)
        .signed("{method}\n{uri:encoded}\n{headers}\n{body}")
        .secret_format(SecretFormat::Text)
        .max_age(Duration::from_secs(30))
        .any_content_type()
        .optional_body()
        .methods(METHODS)
}
