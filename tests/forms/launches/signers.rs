//! The presets, and launches signed as their platforms do.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::clock::UnixTime;
use tower_sso::jwt::{Algorithm, Jwt};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1::Origin;
use tower_sso::providers::launches;
use tower_sso::sign::{JwtSigner, OAuthLink};

use super::Signer;
use crate::support::{App, Request_, clock, replay};

/// A preset under test.
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) app: fn() -> App,
    /// A launch of this user at this time.
    pub(super) launch: fn(Signer, u64, &str) -> Launch,
    /// Whether the same launch may come again.
    pub(super) reusable: bool,
    /// Whether each tenant has a key of its own.
    pub(super) tenants: bool,
    /// Whether the launch says when it was made.
    pub(super) says_when: bool,
    /// Whether every parameter of the query or the form is signed.
    pub(super) signs_parameters: bool,
}

const DEFAULT: Preset = Preset {
    name: "",
    app: || unreachable!(),
    launch: |_, _, _| unreachable!(),
    reusable: false,
    tenants: true,
    says_when: true,
    signs_parameters: false,
};

const REUSABLE: Preset = Preset { reusable: true, ..DEFAULT };

/// Those without a row sign with a private key as [`aws_alb`](launches::aws_alb) does, or are called `danger_`.
pub(super) const PRESETS: &[Preset] = &[
    Preset { name: "lti11", app: lti11, launch: lti11_launch, signs_parameters: true, ..DEFAULT },
    Preset { name: "eloqua", app: eloqua, launch: eloqua_launch, signs_parameters: true, ..DEFAULT },
    Preset {
        name: "atlassian_connect",
        app: || reusable(launches::atlassian_connect().keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let hash = hash_of("GET&/addon&lic=none");
            Launch::query(
                "/addon?lic=none",
                "jwt",
                &token(signer, at, json!({"iss": name(signer), "sub": user, "qsh": hash})),
            )
        },
        signs_parameters: true,
        ..REUSABLE
    },
    Preset {
        name: "bigcommerce",
        app: || once(launches::bigcommerce().audience("client").keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let claims = json!({"iss": "bc", "aud": "client", "sub": format!("stores/{}", name(signer)), "jti": user});
            Launch::query("/load", "signed_payload_jwt", &token(signer, at, claims))
        },
        ..DEFAULT
    },
    Preset {
        name: "jsconnect",
        app: || once(launches::jsconnect().keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let header = json!({"typ": "JWT", "alg": "HS256", "kid": name(signer)});
            let claims = timed(at, json!({"rurl": "https://forum.example/", "st": {"n": user}}));
            let signer = JwtSigner::new(Algorithm::HS256, &secret(signer)).unwrap();
            let token = signer.sign(header.to_string().as_bytes(), claims.to_string().as_bytes()).unwrap();
            Launch::query("/jsconnect", "jwt", &token)
        },
        ..DEFAULT
    },
    Preset {
        name: "kommo",
        app: || once(launches::kommo().audience("https://app.example").keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let claims = json!({"iss": name(signer), "aud": "https://app.example", "jti": user});
            Launch::header("x-auth-token", &token(signer, at, claims))
        },
        ..DEFAULT
    },
    Preset {
        name: "monday",
        app: || once(launches::monday().audience("https://app.example").keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let claims = json!({"accountId": name(signer), "aud": "https://app.example", "userId": user});
            Launch::header("authorization", &token(signer, at, claims))
        },
        ..DEFAULT
    },
    Preset {
        name: "pipedrive",
        app: || once(launches::pipedrive().keys(keys("1", "2"))),
        launch: |signer, at, user| {
            let company = match name(signer) {
                "acme" => 1,
                "other" => 2,
                _ => 3,
            };
            Launch::query(
                "/panel?view=details",
                "token",
                &token(signer, at, json!({"companyId": company, "userId": user})),
            )
        },
        ..DEFAULT
    },
    Preset {
        name: "shopify_session_token",
        app: || reusable(launches::shopify_session_token().audience("api-key").keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let claims = json!({"dest": format!("https://{}", name(signer)), "aud": "api-key", "sub": user});
            Launch::header("authorization", &format!("Bearer {}", token(signer, at, claims)))
        },
        ..REUSABLE
    },
    Preset {
        name: "shopware_storefront",
        app: || reusable(launches::shopware_storefront().keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            Launch::header("shopware-app-token", &token(signer, at, json!({"iss": name(signer), "customer": user})))
        },
        ..REUSABLE
    },
    Preset {
        name: "twitch_extension",
        app: || reusable(launches::twitch_extension().secrets([base64(KEYS[0])])),
        launch: |signer, at, user| {
            let claims = json!({"channel_id": name(signer), "opaque_user_id": user});
            Launch::header("authorization", &format!("Bearer {}", token(signer, at, claims)))
        },
        tenants: false,
        ..REUSABLE
    },
    Preset {
        name: "zendesk_jwt",
        app: || once(launches::zendesk_jwt().secrets([KEYS[0]])),
        launch: |signer, at, user| {
            let claims = json!({"iat": at, "jti": user, "name": user, "email": "ada@example.com"});
            let token = JwtSigner::new(Algorithm::HS256, &secret(signer)).unwrap().token(&claims).unwrap();
            Launch::form("/access/jwt", &format!("return_to=%2F&jwt={token}"))
        },
        tenants: false,
        ..DEFAULT
    },
    Preset {
        name: "zoom_app_context",
        app: || {
            let layer = launches::zoom_app_context::<Value>().secrets([KEYS[0]]);
            App::new(layer.clock(clock()).build().unwrap())
        },
        launch: |signer, at, user| {
            let json = json!({"uid": user, "exp": (at + 60) * 1000}).to_string();
            Launch::header("x-zoom-app-context", &crate::sealed::framed(secret(signer).expose_str().unwrap(), &json))
        },
        tenants: false,
        ..REUSABLE
    },
];

