//! Presets for senders of webhooks, as their documentation or libraries describe them.
//!
//! ```
//! # #[cfg(feature = "moka")] {
//! use tower_sso::{providers::webhooks, replay::MemoryReplay};
//!
//! let verify = webhooks::stripe::<serde_json::Value>()
//!     .secrets(["whsec_0123456789abcdef0123456789abcdef"])
//!     .replay(MemoryReplay::new())
//!     .handler_remembers() // it stores the fingerprint with what it does: see `webhook`
//!     .build()?;
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! Give each secret as the sender's page shows it. A body may have 1 MiB, or more if the sender sends larger ones.
//! Decide nothing by what a preset's documentation calls unsigned. An event is recognised by its id only if the
//! preset's documentation says so. Each sender has a [namespace](Builder::namespace) of its own: for two accounts or
//! endpoints of one sender on one store, set another one, or an event that one has processed is a duplicate at the
//! other. For a sender that is not here, see [`webhook::layer`].
//!
//! [`events`] has the envelopes of many senders, as claims: what kind of event it is, its id and time.
//!
//! | sender | preset |
//! |---|---|
//! | Adyen, with the signature in a header | [`adyen_header`] |
//! | Asana | [`asana`] |
//! | Bitbucket Cloud | [`bitbucket`] |
//! | Box | [`box_com`] |
//! | Cal.com | [`cal_com`] |
//! | Calendly | [`calendly`] |
//! | Canva, extensions | [`canva`] |
//! | CircleCI | [`circleci`] |
//! | Coinbase CDP | [`coinbase_cdp`] |
//! | Coinbase Commerce | [`coinbase_commerce`] |
//! | Contentful, requests to apps | [`contentful`] |
//! | DocuSign Connect | [`docusign`] |
//! | Dropbox | [`danger_dropbox`] |
//! | Enchant, custom apps | [`danger_enchant`] |
//! | Flutterwave, version 4 | [`flutterwave_v4`] |
//! | GitHub | [`github`] |
//! | GitLab, with a signing token | [`gitlab`] |
//! | GoCardless | [`gocardless`] |
//! | Help Scout, legacy apps | [`danger_help_scout_legacy`] |
//! | Heroku | [`heroku`] |
//! | HubSpot, version 1 | [`danger_hubspot_v1`] |
//! | HubSpot, version 2 | [`danger_hubspot_v2`] |
//! | HubSpot, version 3 | [`hubspot_v3`] |
//! | Intercom | [`intercom`] |
//! | Intercom, Canvas Kit | [`danger_intercom_canvas_kit`] |
//! | Jira Cloud | [`jira`] |
//! | Lemon Squeezy | [`lemon_squeezy`] |
//! | LINE | [`line()`] |
//! | Linear | [`linear`] |
//! | Mandrill | [`danger_mandrill`] |
//! | Meta: Facebook, Instagram and WhatsApp | [`meta`] |
//! | Mollie, next generation | [`mollie`] |
//! | Notion | [`notion`] |
//! | Paddle Billing | [`paddle`] |
//! | PagerDuty | [`pagerduty`] |
//! | Paystack | [`paystack`] |
//! | Razorpay | [`razorpay`] |
//! | Sentry | [`sentry`] |
//! | Shippo, signed by arrangement | [`shippo_hmac`] |
//! | Shopify | [`shopify`] |
//! | Shopware 6, requests to apps | [`shopware_webhook`] |
//! | Slack | [`slack`] |
//! | Square | [`square`] |
//! | Senders that follow Standard Webhooks: OpenAI, Replicate, Brex, Render and others | [`standard_webhooks`] |
//! | Stripe | [`stripe`] |
//! | Stripe, apps | [`stripe_apps`] |
//! | Svix and those who send through it: Clerk, Resend and others | [`svix`] |
//! | Trello | [`trello`] |
//! | Twilio | [`danger_twilio`] |
//! | Twitch EventSub | [`twitch`] |
//! | Typeform | [`typeform`] |
//! | Vercel | [`vercel`] |
//! | Viber | [`viber`] |
//! | WooCommerce | [`woocommerce`] |
//! | WorkOS | [`workos`] |
//! | X | [`x`] |
//! | Xero | [`xero`] |
//! | Zendesk | [`zendesk`] |
//! | Zoom | [`zoom`] |
//!
//! # Senders that sign with a private key
//!
//! Their keys are public keys, given as the sender's page shows them. They need the feature `public-key` too.
//!
//! | sender | preset |
//! |---|---|
//! | Discord | [`discord`] |
//! | PayPal | [`danger_paypal`] |
//! | SendGrid, events | [`sendgrid`] |
//! | Senders that follow Standard Webhooks with `v1a`, such as Gemini | [`standard_webhooks_v1a`] |
//! | Wise | [`wise`] |
//!
//! # Senders whose signature is inside the body
//!
//! They need the feature `signed-json` too; SNS also `public-key`.
//!
//! | sender | preset |
//! |---|---|
//! | Adyen, standard notifications | [`danger_adyen_standard`] |
//! | Amazon SNS | [`aws_sns`] |
//! | Amazon SNS, for topics of anybody | [`danger_aws_sns_of_anyone`] |
//! | Mailgun | [`danger_mailgun`] |
//!
//! # Senders that sign a token
//!
//! The token has the body's digest in it. They need the feature `jwt` too; Plaid `jwt-public-key`.
//!
//! | sender | preset |
//! |---|---|
//! | Netlify | [`netlify`] |
//! | Plaid | [`plaid`] |
//!
//! # Senders of a secret
//!
//! These sign nothing and send the secret itself, so **whoever has seen one call can send any other**. A call may come
//! again at any time: the handler recognises it by what the sender calls its id. They need the feature `shared-secret`
//! too, and no replay store.
//!
//! | sender | preset |
//! |---|---|
//! | Auth0, log streams | [`auth0`] |
//! | BigCommerce | [`bigcommerce_webhook`] |
//! | Flutterwave, version 3 | [`flutterwave_v3`] |
//! | GitLab, with a secret token | [`gitlab_token`] |
//! | Gumroad | [`danger_gumroad`] |
//! | Okta, event hooks | [`okta`] |
//! | Postmark | [`postmark`] |
//! | Shippo | [`danger_shippo`] |
//! | Telegram, bots | [`telegram`] |

