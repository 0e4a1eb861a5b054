//! Launches are read into the types that the presets come with.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http_body::Body;
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::body::ReadBody;
use tower_sso::form::Form;
use tower_sso::providers::launches::{
    self, CanvaUser, DiscourseRequest, FacebookUser, ForgeCall, FourthwallSupporter, HerokuUser, InstantGamesPlayer,
    MiniApp, ShopifyLaunch, ShopifyVisit, ShoplineLaunch, ShopwareRegistration, VkLaunch, ZoomContext,
};
use tower_sso::scheme::Place;

use super::launch::Launch;
use super::signers::{KEYS, Signer, base64, base64url, escaped, hex, hmac_sha256};
use crate::support::{App, NOW, clock, outcome, replay};

/// What a launch says, or that it is refused.
async fn said<F, Out>(layer: Builder<F>, launch: Launch) -> Result<Value, &'static str>
where
    F: Form<Claims: serde::Serialize>,
    F::Reads: ReadBody<Full<Bytes>, Out = Out>,
    <F::Reads as ReadBody<Full<Bytes>>>::Reading: Send,
    Out: Body<Data = Bytes> + Send + Sync + 'static,
    Out::Error: std::fmt::Debug,
{
    let (send, read) = std::sync::mpsc::channel();
    let layer = layer.secrets([KEYS[0]]).clock(clock()).map_claims(move |claims| {
        send.send(serde_json::to_value(claims).unwrap()).unwrap();
        Ok(())
    });
    match outcome(&App::new(layer.build().unwrap()).send(launch.request()).await) {
        "ok" => Ok(read.recv().unwrap()),
        refused => Err(refused),
    }
}

#[tokio::test]
async fn a_mini_app_has_its_user_as_json_in_text() {
    let layer = || launches::telegram_mini_app::<MiniApp>(Place::header_after(AUTHORIZATION, "tma"));
    for (user, expected) in [
        (Some(r#"{"id":7,"first_name":"Ada"}"#), Ok(json!({"id": 7, "first_name": "Ada"}))),
        (Some(""), Ok(Value::Null)),
        (None, Ok(Value::Null)),
        (Some(r#"{"id":"7"}"#), Err("rejected_claims")),
        (Some("Ada"), Err("rejected_claims")),
    ] {
        let line = user.map(|user| format!("\nuser={user}")).unwrap_or_default();
        let key = hmac_sha256("WebAppData", KEYS[0]);
        let hash = hex(&hmac_sha256(key, &format!("auth_date={NOW}{line}")));
        let pair = user.map(|user| format!("&user={}", user.replace('"', "%22"))).unwrap_or_default();
        let launch = Launch::header("authorization", &format!("tma auth_date={NOW}{pair}&hash={hash}"));
        let found = said(layer(), launch).await.map(|launch| {
            let user = &launch["user"];
            if user.is_null() { Value::Null } else { json!({"id": user["id"], "first_name": user["first_name"]}) }
        });
        assert_eq!(found, expected, "{user:?}");
    }
}

#[tokio::test]
async fn a_visitor_of_a_shop_is_no_customer() {
    for (customer, expected) in [("7", Some("7")), ("", None)] {
        let signed = format!("logged_in_customer_id={customer}path_prefix=/ashop=acme.myshopify.comtimestamp={NOW}");
        let uri = format!(
            "/?shop=acme.myshopify.com&logged_in_customer_id={customer}&path_prefix=/a&timestamp={NOW}&signature={}",
            hex(&hmac_sha256(KEYS[0], &signed))
        );
        let visit = said(launches::shopify_app_proxy::<ShopifyVisit>(), Launch::get(&uri)).await.unwrap();
        let visit: ShopifyVisit = serde_json::from_value(visit).unwrap();
        assert_eq!(visit.customer(), expected);
        assert_eq!(visit.shop, "acme.myshopify.com");
    }
}

#[tokio::test]
async fn numbers_are_read_from_text() {
    let layer = || launches::vk_mini_app::<VkLaunch>().replay(replay()).danger_forgets_on_restart();
    for (user, expected) in [("7", Ok(json!(7))), ("ada", Err("rejected_claims")), ("-1", Err("rejected_claims"))] {
        let signed = format!("vk_app_id=1&vk_ts={NOW}&vk_user_id={user}");
        let sign = base64url(hmac_sha256(KEYS[0], &signed));
        let launch = Launch::get(&format!("/?{signed}&vk_user=8&sign={sign}"));
        // `vk_user` begins with `vk_`, so it is signed and was not.
        assert_eq!(said(layer(), launch).await, Err("invalid"));
        let launch = Launch::get(&format!("/?{signed}&user_id=8&sign={sign}"));
        assert_eq!(said(layer(), launch).await.map(|launch| launch["vk_user_id"].clone()), expected, "{user}");
    }
}

#[tokio::test]
async fn a_forum_asks_with_a_nonce_and_an_address() {
    let sso = base64("nonce=n&return_sso_url=https%3A%2F%2Fforum.example%2Fback");
    let uri = format!("/?sso={}&sig={}", escaped(&sso), hex(&hmac_sha256(Signer::Acme.text(), &sso)));
    let asked = said(launches::discourse_provider::<DiscourseRequest>(), Launch::get(&uri)).await;
    assert_eq!(asked, Ok(json!({"nonce": "n", "return_sso_url": "https://forum.example/back"})));
}

/// As the platforms' documentation writes them.
#[test]
fn names_are_those_of_the_platforms() {
    fn reads<T: serde::de::DeserializeOwned>(json: Value) {
        let name = std::any::type_name::<T>();
        let with = |json: Value| serde_json::from_value::<T>(json);
        assert!(with(json.clone()).is_ok(), "{name}");
        for required in json.as_object().unwrap().keys() {
            let mut less = json.clone();
            less.as_object_mut().unwrap().remove(required);
            assert!(with(less).is_err(), "{name} without {required}");
        }
    }
    reads::<CanvaUser>(json!({"userId": "u", "brandId": "b"}));
    reads::<ForgeCall>(json!({"app": {"id": "a", "installationId": "i"}}));
    reads::<FourthwallSupporter>(json!({"shop_id": "s", "supporter_id": "u", "tier_id": "t"}));
    reads::<HerokuUser>(json!({"resource_uuid": "r", "user_uuid": "u", "user_email": "ada@example.com"}));
    reads::<InstantGamesPlayer>(json!({"player_id": "p"}));
    reads::<ShopifyLaunch>(json!({"shop": "acme.myshopify.com"}));
    reads::<ShoplineLaunch>(json!({"handle": "acme"}));
    reads::<ShopwareRegistration>(json!({"shop-id": "1", "shop-url": "https://shop.example"}));
    reads::<ZoomContext>(json!({"uid": "u", "typ": "panel"}));
    reads::<FacebookUser>(json!({}));
}
