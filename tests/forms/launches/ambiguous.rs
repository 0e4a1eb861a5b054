//! Schemes whose signed text can be cut in two ways do not build, or their requests are refused.

use serde_json::Value;
use tower_sso::providers::launches;
use tower_sso::scheme::Digest;
use tower_sso::signed_parameters::{self, Join, Recipe, SignedParameters, Source};
use tower_sso::timestamp_hash::{self, TimestampHash};
use tower_sso::{Builder, ConfigError};

use super::signers::{KEYS, hex, hmac_sha256};
use crate::support::subject::{get, refused};
use crate::support::{App, NOW, clock, outcome, replay};

fn parameters(recipe: Recipe) -> Result<(), ConfigError> {
    let layer: Builder<SignedParameters<Value>> = signed_parameters::layer(recipe);
    layer.danger_without_time().danger_forgets_on_restart().secrets([KEYS[0]]).replay(replay()).build().map(drop)
}

fn hash(recipe: timestamp_hash::Recipe) -> Result<(), ConfigError> {
    let layer: Builder<TimestampHash<Value>> = timestamp_hash::layer(recipe);
    layer.secrets([KEYS[0]]).replay(replay()).build().map(drop)
}

/// `auth_sig` is a digest of `logged_user_id`, `session_key` and the secret with nothing between: user 101 with the
/// session `x` is user 10 with the session `1x`.
#[test]
fn ok_ru_auth_sig_does_not_build() {
    let names = ["logged_user_id", "session_key"];
    let hashed = |index| Recipe::listed(names, Join::values(':')).danger_digest_with_secret_before(index);
    for (built, why) in [
        (parameters(Recipe::listed(names, Join::pairs_without_separator())), "no border has a known shape"),
        (
            parameters(Recipe::listed(names, Join::pairs_without_separator()).danger_digest_with_secret_before(1)),
            "a digest of pairs",
        ),
        (parameters(hashed(2)), "the secret last, so that anyone can extend the text before it"),
        (parameters(hashed(0)), "the secret first, so that anyone can extend the text"),
        (
            hash(timestamp_hash::Recipe::hmac(Digest::Sha1, ["timestamp", "logged_user_id", "session_key"], "")),
            "values",
        ),
    ] {
        assert!(built.is_err(), "{why}");
    }
}

/// `sig` is a digest of the sorted `name=value` with nothing between, and of the secret.
#[test]
fn ok_ru_sig_does_not_build() {
    for recipe in [
        Recipe::all(Join::pairs_without_separator()),
        Recipe::all(Join::pairs_without_separator()).danger_digest_with_secret_before(1),
    ] {
        let problem = refused(parameters(recipe));
        assert!(problem.contains("`recipe`"), "{problem}");
    }
}

/// `token3` is a digest of our token, the user's address, name and id, a flag and the password with nothing between: the
/// name `X1` with the id 7 is the name `X` with the id 17.
#[test]
fn insales_token_does_not_build() {
    let names = ["token", "user_email", "user_name", "user_id", "email_confirmed"];
    let fields = || ["timestamp"].into_iter().chain(names);
    for (built, why) in [
        (parameters(Recipe::listed(names, Join::pairs_without_separator())), "no border has a known shape"),
        (hash(timestamp_hash::Recipe::hmac(Digest::Sha1, fields(), "")), "values without a separator"),
        (parameters(Recipe::all(Join::values('|'))), "values without their names"),
    ] {
        assert!(built.is_err(), "{why}");
    }
}

/// What is signed in one of these is signed in all of them.
#[tokio::test]
async fn an_app_proxy_text_that_is_cut_again_is_refused() {
    let (shop, at, path) = ("shop=acme.myshopify.com", format!("timestamp={NOW}"), "path_prefix=/a");
    let signed = format!("extra=1logged_in_customer_id=7m=logged_in_customer_id={path}{shop}{at}");
    let signature = hex(&hmac_sha256(KEYS[0], &signed));
    for query in [
        "extra=1logged_in_customer_id%3D7m%3D&logged_in_customer_id=",
        "extra=1&logged_in_customer_id=7&m=logged_in_customer_id%3D",
        "extra=1logged_in_customer_id%3D7m%3Dlogged_in_customer_id%3D",
        "extra=1&logged_in_customer_id=7m%3Dlogged_in_customer_id%3D",
    ] {
        let layer = launches::shopify_app_proxy::<Value>().secrets([KEYS[0]]).clock(clock());
        let app = App::new(layer.build().unwrap());
        let answer = app.send(get(&format!("/?{query}&{path}&{shop}&{at}&signature={signature}"))).await;
        assert_eq!(outcome(&answer), "malformed", "{query}");
    }
}

/// Shopify writes `logged_in_customer_id` into every request, empty for a visitor. So a visitor's own one is the second.
#[tokio::test]
async fn a_customer_whom_a_visitor_of_an_app_proxy_names_is_refused() {
    let (shop, at) = ("shop=acme.myshopify.com", format!("timestamp={NOW}"));
    for (query, joined) in [
        ("logged_in_customer_id=7&logged_in_customer_id=", "7,"),
        ("logged_in_customer_id=&logged_in_customer_id=7", ",7"),
        ("logged_in_customer_id=7&logged%5Fin_customer_id=", "7,"),
    ] {
        let signed = format!("logged_in_customer_id={joined}path_prefix=/a{shop}{at}");
        let signature = hex(&hmac_sha256(KEYS[0], &signed));
        let layer = launches::shopify_app_proxy::<Value>().secrets([KEYS[0]]).clock(clock());
        let app = App::new(layer.build().unwrap());
        let answer = app.send(get(&format!("/?{query}&path_prefix=/a&{shop}&{at}&signature={signature}"))).await;
        assert_eq!(outcome(&answer), "malformed", "{query}");
    }
}

/// A form of pairs without a separator is one, wherever the pairs are.
#[test]
fn no_source_makes_borders_known() {
    for source in [Source::Query, Source::Form, Source::Json] {
        let recipe = Recipe::all(Join::pairs_without_separator());
        let layer = signed_parameters::layer::<Value>(recipe).source(source).danger_without_time();
        let built = layer.danger_forgets_on_restart().secrets([KEYS[0]]).replay(replay()).build();
        assert!(refused(built.map(drop)).contains("border between a value and the next name"));
    }
}
