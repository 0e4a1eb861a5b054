//! Platforms that sign parameters, as they and their libraries publish it.

use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::Full;
use md5::Md5;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tower_sso::Builder;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::keys::Secret;
use tower_sso::providers::launches;
use tower_sso::scheme::{Digest, Encoding};
use tower_sso::signed_parameters::{Join, Order, Recipe, SignedParameters};

use super::{hex, mac_with, send};
use crate::support::subject::{get, store_since};
use crate::support::{App, NOW, outcome};

fn at(layer: Builder<SignedParameters<Value>>, secret: &str, seconds: u64) -> App {
    let clock = ManualClock::at(UnixTime::from_secs(seconds));
    let layer = layer.secrets([Secret::verbatim(secret)]).replay(store_since(seconds - 3_600));
    App::new(layer.clock(clock).build().unwrap())
}

fn reusable_at(layer: Builder<SignedParameters<Value>>, secret: &str, seconds: u64) -> App {
    App::new(
        layer.secrets([Secret::verbatim(secret)]).clock(ManualClock::at(UnixTime::from_secs(seconds))).build().unwrap(),
    )
}

/// The pages publish the rule with this text and key, and no digest; this one is of `hashlib.md5`.
#[tokio::test]
async fn alibaba_signs_like_this() {
    let recipe = || Recipe::all(Join::pairs('&')).order(Order::Names).around("", "&key=");
    let layer = || super::layer(recipe().danger_md5_with_secret_at_the_end()).signature_parameter("token");
    let send_to = async |layer, uri: &str| send(&at(layer, "isvkey", NOW), uri).await;
    let uri = "/?p1=1&p2=2&p3=3&token=691b1c2be27485a87fb000de6f89f1d3";
    assert_eq!(send_to(layer(), uri).await, "ok");
    assert_eq!(send_to(layer(), &uri.replace("p1=1&p2=2", "p2=2&p1=1")).await, "ok", "sorted");
    assert_eq!(send_to(layer(), &format!("{uri}&key=1")).await, "invalid", "one more");
    assert_eq!(send_to(layer(), &uri.replace("1&p2=2", "1%26p2=2")).await, "malformed", "cut otherwise");
    assert_eq!(send_to(layer(), &uri[..uri.len() - 1]).await, "malformed", "cut short");
    assert_eq!(send_to(layer().encoding(Encoding::Base64), uri).await, "malformed", "another spelling");
    let sha1 = super::layer(recipe().danger_digest_with_secret_at_the_end()).signature_parameter("token");
    assert_eq!(send_to(sha1.digest(Digest::Sha1), uri).await, "malformed", "another digest");
    let then_sha = recipe().danger_md5_with_secret_at_the_end().danger_digest_with_secret_at_the_end();
    assert_eq!(
        send_to(super::layer(then_sha).signature_parameter("token"), uri).await,
        "malformed",
        "the last one counts"
    );
}

/// The same key signs the marketplace's other calls.
#[tokio::test]
async fn an_alibaba_call_of_another_kind_signs_nobody_in() {
    for (action, instance, expected) in [
        ("verify", "1", "ok"),
        ("createInstance", "1", "malformed"),
        ("", "1", "malformed"),
        ("verify", "", "malformed"),
    ] {
        let signed = format!("action={action}&instanceId={instance}&timeStamp=2023-11-15 06:13:20");
        let token = hex(&Md5::digest(format!("{signed}&key=the security key of a seller")));
        let app = at(launches::danger_alibaba(), "the security key of a seller", NOW);
        assert_eq!(send(&app, &format!("/?{}&token={token}", signed.replace(' ', "%20"))).await, expected, "{action}");
    }
}

