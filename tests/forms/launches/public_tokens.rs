//! Platforms and proxies that sign a JWT with a private key.

use serde_json::{Value, json};
use tower_sso::jwt::Algorithm;
use tower_sso::keys::MemoryKeys;
use tower_sso::providers::launches;
use tower_sso::sign::JwtSigner;
use tower_sso::tenant::Tenant;

use super::launch::Launch;
use super::presets::{DEFAULT, Preset, REUSABLE};
use super::signers::{Signer, challenge, cookie_of, given, once, reusable};
use super::tokens::timed;
use crate::support::pairs::{P256, P384, Pair, RSA};
use crate::support::subject::refused;
use crate::support::{App, NOW, clock, outcome, replay};

const MARKETPLACE: &str =
    "https://www.googleapis.com/robot/v1/metadata/x509/cloud-commerce-partner@system.gserviceaccount.com";

const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/x/1";

fn pairs(algorithm: Algorithm) -> [Pair; 2] {
    match algorithm {
        Algorithm::ES256 => P256,
        Algorithm::ES384 => P384,
        _ => RSA,
    }
}

fn public(algorithm: Algorithm, acme: &str, other: &str) -> MemoryKeys {
    let [one, two] = pairs(algorithm);
    MemoryKeys::new().with(acme, one.public).with(other, two.public)
}

fn token(algorithm: Algorithm, signer: Signer, at: u64, claims: Value) -> String {
    let [one, two] = pairs(algorithm);
    let key = if signer == Signer::Acme { one } else { two };
    let header = json!({"alg": algorithm.name(), "kid": signer.name(), "signer": BALANCER});
    let claims = timed(at, claims);
    let signer = JwtSigner::new(algorithm, &key.private()).unwrap();
    signer.sign(header.to_string().as_bytes(), claims.to_string().as_bytes()).unwrap()
}

fn aws(algorithm: Algorithm, name: &'static str, signer: Signer, at: u64, user: &str) -> Launch {
    Launch::header(name, &token(algorithm, signer, at, json!({"sub": user})))
}

/// As AWS documents them, the header says when they end.
#[tokio::test]
async fn tokens_of_aws_end_by_their_header() {
    let (late, early) = (json!(NOW + 120), json!(NOW - 120));
    for (in_header, in_payload, expected) in [
        (&late, &Value::Null, "ok"),
        (&late, &late, "ok"),
        (&Value::Null, &late, "ok"),
        (&early, &Value::Null, "expired"),
        (&early, &late, "expired"),
        (&late, &early, "expired"),
        (&Value::Null, &Value::Null, "invalid"),
        (&json!("soon"), &late, "invalid"),
        (&json!(NOW + 86_400), &Value::Null, "invalid"),
    ] {
        let token = |algorithm: Algorithm| {
            let mut header = json!({"alg": algorithm.name(), "kid": "acme", "signer": BALANCER, "exp": in_header});
            let mut claims = json!({"sub": "ada", "exp": in_payload});
            for object in [&mut header, &mut claims] {
                object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            }
            let signer = JwtSigner::new(algorithm, &pairs(algorithm)[0].private()).unwrap();
            signer.sign(header.to_string().as_bytes(), claims.to_string().as_bytes()).unwrap()
        };
        let alb = reusable(launches::aws_alb::<Value>(BALANCER).keys(public(Algorithm::ES256, "acme", "other")));
        let ava = launches::aws_verified_access::<Value>(BALANCER).keys(public(Algorithm::ES384, "acme", "other"));
        for (app, name, algorithm) in
            [(alb, "x-amzn-oidc-data", Algorithm::ES256), (reusable(ava), "x-amzn-ava-user-context", Algorithm::ES384)]
        {
            let answer = app.send(Launch::header(name, &token(algorithm)).request()).await;
            assert_eq!(outcome(&answer), expected, "{name}: {in_header} and {in_payload}");
        }
    }
}

fn lti13() -> App {
    let layer = launches::lti13::<Value>().issuer("https://lms.example").audience("tool");
    once(layer.challenge(challenge().in_frames().clock(clock())).keys(public(Algorithm::RS256, "acme", "other")))
}

fn lti13_launch(signer: Signer, at: u64, user: &str, parties: &Value) -> Launch {
    let issued = given(challenge(), at);
    let mut claims = json!({
        "iss": "https://lms.example", "sub": user, "nonce": issued.nonce(),
        "https://purl.imsglobal.org/spec/lti/claim/message_type": "LtiResourceLinkRequest",
        "https://purl.imsglobal.org/spec/lti/claim/version": "1.3.0",
        "https://purl.imsglobal.org/spec/lti/claim/deployment_id": "d",
    });
    claims.as_object_mut().unwrap().extend(parties.as_object().unwrap().clone());
    let form = format!("free_state=x&id_token={}", token(Algorithm::RS256, signer, at, claims));
    Launch::form("/launch", &form).with_header("cookie", &cookie_of(&issued))
}

