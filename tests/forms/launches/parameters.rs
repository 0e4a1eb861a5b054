//! Platforms that sign parameters.

use http::header::AUTHORIZATION;
use serde_json::Value;
use tower_sso::keys::MemoryKeys;
use tower_sso::providers::launches;
use tower_sso::scheme::{Encoding, Place, PublicKeyAlgorithm, TimeFormat};
use tower_sso::sign::SigningWebhook;
use tower_sso::tenant::Tenant;

use super::launch::Launch;
use super::presets::{DEFAULT, Preset, REUSABLE, Time};
use super::signers::{
    Signer, base64, base64url, challenge, cookie_of, escaped, given, hex, hmac_sha1, hmac_sha256, hmac_sha512, hosted,
    keys, md5, once, reusable, sha1, sha256,
};
use crate::senders::rfc3339;
use crate::support::clock;
use crate::support::pairs::ED25519;

fn hmac_hex(signer: Signer, text: &str) -> String {
    hex(&hmac_sha256(signer.text(), text))
}

/// A user as digits.
fn number(user: &str) -> usize {
    user.bytes().map(usize::from).sum()
}

fn shop(signer: Signer) -> String {
    format!("{}.myshopify.com", signer.name())
}

fn mini_app(signer: Signer, at: u64, user: &str) -> Launch {
    let key = hmac_sha256("WebAppData", signer.text());
    let hash = hex(&hmac_sha256(key, &format!("auth_date={at}\nquery_id=q\nuser={{\"id\":\"{user}\"}}")));
    let data = format!("query_id=q&user=%7B%22id%22%3A%22{user}%22%7D&auth_date={at}&hash={hash}");
    Launch::header("authorization", &format!("tma {data}")).at(signer.host())
}

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "asana_app_component",
        app: || once(hosted(launches::asana_app_component::<Value>())),
        launch: |signer, at, user| {
            let end = rfc3339(at + 60).replace(':', "%3A");
            let query = format!("workspace=1199&task=7&user={user}&expires_at={end}&locale=en-us");
            let launch = Launch::get(&format!("/widget?{query}"));
            launch.with_header("x-asana-request-signature", &hmac_hex(signer, &query)).at(signer.host())
        },
        time: Time::End,
        appended: Some("extra=1"),
        ..DEFAULT
    },
    Preset {
        name: "danger_alibaba",
        app: || once(launches::danger_alibaba::<Value>().keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let (instance, china) = (signer.name(), rfc3339(at + 8 * 3600).replace('T', " ").replace('Z', ""));
            let signed = format!("action=verify&instanceId={instance}&more={user} &timeStamp={china}");
            let token = hex(&md5(&format!("{signed}&key={}", signer.text())));
            Launch::get(&format!("/app?token={token}&{}", signed.replace(' ', "+")))
        },
        appended: Some("extra=1"),
        ..DEFAULT
    },
    Preset {
        name: "digitalocean",
        app: || once(hosted(launches::digitalocean::<Value>())),
        launch: |signer, at, user| {
            let token = hmac_hex(signer, &format!("{at}:{user}"));
            let form = format!("resource_uuid={user}&timestamp={at}&free_user_id=1&token={token}");
            Launch::form("/sso", &form).at(signer.host())
        },
        ..DEFAULT
    },
    Preset {
        name: "danger_heroku",
        app: || once(hosted(launches::danger_heroku::<Value>())),
        launch: |signer, at, user| {
            let token = hex(&sha256(&format!("r1:{}:{at}:{user}:{user}@example.com", signer.text())));
            let form = format!(
                "resource_uuid=r1&timestamp={at}&user_uuid={user}&user_email={user}@example.com&free_app=x\
                 &user_scoped_resource_token={token}"
            );
            Launch::form("/sso", &form).at(signer.host())
        },
        ..DEFAULT
    },
    Preset {
        name: "danger_heroku_v1",
        app: || once(hosted(launches::danger_heroku_v1::<Value>())),
        launch: |signer, at, user| {
            let token = hex(&sha1(&format!("{user}:{}:{at}", signer.text())));
            Launch::form("/sso", &format!("id={user}&timestamp={at}&free_nav-data=x&token={token}")).at(signer.host())
        },
        ..DEFAULT
    },
    Preset {
        name: "danger_bigbluebutton",
        app: || reusable(hosted(launches::danger_bigbluebutton::<Value>("join"))),
        launch: |signer, _, user| {
            let query = format!("fullName=Ada+L&meetingID=m%31&userID={user}");
            let checksum = hex(&sha1(&format!("join{query}{}", signer.text())));
            Launch::get(&format!("/api/join?{query}&checksum={checksum}")).at(signer.host())
        },
        time: Time::None,
        appended: Some("extra=1"),
        signs_requests: true,
        ..REUSABLE
    },
    Preset {
        name: "danger_help_scout",
        app: || reusable(hosted(launches::danger_help_scout::<Value>())),
        launch: |signer, _, user| {
            let json = format!(r#"{{"company-id":"1","user":"{user}"}}"#);
            let signature = escaped(&base64(hmac_sha1(signer.text(), &json)));
            Launch::get(&format!("/frame?company-id=1&user={user}&X-HelpScout-Signature={signature}")).at(signer.host())
        },
        time: Time::None,
        appended: Some("extra=1"),
        signs_requests: true,
        ..REUSABLE
    },
    Preset {
        name: "fourthwall",
        app: || once(hosted(launches::fourthwall::<Value>()).issued_at("timestamp", TimeFormat::Seconds)),
        launch: |signer, at, user| {
            let signed = format!("shop_id=s1&supporter_id={user}&tier_id=t1&timestamp={at}");
            let hmac = hex(&hmac_sha512(signer.text(), &signed));
            Launch::get(&format!("/page?free=1&{signed}&hmac={hmac}")).at(signer.host())
        },
        ..DEFAULT
    },
    Preset {
        name: "fourthwall_settings",
        app: || {
            let layer = launches::fourthwall_settings::<Value>("app_1").keys(keys("acme", "other"));
            once(layer.issued_at("timestamp", TimeFormat::Seconds))
        },
        launch: |signer, at, user| {
            let (at, shop) = (at - number(user) as u64 % 5, signer.name());
            let hmac = hmac_sha512(signer.text(), &format!("timestamp={at}&shop_id={shop}&app_id=app_1"));
            Launch::get(&format!("/settings?free=1&timestamp={at}&shop_id={shop}&hmac={}", escaped(&base64(hmac))))
        },
        ..DEFAULT
    },
    Preset {
        name: "max_mini_app",
        app: || {
            let place = Place::header_after(AUTHORIZATION, "tma");
            reusable(hosted(launches::max_mini_app::<Value>(place)))
        },
        launch: mini_app,
        appended: Some("extra=1"),
        ..REUSABLE
    },
    Preset {
        name: "shopify_install",
        app: || {
            let layer = launches::shopify_install::<Value>().challenge(challenge().clock(clock()));
            once(layer.keys(keys("acme.myshopify.com", "other.myshopify.com")))
        },
        launch: |signer, at, user| {
            let issued = given(challenge().for_tenant(shop(signer)), at);
            let signed = format!("code={user}&shop={}&state={}&timestamp={at}", shop(signer), issued.nonce());
            let launch = Launch::get(&format!("/granted?{signed}&hmac={}", hmac_hex(signer, &signed)));
            launch.with_header("cookie", &cookie_of(&issued))
        },
        appended: Some("extra=1"),
        ..DEFAULT
    },
    Preset {
        name: "shopify",
        app: || once(launches::shopify::<Value>().keys(keys("acme.myshopify.com", "other.myshopify.com"))),
        launch: |signer, at, user| {
            let signed = format!("host={user}%2Fadmin&shop={}&timestamp={at}", shop(signer));
            Launch::get(&format!("/app?{signed}&hmac={}", hmac_hex(signer, &signed)))
        },
        appended: Some("extra=1"),
        ..DEFAULT
    },
    Preset {
        name: "shopify_app_proxy",
        app: || {
            let layer = launches::shopify_app_proxy::<Value>();
            reusable(layer.keys(keys("acme.myshopify.com", "other.myshopify.com")))
        },
        launch: |signer, at, user| {
            let (shop, customer) = (shop(signer), number(user));
            let signed = format!("logged_in_customer_id={customer}path_prefix=/apps/xshop={shop}timestamp={at}z=1");
            Launch::get(&format!(
                "/proxy?z=1&shop={shop}&logged_in_customer_id={customer}&path_prefix=%2Fapps%2Fx&timestamp={at}\
                 &signature={}",
                hmac_hex(signer, &signed)
            ))
        },
        appended: Some("extra=1"),
        signs_requests: true,
        ..REUSABLE
    },
    Preset {
        name: "shopline",
        app: || once(launches::shopline::<Value>().keys(keys("acme", "other"))),
        launch: |signer, at, user| {
            let signed = format!("appkey=app&handle={}&lang={user}&timestamp={at}000", signer.name());
            Launch::get(&format!("/app?{signed}&sign={}", hmac_hex(signer, &signed)))
        },
        appended: Some("extra=1"),
        ..DEFAULT
    },
    Preset {
        name: "shopware",
        app: || {
            let layer = launches::shopware::<Value>().tenant_field("shop-id").keys(keys("acme", "other"));
            once(layer.danger_forgets_on_restart())
        },
        launch: |signer, at, user| {
            let signed = format!("timestamp={at}&shop-id={}&user={user}%2F1", signer.name());
            Launch::get(&format!("/page?{signed}&shopware-shop-signature={}", hmac_hex(signer, &signed)))
        },
        appended: Some("extra=1"),
        ..DEFAULT
    },
    Preset {
        name: "shopware_registration",
        app: || once(hosted(launches::shopware_registration::<Value>())),
        launch: |signer, at, user| {
            let signature = hmac_hex(signer, &format!("shop-id={user}&shop-url=https://a.example&timestamp={at}"));
            Launch::get(&format!("/register?shop-id={user}&shop-url=https%3A%2F%2Fa.example&timestamp={at}&free=1"))
                .with_header("shopware-app-signature", &signature)
                .at(signer.host())
        },
        ..DEFAULT
    },
    Preset {
        name: "telegram_login",
        app: || once(hosted(launches::telegram_login::<Value>())),
        launch: |signer, at, user| {
            let key = sha256(signer.text());
            let hash = hex(&hmac_sha256(key, &format!("auth_date={at}\nfirst_name=A & {user}\nid={user}")));
            Launch::get(&format!("/login?id={user}&first_name=A%20%26%20{user}&auth_date={at}&hash={hash}"))
                .at(signer.host())
        },
        appended: Some("extra=1"),
        ..DEFAULT
    },
    Preset {
        name: "telegram_mini_app",
        app: || {
            let place = Place::header_after(AUTHORIZATION, "tma");
            reusable(hosted(launches::telegram_mini_app::<Value>(place)))
        },
        launch: mini_app,
        appended: Some("extra=1"),
        ..REUSABLE
    },
    Preset {
        name: "telegram_mini_app_third_party",
        app: || {
            let place = Place::header_after(AUTHORIZATION, "tma");
            let layer = launches::telegram_mini_app_third_party::<Value>(12345, place).tenant(Tenant::host());
            let [one, two] = ED25519;
            reusable(layer.keys(MemoryKeys::new().with("acme.example", one.public).with("other.example", two.public)))
        },
        launch: |signer, at, user| {
            let [one, two] = ED25519;
            let key = if signer == Signer::Acme { one } else { two };
            let key = SigningWebhook::private_key(PublicKeyAlgorithm::Ed25519, &key.private()).unwrap();
            let lines = format!("12345:WebAppData\nauth_date={at}\nuser={{\"id\":\"{user}\"}}");
            let signature = key.encoding(Encoding::Base64Url).signature(&[lines.as_bytes()]);
            let data = format!("user=%7B%22id%22%3A%22{user}%22%7D&auth_date={at}&signature={signature}");
            Launch::header("authorization", &format!("tma {data}")).at(signer.host())
        },
        appended: Some("extra=1"),
        ..REUSABLE
    },
    Preset {
        name: "vk_mini_app",
        app: || once(hosted(launches::vk_mini_app::<Value>()).danger_forgets_on_restart()),
        launch: |signer, at, user| {
            let signed = format!("vk_app_id=1&vk_ref=&vk_ts={at}&vk_user_id={user}");
            let sign = base64url(hmac_sha256(signer.text(), &signed));
            Launch::get(&format!("/app?{signed}&free=1&sign={sign}")).at(signer.host())
        },
        appended: Some("vk_extra=1"),
        ..DEFAULT
    },
];
