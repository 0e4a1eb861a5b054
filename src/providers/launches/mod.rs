//! Presets for platforms that open an app, as their documentation or libraries describe them.
//!
//! ```
//! # #[cfg(feature = "shared-secret")] {
//! use tower_sso::providers::launches;
//!
//! let verify = launches::nextcloud_appapi().secrets(["0123456789abcdef0123456789abcdef"]).build()?;
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! Give each secret as the platform's page shows it. Decide nothing by what a preset's documentation calls unsigned.
//!
//! | platform | preset | form |
//! |---|---|---|
//! | Alibaba Cloud Marketplace | [`danger_alibaba`] | [`signed_parameters`](crate::signed_parameters) |
//! | AppDirect | [`appdirect`] | [`oauth1`](crate::oauth1) |
//! | Asana, app components | [`asana_app_component`] | [`signed_parameters`](crate::signed_parameters) |
//! | Asana, app components that post | [`asana_app_component_post`] | [`signed_payload`](crate::signed_payload) |
//! | Atlassian Connect | [`atlassian_connect`] | [`jwt`](crate::jwt) |
//! | Atlassian Forge | [`atlassian_forge`] | [`jwt`](crate::jwt) |
//! | AWS load balancers | [`aws_alb`], [`danger_aws_alb_of_anyone`] | [`jwt`](crate::jwt) |
//! | AWS Verified Access | [`aws_verified_access`] | [`jwt`](crate::jwt) |
//! | BigBlueButton | [`danger_bigbluebutton`] | [`signed_parameters`](crate::signed_parameters) |
//! | BigCommerce | [`bigcommerce`] | [`jwt`](crate::jwt) |
//! | BigCommerce, `signed_payload` | [`bigcommerce_signed_payload`] | [`signed_payload`](crate::signed_payload) |
//! | Canva apps | [`canva`] | [`jwt`](crate::jwt) |
//! | Cloudflare Access | [`cloudflare_access`] | [`jwt`](crate::jwt) |
//! | DigitalOcean add-ons | [`digitalocean`] | [`signed_parameters`](crate::signed_parameters) |
//! | Discourse, answering your app | [`discourse`] | [`signed_payload`](crate::signed_payload) |
//! | Discourse, asking your app | [`discourse_provider`] | [`signed_payload`](crate::signed_payload) |
//! | Facebook, Instant Games | [`facebook_instant_games`] | [`signed_payload`](crate::signed_payload) |
//! | Facebook, `signed_request` | [`facebook_signed_request`] | [`signed_payload`](crate::signed_payload) |
//! | Fourthwall | [`fourthwall`], [`fourthwall_settings`] | [`signed_parameters`](crate::signed_parameters) |
//! | Front plugins | [`danger_front_plugin`] | [`shared_secret`](crate::shared_secret) |
//! | Google Cloud Marketplace | [`google_cloud_marketplace`] | [`jwt`](crate::jwt) |
//! | Google's Identity-Aware Proxy | [`google_iap`] | [`jwt`](crate::jwt) |
//! | Help Scout, apps in a frame | [`danger_help_scout`] | [`signed_parameters`](crate::signed_parameters) |
//! | Heroku add-ons | [`danger_heroku`], [`danger_heroku_v1`] | [`signed_parameters`](crate::signed_parameters) |
//! | Kommo | [`kommo`] | [`jwt`](crate::jwt) |
//! | LTI 1.1: Moodle, Canvas, Blackboard, Brightspace | [`lti11`] | [`oauth1`](crate::oauth1) |
//! | LTI 1.3 | [`lti13`] | [`jwt`](crate::jwt) |
//! | MAX, mini apps | [`max_mini_app`] | [`signed_parameters`](crate::signed_parameters) |
//! | monday.com, apps in a page | [`monday_view`] | [`jwt`](crate::jwt) |
//! | monday.com integrations | [`monday`] | [`jwt`](crate::jwt) |
//! | Nextcloud, to external apps | [`nextcloud_appapi`] | [`shared_secret`](crate::shared_secret) |
//! | Oracle Eloqua | [`eloqua`] | [`oauth1`](crate::oauth1) |
//! | Pipedrive | [`pipedrive`] | [`jwt`](crate::jwt) |
//! | Salesforce Canvas | [`salesforce_canvas`] | [`signed_payload`](crate::signed_payload) |
//! | Salesforce Marketing Cloud | [`danger_marketing_cloud`] | [`jwt`](crate::jwt) |
//! | Shopify Multipass | [`shopify_multipass`] | [`sealed`](crate::sealed) |
//! | Shopify session tokens | [`shopify_session_token`] | [`jwt`](crate::jwt) |
//! | Shopify, app proxy | [`shopify_app_proxy`] | [`signed_parameters`](crate::signed_parameters) |
//! | Shopify, launches | [`shopify`], [`shopify_install`] | [`signed_parameters`](crate::signed_parameters) |
//! | SHOPLINE | [`shopline`] | [`signed_parameters`](crate::signed_parameters) |
//! | Shopware 6 storefront | [`shopware_storefront`] | [`jwt`](crate::jwt) |
//! | Shopware, pages | [`shopware`] | [`signed_parameters`](crate::signed_parameters) |
//! | Shopware, registration | [`shopware_registration`] | [`signed_parameters`](crate::signed_parameters) |
//! | Telegram, login widget | [`telegram_login`] | [`signed_parameters`](crate::signed_parameters) |
//! | Telegram, Mini Apps | [`telegram_mini_app`] | [`signed_parameters`](crate::signed_parameters) |
//! | Telegram, others' apps | [`telegram_mini_app_third_party`] | [`signed_parameters`](crate::signed_parameters) |
//! | Trello | [`danger_trello`] | [`jwt`](crate::jwt) |
//! | Twitch extensions | [`twitch_extension`] | [`jwt`](crate::jwt) |
//! | Vanilla jsConnect | [`jsconnect`] | [`jwt`](crate::jwt) |
//! | VK, Mini Apps | [`vk_mini_app`] | [`signed_parameters`](crate::signed_parameters) |
//! | Wix, app instance | [`wix`] | [`signed_payload`](crate::signed_payload) |
//! | Zendesk apps | [`zendesk_app`] | [`jwt`](crate::jwt) |
//! | Zendesk JWT SSO | [`zendesk_jwt`] | [`jwt`](crate::jwt) |
//! | Zoom Apps, context | [`zoom_app_context`] | [`sealed`](crate::sealed) |
//!
//! # Without a preset
//!
//! | platform | why |
//! |---|---|
//! | Cafe24, Haravan, Sapo, Shoplazza | their rules are not published; try a [`Recipe`](crate::signed_parameters) |
//! | Canva, links of extensions | replaced by apps; their calls are in `providers::webhooks` |
//! | Contentful, HubSpot, Intercom, Stripe Apps | calls that want an answer: `providers::webhooks` |
//! | Desk, FastPass, Freshdesk, Swiftype, Tender, UserVoice | retired |
//! | Ecwid | encrypted and not signed: [`sealed`](crate::sealed) says why that proves nothing |
//! | InSales | MD5 of values with nothing between: a name can be cut into an id |
//! | Miro, Plain | their claims are not published; take [`jwt`](crate::jwt) with a bearer token |
//! | OK.ru | MD5 of values with nothing between: one user can be cut into another |
//! | OpenSocial | RSA-SHA1, and nearly gone |
//! | Yandex Games | what of the payload is signed is not published |