/// OpenID Connect Core 1.0, 3.1.3.7, 4 and 5.
#[tokio::test]
async fn a_launch_for_several_parties_is_for_the_one_that_asked() {
    for (parties, expected) in [
        (json!({"aud": ["tool"]}), "ok"),
        (json!({"aud": ["tool", "other"]}), "ok"),
        (json!({"aud": ["tool", "other"], "azp": "tool"}), "ok"),
        (json!({"aud": "tool", "azp": null}), "ok"),
        (json!({"aud": ["tool", "other"], "azp": "other"}), "invalid"),
        (json!({"aud": "tool", "azp": "Tool"}), "invalid"),
        (json!({"aud": "tool", "azp": ["tool"]}), "invalid"),
        (json!({"aud": "other", "azp": "tool"}), "invalid"),
    ] {
        let launch = lti13_launch(Signer::Acme, NOW, "ada", &parties);
        assert_eq!(outcome(&lti13().send(launch.request()).await), expected, "{parties}");
    }
}

/// The issuer is a constant of the platform, or the app says it. The same key may sign other tokens.
#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    let in_header = |name| move |token: String| Launch::header(name, &token);
    let iap = |claims| in_header("x-goog-iap-jwt-assertion")(token(Algorithm::ES256, Signer::Acme, NOW, claims));
    let access = |claims| in_header("cf-access-jwt-assertion")(token(Algorithm::RS256, Signer::Acme, NOW, claims));
    let sign_up = |claims| {
        let token = token(Algorithm::RS256, Signer::Acme, NOW, claims);
        Launch::form("/sign-up", &format!("x-gcp-marketplace-token={token}"))
    };
    let power_up = |claims| {
        let token = token(Algorithm::RS256, Signer::Acme, NOW, claims);
        Launch::get(&format!("/power-up?jwt={token}")).at(Signer::Acme.host())
    };
    let launch = |claims| lti13_launch(Signer::Acme, NOW, "ada", &claims);
    let rows: [(&str, &str, Value, &dyn Fn(Value) -> Launch); 5] = [
        ("google_iap", "https://cloud.google.com/iap", json!({"aud": "/projects/1"}), &iap),
        ("google_cloud_marketplace", MARKETPLACE, json!({"aud": "app.example"}), &sign_up),
        ("danger_trello", "trello", json!({}), &power_up),
        ("cloudflare_access", "https://team.example", json!({"aud": "tag"}), &access),
        ("lti13", "https://lms.example", json!({"aud": "tool"}), &launch),
    ];
    for (name, issuer, claims, launch) in rows {
        let preset = PRESETS.iter().find(|preset| preset.name == name).unwrap();
        let with = |issuer: Value| {
            let mut claims = claims.clone();
            claims["iss"] = issuer;
            launch(claims)
        };
        for (issuer, expected) in [
            (json!(issuer), "ok"),
            (json!("https://accounts.google.com"), "invalid"),
            (json!(format!("{issuer}/")), "invalid"),
            (json!([issuer]), "invalid"),
            (Value::Null, "invalid"),
        ] {
            let said = outcome(&(preset.app)().send(with(issuer.clone()).request()).await);
            assert_eq!(said, expected, "{name}: {issuer}");
        }
    }
}

