//! Platforms that sign parameters.

use std::time::Duration;

use http::{HeaderName, Method};

use super::{ANY_METHOD, Claims, HOUR};
use crate::Builder;
use crate::scheme::{Digest, Encoding, Place, TimeFormat};
use crate::signed_parameters::{self, Join, Order, Recipe, Repeated, SignedParameters, Source, Text};

/// Calls of Asana's app components, which read what to show: `x-asana-request-signature`.
///
/// The query as received is signed. `expires_at` is in it, and may be an hour ahead. The call comes from the user's
/// browser at `app.asana.com`, so answer its CORS preflight in front of this layer. The secret is the app's client
/// secret. Calls that post have a preset of their own: `asana_app_component_post`.
///
/// Source: Asana's sample server of app components, and "Message integrity" at developers.asana.com, which it names.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, AsanaCall}};
///
/// let layer = launches::asana_app_component::<AsanaCall>();
/// let layer = layer.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn asana_app_component<C: Claims>() -> Builder<SignedParameters<C>> {
    signed_parameters::layer(Recipe::all(Join::pairs('&')).text(Text::Raw).order(Order::Sent))
        .signature_in(Place::header(HeaderName::from_static("x-asana-request-signature")))
        .expires_at("expires_at", TimeFormat::Rfc3339, HOUR)
}

/// Add-ons of DigitalOcean.
///
/// Only `timestamp` and `resource_uuid` are signed, so the identity is the resource. **`user_id` and `user_email` are
/// not signed**, and not among the claims. The secret is the add-on's salt. The parameters come in a form; for a link,
/// call [`source`](Builder::source) with the query, and [`methods`](Builder::methods) with GET.
///
/// Source: scott/do_addon_connector, which is not DigitalOcean's own.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, DigitalOceanResource}};
///
/// let layer = launches::digitalocean::<DigitalOceanResource>();
/// let layer = layer.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn digitalocean<C: Claims>() -> Builder<SignedParameters<C>> {
    signed_parameters::layer(Recipe::listed(["timestamp", "resource_uuid"], Join::values(':')))
        .source(Source::Form)
        .signature_parameter("token")
        .issued_at("timestamp", TimeFormat::Seconds)
        .methods([Method::POST])
}

/// Add-ons of Heroku, by the `user_scoped_resource_token`.
///
/// `resource_uuid`, `timestamp`, `user_uuid` and `user_email` are signed, hashed with the salt. Other fields of the
/// form, such as `app` and `nav-data`, are not signed. **It is a plain digest and no MAC**: see
/// [`danger_digest_with_secret_before`](Recipe::danger_digest_with_secret_before).
///
/// Source: devcenter.heroku.com, "Add-on Single Sign-on".
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, HerokuUser}};
///
/// let layer = launches::danger_heroku::<HerokuUser>();
/// let layer = layer.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn danger_heroku<C: Claims>() -> Builder<SignedParameters<C>> {
    let names = ["resource_uuid", "timestamp", "user_uuid", "user_email"];
    signed_parameters::layer(Recipe::listed(names, Join::values(':')).danger_digest_with_secret_before(1))
        .source(Source::Form)
        .signature_parameter("user_scoped_resource_token")
        .issued_at("timestamp", TimeFormat::Seconds)
        .methods([Method::POST])
}

/// Add-ons of Heroku, by the older `token`: SHA-1 of `id`, the salt and `timestamp`.
///
/// Only `id` and `timestamp` are signed. **They name the resource and no user**, in a plain digest: prefer
/// [`danger_heroku`].
///
/// Source: heroku/kensa, `test/sso_test.rb`.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, HerokuResource}};
///
/// let layer = launches::danger_heroku_v1::<HerokuResource>();
/// let layer = layer.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn danger_heroku_v1<C: Claims>() -> Builder<SignedParameters<C>> {
    let recipe = Recipe::listed(["id", "timestamp"], Join::values(':')).danger_digest_with_secret_before(1);
    signed_parameters::layer(recipe)
        .source(Source::Form)
        .digest(Digest::Sha1)
        .signature_parameter("token")
        .issued_at("timestamp", TimeFormat::Seconds)
        .methods([Method::POST])
}

