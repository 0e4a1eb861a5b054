//! Platforms that send a payload with its signature, or a sealed one.

use serde_json::{Value, json};
use tower_sso::providers::launches;
use tower_sso::scheme::{Place, TimeFormat};

use super::launch::Launch;
use super::presets::{DEFAULT, Preset, REUSABLE, Time};
use super::signers::{
    Signer, base64, base64url, challenge, cookie_of, escaped, given, hex, hmac_sha256, hosted, keys, once, reusable,
};
use crate::sealed::{framed, multipass};
use crate::senders::rfc3339;
use crate::support::clock;

/// `sso` and `sig`, as a forum makes them.
fn forum(path: &str, signer: Signer, pairs: &str) -> Launch {
    let sso = base64(pairs) + "\n";
    let signature = hex(&hmac_sha256(signer.text(), &sso));
    let sso = escaped(&sso).replace('\n', "%0A");
    Launch::get(&format!("{path}?sso={sso}&sig={signature}")).at(signer.host())
}

/// A form of Facebook's kind.
fn signed_request(signer: Signer, payload: &str, encode: fn(Vec<u8>) -> String) -> Launch {
    let signature = encode(hmac_sha256(signer.text(), payload));
    let request = escaped(&format!("{signature}.{payload}"));
    Launch::form("/canvas", &format!("free=1&signed_request={request}")).at(signer.host())
}

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "asana_app_component_post",
        app: || once(hosted(launches::asana_app_component_post::<Value>())),
        launch: |signer, at, user| {
            let data = json!({"user": user, "task": "7", "expires_at": rfc3339(at + 60)}).to_string();
            let signature = hex(&hmac_sha256(signer.text(), &data));
            let launch = Launch::body("/submit", "application/json", &json!({"data": data}).to_string());
            launch.with_header("x-asana-request-signature", &signature).at(signer.host())
        },
        time: Time::End,
        ..DEFAULT
    },
    Preset {
        name: "bigcommerce_signed_payload",
        app: || once(launches::bigcommerce_signed_payload::<Value>().keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let json = json!({"user": {"email": user}, "store_hash": signer.name(), "timestamp": at}).to_string();
            let mac = base64(hex(&hmac_sha256(signer.text(), &json)));
            let payload = escaped(&format!("{}.{mac}", base64(json)));
            Launch::get(&format!("/load?free=1&signed_payload={payload}"))
        },
        ..DEFAULT
    },
    Preset {
        name: "discourse",
        app: || once(hosted(launches::discourse::<Value>().challenge(challenge().clock(clock())))),
        launch: |signer, at, user| {
            let issued = given(challenge(), at);
            let answer = forum("/back", signer, &format!("nonce={}&external_id={user}", issued.nonce()));
            answer.with_header("cookie", &cookie_of(&issued))
        },
        ..DEFAULT
    },
    Preset {
        name: "discourse_provider",
        app: || reusable(hosted(launches::discourse_provider::<Value>())),
        launch: |signer, _, user| {
            forum("/sso", signer, &format!("nonce={user}&return_sso_url=https%3A%2F%2Fforum.example%2F"))
        },
        time: Time::None,
        ..REUSABLE
    },
    Preset {
        name: "facebook_signed_request",
        app: || once(hosted(launches::facebook_signed_request::<Value>()).danger_forgets_on_restart()),
        launch: |signer, at, user| {
            let json = json!({"algorithm": "HMAC-SHA256", "issued_at": at, "user_id": user});
            signed_request(signer, &base64url(json.to_string()), base64url)
        },
        ..DEFAULT
    },
    Preset {
        name: "facebook_instant_games",
        app: || once(hosted(launches::facebook_instant_games::<Value>(Place::query("signature")))),
        launch: |signer, at, user| {
            let payload =
                base64url(json!({"algorithm": "HMAC-SHA256", "issued_at": at, "player_id": user}).to_string());
            let mac = base64url(hmac_sha256(signer.text(), &payload));
            Launch::get(&format!("/game?free=1&signature={mac}.{payload}")).at(signer.host())
        },
        ..DEFAULT
    },
    Preset {
        name: "salesforce_canvas",
        app: || once(hosted(launches::salesforce_canvas::<Value>()).issued_at("issuedAt", TimeFormat::Seconds)),
        launch: |signer, at, user| {
            let json = json!({"algorithm": "HMACSHA256", "issuedAt": at, "userId": user});
            signed_request(signer, &base64(json.to_string()), base64)
        },
        ..DEFAULT
    },
    Preset {
        name: "wix",
        app: || once(hosted(launches::wix::<Value>(Place::query("instance")))),
        launch: |signer, at, user| {
            let payload = base64url(json!({"uid": user, "signDate": rfc3339(at)}).to_string());
            let mac = base64url(hmac_sha256(signer.text(), &payload));
            Launch::get(&format!("/app?free=1&instance={mac}.{payload}")).at(signer.host())
        },
        ..DEFAULT
    },
    Preset {
        name: "shopify_multipass",
        app: || once(hosted(launches::shopify_multipass::<Value>())),
        launch: |signer, at, user| {
            let json = json!({"email": user, "created_at": rfc3339(at)}).to_string();
            let token = base64url(multipass(signer.text(), &json));
            Launch::path(&format!("/account/login/multipass/{token}")).at(signer.host())
        },
        ..DEFAULT
    },
    Preset {
        name: "zoom_app_context",
        app: || reusable(hosted(launches::zoom_app_context::<Value>())),
        launch: |signer, at, user| {
            let json = json!({"uid": user, "exp": (at + 60) * 1000}).to_string();
            Launch::header("x-zoom-app-context", &framed(signer.text(), &json)).at(signer.host())
        },
        time: Time::End,
        ..REUSABLE
    },
];