#[test]
fn what_has_an_issuer_of_its_own_does_not_build_without() {
    let keys = || public(Algorithm::RS256, "acme", "other");
    let lti13 =
        launches::lti13::<Value>().audience("tool").challenge(challenge().in_frames()).replay(replay()).keys(keys());
    let access = launches::cloudflare_access::<Value>().audience("tag").keys(keys());
    for problem in [refused(lti13.build()), refused(access.build())] {
        assert!(problem.contains("`issuer` is not called"), "{problem}");
    }
}

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "aws_alb",
        app: || reusable(launches::aws_alb::<Value>(BALANCER).keys(public(Algorithm::ES256, "acme", "other"))),
        launch: |signer, at, user| aws(Algorithm::ES256, "x-amzn-oidc-data", signer, at, user),
        ..REUSABLE
    },
    Preset {
        name: "danger_aws_alb_of_anyone",
        app: || {
            let layer = launches::danger_aws_alb_of_anyone::<Value>();
            reusable(layer.keys(public(Algorithm::ES256, "acme", "other")))
        },
        launch: |signer, at, user| aws(Algorithm::ES256, "x-amzn-oidc-data", signer, at, user),
        ..REUSABLE
    },
    Preset {
        name: "aws_verified_access",
        app: || {
            let layer = launches::aws_verified_access::<Value>(BALANCER);
            reusable(layer.keys(public(Algorithm::ES384, "acme", "other")))
        },
        launch: |signer, at, user| aws(Algorithm::ES384, "x-amzn-ava-user-context", signer, at, user),
        ..REUSABLE
    },
    Preset {
        name: "cloudflare_access",
        app: || {
            let layer = launches::cloudflare_access::<Value>().audience("tag").issuer("https://team.example");
            reusable(layer.keys(public(Algorithm::RS256, "acme", "other")))
        },
        launch: |signer, at, user| {
            let token = token(
                Algorithm::RS256,
                signer,
                at,
                json!({"iss": "https://team.example", "aud": ["tag"], "sub": user}),
            );
            Launch::header("cf-access-jwt-assertion", &token)
        },
        ..REUSABLE
    },
    Preset {
        name: "google_iap",
        app: || {
            let layer = launches::google_iap::<Value>().audience("/projects/1");
            reusable(layer.keys(public(Algorithm::ES256, "acme", "other")))
        },
        launch: |signer, at, user| {
            let claims = json!({"iss": "https://cloud.google.com/iap", "aud": "/projects/1", "sub": user});
            let token = token(Algorithm::ES256, signer, at, claims);
            Launch::header("x-goog-iap-jwt-assertion", &token)
        },
        ..REUSABLE
    },
    Preset {
        name: "google_cloud_marketplace",
        app: || {
            let layer = launches::google_cloud_marketplace::<Value>().audience("app.example");
            once(layer.keys(public(Algorithm::RS256, "acme", "other")))
        },
        launch: |signer, at, user| {
            let token =
                token(Algorithm::RS256, signer, at, json!({"iss": MARKETPLACE, "aud": "app.example", "sub": user}));
            Launch::form("/sign-up", &format!("x-gcp-marketplace-token={token}"))
        },
        ..DEFAULT
    },
    Preset {
        name: "lti13",
        app: lti13,
        launch: |signer, at, user| lti13_launch(signer, at, user, &json!({"aud": "tool"})),
        ..DEFAULT
    },
    Preset {
        name: "zendesk_app",
        app: || {
            let layer = launches::zendesk_app::<Value>().audience("https://x.example/1.json").tenant(Tenant::host());
            once(layer.keys(public(Algorithm::RS256, "acme.example", "other.example")))
        },
        launch: |signer, at, user| {
            let mut claims = json!({"iss": signer.host(), "aud": "https://x.example/1.json", "sub": user});
            (claims["qsh"], claims["cnf"]) = ("0f".into(), json!({"jku": "https://x.example/key"}));
            let token = token(Algorithm::RS256, signer, at, claims);
            Launch::form("/page", &format!("token={token}")).at(signer.host())
        },
        ..DEFAULT
    },
    Preset {
        name: "canva",
        app: || once(launches::canva::<Value>().audience("app").keys(public(Algorithm::RS256, "acme", "other"))),
        launch: |signer, at, user| {
            let claims = json!({"aud": "app", "userId": user, "brandId": "b"});
            Launch::header("authorization", &format!("Bearer {}", token(Algorithm::RS256, signer, at, claims)))
        },
        ..DEFAULT
    },
    Preset {
        name: "atlassian_forge",
        app: || {
            let layer = launches::atlassian_forge::<Value>().audience("ari:cloud:ecosystem::app/1");
            once(layer.keys(public(Algorithm::RS256, "acme", "other")))
        },
        launch: |signer, at, user| {
            let claims = json!({
                "iss": "forge/invocation-token", "aud": "ari:cloud:ecosystem::app/1", "principal": user,
                "app": {"id": "ari:cloud:ecosystem::app/1", "installationId": "i"},
            });
            Launch::header("authorization", &format!("Bearer {}", token(Algorithm::RS256, signer, at, claims)))
        },
        ..DEFAULT
    },
    Preset {
        name: "danger_trello",
        app: || {
            let layer = launches::danger_trello::<Value>().tenant(Tenant::host());
            once(layer.keys(public(Algorithm::RS256, "acme.example", "other.example")))
        },
        launch: |signer, at, user| {
            let token = token(Algorithm::RS256, signer, at, json!({"iss": "trello", "idMember": user}));
            Launch::get(&format!("/power-up?jwt={token}")).at(signer.host())
        },
        ..DEFAULT
    },
];
