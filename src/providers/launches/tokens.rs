//! Platforms that sign an HMAC JWT with the app's secret.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, Method};

use super::{ANY_METHOD, Claims, DAY, HOUR, MINUTE};
use crate::Builder;
use crate::jwt::{self, Algorithm, Jwt};
use crate::scheme::{Place, SecretFormat};

/// Shopify's session tokens, which the embedded app's page sends with every call.
///
/// `Authorization: Bearer`, or `id_token` in the query of the first page. The token lives for a minute and is
/// **reusable**. The tenant is the shop, as in `some-shop.myshopify.com`, from `dest`, and `iss` must be at
/// the same host; the user is `sub`. Set [`audience`](Builder::audience) to the app's API key; the secret is the app's
/// client secret, the same for all shops. Only the token is signed: not the call that it comes with.
///
/// Source: shopify.dev, "About session tokens"; Shopify/shopify-api-ruby, lib/shopify_api/auth/jwt_payload.rb.
///
/// ```
/// use tower_sso::providers::launches::{self, ShopifySession};
///
/// let layer = launches::shopify_session_token::<ShopifySession>().audience("api-key").secrets(["client-secret"]);
/// layer.build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn shopify_session_token<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256)
        .token_in(Place::bearer())
        .or_in(Place::query("id_token"))
        .tenant_claim("dest")
        .tenant_after("https://")
        .issuer_at_tenant()
        .leeway(Duration::from_secs(10))
        .max_lifetime(MINUTE)
        .danger_reusable()
        .methods(ANY_METHOD)
}

/// Launches of BigCommerce: `signed_payload_jwt` in the query of load, install and uninstall calls.
///
/// The tenant is the store's hash, from `sub`. Set [`audience`](Builder::audience) to the app's client id. A token is
/// recognised by its `jti` and accepted for up to a day. Other parameters are not signed.
///
/// Source: BigCommerce, "Handling Single-Click App Callbacks"; bigcommerce/bigcommerce-api-python.
///
/// ```
/// use tower_sso::providers::launches::{self, BigCommerceLoad};
///
/// let layer = launches::bigcommerce::<BigCommerceLoad>().audience("client-id").secrets(["client-secret"]);
/// ```
pub fn bigcommerce<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256)
        .token_parameter("signed_payload_jwt")
        .tenant_claim("sub")
        .tenant_after("stores/")
        .issuer("bc")
        .max_lifetime(DAY)
        .replay_by_id()
}

/// Panels and modals of Pipedrive: `token` in the query.
///
/// The tenant is the company, from `companyId`. The secret is the panel's, or the app's client secret. Every other
/// parameter, such as `selectedIds`, is **not** signed, and the token has no audience: use a secret for one panel only.
///
/// Source: Pipedrive's developer documentation, custom panels.
///
/// ```
/// use tower_sso::providers::launches::{self, PipedriveUser};
///
/// let layer = launches::pipedrive::<PipedriveUser>().secrets(["panel-secret"]);
/// ```
pub fn pipedrive<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256).token_parameter("token").tenant_claim("companyId").danger_any_audience()
}

/// Calls of Kommo's widgets, with a disposable token in `X-Auth-Token`.
///
/// The tenant is the account's address, from `iss`. Set [`audience`](Builder::audience) to the base of the
/// integration's redirect address. A token is recognised by its `jti` and lives for half an hour. The call and its body
/// are not signed, so one with a body is refused: for those, call
/// [`danger_unsigned_body`](Builder::danger_unsigned_body), and do not trust the body.
///
/// Source: Kommo's developer documentation, disposable tokens.
///
/// ```
/// use tower_sso::providers::launches::{self, KommoUser};
///
/// let layer = launches::kommo::<KommoUser>().audience("https://app.example").secrets(["client-secret"]);
/// ```
pub fn kommo<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256)
        .token_in(Place::header(HeaderName::from_static("x-auth-token")))
        .tenant_claim("iss")
        .max_lifetime(30 * MINUTE)
        .replay_by_id()
        .methods([Method::GET, Method::POST])
}

/// Calls of custom activities in Journey Builder of Salesforce Marketing Cloud, whose body is the token:
/// `application/jwt`. The activity's configuration asks for it with `useJwt`.
///
/// The whole body is the signed token: the contact, and in `inArguments` what the activity is told. To read those, take
/// a type of your own. **The token has no time and no audience, so a stolen one works for ever, and again and again**:
/// identify the contact by the token alone, and do nothing twice. The secret is the salt of the activity's
/// `customerKey`, as bytes, or the package's JWT signing secret.
///
/// Source: developer.salesforce.com, Marketing Cloud, "Encode Custom Activities Using a JWT".
///
/// ```
/// use tower_sso::providers::launches::{self, JourneyCall};
///
/// let layer = launches::danger_marketing_cloud::<JourneyCall>().secrets(["jwt-signing-secret"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn danger_marketing_cloud<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256)
        .token_in(Place::body("application/jwt"))
        .max_token_length(64 * 1024)
        .danger_any_audience()
        .danger_without_expiry(DAY)
        .danger_reusable()
        .methods([Method::POST])
}

/// Calls of monday.com's integrations, with a token as the whole `Authorization` header.
///
/// The tenant is the account, from `accountId`. Set [`audience`](Builder::audience) to the address of the endpoint. The
/// secret is the app's signing secret, not its client secret. The body is not signed, so a call with one is refused.
/// The calls of blocks have one: call [`danger_unsigned_body`](Builder::danger_unsigned_body), and do not trust it.
///
/// Source: monday.com's developer documentation, integration authorization.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, MondayCall}};
///
/// let block = launches::monday::<MondayCall>()
///     .audience("https://app.example/action")
///     .danger_unsigned_body() // the block's fields: check them as a stranger's
///     .secrets(["the app's signing secret"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn monday<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256)
        .token_in(Place::header(AUTHORIZATION))
        .tenant_claim("accountId")
        .methods([Method::GET, Method::POST])
}