/// Published by Shopify and in its libraries' tests.
#[tokio::test]
async fn shopify_signs_like_this() {
    let code = "code=0907a61c0c8d55e99db179b68161bc00";
    let rest = "shop=some-shop.myshopify.com&timestamp=1337178173";
    let hmac = "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20";
    let app = || at(launches::shopify(), "hush", 1_337_178_173);
    assert_eq!(send(&app(), &format!("/?{code}&hmac={hmac}&{rest}")).await, "ok");
    assert_eq!(send(&app(), &format!("/?{rest}&hmac={hmac}&{code}&signature=old")).await, "ok", "any order");
    assert_eq!(send(&app(), &format!("/?{code}&hmac={hmac}&{rest}&host=x")).await, "invalid", "one more");
    assert_eq!(send(&app(), &format!("/?hmac={hmac}&{rest}")).await, "invalid", "one less");

    let proxy = |signature: &str, more: &str| {
        format!(
            "/?extra=1&extra=2&shop=shop-name.myshopify.com&path_prefix=%2Fapps%2Fawesome_reviews&timestamp=1317327555{more}&signature={signature}"
        )
    };
    let app = || reusable_at(launches::shopify_app_proxy(), "hush", 1_317_327_555);
    for (more, signature) in [
        ("&logged_in_customer_id=1", "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"),
        ("&logged_in_customer_id=", "e072b6d7e6622d85912a5214b860d3100dc1e73d9bc29f43796ac8c9ff8093cb"),
        ("", "a9718877bea71c2484f91608a7eaea1532bdf71f5c56825065fa4ccabe549ef3"),
    ] {
        assert_eq!(send(&app(), &proxy(signature, more)).await, "ok", "{more}");
        assert_eq!(send(&app(), &proxy(signature, &format!("{more}&x=1"))).await, "invalid", "{more}");
    }
    // A visitor chose `extra`. The platform signed one of these two; both have its MAC.
    let signature = "84037022abda402eda4e38089032b1baf4f34b128706ef7ac8d0f6e4b3f8d975";
    let rest =
        format!("path_prefix=%2Fapps%2Fx&shop=shop-name.myshopify.com&timestamp=1317327555&signature={signature}");
    for query in [
        "extra=1logged_in_customer_id%3D7m%3D&logged_in_customer_id=",
        "extra=1&logged_in_customer_id=7&m=logged_in_customer_id%3D",
    ] {
        assert_eq!(send(&app(), &format!("/?{query}&{rest}")).await, "malformed", "{query}");
    }
    // Without `=`: a border moved, and a customer that is no number; a shop of another domain.
    for text in [
        "logged_in_customer_id=m2=xpath_prefix=/ashop=a.myshopify.comtimestamp=1317327555",
        "path_prefix=/ashop=a.myshopify.comshtimestamp=1317327555",
    ] {
        let signature = mac_with("hush", text);
        let (query, why) = match text.starts_with('l') {
            true => ("logged_in_customer_id=m&2=x&shop=a.myshopify.com", "no number"),
            false => ("shop=a.myshopify.comsh", "another domain"),
        };
        let uri = format!("/?{query}&path_prefix=/a&timestamp=1317327555&signature={signature}");
        assert_ne!(send(&app(), &uri).await, "ok", "{why}");
    }
}

/// What visitors write is signed, with nothing between the pairs. Most of these texts are cut in another place than
/// where the platform joined them.
#[tokio::test]
async fn what_an_app_proxy_signed_cannot_be_cut_again() {
    const PATH: &str = "path_prefix=/apps/x";
    let app = || reusable_at(launches::shopify_app_proxy(), "hush", 1_317_327_555);
    let at = "timestamp=1317327555";
    let shop = "shop=own.myshopify.com";
    for (query, signed, expected, why) in [
        (
            format!("a=logged_in_customer_i&d=m&logged_in_customer_id=7&{PATH}&{shop}&{at}"),
            format!("a=logged_in_customer_id=mlogged_in_customer_id=7{PATH}{shop}{at}"),
            "malformed",
            "a visitor who wrote `?a=&mlogged_in_customer_id=7` passes as customer 7",
        ),
        (
            format!("logged_in_customer_id=&{PATH}r&shop=victim.myshopify.com&sh{shop}&{at}"),
            format!("logged_in_customer_id={PATH}rshop=victim.myshopify.comsh{shop}{at}"),
            "malformed",
            "a visitor of one shop passes as one of another",
        ),
        (
            format!("a=1&blogged_in_customer_id=7&{PATH}&{shop}&{at}"),
            format!("a=1blogged_in_customer_id=7{PATH}{shop}{at}"),
            "malformed",
            "a customer passes as a visitor",
        ),
        (
            format!("logged_in_customer_id=7&{PATH}&{shop}sx.myshopify.com&sy=1&{at}"),
            format!("logged_in_customer_id=7{PATH}{shop}sx.myshopify.comsy=1{at}"),
            "malformed",
            "a shop's name gets longer",
        ),
        (
            format!("logged_in_customer_id=7&{PATH}&{shop}&{at}&workshop=1"),
            format!("logged_in_customer_id=7{PATH}{shop}{at}workshop=1"),
            "malformed",
            "an honest visitor, who cannot be told from those above",
        ),
        (
            format!("a=1&logged_in_customer_id=7&{PATH}&{shop}&{at}&z=1"),
            format!("a=1logged_in_customer_id=7{PATH}{shop}{at}z=1"),
            "ok",
            "an honest customer",
        ),
    ] {
        let uri = format!("/?{query}&signature={}", mac_with("hush", &signed));
        assert_eq!(send(&app(), &uri).await, expected, "{why}");
    }
}

/// An app sends its secret to this host next.
#[tokio::test]
async fn a_shop_is_a_host_below_shopifys_domain() {
    let app = at(launches::shopify(), "hush", NOW);
    for (shop, expected) in [
        ("own.myshopify.com", "ok"),
        ("Own-2_x.myshopify.com", "ok"),
        (".myshopify.com", "malformed"),
        ("myshopify.com", "malformed"),
        ("own.myshopify.com.", "malformed"),
        ("evil.example%2F.myshopify.com", "malformed"),
        ("evil.example%23.myshopify.com", "malformed"),
        ("evil.example%3F.myshopify.com", "malformed"),
        ("evil.example%5C.myshopify.com", "malformed"),
        ("own%40evil.myshopify.com", "malformed"),
        ("own%3A1.myshopify.com", "malformed"),
        ("-own.myshopify.com", "malformed"),
        ("own%0A.myshopify.com", "malformed"),
        ("%C3%B6.myshopify.com", "malformed"),
    ] {
        let signed = format!("shop={shop}&timestamp={NOW}");
        let found = send(&app, &format!("/?{signed}&hmac={}", mac_with("hush", &signed))).await;
        assert_eq!(found, expected, "{shop}");
    }
}

