//! Launches are read into the types that the presets come with.

use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::clock::UnixTime;
use tower_sso::jwt::Algorithm;
use tower_sso::oauth1::Origin;
use tower_sso::providers::launches::{
    self, AccessUser, AppDirectEvent, AsanaCall, BigCommerceStore, CanvaUser, CanvasRequest, ConnectUser,
    DiscourseRequest, FacebookUser, ForgeCall, FourthwallSupporter, HelpScoutFrame, HerokuResource, HerokuUser,
    IapUser, InstantGamesPlayer, MarketplaceSignUp, MeetingGuest, MiniApp, MondayCall, MultipassCustomer,
    ShopifyLaunch, ShopifyVisit, ShoplineLaunch, ShopwarePage, ShopwareRegistration, ShopwareVisit, TrelloMember,
    VkLaunch, WixInstance, ZendeskVisit, ZoomContext,
};
use tower_sso::rejection::Rejection;
use tower_sso::scheme::Place;
use tower_sso::sign::{JwtSigner, OAuthLink};

use super::launch::Launch;
use super::signers::{KEYS, Signer, base64, base64url, escaped, hex, hmac_sha256, sha256};
use crate::sealed::multipass;
use crate::senders::rfc3339;
use crate::support::{App, NOW, Served, clock, outcome, replay};

/// What a launch says, or that it is refused.
async fn said<F>(layer: Builder<F>, launch: Launch) -> Result<Value, &'static str>
where
    F: Served<Claims: serde::Serialize>,
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

/// What Eloqua leaves out of a template is absent, and what the app left out of it is missed.
#[tokio::test]
async fn an_eloqua_template_is_read_by_eloquas_names() {
    let said_by = async |pairs: &[(&str, &str)]| {
        let link = OAuthLink::new("https://app.example/open", "acme", &KEYS[0].into());
        let uri = link.issued_at(UnixTime::from_secs(NOW)).nonce("n").uri(pairs).unwrap();
        let layer = launches::eloqua::<launches::EloquaCall>(Origin::new("https://app.example")).replay(replay());
        said(layer, Launch::get(&uri)).await
    };
    let always = [("InstallId", "i"), ("SiteId", "12"), ("UserId", "7")];
    let call = said_by(&[&always[..], &[("UserName", "Ada.Example"), ("AssetId", "45")]].concat()).await.unwrap();
    assert_eq!(
        (&call["UserId"], &call["UserName"], &call["AssetId"]),
        (&json!("7"), &json!("Ada.Example"), &json!("45"))
    );
    assert_eq!(call["InstanceId"], Value::Null);
    assert_eq!(said_by(&always[..2]).await, Err("rejected_claims"), "without a user");
}

#[tokio::test]
async fn a_forum_asks_with_a_nonce_and_an_address() {
    let sso = base64("nonce=n&return_sso_url=https%3A%2F%2Fforum.example%2Fback");
    let uri = format!("/?sso={}&sig={}", escaped(&sso), hex(&hmac_sha256(Signer::Acme.text(), &sso)));
    let asked = said(launches::discourse_provider::<DiscourseRequest>(), Launch::get(&uri)).await;
    assert_eq!(asked, Ok(json!({"nonce": "n", "return_sso_url": "https://forum.example/back"})));
}

/// Nobody's launches are not one user's, whose name is empty.
#[test]
fn an_anonymous_launch_has_no_user() {
    let launch = |user: Value| {
        let json = json!({"lti_message_type": "m", "lti_version": "v", "user_id": user});
        serde_json::from_value::<launches::LtiLaunch>(json).unwrap().user_id
    };
    assert_eq!(launch(json!("")), None);
    assert_eq!(launch(Value::Null), None);
    assert_eq!(launch(json!("7")).as_deref(), Some("7"));
    let none = serde_json::from_value::<launches::LtiLaunch>(json!({"lti_message_type": "m", "lti_version": "v"}));
    assert_eq!(none.unwrap().user_id, None);
}

