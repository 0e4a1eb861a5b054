//! Senders whose signature is inside the JSON body.

#[cfg(feature = "public-key")]
use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::LIMIT;
use crate::Builder;
use crate::scheme::{Encoding, SecretFormat};
use crate::signed_json::{self, Layout, SignedJson};

/// Deliveries of Adyen, standard notifications.
///
/// `additionalData.hmacSignature`: base64 of HMAC-SHA256 of eight fields joined by colons: `pspReference`,
/// `originalReference`, `merchantAccountCode`, `merchantReference`, `amount.value`, `amount.currency`, `eventCode` and
/// `success`.
///
/// **All else is not signed**, such as `reason`, `paymentMethod`, `eventDate` and the rest of `additionalData`: whoever
/// has recorded a notification can change it. The claims are the eight fields. `merchantReference` alone may hold a
/// colon. A body must hold one notification. No time is signed: the handler must recognise old notifications by
/// [`Identity::fingerprint`](crate::Identity::fingerprint). The key is in hexadecimal.
///
/// Source: Adyen/adyen-python-api-library, Adyen/util.py.
///
/// ```
/// let layer = tower_sso::providers::webhooks::danger_adyen_standard::<serde_json::Value>();
/// ```
pub fn danger_adyen_standard<C: DeserializeOwned + Send + Sync + 'static>() -> Builder<SignedJson<C>> {
    signed_json::layer([
        "/pspReference",
        "/originalReference",
        "/merchantAccountCode",
        "/merchantReference",
        "/amount/value",
        "/amount/currency",
        "/eventCode",
        "/success",
    ])
    .namespace("adyen_standard")
    .body_limit(LIMIT)
    .within("/notificationItems/0/NotificationRequestItem")
    .signature_field("/additionalData/hmacSignature")
    .layout(Layout::Joined(':'))
    .optional_fields(["/originalReference"])
    .free_field("/merchantReference")
    .encoding(Encoding::Base64)
    .secret_format(SecretFormat::Hex)
}

/// Deliveries of Mailgun.
///
/// `signature.signature`: hexadecimal HMAC-SHA256 of `signature.timestamp`, in seconds, and `signature.token`.
///
/// **The event itself is not signed**: whoever has recorded a call can put any event beside its signature, until the
/// call is remembered or too old. So the claims are the time and the token alone. To act on `event-data`, read it from
/// the body, and check with Mailgun's API what matters. A call that is signed with a new time is processed again: its
/// id is in the event. The key is text.
///
/// Source: mailgun/mailgun-php, src/Api/Webhook.php.
///
/// ```
/// let layer = tower_sso::providers::webhooks::danger_mailgun::<serde_json::Value>();
/// ```
pub fn danger_mailgun<C: DeserializeOwned + Send + Sync + 'static>() -> Builder<SignedJson<C>> {
    signed_json::layer(["/timestamp", "/token"])
        .namespace("mailgun")
        .body_limit(LIMIT)
        .within("/signature")
        .timestamp_field("/timestamp")
        .secret_format(SecretFormat::Text)
}

/// Deliveries of Amazon SNS, for topics with `SignatureVersion` 2.
///
/// `Signature`: base64 of the RSA signature, with SHA-256, of the fields that are there of `Message`, `MessageId`,
/// `Subject`, `SubscribeURL`, `Timestamp`, `Token`, `TopicArn` and `Type`: each its name and its value, a line feed
/// after both.
///
/// `UnsubscribeURL` and `SigningCertURL` are not signed. The key is the public key, or the certificate, from
/// `SigningCertURL`, in PEM: get it yourself and look at its host, as **nothing is fetched**. **SNS signs for all its
/// customers with one key**: so name your topics, as in `TopicArn`. Calls of other topics are refused and not
/// remembered. `SubscriptionConfirmation` is signed like the rest; the handler visits `SubscribeURL`, if its host is
/// Amazon's. Version 1, with SHA-1, is refused.
///
/// An event is recognised by its `MessageId`. It may be an hour old, and is remembered for a day beyond.
///
/// As claims: [`SnsMessage`](super::events::SnsMessage).
///
/// Source: aws/aws-php-sns-message-validator, src/MessageValidator.php.
///
/// ```
/// use tower_sso::providers::webhooks;
///
/// let layer = webhooks::aws_sns::<serde_json::Value>(["arn:aws:sns:eu-west-1:123456789012:orders"]);
/// ```
#[cfg(feature = "public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
pub fn aws_sns<C: DeserializeOwned + Send + Sync + 'static>(
    topic_arns: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
) -> Builder<SignedJson<C>> {
    danger_aws_sns_of_anyone().accepted_values("/TopicArn", topic_arns)
}

/// Deliveries of Amazon SNS, for topics of anybody.
///
/// As [`aws_sns`], for any topic. **Every customer of Amazon can send events**, as SNS signs for all of them with one
/// key: the handler must check `TopicArn`. `UnsubscribeURL` and `SigningCertURL` are not signed. An event is
/// recognised by its `MessageId`, for a day.
///
/// Source: aws/aws-php-sns-message-validator, src/MessageValidator.php.
///
/// ```
/// let layer = tower_sso::providers::webhooks::danger_aws_sns_of_anyone::<serde_json::Value>();
/// ```
#[cfg(feature = "public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
pub fn danger_aws_sns_of_anyone<C: DeserializeOwned + Send + Sync + 'static>() -> Builder<SignedJson<C>> {
    signed_json::layer([
        "/Message",
        "/MessageId",
        "/Subject",
        "/SubscribeURL",
        "/Timestamp",
        "/Token",
        "/TopicArn",
        "/Type",
    ])
    .namespace("aws_sns")
    .body_limit(LIMIT)
    .any_content_type()
    .signature_field("/Signature")
    .layout(Layout::Lines)
    .optional_fields(["/Subject", "/SubscribeURL", "/Token"])
    .free_field("/Message")
    .encoding(Encoding::Base64)
    .public_key(crate::scheme::PublicKeyAlgorithm::RsaSha256)
    .timestamp_field("/Timestamp")
    .timestamp_format(crate::scheme::TimeFormat::Rfc3339)
    .max_age(std::time::Duration::from_secs(60 * 60))
    .event_id_field("/MessageId")
}
