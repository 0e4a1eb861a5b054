//! Alibaba Cloud Marketplace, whose buyers open the seller's app from their console.

use super::Claims;
use crate::Builder;
use crate::scheme::TimeFormat;
use crate::signed_parameters::{self, Join, Order, Recipe, SignedParameters};

/// Sign-in of a buyer at Alibaba Cloud Marketplace to the seller's app: `action=verify`, at the `authUrl` that the app
/// gave when the instance was created.
///
/// All parameters are signed: `token` is their plain MD5, with the key behind them. **MD5 is broken: whoever can choose
/// part of a signed text can have another text signed.** Your app makes up `instanceId` and `authUrl`, so let no part
/// of them be a buyer's choice. The parameters say which instance was opened, not by which user. The tenant is
/// `instanceId`; the secret is the seller's security key, the same for all instances. Other calls of the marketplace,
/// such as `createInstance`, are signed with that key too, and refused here.
///
/// `timeStamp` has no zone, and the pages name none. It is read as China's time. If yours is in another zone, call
/// [`issued_at`](Builder::issued_at) again: until then every sign-in is refused as too old or too early.
///
/// Source: alibabacloud.com, Marketplace, "Verify" and "SPI security scheme".
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, AlibabaLaunch}};
///
/// let layer = launches::danger_alibaba::<AlibabaLaunch>();
/// let layer = layer.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn danger_alibaba<C: Claims>() -> Builder<SignedParameters<C>> {
    let recipe = Recipe::all(Join::pairs('&')).order(Order::Names).around("", "&key=");
    signed_parameters::layer(recipe.danger_md5_with_secret_at_the_end())
        .signature_parameter("token")
        .issued_at("timeStamp", TimeFormat::WallTime { hours_ahead: 8 })
        .tenant_field("instanceId")
        .require(["action"])
        // The only call whose name ends like this.
        .ends_with("action", "verify")
}
