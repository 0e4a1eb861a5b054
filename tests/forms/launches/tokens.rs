//! Platforms that sign a JWT with a shared secret.

use serde_json::{Value, json};
use tower_sso::jwt::Algorithm;
use tower_sso::keys::MemoryKeys;
use tower_sso::providers::launches;
use tower_sso::scheme::Place;
use tower_sso::sign::JwtSigner;

use super::launch::Launch;
use super::presets::{DEFAULT, Preset, REUSABLE, Time};
use super::signers::{KEYS, Signer, base64, hex, hosted, keys, once, reusable, sha256};
use crate::support::{NOW, outcome};

pub(super) fn timed(at: u64, mut claims: Value) -> Value {
    claims["iat"] = at.into();
    claims["exp"] = (at + 60).into();
    claims
}

fn token(signer: Signer, at: u64, claims: Value) -> String {
    JwtSigner::new(Algorithm::HS256, &signer.secret()).unwrap().token(&timed(at, claims)).unwrap()
}

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "atlassian_connect",
        app: || reusable(launches::atlassian_connect::<Value>().keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let hash = hex(&sha256("GET&/addon&lic=none"));
            let token = token(signer, at, json!({"iss": signer.name(), "sub": user, "qsh": hash}));
            Launch::get(&format!("/addon?lic=none&jwt={token}"))
        },
        appended: Some("extra=1"),
        signs_requests: true,
        ..REUSABLE
    },
    Preset {
        name: "bigcommerce",
        app: || once(launches::bigcommerce::<Value>().audience("client").keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let store = format!("stores/{}", signer.name());
            let token = token(signer, at, json!({"iss": "bc", "aud": "client", "sub": store, "jti": user}));
            Launch::get(&format!("/load?signed_payload_jwt={token}"))
        },
        ..DEFAULT
    },
    Preset {
        name: "jsconnect",
        app: || once(launches::jsconnect::<Value>().keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let header = json!({"typ": "JWT", "alg": "HS256", "kid": signer.name()});
            let claims = timed(at, json!({"rurl": "https://forum.example/", "st": {"n": user}}));
            let signer = JwtSigner::new(Algorithm::HS256, &signer.secret()).unwrap();
            let token = signer.sign(header.to_string().as_bytes(), claims.to_string().as_bytes()).unwrap();
            Launch::get(&format!("/jsconnect?jwt={token}"))
        },
        ..DEFAULT
    },
    Preset {
        name: "kommo",
        app: || once(launches::kommo::<Value>().audience("https://app.example").keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let claims = json!({"iss": signer.name(), "aud": "https://app.example", "jti": user});
            Launch::header("x-auth-token", &token(signer, at, claims))
        },
        ..DEFAULT
    },
    Preset {
        name: "danger_marketing_cloud",
        app: || reusable(hosted(launches::danger_marketing_cloud::<Value>())),
        launch: |signer, _, user| {
            let signer_of = JwtSigner::new(Algorithm::HS256, &signer.secret()).unwrap();
            let token = signer_of.token(&json!({"keyValue": user, "journeyId": "j"})).unwrap();
            Launch::body("/execute", "application/jwt", &token).at(signer.host())
        },
        time: Time::None,
        ..REUSABLE
    },
    Preset {
        name: "monday",
        app: || once(launches::monday::<Value>().audience("https://app.example").keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let claims = json!({"accountId": signer.name(), "aud": "https://app.example", "userId": user});
            Launch::header("authorization", &token(signer, at, claims))
        },
        ..DEFAULT
    },
    Preset {
        name: "monday_view",
        app: || reusable(launches::monday_view::<Value>(Place::bearer()).keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let claims = json!({"dat": {"account_id": signer.name(), "user_id": user}});
            Launch::header("authorization", &format!("Bearer {}", token(signer, at, claims)))
        },
        ..REUSABLE
    },
    Preset {
        name: "pipedrive",
        app: || once(launches::pipedrive::<Value>().keys(keys("1", "2"))),
        launch: |signer, at, user| {
            let company = match signer.name() {
                "acme" => 1,
                "other" => 2,
                _ => 3,
            };
            let token = token(signer, at, json!({"companyId": company, "userId": user}));
            Launch::get(&format!("/panel?free=details&token={token}"))
        },
        ..DEFAULT
    },
    Preset {
        name: "shopify_session_token",
        app: || {
            let layer = launches::shopify_session_token::<Value>().audience("api-key");
            reusable(layer.keys(keys("acme.myshopify.com", "other.myshopify.com")))
        },
        launch: |signer, at, user| {
            let dest = format!("https://{}.myshopify.com", signer.name());
            let claims = json!({"iss": format!("{dest}/admin"), "dest": dest, "aud": "api-key", "sub": user});
            Launch::header("authorization", &format!("Bearer {}", token(signer, at, claims)))
        },
        ..REUSABLE
    },
    Preset {
        name: "shopware_storefront",
        app: || reusable(launches::shopware_storefront::<Value>().keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let token = token(signer, at, json!({"iss": signer.name(), "customer": user}));
            Launch::header("shopware-app-token", &token)
        },
        ..REUSABLE
    },
    Preset {
        name: "twitch_extension",
        app: || {
            let secret = |signer: Signer| base64(signer.text());
            let keys = MemoryKeys::new().with("acme", secret(Signer::Acme)).with("other", secret(Signer::Other));
            reusable(launches::twitch_extension::<Value>().keys(keys))
        },
        launch: |signer, at, user| {
            let claims = json!({"channel_id": signer.name(), "opaque_user_id": user});
            Launch::header("authorization", &format!("Bearer {}", token(signer, at, claims)))
        },
        ..REUSABLE
    },
    Preset {
        name: "zendesk_jwt",
        app: || once(hosted(launches::zendesk_jwt::<Value>())),
        launch: |signer, at, user| {
            let claims = json!({"iat": at, "jti": user, "name": user, "email": "ada@example.com"});
            let token = JwtSigner::new(Algorithm::HS256, &signer.secret()).unwrap().token(&claims).unwrap();
            Launch::form("/access/jwt", &format!("free_return_to=%2F&jwt={token}")).at(signer.host())
        },
        ..DEFAULT
    },
];