const KEYS: [&str; 3] = [
    "the first key of the launches, which is long enough",
    "the second key of the launches, which is long enough",
    "a key that no tenant has, which is long enough too",
];

fn keys(acme: &str, other: &str) -> MemoryKeys {
    MemoryKeys::new().with(acme, KEYS[0]).with(other, KEYS[1])
}

fn name(signer: Signer) -> &'static str {
    match signer {
        Signer::Acme | Signer::OtherAsAcme => "acme",
        Signer::Other => "other",
        Signer::Stranger => "stranger",
    }
}

fn secret(signer: Signer) -> Secret {
    Secret::new(match signer {
        Signer::Acme => KEYS[0],
        Signer::Other | Signer::OtherAsAcme => KEYS[1],
        Signer::Stranger => KEYS[2],
    })
}

fn base64(text: &str) -> String {
    use ::base64::Engine;
    ::base64::engine::general_purpose::STANDARD.encode(text)
}

fn hash_of(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn timed(at: u64, mut claims: Value) -> Value {
    claims["iat"] = at.into();
    claims["exp"] = (at + 60).into();
    claims
}

fn token(signer: Signer, at: u64, claims: Value) -> String {
    JwtSigner::new(Algorithm::HS256, &secret(signer)).unwrap().token(&timed(at, claims)).unwrap()
}

fn once(layer: Builder<Jwt<Value>>) -> App {
    App::new(layer.replay(replay()).clock(clock()).build().unwrap())
}

fn reusable(layer: Builder<Jwt<Value>>) -> App {
    App::new(layer.clock(clock()).build().unwrap())
}

const TOOL: &str = "https://tool.example/launch?tool=7";

fn lti11() -> App {
    let layer = launches::lti11::<launches::LtiLaunch>(Origin::new("https://tool.example"));
    App::new(layer.keys(keys("acme", "other")).replay(replay()).clock(clock()).build().unwrap())
}

fn oauth(address: &str, signer: Signer, at: u64, user: &str) -> OAuthLink {
    OAuthLink::new(address, name(signer), &secret(signer)).issued_at(UnixTime::from_secs(at)).nonce(user)
}

fn lti11_launch(signer: Signer, at: u64, user: &str) -> Launch {
    let fields = [
        ("lti_message_type", "basic-lti-launch-request"),
        ("lti_version", "LTI-1p0"),
        ("user_id", user),
        ("context_id", "c1"),
    ];
    Launch::form(TOOL, &oauth(TOOL, signer, at, user).form(&fields).unwrap())
}

fn eloqua() -> App {
    let layer = launches::eloqua::<Value>(Origin::new("https://app.example"));
    App::new(layer.keys(keys("acme", "other")).replay(replay()).clock(clock()).build().unwrap())
}

fn eloqua_launch(signer: Signer, at: u64, user: &str) -> Launch {
    let link = oauth("https://app.example/eloqua", signer, at, user);
    Launch { uri: link.uri(&[("userName", user), ("assetId", "1")]).unwrap(), ..Launch::default() }
}

/// A request in pieces, to be spoilt.
#[derive(Clone, Debug, Default)]
pub(super) struct Launch {
    uri: String,
    header: Option<(&'static str, String)>,
    body: Option<String>,
}

impl Launch {
    fn query(uri: &str, parameter: &str, token: &str) -> Self {
        let separator = if uri.contains('?') { '&' } else { '?' };
        Self { uri: format!("{uri}{separator}{parameter}={token}"), ..Self::default() }
    }

    fn header(name: &'static str, value: &str) -> Self {
        Self { uri: "/".to_owned(), header: Some((name, value.to_owned())), ..Self::default() }
    }

    fn form(uri: &str, body: &str) -> Self {
        Self { uri: uri.to_owned(), body: Some(body.to_owned()), ..Self::default() }
    }

    pub(super) fn request(&self) -> Request_ {
        let mut request = Request::builder().uri(&self.uri);
        if let Some((name, value)) = &self.header {
            request = request.header(*name, value);
        }
        if self.body.is_some() {
            request = request.method(Method::POST).header("content-type", "application/x-www-form-urlencoded");
        }
        request.body(Full::new(Bytes::from(self.body.clone().unwrap_or_default()))).unwrap()
    }

    /// The text that holds the credential.
    fn text(&mut self) -> &mut String {
        match (&mut self.header, &mut self.body) {
            (Some((_, value)), _) => value,
            (None, Some(body)) => body,
            (None, None) => &mut self.uri,
        }
    }

    /// The same bytes, each letter of the credential's values escaped; `None` for a header, which has one spelling.
    pub(super) fn respelled(&self) -> Option<Request_> {
        if self.header.is_some() {
            return None;
        }
        let mut other = self.clone();
        let text = other.text();
        *text = text.replace("acme", "%61cme").replace("=eyJ", "=%65yJ");
        (other.text() != self.clone().text()).then(|| other.request())
    }

    /// Copies with one character changed, in several places of the credential.
    pub(super) fn spoilt(&self) -> Vec<(String, Self)> {
        let length = self.clone().text().len();
        let is_value = |launch: &mut Self, at: usize| launch.text().as_bytes()[at].is_ascii_alphanumeric();
        // From the token, the query or the form: the address in front is not what signs.
        let text = self.clone().text().clone();
        let from = text.find("eyJ").or_else(|| text.find('?').map(|at| at + 1)).unwrap_or(0);
        let places = (from..length).step_by(11).filter(|at| is_value(&mut self.clone(), *at));
        let spoil = |at: usize| {
            let mut other = self.clone();
            let text = other.text();
            // An escape that is changed may be another spelling of the same character.
            let is_escape = text[..at].ends_with('%') || text[..at.saturating_sub(1)].ends_with('%');
            let changed = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            text.replace_range(at..=at, changed);
            (!is_escape).then(|| (format!("at {at}"), other))
        };
        places.filter_map(spoil).collect()
    }

    pub(super) fn with_parameter(&self) -> Self {
        let mut other = self.clone();
        other.text().push_str("&extra=1");
        other
    }

    /// Without one that is no part of the protocol.
    pub(super) fn without_parameter(&self) -> Self {
        let mut other = self.clone();
        let text = other.text();
        *text = text.replace("&context_id=c1", "").replace("&assetId=1", "").replace("lic=none&", "");
        other
    }

    /// The credential's parameters or header twice.
    pub(super) fn twice(&self) -> Request_ {
        let mut other = self.clone();
        if let Some((name, value)) = &self.header {
            let mut request = self.request();
            request.headers_mut().append(*name, value.parse().unwrap());
            return request;
        }
        let text = other.text();
        let again = text.split_once('?').map_or(text.as_str(), |(_, query)| query).to_owned();
        text.push('&');
        text.push_str(&again);
        other.request()
    }
}
