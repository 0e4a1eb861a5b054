//! Platforms that send a payload with its signature.

use http::{HeaderName, Method};

use super::{Claims, HOUR};
use crate::Builder;
use crate::keys::Secret;
use crate::mac::Digest;
use crate::scheme::{Encoding, Place, TimeFormat};
use crate::signed_payload::{self, Layout, PayloadEncoding, SignedPayload};
use crate::text::base64::encode_base64;
use crate::text::hex::encode_hex;
use crate::text::percent::percent_encoded;

/// Calls of Asana's app components that post: a form that changes or is submitted, a rule whose action runs.
///
/// The text `data` of the JSON body is signed, which is itself JSON. Other members are not signed, and not among the
/// claims. `expires_at` is in it, and may be an hour ahead. The secret is the app's client secret. For calls that read
/// what to show, take [`asana_app_component`](super::asana_app_component). A call that Asana repeats with the same text
/// is refused. If your handler recognises repeated calls itself, add [`reusable`](Builder::reusable).
///
/// Source: developers.asana.com, "On submit callback" and "Run action"; Asana's sample server of app components.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, AsanaPost}};
///
/// let layer = launches::asana_app_component_post::<AsanaPost>();
/// let layer = layer.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn asana_app_component_post<C: Claims>() -> Builder<SignedPayload<C>> {
    let signature = Place::header(HeaderName::from_static("x-asana-request-signature"));
    signed_payload::layer(Layout::apart(Place::json("data"), signature))
        .payload_encoding(PayloadEncoding::Text)
        .expires_at("expires_at", TimeFormat::Rfc3339, HOUR)
        .methods([Method::POST])
}

/// Apps of BigCommerce that still read `signed_payload`. BigCommerce sends `signed_payload_jwt` besides: prefer that.
///
/// The decoded JSON is signed: `user`, `store_hash` and the others. Nothing else in the request is signed. The secret
/// is the app's client secret, the same for all stores; the tenant is the `store_hash`.
///
/// Source: bigcommerce/bigcommerce-api-python, `tests/test_connection.py`.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, BigCommerceStore}};
///
/// let load = launches::bigcommerce_signed_payload::<BigCommerceStore>();
/// let load = load.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn bigcommerce_signed_payload<C: Claims>() -> Builder<SignedPayload<C>> {
    signed_payload::layer(Layout::payload_first(Place::query("signed_payload"), "."))
        .payload_encoding(PayloadEncoding::Base64)
        .encoding(Encoding::Base64OfHex)
        .signs_decoded()
        .issued_at("timestamp", TimeFormat::FractionalSeconds)
        .tenant_member("store_hash")
}

/// The return from a forum of Discourse that signs its users in at your app: your app sent the browser to the forum,
/// with a nonce, and gets the user back. The layer builds only with the [`Challenge`](crate::challenge::Challenge) that
/// made the nonce.
///
/// The parameter `sso` is signed: `nonce`, `external_id`, `email`, `username`, `name` and the others. Nothing else in
/// the request is signed. The secret is the one that you share with the forum.
///
/// Your app's own request, [`discourse_login`], is signed with that secret and has the nonce too. The forum repeats all
/// of it and adds the user, so **only `external_id` tells the answer from the request**: it is required. Never send an
/// `external_id` to the forum.
///
/// Source: discourse/discourse, `lib/discourse_connect_base.rb`.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, challenge::Challenge, providers::launches::{self, DiscourseUser}};
///
/// let challenge = Challenge::new("__Host-forum");
/// let returned = launches::discourse::<DiscourseUser>()
///     .challenge(challenge.clone()) // and where the login begins: `discourse_login`
///     .secrets(["0123456789abcdef"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn discourse<C: Claims>() -> Builder<SignedPayload<C>> {
    signed_payload::layer(Layout::apart(Place::query("sso"), Place::query("sig")))
        .payload_encoding(PayloadEncoding::Base64Lines)
        .pairs()
        .nonce_member("nonce")
        .require(["external_id"])
}

/// Where a login at a forum of Discourse begins: the address to which your app sends the browser, with the cookie of
/// the [`Challenge`](crate::challenge::Challenge) that made the nonce. `forum` is the forum's address, and `back` that
/// of the [`discourse`] layer. The secret is the one that you share with the forum.
///
/// ```
/// use tower_sso::{Secret, challenge::Challenge, providers::launches};
///
/// fn begin(headers: &http::HeaderMap) -> std::io::Result<http::Response<()>> {
///     let issued = Challenge::new("__Host-forum").issue(headers)?; // a clone of the layer's
///     let (secret, back) = (Secret::new("0123456789abcdef"), "https://app.example/back");
///     let location = launches::discourse_login("https://forum.example", &secret, back, issued.nonce());
///     let answer = http::Response::builder().status(302).header("location", location);
///     Ok(answer.header("set-cookie", issued.set_cookie()).body(()).expect("what is put into a URL is escaped"))
/// }
/// # let answer = begin(&http::HeaderMap::new()).unwrap();
/// # let location = answer.headers()["location"].to_str().unwrap();
/// # assert!(location.starts_with("https://forum.example/session/sso_provider?sso="), "{location}");
/// ```
pub fn discourse_login(forum: &str, secret: &Secret, back: &str, nonce: &str) -> String {
    let asked = format!("nonce={}&return_sso_url={}", percent_encoded(nonce), percent_encoded(back));
    let sso = encode_base64(asked.as_bytes());
    let sig = encode_hex(&Digest::Sha256.mac(secret.expose(), [sso.as_bytes()]));
    format!("{}/session/sso_provider?sso={}&sig={sig}", forum.trim_end_matches('/'), percent_encoded(&sso))
}