/// Computed by Python's hmac, base64 and urllib.parse.
#[tokio::test]
async fn an_app_asks_its_forum() {
    let ask = |forum| launches::discourse_login(forum, &KEYS[0].into(), "https://app.example/back?x=1&y=\u{fc}", "n1");
    let location = ask("https://forum.example");
    let expected = "https://forum.example/session/sso_provider?sso=bm9uY2U9bjEmcmV0dXJuX3Nzb191cmw9aHR0cHMlM0ElMkYlMkZhc\
                    HAuZXhhbXBsZSUyRmJhY2slM0Z4JTNEMSUyNnklM0QlQzMlQkM%3D&sig=\
                    4b152ddd8ead0ac8ff67f5dbecae288dbdda71c8b3eedc0e965574a3325d0894";
    assert_eq!(location, expected);
    assert_eq!(ask("https://x.example/forum/"), expected.replace("forum.example", "x.example/forum"));
    let asked = said(launches::discourse_provider::<DiscourseRequest>(), Launch::get(&location)).await;
    assert_eq!(asked, Ok(json!({"nonce": "n1", "return_sso_url": "https://app.example/back?x=1&y=\u{fc}"})));
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
    reads::<AccessUser>(json!({"sub": "u"}));
    reads::<launches::AlibabaLaunch>(json!({"instanceId": "1"}));
    reads::<AsanaCall>(json!({"user": "1"}));
    reads::<launches::AsanaPost>(json!({"user": "1"}));
    reads::<launches::EloquaCall>(json!({"InstallId": "i", "SiteId": "1", "UserId": "7"}));
    reads::<AppDirectEvent>(json!({"eventUrl": "https://market.example/api/integration/v1/events/7"}));
    reads::<BigCommerceStore>(json!({"user": {"id": 7, "email": "ada@example.com"}, "store_hash": "s"}));
    reads::<CanvaUser>(json!({"userId": "u", "brandId": "b"}));
    reads::<CanvasRequest>(json!({"context": {"user": {"userId": "u"}, "organization": {"organizationId": "o"}}}));
    reads::<ConnectUser>(json!({"iss": "client-key"}));
    reads::<ForgeCall>(json!({"app": {"id": "a", "installationId": "i"}}));
    reads::<FourthwallSupporter>(json!({"shop_id": "s", "supporter_id": "u", "tier_id": "t"}));
    reads::<HelpScoutFrame>(json!({}));
    reads::<HerokuResource>(json!({"id": "r"}));
    reads::<IapUser>(json!({"sub": "accounts.google.com:1"}));
    reads::<launches::JourneyCall>(json!({}));
    reads::<MarketplaceSignUp>(json!({"sub": "account"}));
    reads::<MeetingGuest>(json!({"fullName": "Ada", "meetingID": "m"}));
    let moderator = json!({"fullName": "Ada", "meetingID": "m", "password": "hunter2"});
    let moderator: MeetingGuest = serde_json::from_value(moderator).unwrap();
    assert!(!format!("{moderator:?}").contains("hunter2"), "{moderator:?}");
    reads::<MondayCall>(json!({"accountId": 1, "userId": 7}));
    reads::<launches::MondayView>(json!({"dat": {"account_id": 1, "user_id": 7}}));
    reads::<ShopwarePage>(json!({"shop-id": "1"}));
    reads::<ShopwareVisit>(json!({"iss": "shop"}));
    reads::<TrelloMember>(json!({"idMember": "m", "idPlugin": "p"}));
    reads::<ZendeskVisit>(json!({"iss": "acme.zendesk.com"}));
    reads::<HerokuUser>(json!({"resource_uuid": "r", "user_uuid": "u", "user_email": "ada@example.com"}));
    reads::<InstantGamesPlayer>(json!({"player_id": "p"}));
    reads::<ShopifyLaunch>(json!({"shop": "acme.myshopify.com"}));
    reads::<ShoplineLaunch>(json!({"handle": "acme"}));
    reads::<ShopwareRegistration>(json!({"shop-id": "1", "shop-url": "https://shop.example"}));
    reads::<ZoomContext>(json!({"uid": "u", "typ": "panel"}));
    reads::<FacebookUser>(json!({}));
}

/// Why a launch was refused, in words.
async fn why<F>(layer: Builder<F>, launch: Launch) -> String
where
    F: Served,
{
    let answer = App::new(layer.clock(clock()).build().unwrap()).send(launch.request()).await;
    assert_eq!(outcome(&answer), "rejected_claims");
    answer.extensions().get::<Rejection>().unwrap().reason().to_string()
}

