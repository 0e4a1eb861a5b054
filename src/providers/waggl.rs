//! Waggl: a JWT in `sso_jwt`, signed with HS512, on the page that the user asked for.
//!
//! Source: the archived repository `waggl/waggl_jwt_sso`, "Waggl JWT Authentication".
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! use axum::response::{IntoResponse, Response};
//! use axum::{Router, body::Body, routing::get};
//! use tower_sso::Identity;
//! use tower_sso::login_redirect::{LoginRedirectLayer, SsoUrl, login_required};
//! use tower_sso::providers::waggl::{self, WagglUser};
//! use tower_sso::replay::MemoryReplay;
//!
//! // On the way back from the partner there is a user: begin a session. Else look for one; without it, send the
//! // browser to sign in.
//! async fn survey(user: Option<Identity<WagglUser>>) -> Response {
//!     match user {
//!         Some(user) => format!("Hello {}", user.email).into_response(),
//!         None => login_required::<Body>(),
//!     }
//! }
//!
//! let sso = waggl::sso(["the organisation's secret"]).replay(MemoryReplay::new()).optional().build()?;
//! let idp = SsoUrl::parse("https://idp.example/waggl/sso/")?;
//! let start = LoginRedirectLayer::new(move |_| Some(idp.clone())).bare_segments(["i"]);
//! let app: Router = Router::new().route("/i/{survey}", get(survey)).route_layer(sso).route_layer(start);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A token contains at least `{"aud": "www.waggl.com", "exp": 1700000300, "data": {"email": "bob@yourcompany.com"}}`.
//! It should contain `iat` too: see rule 3 of [`jwt`](crate::jwt#rules).
//!
//! For several organisations see [`sso_for_each`]. To check that the browser that comes back is the one that was sent
//! away, use [`bind`](crate::login_redirect::LoginRedirectLayer::bind).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Builder;
use crate::jwt::{self, Algorithm, Jwt};
use crate::keys::{KeyStore, Secret};
use crate::tenant::Tenant;

/// Starts the layer for `…?sso_jwt={jwt}`: HS512, audience `www.waggl.com`, and the defaults of [`jwt::layer`].
///
/// Real secrets are short, 13 to 16 characters. That causes a warning, not an error.
pub fn sso<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Builder<Jwt<WagglUser>> {
    jwt::layer(Algorithm::HS512).audience("www.waggl.com").secrets(secrets)
}

/// As [`sso`], for several organisations: `tenant` tells whose page was requested, and `keys` holds each one's secrets
/// under that name. The token does not name its organisation.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::keys::MemoryKeys;
/// use tower_sso::providers::waggl;
/// use tower_sso::replay::MemoryReplay;
/// use tower_sso::tenant::Tenant;
///
/// let keys = MemoryKeys::new().with("acme.app.example", "acme's secret").with("bolt.app.example", "bolt's secret");
/// let sso = waggl::sso_for_each(Tenant::host(), keys).replay(MemoryReplay::new()).optional().build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn sso_for_each(tenant: Tenant, keys: impl KeyStore) -> Builder<Jwt<WagglUser>> {
    jwt::layer(Algorithm::HS512).audience("www.waggl.com").tenant(tenant).keys(keys)
}

/// A user of an organisation. Unknown fields are ignored.
///
/// ```
/// use tower_sso::providers::waggl::WagglUser;
///
/// let json = r#"{"data": {"email": "bob@yourcompany.com", "tags": {"Department": "Sales"}}, "exp": 1700000300}"#;
/// let user: WagglUser = serde_json::from_str(json)?;
/// assert_eq!(user.tags["Department"], "Sales");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
#[non_exhaustive]
pub struct WagglUser {
    /// `data.email`: the email address as the partner writes it.
    pub email: String,
    /// `data.tags`: the organisation's attributes of the user, such as `Department`.
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Wire {
    #[serde(deserialize_with = "object")]
    data: Data,
}

#[derive(Clone, Serialize, Deserialize)]
struct Data {
    #[serde(deserialize_with = "not_empty")]
    email: String,
    #[serde(default, deserialize_with = "tags")]
    tags: BTreeMap<String, String>,
}

impl From<Wire> for WagglUser {
    fn from(Wire { data: Data { email, tags } }: Wire) -> Self {
        Self { email, tags }
    }
}

impl From<WagglUser> for Wire {
    fn from(WagglUser { email, tags }: WagglUser) -> Self {
        Self { data: Data { email, tags } }
    }
}

/// Reads only named fields: a derived `Deserialize` would accept a list of values too.
fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Data, D::Error> {
    struct Object;

    impl<'de> Visitor<'de> for Object {
        type Value = Data;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Data, A::Error> {
            Data::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Object)
}

fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() { Err(D::Error::custom("the email is empty")) } else { Ok(text) }
}

/// A map of strings. PHP writes an empty one as an empty list.
fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Tags;

    impl<'de> Visitor<'de> for Tags {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of strings")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut tags = BTreeMap::new();
            while let Some((category, value)) = map.next_entry()? {
                tags.insert(category, value);
            }
            Ok(tags)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            match seq.next_element::<serde::de::IgnoredAny>()? {
                None => Ok(BTreeMap::new()),
                Some(_) => Err(A::Error::custom("a list of tags that is not empty")),
            }
        }
    }

    deserializer.deserialize_any(Tags)
}