#[cfg(feature = "signed-parameters")]
mod alibaba;
#[cfg(feature = "signed-parameters")]
mod bigbluebutton;
#[cfg(feature = "signed-parameters")]
mod fourthwall;
mod identities;
#[cfg(feature = "jwt-public-key")]
mod lti13;
#[cfg(feature = "oauth1")]
mod oauth;
#[cfg(feature = "signed-parameters")]
mod parameters;
#[cfg(feature = "signed-payload")]
mod payloads;
#[cfg(feature = "jwt-public-key")]
mod public_tokens;
#[cfg(feature = "sealed")]
mod sealed;
#[cfg(feature = "shared-secret")]
mod shared_secrets;
#[cfg(feature = "signed-parameters")]
mod telegram;
#[cfg(feature = "jwt")]
mod tokens;

#[cfg(any(feature = "jwt", feature = "sealed", feature = "signed-parameters", feature = "signed-payload"))]
use std::time::Duration;

#[cfg(any(feature = "jwt", feature = "shared-secret", feature = "signed-parameters"))]
use http::Method;

// Each by its name: then rustc says which feature a preset or type needs that it does not find.
#[cfg(feature = "signed-parameters")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-parameters")))]
pub use alibaba::danger_alibaba;
#[cfg(feature = "signed-parameters")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-parameters")))]
pub use bigbluebutton::danger_bigbluebutton;
#[cfg(feature = "signed-parameters")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-parameters")))]
pub use fourthwall::{fourthwall, fourthwall_settings};
#[cfg(feature = "oauth1")]
#[cfg_attr(docsrs, doc(cfg(feature = "oauth1")))]
pub use identities::oauth::{AppDirectEvent, EloquaCall, LtiLaunch};
#[cfg(feature = "signed-parameters")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-parameters")))]
pub use identities::parameters::{
    AlibabaLaunch, AsanaCall, DigitalOceanResource, FourthwallShop, FourthwallSupporter, HelpScoutFrame,
    HerokuResource, HerokuUser, MeetingGuest, MiniApp, MiniAppUser, ShopifyLaunch, ShopifyVisit, ShoplineLaunch,
    ShopwarePage, ShopwareRegistration, TelegramUser, VkLaunch,
};
#[cfg(any(feature = "sealed", feature = "signed-payload"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "sealed", feature = "signed-payload"))))]
pub use identities::payloads::{
    AsanaPost, BigCommerceOpener, BigCommerceStore, CanvasContext, CanvasOrganization, CanvasRequest, CanvasUser,
    DiscourseRequest, DiscourseUser, FacebookUser, InstantGamesPlayer, MultipassCustomer, WixInstance, ZoomContext,
};
#[cfg(feature = "jwt-public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt-public-key")))]
pub use identities::public_tokens::{
    AccessUser, AlbUser, CanvaUser, ForgeApp, ForgeCall, IapUser, MarketplaceSignUp, MarketplaceUser, TrelloMember,
    ZendeskContext, ZendeskVisit,
};
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub use identities::tokens::{
    BigCommerceLoad, BigCommerceUser, ConnectUser, JourneyCall, JsConnectRequest, KommoUser, MondayCall, MondaySession,
    MondayView, PipedriveUser, ShopifySession, ShopwareVisit, TwitchViewer, ZendeskUser,
};
#[cfg(feature = "jwt-public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt-public-key")))]
pub use lti13::{Lti13Launch, Lti13Login, Lti13Place, lti13};
#[cfg(feature = "oauth1")]
#[cfg_attr(docsrs, doc(cfg(feature = "oauth1")))]
pub use oauth::{appdirect, eloqua, lti11};
#[cfg(feature = "signed-parameters")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-parameters")))]
pub use parameters::{
    asana_app_component, danger_help_scout, danger_heroku, danger_heroku_v1, digitalocean, shopify, shopify_app_proxy,
    shopify_install, shopline, shopware, shopware_registration, vk_mini_app,
};
#[cfg(feature = "signed-payload")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-payload")))]
pub use payloads::{
    asana_app_component_post, bigcommerce_signed_payload, discourse, discourse_login, discourse_provider,
    facebook_instant_games, facebook_signed_request, salesforce_canvas, wix,
};
#[cfg(feature = "jwt-public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt-public-key")))]
pub use public_tokens::{
    atlassian_forge, aws_alb, aws_verified_access, canva, cloudflare_access, danger_aws_alb_of_anyone, danger_trello,
    google_cloud_marketplace, google_iap, zendesk_app,
};
#[cfg(feature = "sealed")]
#[cfg_attr(docsrs, doc(cfg(feature = "sealed")))]
pub use sealed::{shopify_multipass, zoom_app_context};
#[cfg(feature = "shared-secret")]
#[cfg_attr(docsrs, doc(cfg(feature = "shared-secret")))]
pub use shared_secrets::{danger_front_plugin, nextcloud_appapi};
#[cfg(all(feature = "signed-parameters", feature = "public-key"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "signed-parameters", feature = "public-key"))))]
pub use telegram::{TELEGRAM_KEY, telegram_mini_app_third_party};
#[cfg(feature = "signed-parameters")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-parameters")))]
pub use telegram::{max_mini_app, telegram_login, telegram_mini_app};
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub use tokens::{
    atlassian_connect, bigcommerce, danger_marketing_cloud, jsconnect, kommo, monday, monday_view, pipedrive,
    shopify_session_token, shopware_storefront, twitch_extension, zendesk_jwt,
};

#[cfg(any(feature = "jwt", feature = "shared-secret", feature = "signed-parameters"))]
const ANY_METHOD: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

#[cfg(feature = "jwt")]
const MINUTE: Duration = Duration::from_secs(60);
#[cfg(any(feature = "jwt", feature = "signed-parameters", feature = "signed-payload"))]
const HOUR: Duration = Duration::from_secs(60 * 60);
#[cfg(any(feature = "jwt", feature = "sealed", feature = "signed-parameters"))]
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a launch is read into: any deserializable type.
pub trait Claims: serde::de::DeserializeOwned + Send + Sync + 'static {}

impl<C: serde::de::DeserializeOwned + Send + Sync + 'static> Claims for C {}