mod answers;
pub mod challenges;
mod code;
pub mod events;
mod family;
#[cfg(feature = "signed-json")]
mod in_json;
#[cfg(feature = "jwt")]
mod jwt;
mod money;
#[cfg(feature = "public-key")]
mod public_key;
mod talk;
#[cfg(feature = "shared-secret")]
mod token;
mod urls;
mod work;

use std::time::Duration;

use crate::Builder;
use crate::webhook::{self, FromBody, Webhook};

pub use answers::*;
pub use code::*;
pub use family::*;
// What needs another feature is named: then rustc says which.
#[cfg(all(feature = "signed-json", feature = "public-key"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "signed-json", feature = "public-key"))))]
pub use in_json::{aws_sns, danger_aws_sns_of_anyone};
#[cfg(feature = "signed-json")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-json")))]
pub use in_json::{danger_adyen_standard, danger_mailgun};
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub use jwt::netlify;
#[cfg(all(feature = "jwt", feature = "jwt-public-key"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "jwt", feature = "jwt-public-key"))))]
pub use jwt::plaid;
pub use money::*;
#[cfg(feature = "public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
pub use public_key::{danger_paypal, discord, sendgrid, standard_webhooks_v1a, wise};
pub use talk::*;
#[cfg(feature = "shared-secret")]
#[cfg_attr(docsrs, doc(cfg(feature = "shared-secret")))]
pub use token::{
    Call, auth0, bigcommerce_webhook, danger_gumroad, danger_shippo, flutterwave_v3, gitlab_token, okta, postmark,
    telegram,
};
pub use urls::*;
pub use work::*;

/// In bytes, of a body.
const LIMIT: usize = 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);

/// What a delivery's body is read into: any deserializable type for JSON objects, or what
/// [`FromBody`] names for other bodies.
pub trait Claims: FromBody + Send + Sync + 'static {}

impl<C: FromBody + Send + Sync + 'static> Claims for C {}

/// Each sender's events are its own, and remembered for as long as it retries, whatever another one does.
fn sender<C: Claims>(name: &'static str) -> Builder<Webhook<C>> {
    webhook::layer().namespace(name).body_limit(LIMIT)
}
