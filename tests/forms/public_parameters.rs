//! Parameters that are signed with the partner's private key.

use serde_json::Value;
use tower_sso::providers::launches;
use tower_sso::scheme::{Digest, Encoding, KeyDerivation, Place, PublicKeyAlgorithm, SecretFormat};
use tower_sso::sign::SigningWebhook;
use tower_sso::signed_parameters::{self, Join, Recipe, SignedParameters};
use tower_sso::{Builder, ConfigError};

use crate::support::pairs::{ED25519, P256, Pair};
use crate::support::subject::{get, refused};
use crate::support::{App, NOW, clock, outcome, replay};

const BOT: u64 = 7_342_037_359;

fn sign(algorithm: PublicKeyAlgorithm, pair: Pair, text: &str) -> String {
    let key = SigningWebhook::private_key(algorithm, &pair.private()).unwrap();
    key.encoding(Encoding::Base64Url).signature(&[text.as_bytes()])
}

/// What Telegram signs names the bot, so that the string of one bot is nothing to another's app.
#[tokio::test]
async fn a_string_that_another_bot_got_is_refused() {
    let app = |bot| {
        let layer = launches::telegram_mini_app_third_party::<Value>(bot, Place::query("data"));
        App::new(layer.secrets([ED25519[0].public]).clock(clock()).build().unwrap())
    };
    let text = format!("{BOT}:WebAppData\nauth_date={NOW}\nuser=ada");
    let signature = sign(PublicKeyAlgorithm::Ed25519, ED25519[0], &text);
    // `hash` is for the bot's own app, and not signed here.
    for hash in ["", "%26hash%3D0"] {
        let uri = format!("/?data=auth_date%3D{NOW}%26user%3Dada{hash}%26signature%3D{signature}");
        assert_eq!(outcome(&app(BOT).send(get(&uri)).await), "ok", "{hash}");
        assert_eq!(outcome(&app(BOT + 1).send(get(&uri)).await), "invalid", "{hash}");
    }
}

fn plain() -> Builder<SignedParameters<Value>> {
    signed_parameters::layer(Recipe::all(Join::pairs('&'))).danger_without_time().danger_forgets_on_restart()
}

/// Who signs the same text twice makes two signatures of ECDSA, which are one launch.
#[tokio::test]
async fn a_second_signature_makes_no_second_launch() {
    let layer = plain().public_key(PublicKeyAlgorithm::EcdsaP256Der).encoding(Encoding::Base64Url);
    let app = App::new(layer.secrets([P256[0].public]).replay(replay()).clock(clock()).build().unwrap());
    let signature = sign(PublicKeyAlgorithm::EcdsaP256Der, P256[0], "a=1");
    let uri = |signature: &str| get(&format!("/?a=1&signature={signature}"));
    assert_eq!(outcome(&app.send(uri(&signature)).await), "ok");
    assert_eq!(outcome(&app.send(uri(&other_spelling(&signature))).await), "replayed");
}

/// s becomes n - s.
fn other_spelling(signature: &str) -> String {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let der = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (r, s) = p256::ecdsa::Signature::from_der(&der).unwrap().split_scalars();
    let other = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
    BASE64_URL_SAFE_NO_PAD.encode(other.to_der().as_bytes())
}

#[test]
fn settings_of_an_hmac_do_not_build() {
    let public = || plain().public_key(PublicKeyAlgorithm::Ed25519);
    let build = |layer: Builder<SignedParameters<Value>>| -> Result<(), ConfigError> {
        layer.secrets([ED25519[0].public]).replay(replay()).build().map(drop)
    };
    assert!(build(public()).is_ok());
    let hashed = Recipe::listed(["a", "b"], Join::values(':')).danger_digest_with_secret_before(1);
    for (layer, part) in [
        (public().digest(Digest::Sha1), "`digest`"),
        (public().secret_format(SecretFormat::Base64 { prefix: "" }), "`secret_format`"),
        (public().key_derivation(KeyDerivation::digest(Digest::Sha256)), "`key_derivation`"),
        (
            signed_parameters::layer(hashed).danger_without_time().public_key(PublicKeyAlgorithm::Ed25519),
            "`public_key`",
        ),
    ] {
        let problem = refused(build(layer));
        assert!(problem.contains(part), "{part}: {problem}");
    }
    let secret = public().secrets(["a shared secret, which is no key"]).replay(replay()).build();
    assert!(secret.is_err());
}