/// By name, in each form: what is missing, and what is of another kind. Never by value.
#[tokio::test]
async fn a_refusal_names_the_field() {
    let tokens = |claims: Value| {
        let mut claims = claims;
        (claims["iat"], claims["exp"], claims["aud"]) = (NOW.into(), (NOW + 60).into(), "app".into());
        let token = JwtSigner::new(Algorithm::HS256, &KEYS[0].into()).unwrap().token(&claims).unwrap();
        let layer = launches::monday::<MondayCall>().audience("app").secrets([KEYS[0]]).replay(replay());
        why(layer, Launch::header("authorization", &token))
    };
    let payloads = |payload: Value| {
        let mut payload = payload;
        payload["signDate"] = "2023-11-14T22:13:20.000Z".into();
        let payload = base64url(payload.to_string());
        let mac = base64url(hmac_sha256(KEYS[0], &payload));
        let layer = launches::wix::<WixInstance>(Place::query("instance")).secrets([KEYS[0]]).replay(replay());
        why(layer, Launch::get(&format!("/?instance={mac}.{payload}")))
    };
    let pairs = |pairs: &str| {
        let layer = launches::telegram_login::<launches::TelegramUser>().secrets([KEYS[0]]).replay(replay());
        let hash = hex(&hmac_sha256(sha256(KEYS[0]), &format!("auth_date={NOW}\n{}", pairs.replace('&', "\n"))));
        why(layer, Launch::get(&format!("/?auth_date={NOW}&{pairs}&hash={hash}")))
    };
    let mini_app = |user: &str| {
        let hash = hex(&hmac_sha256(hmac_sha256("WebAppData", KEYS[0]), &format!("auth_date={NOW}\nuser={user}")));
        let layer = launches::telegram_mini_app::<MiniApp>(Place::header_after(AUTHORIZATION, "tma"));
        let data = format!("tma auth_date={NOW}&user={}&hash={hash}", user.replace('"', "%22"));
        why(layer.secrets([KEYS[0]]), Launch::header("authorization", &data))
    };
    let sealed = |payload: Value| {
        let mut payload = payload;
        payload["created_at"] = rfc3339(NOW).into();
        let layer = launches::shopify_multipass::<MultipassCustomer>().secrets([KEYS[0]]).replay(replay());
        why(layer, Launch::path(&format!("/login/{}", base64url(multipass(KEYS[0], &payload.to_string())))))
    };
    let lti = |fields: &'static [(&'static str, &'static str)]| {
        let link = OAuthLink::new("https://tool.example/launch", "acme", &KEYS[0].into());
        let form = link.issued_at(UnixTime::from_secs(NOW)).nonce("n").form(fields).unwrap();
        let layer = launches::lti11::<Lti>(Origin::new("https://tool.example")).secrets([KEYS[0]]).replay(replay());
        why(layer, Launch::form("/launch", &form))
    };
    const MESSAGE: (&str, &str) = ("lti_message_type", "secretly");
    for (said, field) in [
        (tokens(json!({"accountId": 1})).await, "userId"),
        (tokens(json!({"accountId": 1, "userId": "secretly"})).await, "userId"),
        (payloads(json!({"uid": "u"})).await, "instanceId"),
        (payloads(json!({"instanceId": ["secretly"]})).await, "instanceId"),
        (pairs("first_name=Ada&id=secretly").await, "id"),
        (mini_app(r#"{"id":"secretly"}"#).await, "user"),
        (sealed(json!({"first_name": "Ada"})).await, "email"),
        (sealed(json!({"email": {"secretly": 1}})).await, "email"),
        (lti(&[MESSAGE, ("lti_version", "LTI-1p0")]).await, "user_id"),
        (lti(&[MESSAGE, ("lti_version", "LTI-1p0"), ("user_id", "secretly")]).await, "user_id"),
    ] {
        assert!(said.contains(&format!("`{field}`")), "{field}: {said}");
        assert!(!said.contains("secretly"), "{said}");
    }
}

/// A launch that demands a number.
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "it is only read")]
struct Lti {
    user_id: u64,
}