/// A forum of Discourse that asks your app to sign its users in, DiscourseConnect's identity provider. The forum's
/// request has a `nonce` and the `return_sso_url` to answer to.
///
/// The parameter `sso` is signed. It names no user and has no time: it says only that the forum asks. It may come
/// again, as the visitor signs in at your app in between. Each answer works once, because the forum checks the nonce.
/// **Answer only to a `return_sso_url` of a forum's host that you know.**
///
/// Source: discourse/discourse, `lib/discourse_connect_base.rb`.
///
/// ```
/// use tower_sso::providers::launches::{self, DiscourseRequest};
///
/// let asked = launches::discourse_provider::<DiscourseRequest>().secrets(["0123456789abcdef"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn discourse_provider<C: Claims>() -> Builder<SignedPayload<C>> {
    signed_payload::layer(Layout::apart(Place::query("sso"), Place::query("sig")))
        .payload_encoding(PayloadEncoding::Base64Lines)
        .pairs()
        .reusable()
        .danger_without_time()
}

/// Facebook's `signed_request`: the canvas, page tabs, and the callbacks for deauthorisation and data deletion.
///
/// The payload is signed: `user_id`, `issued_at` and the others. Other fields of the form are not signed. A payload
/// without `issued_at` is accepted once, so the replay store must not forget. The secret is the app's.
///
/// Source: Facebook's PHP SDK, tests of signed requests.
///
/// ```
/// use tower_sso::providers::launches::{self, FacebookUser};
///
/// let deletion = launches::facebook_signed_request::<FacebookUser>().secrets(["0123456789abcdef"]);
/// ```
pub fn facebook_signed_request<C: Claims>() -> Builder<SignedPayload<C>> {
    signed_payload::layer(Layout::signature_first(Place::form("signed_request"), "."))
        .encoding(Encoding::Base64Url)
        .require_value("algorithm", "HMAC-SHA256")
        .issued_at_if_given("issued_at", TimeFormat::Seconds)
        .methods([Method::POST])
}

/// Players of Facebook's Instant Games: the signature of the player's info, where your page sends it.
///
/// The payload is signed: `player_id`, `issued_at` and what your page had signed along. Nothing else in the request is
/// signed. The secret is the app's.
///
/// Source: Facebook's documentation of Instant Games, signed player info.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::providers::launches::{self, InstantGamesPlayer};
/// use tower_sso::{MemoryReplay, scheme::Place};
///
/// let player = launches::facebook_instant_games::<InstantGamesPlayer>(Place::json("signature"));
/// let player = player.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn facebook_instant_games<C: Claims>(place: Place) -> Builder<SignedPayload<C>> {
    signed_payload::layer(Layout::signature_first(place, "."))
        .encoding(Encoding::Base64Url)
        .require_value("algorithm", "HMAC-SHA256")
        .issued_at("issued_at", TimeFormat::Seconds)
        .methods([Method::GET, Method::POST])
}

/// Salesforce Canvas. Say where the payload has its time, by `issued_at` or `expires_at`: without either, it does not
/// build.
///
/// The payload is signed. It holds an OAuth token of the user, so the form's body is as secret as the token. The secret
/// is the connected app's consumer secret.
///
/// Source: Salesforce's Canvas developer guide, "CanvasRequest".
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, CanvasRequest}, scheme::TimeFormat};
///
/// let canvas = launches::salesforce_canvas::<CanvasRequest>()
///     .issued_at("issuedAt", TimeFormat::Seconds) // as your payloads have it
///     .secrets(["0123456789abcdef"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn salesforce_canvas<C: Claims>() -> Builder<SignedPayload<C>> {
    signed_payload::layer(Layout::signature_first(Place::form("signed_request"), "."))
        .payload_encoding(PayloadEncoding::Base64)
        .encoding(Encoding::Base64)
        .methods([Method::POST])
}

/// The app instance of Wix, in the parameter or header in which your page gets it.
///
/// The payload is signed: `instanceId`, `uid` (null for a visitor), `signDate` and the others. Nothing else in the
/// request is signed. The secret is the app's. For a page that sends the same instance with each call, add
/// [`reusable`](Builder::reusable).
///
/// Source: test suites of Wix's client libraries.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, WixInstance}, scheme::Place};
///
/// let instance = launches::wix::<WixInstance>(Place::query("instance"));
/// let instance = instance.secrets(["0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn wix<C: Claims>(place: Place) -> Builder<SignedPayload<C>> {
    signed_payload::layer(Layout::signature_first(place, "."))
        .encoding(Encoding::Base64Url)
        .issued_at("signDate", TimeFormat::Rfc3339)
}
