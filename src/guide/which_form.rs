//! Which form is mine? The request says.
//!
//! First see whether the partner is one that [works out of the box](crate::providers): then its layer is set up
//! already. If it is a marketplace, [`marketplaces`](super::marketplaces) goes on from there. OpenID Connect and SAML
//! are not for this crate.
//!
//! Otherwise, take one real request from the partner's documentation or from your log, and find the first row that
//! fits:
//!
//! | in the request | form |
//! |---|---|
//! | a value that begins `gAAAA` | [`fernet`](#a-token-that-begins-gaaaa) |
//! | a value of three parts, with dots between, the first of which begins `eyJ` | [`jwt`] |
//! | `oauth_signature`, in the query, an HTML form or the `Authorization` header | [`oauth1`](#oauth_signature) |
//! | a timestamp and a hexadecimal hash among the parameters | [`timestamp_hash`](#a-timestamp-and-a-hash) |
//! | `hmac`, `hash`, `sign` or `signature` among many parameters | [`signed_parameters`](crate::signed_parameters) |
//! | two or three parts with `.`, `:` or `--` between; or `sso` and `sig` | [`signed_payload`](crate::signed_payload) |
//! | one long base64url text that decodes to no text, and a secret of yours that opens it | [`sealed`](crate::sealed) |
//! | the headers `Signature-Input` and `Signature` | [`http_signature`](crate::http_signature) |
//! | a header such as `X-…-Signature`, and a body | [`webhook`](#a-header-and-a-body) |
//! | a JSON body with the same secret in every request | [`shared_secret`](#a-secret-in-a-json-body) |
//! | a link that your own server handed out a moment ago | [`ticket`](#handed-out-by-your-own-server) |
//! | none of these | [`own_form`](super::own_form) |
//!
//! Such a value may be in the query, a header, a cookie, an HTML form or a JSON object, or be the whole body: see
//! [`Place`](crate::scheme::Place) and [`Source`](crate::scheme). A Fernet token or a timestamp hash in a body needs a
//! layer that reads bodies: `fernet::body_layer`, `timestamp_hash::body_layer`.
//!
//! Each form is a feature of the same name, with a hyphen where the module has an underscore (`timestamp-hash`). None
//! is on by default.
//!
//! # A token that begins `gAAAA`
//!
//! It is a [Fernet](crate::fernet) token: the version `0x80`, then a time of eight bytes, in base64url. The content is
//! encrypted, so you see no claims. The key is 44 characters long. Ask which parameter names the tenant
//! (default: `company_id`), and which holds the token (default: `token`).
//!
//! # Three parts with dots
//!
//! It is a [JWT](crate::jwt). Decode the first two parts as base64url:
//! - `alg` in the first is the algorithm that you configure. Take it from the partner's documentation too: the token
//!   is not asked.
//! - `aud` in the second is your name with the partner. For tokens without one, call
//!   [`danger_any_audience`](crate::Builder::danger_any_audience).
//! - `exp` must be there, or `iat` with [`max_age`](crate::Builder::max_age).
//! - Ask for `iat` too. A replay store in memory refuses tokens without `iat` and `nbf` as `replayed` for as long
//!   as a token may live ([`max_lifetime`](crate::Builder::max_lifetime), 15 min) after each start.
//!
//! With `RS…`, `PS…`, `ES…` or `EdDSA` the key is the partner's public key in PEM; that needs the feature
//! `jwt-public-key`.
//!
//! # `oauth_signature`
//!
//! It is [OAuth 1.0a](crate::oauth1) without a token. Beside it stand `oauth_consumer_key`, which names the tenant,
//! `oauth_timestamp` and `oauth_nonce`. Look where they stand ([`transports`](crate::Builder::transports), default: the
//! query), and at `oauth_signature_method` (default: `HMAC-SHA1`). With `lti_message_type` in a form post it is an LTI
//! 1.1 launch. The address is signed as the partner knows it: see [`proxies`](super::proxies).
//!
//! # A timestamp and a hash
//!
//! It is a [timestamp hash](crate::timestamp_hash). Its length tells the digest: 40 hexadecimal digits are SHA-1, 64
//! SHA-256, 96 SHA-384, 128 SHA-512. The documentation must say which fields are hashed, in which order, what stands
//! between them, and where the secret goes: that is the [`Recipe`](crate::timestamp_hash::Recipe). There is no
//! recipe with MD5, or for a plain digest that begins with the secret, as anyone could forge or extend it: ask for an
//! HMAC.
//!
//! # A header and a body
//!
//! It is a [signed webhook](crate::webhook). For [many](crate::providers::webhooks) there is a preset. Otherwise
//! find out four things: the header, what stands before the MAC (`sha256=`, `v0=`), hexadecimal or base64, and what is
//! signed. That is the body alone, or a template such as `{timestamp}.{body}`; the timestamp then has a header of its
//! own, or stands beside the MAC. Here it does, as in `X-Acme-Signature: t=1700000000,v1=9f86d0…`. Acme retries for
//! three days, and signs each retry with a new time:
//!
//! ```
//! # #[cfg(all(feature = "webhook", feature = "moka"))] {
//! use std::time::Duration;
//!
//! use http::HeaderName;
//! use tower_sso::webhook::{self, EventId};
//!
//! let layer = webhook::layer::<serde_json::Value>()
//!     .namespace("acme") // for the log and the metrics
//!     .signature_header(HeaderName::from_static("x-acme-signature"))
//!     .separator(',')
//!     .timestamp_element("t=")
//!     .prefix("v1=")
//!     .signed("{timestamp}.{body}")
//!     .event_id(EventId::field("event_id")) // in the JSON body
//!     .retried_for(Duration::from_secs(3 * 86_400))
//!     .body_limit(1024 * 1024) // default: 64 KiB
//!     .secrets(["0123456789abcdef0123456789abcdef"])
//!     .handler_remembers()
//! #     .replay(tower_sso::replay::MemoryReplay::new())
//!     .build()?;
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! If retries keep the time of the first attempt, set [`max_age`](crate::Builder::max_age) to the three days, and take
//! a replay store that outlives the process, such as Redis: after a start, one in memory
//! [refuses](crate::webhook#rules) what was made before.
//!
//! A secret such as `whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD` is often base64 after a prefix, and the header then holds
//! several signatures while the sender rotates its secret. If each retry is signed with a new time, name the event's
//! id. Standard Webhooks has all three (and a [preset](crate::providers::webhooks::standard_webhooks)):
//!
//! ```
//! # #[cfg(all(feature = "webhook", feature = "moka"))] {
//! use http::HeaderName;
//! use tower_sso::webhook::{self, Encoding, EventId, SecretFormat};
//!
//! let layer = webhook::layer::<serde_json::Value>()
//!     .signature_header(HeaderName::from_static("webhook-signature"))
//!     .id_header(HeaderName::from_static("webhook-id"))
//!     .timestamp_header(HeaderName::from_static("webhook-timestamp"))
//!     .signed("{id}.{timestamp}.{body}")
//!     .encoding(Encoding::Base64)
//!     .separator(' ')
//!     .prefix("v1,")
//!     .event_id(EventId::Header)
//!     .secret_format(SecretFormat::Base64 { prefix: "whsec_" })
//!     .secrets(["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"])
//!     .handler_remembers()
//! #     .replay(tower_sso::replay::MemoryReplay::new())
//!     .build()?;
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # A secret in a JSON body
//!
//! It is a [shared secret](crate::shared_secret): nothing is signed, and whoever has the secret may say anything. Take
//! it from servers only, over https, and count wrong guesses with a [`Throttle`](crate::throttle::Throttle).
//! What your answer hands on to a browser should be a ticket.
//!
//! # Handed out by your own server
//!
//! It is a [ticket](crate::ticket): 43 random characters that work once, within 60 s. Use it wherever a partner's
//! *server* was told who the user is, and a *browser* comes next.
//!
//! # The layers
//!
//! ```
//! # #[cfg(all(feature = "fernet", feature = "jwt", feature = "oauth1", feature = "timestamp-hash"))]
//! # #[cfg(all(feature = "webhook", feature = "shared-secret", feature = "ticket", feature = "moka"))] {
//! use http::HeaderName;
//! use serde_json::Value; // or a type of your own
//! use tower_sso::shared_secret::{self, PrivateKeys};
//! use tower_sso::ticket::{self, MemoryTickets, Tickets};
//! use tower_sso::timestamp_hash::{self, Digest, Recipe};
//! use tower_sso::{fernet, jwt, oauth1, webhook};
//! # use tower_sso::{keys::MemoryKeys, replay::MemoryReplay};
//! # let (replay, keys) = (MemoryReplay::new(), MemoryKeys::new());
//!
//! // GET /sso?company_id=4321&token=gAAAA…
//! let layer = fernet::layer::<Value>().keys(keys.clone()).replay(replay.clone()).build()?;
//!
//! // GET /page?sso_jwt=eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ3d3cuZXhhbXBsZS5jb20iLC….…
//! let layer = jwt::layer::<Value>(jwt::Algorithm::HS256).audience("www.example.com");
//! let layer = layer.secrets(["0123456789abcdef"]).replay(replay.clone()).build()?;
//!
//! // GET /widget/?email=…&oauth_consumer_key=…&oauth_nonce=…&oauth_signature=…
//! let layer = oauth1::layer::<Value>(oauth1::Origin::new("https://app.example"));
//! let layer = layer.keys(keys).replay(replay.clone()).build()?;
//!
//! // GET /sso?timestamp=1700000000&email=…&hash=9f86d0…
//! let recipe = Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|");
//! let layer = timestamp_hash::layer::<Value>(recipe).secrets(["0123456789abcdef"]).replay(replay.clone()).build()?;
//!
//! // POST, X-Signature: v0=9f86d0…, X-Request-Timestamp: 1700000000
//! let layer = webhook::layer::<Value>()
//!     .signature_header(HeaderName::from_static("x-signature"))
//!     .prefix("v0=")
//!     .timestamp_header(HeaderName::from_static("x-request-timestamp"))
//!     .signed("v0:{timestamp}:{body}");
//! let layer = layer.secrets(["0123456789abcdef"]).replay(replay).build()?;
//!
//! // POST {"login": "ada", "token": "k-9f86d081884c7d659a2f"}
//! let keys = PrivateKeys::new().with("acme", ["k-9f86d081884c7d659a2f"])?;
//! let layer = shared_secret::layer::<Value>(keys).build()?;
//!
//! // GET /enter?ticket=…
//! let layer = ticket::layer::<Value>(Tickets::new(MemoryTickets::new())).build()?;
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # It does not verify
//!
//! The log says at which step: see [`refusals`](super::refusals). `bad_signature` for every request is most often a
//! secret that was copied with its prefix, or without; a body that something decoded or re-encoded on its way; or, with
//! OAuth, another origin.
//!
//! [`jwt`]: #three-parts-with-dots