/// Of a token of one shop for another, the issuer would be the first.
#[tokio::test]
async fn a_session_of_shopify_is_issued_at_its_shop() {
    for (issuer, expected) in [
        (json!("https://acme.myshopify.com/admin"), "ok"),
        (json!("https://acme.myshopify.com"), "ok"),
        (json!("https://other.myshopify.com/admin"), "invalid"),
        (json!("https://acme.myshopify.com@other.example/admin"), "invalid"),
        (json!("https://acme.myshopify.com.other.example/admin"), "invalid"),
        (json!("http://acme.myshopify.com/admin"), "invalid"),
        (json!("acme.myshopify.com"), "invalid"),
        (json!(["https://acme.myshopify.com/admin"]), "invalid"),
        (Value::Null, "invalid"),
    ] {
        let claims = json!({"iss": issuer, "dest": "https://acme.myshopify.com", "aud": "api-key", "sub": "ada"});
        let app = reusable(launches::shopify_session_token::<Value>().audience("api-key").secrets([KEYS[0]]));
        let launch = Launch::header("authorization", &format!("Bearer {}", token(Signer::Acme, NOW, claims)));
        assert_eq!(outcome(&app.send(launch.request()).await), expected, "{issuer}");
        // Whatever is set again afterwards.
        let layer = launches::shopify_session_token::<Value>().audience("api-key").secrets([KEYS[0]]);
        let app = reusable(layer.tenant_claim("dest").tenant_after("https://"));
        assert_eq!(outcome(&app.send(launch.request()).await), expected, "{issuer}: set again");
    }
}

/// Journey Builder puts each attribute that the activity asks for into the body.
#[tokio::test]
async fn long_tokens_in_a_body() {
    let app = reusable(hosted(launches::danger_marketing_cloud::<Value>()));
    for (length, expected) in [(32 * 1024, "ok"), (64 * 1024, "payload_too_large")] {
        let claims = json!({"inArguments": [{"note": "x".repeat(length)}]});
        let token = JwtSigner::new(Algorithm::HS256, &Signer::Acme.secret()).unwrap().token(&claims).unwrap();
        let launch = Launch::body("/execute", "application/jwt", &token).at(Signer::Acme.host());
        assert_eq!(outcome(&app.send(launch.request()).await), expected, "{length}");
    }
}

/// They have no `iat`, so the life that is left counts.
#[tokio::test]
async fn tokens_of_twitch_may_live_for_a_day() {
    for (ahead, expected) in [(3_600, "ok"), (86_400, "ok"), (90_000, "invalid")] {
        let claims = json!({"channel_id": "1", "opaque_user_id": "U1", "role": "viewer", "exp": NOW + ahead});
        let token = JwtSigner::new(Algorithm::HS256, &Signer::Acme.secret()).unwrap().token(&claims).unwrap();
        let app = reusable(launches::twitch_extension::<Value>().secrets([base64(Signer::Acme.text())]));
        let launch = Launch::header("authorization", &format!("Bearer {token}"));
        assert_eq!(outcome(&app.send(launch.request()).await), expected, "{ahead}");
    }
}