/// The proxy and the launches have one secret. Only the proxy signs text that visitors choose.
#[tokio::test]
async fn what_an_app_proxy_signed_is_no_launch() {
    let rest = "logged_in_customer_id=path_prefix=/apps/xshop=own.myshopify.comtimestamp=1317327555z=";
    let signed = format!("a=1&shop=victim.myshopify.com&timestamp=1317327555&x=[\"{rest}\"]");
    let list = rest.replace('=', "%3D");
    let query = format!("a=1&shop=victim.myshopify.com&timestamp=1317327555&x[]={list}");
    let uri = format!("/?{query}&hmac={}", mac_with("hush", &signed));
    assert_eq!(send(&at(launches::shopify(), "hush", 1_317_327_555), &uri).await, "malformed");
}

/// Published in the tests of the libraries that the presets name.
#[tokio::test]
async fn platforms_sign_like_this() {
    let shopware = "/?test=1&shopware-shop-signature=9dd645162c4599f510a88a716a3aac9934c46d2964811e3efcdc53b4b672fe1c";
    let app = || at(launches::shopware().danger_forgets_on_restart(), "secret", NOW);
    assert_eq!(send(&app(), shopware).await, "ok");
    assert_eq!(send(&app(), &shopware.replace("test", "%74est")).await, "invalid");

    let mut request = get("/?shop-id=123&shop-url=https%3A%2F%2Fmy-shop.com&timestamp=1234567890");
    let signature = "96c91f86c822e11444b7a57b54ef125ed86b1a639c5360d45c5397daa8c3f70b";
    request.headers_mut().insert("shopware-app-signature", signature.parse().unwrap());
    let app = at(launches::shopware_registration(), "my-secret", 1_234_567_890);
    assert_eq!(outcome(&app.send(request).await), "ok");

    let post = |body: &str| {
        let body = Full::from(body.to_owned());
        Request::post("/").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body).unwrap()
    };
    let v1 = "id=1&timestamp=1262304000&token=b6010f6fbb850887a396c2bc0ab23974003008f6&nav-data=x";
    let app = at(launches::danger_heroku_v1(), "SSO_SALT", 1_262_304_000);
    assert_eq!(outcome(&app.send(post(&v1.replace("id=1", "id=2"))).await), "invalid");
    // What length extension appends holds NUL, and bytes that are no text.
    let extended = v1.replace("timestamp=1262304000", "timestamp=1262304000%80%00%00");
    assert_eq!(outcome(&app.send(post(&extended)).await), "malformed");
    assert_eq!(outcome(&app.send(post(v1)).await), "ok");
}

/// Published in VKCOM/vk-apps-launch-params. Only `vk_…` is signed.
#[tokio::test]
async fn vk_signs_like_this() {
    let uri = "/?vk_user_id=494075&vk_app_id=6736218&vk_is_app_user=1&vk_are_notifications_enabled=1&vk_language=ru\
               &vk_access_token_settings=&vk_platform=android&sign=htQFduJpLxz7ribXRZpDFUH-XEUhC9rBPTJkjUFEkRA";
    let app = || at(launches::vk_mini_app().danger_forgets_on_restart(), "wvl68m4dR1UpLrVRli", NOW);
    assert_eq!(send(&app(), &format!("{uri}&odr_enabled=1")).await, "ok");
    assert_eq!(send(&app(), &uri.replace("494075", "494076")).await, "invalid");
    assert_eq!(send(&app(), &uri.replace("vk_access_token_settings=&", "")).await, "invalid", "empty, and signed");
}

#[tokio::test]
async fn telegram_signs_like_this() {
    use sha2::Digest;
    let token = "12345:0123456789abcdef";
    let lines = format!("auth_date={NOW}\nfirst_name=Ada & co\nid=7");
    let key = Sha256::digest(token);
    let hash = hex(&Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(&lines).finalize().into_bytes());
    let uri = format!("/?id=7&first_name=Ada%20%26%20co&auth_date={NOW}&hash={hash}");
    let app = || at(launches::telegram_login(), token, NOW);
    assert_eq!(send(&app(), &uri).await, "ok");
    assert_eq!(send(&app(), &uri.replace("id=7", "id=8")).await, "invalid");
    let moved = format!("/?id=7&auth_date={NOW}%0Afirst_name%3DAda%20%26%20co&hash={hash}");
    assert_eq!(send(&app(), &moved).await, "malformed", "two lines in one value");
}