/// Calls of an app's page inside monday.com to its backend, with the session token that the page got by
/// `monday.get("sessionToken")`, in the place where it sends it.
///
/// **Reusable** until it expires. The tenant is the account, from `dat.account_id`; the user is `dat.user_id`. The
/// secret is the app's client secret, not its signing secret. The token has no audience, and the call is not signed.
///
/// Source: developer.monday.com, "monday.get".
///
/// ```
/// use tower_sso::{providers::launches::{self, MondayView}, scheme::Place};
///
/// let layer = launches::monday_view::<MondayView>(Place::bearer()).secrets(["client-secret"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn monday_view<C: Claims>(place: Place) -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256)
        .token_in(place)
        .tenant_claim("/dat/account_id")
        .danger_any_audience()
        .danger_reusable()
        .methods(ANY_METHOD)
}

/// Calls of a Twitch extension's page to its backend.
///
/// `Authorization: Bearer`, **reusable** until it expires, which may be a day ahead: Twitch does not publish how long
/// its tokens live. The tenant is the channel, from `channel_id`. The secret is base64, as the dashboard shows it. The
/// token has no audience: use one secret for one extension. The call is not signed.
///
/// Source: dev.twitch.tv, extensions, JWT schema.
///
/// ```
/// use tower_sso::providers::launches::{self, TwitchViewer};
///
/// let layer = launches::twitch_extension::<TwitchViewer>().secrets(["dHdpdGNoLWV4dGVuc2lvbi1zZWNyZXQ="]);
/// ```
pub fn twitch_extension<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256)
        .token_in(Place::bearer())
        .secret_format(SecretFormat::Base64 { prefix: "" })
        .tenant_claim("channel_id")
        .max_lifetime(DAY)
        .danger_any_audience()
        .danger_reusable()
        .methods(ANY_METHOD)
}

/// Sign-in by Vanilla's jsConnect, version 3, for an app that answers a forum: `jwt` in the query.
///
/// The tenant is the client id, from the header's `kid`. The token is signed, and in it `rurl`, to which your answer
/// goes. **Check that its host is the forum's.** The token has no audience.
///
/// Source: vanilla/jsConnectPHP, tests/tests.json.
///
/// ```
/// use tower_sso::{keys::MemoryKeys, providers::launches::{self, JsConnectRequest}};
///
/// let layer = launches::jsconnect::<JsConnectRequest>().keys(MemoryKeys::new().with("client-id", "0123456789abcdef"));
/// ```
pub fn jsconnect<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256).token_parameter("jwt").tenant_header("kid").danger_any_audience()
}

/// Sign-in as Zendesk accepts it (JWT SSO), for an app that takes its place: the field `jwt` of a form.
///
/// The token has neither `exp` nor an audience: it is accepted for three minutes after `iat`, and recognised by its
/// `jti`. `return_to` is **not** signed: see [`LocalPath`](crate::landing::LocalPath).
///
/// Source: Zendesk's documentation of JWT SSO, and its sample scripts.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, ZendeskUser}};
///
/// let sso = launches::zendesk_jwt::<ZendeskUser>();
/// let sso = sso.secrets(["the secret that Zendesk shows"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn zendesk_jwt<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256)
        .token_in(Place::form("jwt"))
        .max_age(3 * MINUTE)
        .replay_by_id()
        .danger_any_audience()
        .methods([Method::POST])
}

/// Calls of Shopware 6's storefront to an app, with a token in `shopware-app-token`.
///
/// **Reusable** for an hour. The tenant is the shop's id, from `iss`, and each shop has a secret of its own. The call
/// is not signed.
///
/// Source: shopware/app-php-sdk, tests/Authentication/RequestVerifierTest.php.
///
/// ```
/// use tower_sso::{keys::MemoryKeys, providers::launches::{self, ShopwareVisit}};
///
/// let keys = MemoryKeys::new().with("FqaHWUsCRNsrZ9kQ", "the shop's secret");
/// let layer = launches::shopware_storefront::<ShopwareVisit>().keys(keys);
/// ```
pub fn shopware_storefront<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256)
        .token_in(Place::header(HeaderName::from_static("shopware-app-token")))
        .tenant_claim("iss")
        .max_lifetime(HOUR)
        .danger_any_audience()
        .danger_reusable()
        .methods(ANY_METHOD)
}

/// Pages and calls of Atlassian Connect: `jwt` in the query, or `Authorization: JWT`.
///
/// The tenant is the installation's client key, from `iss`; each installation has a secret of its own. Method, path and
/// query are signed by `qsh`; the body is not, so a call with one is refused: for those, call
/// [`danger_unsigned_body`](Builder::danger_unsigned_body), and do not trust the body. **Reusable** until it expires.
/// If the app's own address has a path, call [`query_hash`](Builder::query_hash) with it.
///
/// Source: rbriski/atlassian-jwt, jwt_test.go. Atlassian is ending Connect.
///
/// ```
/// use tower_sso::{keys::MemoryKeys, providers::launches::{self, ConnectUser}};
///
/// let keys = MemoryKeys::new().with("client-key", "the shared secret of this installation");
/// let layer = launches::atlassian_connect::<ConnectUser>().keys(keys).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn atlassian_connect<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::HS256)
        .token_parameter("jwt")
        .or_in(Place::header_after(AUTHORIZATION, "JWT"))
        .tenant_claim("iss")
        .query_hash("")
        .danger_any_audience()
        .danger_reusable()
        .methods([Method::GET, Method::POST])
}