/// Apps of Help Scout, in a frame.
///
/// All parameters are signed. **There is no time in them, so a URL works for ever**, and again and again. The secret is
/// the app's.
///
/// Source: developer.helpscout.com, apps.
///
/// ```
/// use tower_sso::providers::launches::{self, HelpScoutFrame};
///
/// let layer = launches::danger_help_scout::<HelpScoutFrame>().secrets(["0123456789abcdef"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn danger_help_scout<C: Claims>() -> Builder<SignedParameters<C>> {
    signed_parameters::layer(Recipe::all(Join::json()).order(Order::Sent))
        .signature_parameter("X-HelpScout-Signature")
        .digest(Digest::Sha1)
        .encoding(Encoding::Base64)
        .reusable()
        .danger_without_time()
}

/// Launches of a Shopify app: `hmac`.
///
/// All parameters but `hmac` and `signature` are signed. They say which shop's admin came, not which user: the user is
/// in the session token. The tenant is `shop`; the secret is the app's client secret, the same for all shops. For the
/// return with a `state` that you sent, take [`shopify_install`]. `examples/shopify.rs` is a whole app.
///
/// If the app has a proxy, that signs under the same secret: see [`shopify_app_proxy`] for what you must not log.
///
/// Source: Shopify/shopify-app-js, `hmac-validator.ts`.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, ShopifyLaunch}};
///
/// let layer = launches::shopify::<ShopifyLaunch>();
/// let layer = layer.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn shopify<C: Claims>() -> Builder<SignedParameters<C>> {
    let recipe = Recipe::all(Join::pairs('&')).except(["signature"]).order(Order::Names);
    signed_parameters::layer(recipe.text(Text::Encoded).repeated(Repeated::Brackets))
        .signature_parameter("hmac")
        .issued_at("timestamp", TimeFormat::Seconds)
        .max_age(Duration::from_secs(90))
        .clock_skew(Duration::from_secs(90))
        .tenant_field("shop")
        .ends_with("shop", ".myshopify.com")
}

/// The return to a Shopify app's redirect URL, once a shop's admin has granted what the app asked for: `hmac`, with
/// `code` and the `state` that your app sent.
///
/// All parameters but `hmac` and `signature` are signed. Without `state`, an attacker could connect a victim's account
/// in your app to the attacker's shop: the layer builds only with the [`Challenge`](crate::challenge::Challenge) that
/// made the state, and takes it once, from the browser and the shop for which it was made. The rest is as with
/// [`shopify`].
///
/// Source: shopify.dev, "Implement authorization code grant manually"; Shopify/shopify-app-js, `hmac-validator.ts`.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, challenge::Challenge, providers::launches::{self, ShopifyLaunch}};
///
/// let challenge = Challenge::new("__Host-shopify");
/// let granted = launches::shopify_install::<ShopifyLaunch>()
///     .challenge(challenge.clone()) // and where the admin is sent away: `challenge.for_tenant(shop).issue(headers)`
///     .secrets(["0123456789abcdef"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn shopify_install<C: Claims>() -> Builder<SignedParameters<C>> {
    shopify().nonce_member("state").require(["code"])
}

/// Requests through Shopify's app proxy: `signature`.
///
/// All parameters are signed, the visitor's too, with nothing between them. So the claims are only `shop`, `timestamp`,
/// `path_prefix` and `logged_in_customer_id`, which is empty for a visitor. A request is `malformed` if a name or value
/// holds `=`, or if one of these names and a `=` stand in another place of the signed text: a visitor's `workshop=1` is
/// refused. **The body is not signed, nor is the path behind the prefix.** So a request with a body is refused: for
/// forms that visitors post, call [`danger_unsigned_body`](Builder::danger_unsigned_body), and trust nothing in them.
/// The tenant is `shop`; the secret is the app's client secret. A request may come again within its time.
///
/// **`logged_in_customer_id` is proved because Shopify sends it with each request**, empty for visitors, since July
/// 2022: a visitor's own one is then the second, and refused. A request without it passes as a visitor's, as older ones
/// do. If Shopify left `logged_in_customer_id` out, a visitor could write it and **pass as any customer**: the signed
/// text would be the same, so no check could tell. Log requests without it: there should be none. **The end of
/// `path_prefix` is not proved**: a visitor can change it.
///
/// **The proxy signs text that visitors choose, under the secret of the app's launches and webhooks: never reflect or
/// log a URL of the proxy.** Whoever sees a signature can send it as a webhook's.
///
/// Source: shopify.dev, "Authenticate app proxies", and the developer changelog of 5 July 2022.
///
/// ```
/// use tower_sso::providers::launches::{self, ShopifyVisit};
///
/// let layer = launches::shopify_app_proxy::<ShopifyVisit>().secrets(["0123456789abcdef"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn shopify_app_proxy<C: Claims>() -> Builder<SignedParameters<C>> {
    signed_parameters::layer(Recipe::all(Join::pairs_without_separator()).repeated(Repeated::Commas))
        .issued_at("timestamp", TimeFormat::Seconds)
        .max_age(Duration::from_secs(90))
        .clock_skew(Duration::from_secs(90))
        .tenant_field("shop")
        .ends_with("shop", ".myshopify.com")
        .require(["path_prefix", "timestamp"])
        .once(["logged_in_customer_id"])
        .digits(["logged_in_customer_id"])
        .methods(ANY_METHOD)
        .reusable()
}

