//! Fourthwall, whose shops show pages of apps.

use super::Claims;
use crate::Builder;
use crate::scheme::{Digest, Encoding};
use crate::signed_parameters::{self, Join, Recipe, SignedParameters};

/// A page that a Fourthwall shop embeds for a supporter. Say how `timestamp` is written, by
/// [`issued_at`](Builder::issued_at): Fourthwall does not publish it.
///
/// `shop_id`, `supporter_id`, `tier_id` and `timestamp` are signed by HMAC-SHA512. Other parameters are **not** signed.
/// The secret is the shop's.
///
/// Source: docs.fourthwall.com, embedded sections, "Signature Verification".
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::providers::launches::{self, FourthwallSupporter};
/// use tower_sso::{MemoryReplay, scheme::TimeFormat};
///
/// let page = launches::fourthwall::<FourthwallSupporter>()
///     .issued_at("timestamp", TimeFormat::Seconds) // as your shop's links have it
///     .secrets(["0123456789abcdef"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn fourthwall<C: Claims>() -> Builder<SignedParameters<C>> {
    let names = ["shop_id", "supporter_id", "tier_id", "timestamp"];
    signed_parameters::layer(Recipe::listed(names, Join::pairs('&')))
        .signature_parameter("hmac")
        .digest(Digest::Sha512)
        .require(["shop_id", "supporter_id", "tier_id"])
}

/// The settings page of a Fourthwall app. Say how `timestamp` is written, by [`issued_at`](Builder::issued_at).
///
/// `timestamp`, `shop_id` and the app's id, which is not in the request, are signed by HMAC-SHA512. Other parameters
/// are **not** signed. The tenant is `shop_id`; the secret is the app's, the same for all shops.
///
/// Source: docs.fourthwall.com, apps, "Embedded Settings".
///
/// ```
/// use tower_sso::providers::launches::{self, FourthwallShop};
/// use tower_sso::scheme::TimeFormat;
///
/// let page = launches::fourthwall_settings::<FourthwallShop>("app_0123").issued_at("timestamp", TimeFormat::Seconds);
/// ```
pub fn fourthwall_settings<C: Claims>(app_id: &str) -> Builder<SignedParameters<C>> {
    let recipe = Recipe::listed(["timestamp", "shop_id"], Join::pairs('&')).around("", format!("&app_id={app_id}"));
    signed_parameters::layer(recipe)
        .signature_parameter("hmac")
        .digest(Digest::Sha512)
        .encoding(Encoding::Base64)
        .tenant_field("shop_id")
}
