//! Partners who sign with a private key.

use std::time::Duration;

use http::HeaderName;
use serde_json::{Value, json};
use tower_sso::http_signature;
use tower_sso::jwt::{self, Algorithm};
use tower_sso::oauth1::Origin;
use tower_sso::scheme::{Encoding, PublicKeyAlgorithm, TimeFormat};
use tower_sso::signed_parameters::{self, Join};
use tower_sso::tenant::Tenant;
use tower_sso::webhook;

use crate::mechanisms::{ACKNOWLEDGED, Asked, Mechanism, Time, mechanism};

/// The layer's own key, and the page's: of a test, where the page makes none.
struct Pair {
    own: &'static str,
    of_the_page: Option<[&'static str; 2]>,
}

const P256: Pair = Pair { own: include_str!("../vectors/keys/p256-one-public.pem"), of_the_page: None };
const ED25519: Pair = Pair { own: include_str!("../vectors/keys/ed25519-one-public.pem"), of_the_page: None };
const P384: Pair = Pair {
    own: include_str!("../vectors/keys/p384-one-public.pem"),
    of_the_page: Some([
        include_str!("../vectors/keys/p384-two-private.pem"),
        include_str!("../vectors/keys/p384-two-public.pem"),
    ]),
};
const RSA: Pair = Pair {
    own: include_str!("../vectors/keys/rsa-2048-public.pem"),
    of_the_page: Some([
        include_str!("../vectors/keys/rsa-2048-second-private.pem"),
        include_str!("../vectors/keys/rsa-2048-second-public.pem"),
    ]),
};

fn asked(name: &'static str, address: &'static str, claims: Value, pair: &Pair) -> Asked {
    let Pair { own, of_the_page } = *pair;
    Asked { canary: own, pair: of_the_page, ..crate::mechanisms::asked(name, address, claims) }
}

pub(crate) fn all(time: &Time) -> Vec<Mechanism> {
    let acme = || Tenant::query("tenant");
    let user = || json!({"email": "ada@example.com", "name": "Ada \"$#{x}\" é"});
    let hook = "https://app.example/hook?tenant=acme";
    let header = HeaderName::from_static;
    let token = |name, algorithm: Algorithm, pair: &Pair| {
        mechanism(asked(name, "https://app.example/in", user(), pair), time, || {
            jwt::layer::<Value>(algorithm).tenant(acme()).audience("www.app.example")
        })
    };
    vec![
        token("jwt, Ed25519", Algorithm::EdDSA, &ED25519),
        token("jwt, P-256", Algorithm::ES256, &P256),
        token("jwt, P-384", Algorithm::ES384, &P384),
        token("jwt, RSA", Algorithm::RS256, &RSA),
        token("jwt, RSA-PSS", Algorithm::PS384, &RSA),
        mechanism(Asked { second: ACKNOWLEDGED, ..asked("webhook, P-256 in DER", hook, user(), &P256) }, time, || {
            webhook::layer::<Value>()
                .tenant(acme())
                .public_key(PublicKeyAlgorithm::EcdsaP256Der)
                .timestamp_header(header("x-timestamp"))
                .signed("{timestamp}{body}")
                .encoding(Encoding::Base64)
        }),
        mechanism(Asked { second: ACKNOWLEDGED, ..asked("webhook, Ed25519", hook, user(), &ED25519) }, time, || {
            webhook::layer::<Value>()
                .tenant(acme())
                .public_key(PublicKeyAlgorithm::Ed25519)
                .timestamp_header(header("x-timestamp"))
                .signed("{timestamp}{body}")
        }),
        mechanism(Asked { second: ACKNOWLEDGED, ..asked("http_signature, P-256", hook, user(), &P256) }, time, || {
            http_signature::layer::<Value>(
                http_signature::Algorithm::EcdsaP256Sha256,
                Origin::new("https://app.example"),
            )
            .tenant(acme())
        }),
        mechanism(Asked { second: ACKNOWLEDGED, ..asked("jwt_webhook, P-256", hook, user(), &P256) }, time, || {
            jwt::webhook::layer::<Value>(Algorithm::ES256)
                .tenant(acme())
                .body_digest_claim("sha256")
                .max_age(Duration::from_secs(300))
        }),
        mechanism(asked("signed_parameters, RSA", "https://app.example/sso", user(), &RSA), time, || {
            signed_parameters::layer::<Value>(signed_parameters::Recipe::all(Join::pairs('\n')))
                .tenant_field("org")
                .signature_parameter("sig")
                .issued_at("ts", TimeFormat::Seconds)
                .public_key(PublicKeyAlgorithm::RsaSha256)
                .encoding(Encoding::Base64)
        }),
    ]
}