/// Launches of a SHOPLINE app: `sign`.
///
/// All parameters are signed. The tenant is the shop's `handle`; the secret is the app's, the same for all shops.
///
/// Source: developer.shopline.com, "Generate and verify signatures".
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, ShoplineLaunch}};
///
/// let layer = launches::shopline::<ShoplineLaunch>();
/// let layer = layer.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn shopline<C: Claims>() -> Builder<SignedParameters<C>> {
    signed_parameters::layer(Recipe::all(Join::pairs('&')).order(Order::Names))
        .signature_parameter("sign")
        .issued_at("timestamp", TimeFormat::Milliseconds)
        .max_age(Duration::from_secs(600))
        .tenant_field("handle")
}

/// Pages of a Shopware app, opened from the shop: `shopware-shop-signature`.
///
/// The query as received is signed. One without `timestamp` is accepted once, so the replay store must not forget. The
/// secret is the shop's. For several shops, add [`tenant_field`](Builder::tenant_field)`("shop-id")`.
///
/// Source: shopware/app-php-sdk, `RequestVerifierTest.php`.
///
/// ```
/// use tower_sso::providers::launches::{self, ShopwarePage};
///
/// let layer = launches::shopware::<ShopwarePage>().tenant_field("shop-id").secrets(["0123456789abcdef"]);
/// ```
pub fn shopware<C: Claims>() -> Builder<SignedParameters<C>> {
    signed_parameters::layer(Recipe::all(Join::pairs('&')).text(Text::Raw).order(Order::Sent))
        .signature_parameter("shopware-shop-signature")
        .issued_at_if_given("timestamp", TimeFormat::Seconds)
}

/// The registration of a shop at a Shopware app: `shopware-app-signature`.
///
/// `shop-id`, `shop-url` and `timestamp` are signed. The secret is the app's, so **whoever runs a Shopware shop can
/// register it**: what a shop names itself is no proof of who it is.
///
/// Source: shopware/app-php-sdk, `RequestVerifierTest.php`.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, ShopwareRegistration}};
///
/// let layer = launches::shopware_registration::<ShopwareRegistration>();
/// let layer = layer.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn shopware_registration<C: Claims>() -> Builder<SignedParameters<C>> {
    signed_parameters::layer(Recipe::listed(["shop-id", "shop-url", "timestamp"], Join::pairs('&')))
        .signature_in(Place::header(HeaderName::from_static("shopware-app-signature")))
        .issued_at("timestamp", TimeFormat::Seconds)
        .require(["shop-id", "shop-url"])
}

/// VK's Mini Apps: `sign`.
///
/// The parameters whose names begin with `vk_` are signed; **others are not**, and not among the claims. A launch
/// without `vk_ts` is accepted once, so the replay store must not forget. The secret is the app's protected key.
///
/// Source: VKCOM/vk-apps-launch-params.
///
/// ```
/// use tower_sso::providers::launches::{self, VkLaunch};
///
/// let layer = launches::vk_mini_app::<VkLaunch>().secrets(["0123456789abcdef"]);
/// ```
pub fn vk_mini_app<C: Claims>() -> Builder<SignedParameters<C>> {
    let recipe = Recipe::prefixed("vk_", Join::pairs('&')).order(Order::Names).text(Text::FormEncoded);
    signed_parameters::layer(recipe)
        .signature_parameter("sign")
        .encoding(Encoding::Base64Url)
        .issued_at_if_given("vk_ts", TimeFormat::Seconds)
        .require(["vk_user_id", "vk_app_id"])
}
