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
//! preset's documentation says so. Each sender has a [namespace](Builder::namespace) of its own: for two accounts
//! of one sender on one store, set another one. For a sender that is not here, see [`webhook::layer`].
//!
//! | sender | preset |
//! |---|---|
//! | Adyen, with the signature in a header | [`adyen_header`] |
//! | Bitbucket Cloud | [`bitbucket`] |
//! | Box | [`box_com`] |
//! | Cal.com | [`cal_com`] |
//! | Calendly | [`calendly`] |
//! | CircleCI | [`circleci`] |
//! | Coinbase CDP | [`coinbase_cdp`] |
//! | Coinbase Commerce | [`coinbase_commerce`] |
//! | Dropbox | [`danger_dropbox`] |
//! | DocuSign Connect | [`docusign`] |
//! | GitHub | [`github`] |
//! | GitLab, with a signing token | [`gitlab`] |
//! | GoCardless | [`gocardless`] |
//! | Heroku | [`heroku`] |
//! | Intercom | [`intercom`] |
//! | Jira Cloud | [`jira`] |
//! | Lemon Squeezy | [`lemon_squeezy`] |
//! | LINE | [`line()`] |
//! | Linear | [`linear`] |
//! | Meta: Facebook, Instagram and WhatsApp | [`meta`] |
//! | Mollie, next generation | [`mollie`] |
//! | Notion | [`notion`] |
//! | Paddle Billing | [`paddle`] |
//! | PagerDuty | [`pagerduty`] |
//! | Paystack | [`paystack`] |
//! | Razorpay | [`razorpay`] |
//! | Sentry | [`sentry`] |
//! | Shopify | [`shopify`] |
//! | Slack | [`slack`] |
//! | Senders that follow Standard Webhooks: OpenAI, Replicate, Brex, Render and others | [`standard_webhooks`] |
//! | Stripe | [`stripe`] |
//! | Svix and those who send through it: Clerk, Resend and others | [`svix`] |
//! | Twitch EventSub | [`twitch`] |
//! | Typeform | [`typeform`] |
//! | Vercel | [`vercel`] |
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
//! | SendGrid, events | [`sendgrid`] |
//! | Senders that follow Standard Webhooks with `v1a`, such as Gemini | [`standard_webhooks_v1a`] |
//! | Wise | [`wise`] |
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
//! | Flutterwave, version 3 | [`flutterwave_v3`] |
//! | GitLab, with a secret token | [`gitlab_token`] |
//! | Gumroad | [`danger_gumroad`] |
//! | Okta, event hooks | [`okta`] |
//! | Postmark | [`postmark`] |
//! | Shippo | [`danger_shippo`] |
//! | Telegram, bots | [`telegram`] |

pub mod challenges;
mod code;
mod family;
mod money;
#[cfg(feature = "public-key")]
mod public_key;
mod talk;
#[cfg(feature = "shared-secret")]
mod token;

use std::time::Duration;

use crate::Builder;
use crate::webhook::{self, FromBody, Webhook};

pub use code::*;
pub use family::*;
pub use money::*;
#[cfg(feature = "public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
pub use public_key::*;
pub use talk::*;
#[cfg(feature = "shared-secret")]
#[cfg_attr(docsrs, doc(cfg(feature = "shared-secret")))]
pub use token::*;

/// In bytes, of a body.
const LIMIT: usize = 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a delivery's body is read into: any deserializable type, for JSON objects, or
/// [`RawBody`](crate::webhook::RawBody).
pub trait Claims: FromBody + Send + Sync + 'static {}

impl<C: FromBody + Send + Sync + 'static> Claims for C {}

/// Each sender's events are its own, and remembered for as long as it retries, whatever another one does.
fn sender<C: Claims>(name: &'static str) -> Builder<Webhook<C>> {
    webhook::layer().namespace(name).body_limit(LIMIT)
}
