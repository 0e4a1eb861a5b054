//! Added to a marketplace: from the platform's page about signed launches to a user with a session.
//!
//! A marketplace opens your app for its users: in a frame, by a link, by a form that it posts, or by calls of your page
//! to your server. It signs each of these with a secret that it shows you when you register the app, or with a key that
//! it publishes. One layer verifies that, and gives your handler a typed identity.
//!
//! # Which preset
//!
//! Look for the platform in [`providers::launches`](crate::providers::launches), or in `docs/launches.md`, which has in
//! one table the features of each preset, what it signs, whether a launch may come again, and the type that it is read
//! into. A platform that is not there describes its rule somewhere under "validate", "authenticate" or "verify":
//!
//! | its page says | form |
//! |---|---|
//! | OAuth 1.0, `oauth_consumer_key`, LTI 1.1 | [`oauth1`](crate::oauth1) |
//! | JWT, session token, JWKS, LTI 1.3 | [`jwt`](crate::jwt), perhaps with [`PublicKeys`](crate::keys::PublicKeys) |
//! | sort the parameters, `hmac=`, `hash=`, `sign=` | [`signed_parameters`](crate::signed_parameters) |
//! | split at the point, decode both parts, `signed_request` | [`signed_payload`](crate::signed_payload) |
//! | send a `state` or a `nonce`, and compare it | one of these, and [a nonce](#when-your-app-asks-first) |
//! | decrypt the header or the token | [`sealed`](crate::sealed) |
//! | compare the key that we send | [`shared_secret`](crate::shared_secret) |
//!
//! A page that joins values with nothing between describes something that others can forge: `.build()` refuses such a
//! recipe. It refuses MD5 too, unless you call
//! [`danger_md5_with_secret_at_the_end`](crate::signed_parameters::Recipe::danger_md5_with_secret_at_the_end).
//!
//! # The first launch
//!
//! Give the secret as the platform's page shows it. Three platforms, one app:
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "moka"))]
//! # #[cfg(all(feature = "jwt", feature = "oauth1", feature = "signed-parameters"))] {
//! use axum::Router;
//! use axum::routing::{get, post};
//! use tower_sso::keys::MemoryKeys;
//! use tower_sso::oauth1::Origin;
//! use tower_sso::providers::launches::{self, LtiLaunch, ShopifySession, TelegramUser};
//! use tower_sso::{Identity, MemoryReplay};
//!
//! async fn course(launch: Identity<LtiLaunch>) -> String {
//!     format!("{:?} of {}", launch.user_id, launch.tenant())
//! }
//!
//! async fn shop(session: Identity<ShopifySession>) -> String {
//!     format!("{} of {}", session.sub, session.tenant())
//! }
//!
//! async fn chat(user: Identity<TelegramUser>) -> String {
//!     format!("{} ({})", user.first_name.as_deref().unwrap_or("somebody"), user.id)
//! }
//!
//! let replay = MemoryReplay::new();
//! let lti = launches::lti11::<LtiLaunch>(Origin::new("https://tool.example"))
//!     .keys(MemoryKeys::new().with("lincoln-high", "the school's secret"))
//!     .replay(replay.clone())
//!     .build()?;
//! let shopify = launches::shopify_session_token::<ShopifySession>()
//!     .audience("the app's API key")
//!     .secrets(["the app's client secret"])
//!     .build()?; // reusable: the page sends one token with several calls
//! let telegram = launches::telegram_login::<TelegramUser>().secrets(["12345:the-bots-token"]).replay(replay).build()?;
//! let app: Router = Router::new()
//!     .route("/launch", post(course).layer(lti))
//!     .route("/api/me", get(shop).layer(shopify))
//!     .route("/login", get(chat).layer(telegram));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! Dependencies: `axum`, and `tower-sso` with the feature `axum` and those that the table of presets names, here `jwt`,
//! `oauth1` and `signed-parameters`. If a layer lacks a setting, `.build()` refuses it and names the setting.
//!
//! If a launch is refused, `tracing_subscriber::fmt().init()` shows the log, which says what was compared.
//!
//! - Behind a proxy, `invalid` mostly means a wrong address: see [`proxies`](super::proxies).
//! - Right after a start, `replayed` means a launch from the first second of `MemoryReplay::new()`:
//!   [`MemoryReplay::opened`](crate::MemoryReplay::opened) waits it out. In tests, see
//!   [the first second](super::testing#the-first-second).
//! - If two platforms share a form, [`namespace`](crate::Builder::namespace) tells their lines in the log apart:
//!   `.namespace("telegram")`.
//!
//! The feature `explain` tries partners' usual mistakes.
//!
//! # When your app asks first
//!
//! Discourse, LTI 1.3 and Shopify's authorization code grant answer a request of your app: it sends the browser to the
//! platform, which sends it back. The answer must be for the same browser. Otherwise an attacker can log a victim into
//! the attacker's account, by a link with the attacker's own answer. So your app gives the browser a
//! [nonce](crate::challenge), which the answer brings back, signed. Without a challenge, `.build()` refuses these
//! presets:
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "moka", feature = "signed-payload"))] {
//! use axum::http::{HeaderMap, StatusCode, header::SET_COOKIE};
//! use axum::response::{IntoResponse, Redirect, Response};
//! use axum::{Router, routing::get};
//! use tower_sso::challenge::Challenge;
//! use tower_sso::providers::launches::{self, DiscourseUser};
//! use tower_sso::{Identity, MemoryReplay, Secret};
//!
//! async fn begin(challenge: Challenge, secret: Secret, headers: HeaderMap) -> Response {
//!     let Ok(issued) = challenge.issue(&headers) else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
//!     let (forum, back) = ("https://forum.example", "https://app.example/back");
//!     let location = launches::discourse_login(forum, &secret, back, issued.nonce());
//!     ([(SET_COOKIE, issued.set_cookie().clone())], Redirect::to(&location)).into_response()
//! }
//!
//! async fn back(user: Identity<DiscourseUser>) -> String {
//!     format!("Hello {}", user.external_id)
//! }
//!
//! let challenge = Challenge::new("__Host-forum");
//! let secret = Secret::new("the secret that you share with the forum");
//! let answer = launches::discourse::<DiscourseUser>()
//!     .challenge(challenge.clone())
//!     .secrets([secret.clone()])
//!     .replay(MemoryReplay::new())
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/login", get(move |headers| begin(challenge, secret, headers)))
//!     .route("/back", get(back).layer(answer));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! For LTI 1.3, [`Lti13Login::redirect`](crate::providers::launches::Lti13Login::redirect) makes the address; for
//! Shopify, see `examples/shopify.rs`. The cookie is `Secure`, so open the app by `https`, in development too.
//!
//! If your app asks several partners, name each: `challenge.for_partner("forum")`. A nonce is then refused from another
//! one, which could have it from the partner that asked for the login. Where the answers name their tenant, as
//! Shopify's do with `shop`, name that too where the login begins: `challenge.for_tenant("some-shop.myshopify.com")`.
//!
//! The cookie comes back with links and redirects. Where the platform posts a form, as LTI 1.3 does, call
//! [`for_form_posts`](crate::challenge::Challenge::for_form_posts), or
//! [`in_frames`](crate::challenge::Challenge::in_frames) if all of it happens in a frame.
//!
//! # Who it is
//!
//! [`Identity::tenant`](crate::Identity::tenant) is the customer: a shop, a school, an installation. It is proved where
//! the preset reads it out of what is signed. The claims are the user. Two rules:
//!
//! - **A user's id is unique only within its tenant and platform.** Look accounts up by platform, tenant and id, never
//!   by the address alone: whoever administers one shop can give a member any address.
//! - **Some launches name no user**: DigitalOcean's name a resource, Shopify's `hmac` names a shop. Ask the platform
//!   for the user, or treat the launch as an administrator's.
//!
//! If your own type fits better, name it instead, `launches::shopify::<Mine>()`: a field that is missing or of another
//! kind is refused by its name.
//!
//! # The session
//!
//! A launch that works once begins a session: a new session id, and a redirect, so that a reload does not send the used
//! launch again. In a frame, the cookie is a third party's: see [`sessions`](super::sessions#in-a-frame). A reusable
//! token needs no session, since each call brings it; it works for whoever steals it until it ends, so keep it out of
//! URLs and logs.
//!
//! # Installed and uninstalled
//!
//! Platforms with a secret for each customer send it when the app is installed. Keep it in a database, behind a
//! [`KeyStore`](crate::keys::KeyStore) of your own or `keys::sql` (feature `sqlx`). A launch of an unknown customer is
//! `invalid`, with the same answer as a wrong signature. In memory:
//!
//! ```
//! use std::time::Duration;
//! use tower_sso::clock::{Clock, SystemClock};
//! use tower_sso::keys::MemoryKeys;
//!
//! let keys = MemoryKeys::new();
//! // Installed, or installed again: the previous secret is valid for an hour.
//! let previous_until = SystemClock.now().plus(Duration::from_secs(60 * 60));
//! keys.rotate("acme.example", "the secret that came with the installation", previous_until);
//! // Uninstalled: launches are refused from now on.
//! keys.remove(&"acme.example".into());
//! ```
//!
//! **The signature of an uninstallation proves its sender, but not that it is the latest word**: a copy of an
//! old one must not uninstall the app again after a new installation. Take it through a layer with a replay store, or
//! compare its time with that of the installation. End the customer's sessions too: a layer checks launches, not what
//! your cookie opens.
//!
//! With one secret for all customers, such as Shopify's, a launch of a shop that uninstalled the app is still
//! authentic. Look the tenant up among your installations before you begin a session.
//!
//! # Used once, or again
//!
//! A launch that works once is remembered until its time is over: share a store between processes, see
//! [`processes`](super::processes). A launch without a time is remembered for ever, so `.build()` refuses a store that
//! forgets.
//!
//! `examples/lti.rs` is a tool in a frame, behind a proxy; `examples/shopify.rs` has launch, session tokens, app proxy
//! and webhooks of one app.
