//! Platforms that sign with OAuth 1.0a.

use http::Method;

use super::Claims;
use crate::Builder;
use crate::oauth1::{self, OAuth1, Origin, Transport};

/// Launches of LTI 1.1: Moodle, Canvas, Blackboard, Brightspace, Open edX.
///
/// A POST of a form. Method, address, query and all fields are signed by HMAC-SHA1. The tenant is
/// `oauth_consumer_key`. Canvas copies the launch URL's query into the form and signs it once, which is accepted too.
///
/// Give `origin` as the platform has it: behind a proxy, an app sees another scheme. A launch runs in a frame: see
/// [session cookies](crate::guide::sessions#in-a-frame). `examples/lti.rs` is a whole tool.
///
/// Source: harvard-edtech/caccl-lti, test/examples; instructure/canvas-lms, lib/lti/security.rb.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::providers::launches::{self, LtiLaunch};
/// use tower_sso::{keys::MemoryKeys, oauth1::Origin, replay::MemoryReplay};
///
/// let launch = launches::lti11::<LtiLaunch>(Origin::new("https://tool.example"))
///     .keys(MemoryKeys::new().with("consumer-key", "shared-secret"))
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn lti11<C: Claims>(origin: Origin) -> Builder<OAuth1<C>> {
    oauth1::layer(origin)
        .transports([Transport::Form])
        .methods([Method::POST])
        .query_copied_into_form()
        .require(["lti_message_type", "lti_version"])
}

/// Launches and calls of Oracle Eloqua's app services.
///
/// The signature is in the query. Method, address and query are signed by HMAC-SHA1, the names sorted without regard to
/// case. The tenant is `oauth_consumer_key`. Calls with a JSON body do not sign it, so they are refused: for those,
/// call [`danger_unsigned_body`](Builder::danger_unsigned_body), and do not trust the body.
///
/// The parameters have the names that your app gives them in its URL templates. For [`EloquaCall`](super::EloquaCall),
/// name each as Eloqua does; `InstallId`, `SiteId` and `UserId` must be there.
///
/// Source: docs.oracle.com, Eloqua developer help, "Validating a call signature", "App level URL template parameters"
/// and "Service level URL template parameters".
///
/// ```
/// use tower_sso::{oauth1::Origin, providers::launches::{self, EloquaCall}};
///
/// // The template: https://app.example/open?InstallId={InstallId}&SiteId={SiteId}&UserId={UserId}&AssetId={AssetId}
/// let layer = launches::eloqua::<EloquaCall>(Origin::new("https://app.example"));
/// ```
pub fn eloqua<C: Claims>(origin: Origin) -> Builder<OAuth1<C>> {
    oauth1::layer(origin).methods([Method::GET, Method::POST, Method::DELETE]).names_sorted_without_case()
}

/// Events of AppDirect marketplaces.
///
/// The signature is in the query or the `Authorization` header. Method, address and query are signed by HMAC-SHA1. The
/// tenant is `oauth_consumer_key`. A body is refused, as it is not signed. The address that you give to AppDirect ends
/// in `?eventUrl={eventUrl}`.
///
/// Source: TribeHR/AppDirect-PHP-Wrapper; help.appdirect.com, "The eventUrl parameter", for the claims.
///
/// ```
/// use tower_sso::{oauth1::Origin, providers::launches::{self, AppDirectEvent}};
///
/// let layer = launches::appdirect::<AppDirectEvent>(Origin::new("https://app.example"));
/// ```
pub fn appdirect<C: Claims>(origin: Origin) -> Builder<OAuth1<C>> {
    oauth1::layer(origin).transports([Transport::Query, Transport::Header])
}
