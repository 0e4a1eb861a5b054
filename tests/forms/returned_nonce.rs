//! A nonce that one browser was given and that a partner's answer brings back: the same promises for each form.

use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::COOKIE;
use serde_json::Value;
use sha2::Sha256;
use tower_sso::challenge::{Challenge, Issued};
use tower_sso::clock::ManualClock;
use tower_sso::explain;
use tower_sso::jwt::{self, Algorithm, Jwt};
use tower_sso::keys::MemoryKeys;
use tower_sso::providers::launches;
use tower_sso::replay::MemoryReplay;
use tower_sso::scheme::{Place, TimeFormat};
use tower_sso::signed_parameters::{self, Join, Recipe, SignedParameters};
use tower_sso::signed_payload::{self, Layout, SignedPayload};
use tower_sso::{Builder, ConfigError};

use crate::support::subject::{get, refused};
use crate::support::{App, NOW, Request_, clock, outcome, replay};

const SECRET: &str = "a secret for nonces, which is long enough for HS256";

fn mac(text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What browsers were given.
fn challenge() -> Challenge {
    Challenge::new("__Host-sso").clock(clock())
}

/// What begins a login at this tenant.
fn challenge_for(tenant: Option<&'static str>) -> Challenge {
    match tenant {
        Some(tenant) => challenge().for_tenant(tenant),
        None => challenge(),
    }
}

/// Whom every answer names that names a tenant.
const SHOP: &str = "acme.myshopify.com";

/// A form that takes a nonce back.
struct Form {
    name: &'static str,
    /// At this time, with this store.
    app: fn(&ManualClock, &MemoryReplay) -> App,
    /// An answer with these nonces, signed this many seconds after the beginning.
    answer: fn(&[&str], u64, &str) -> Request_,
    /// How long after it was signed an answer is good, if it says when that was.
    own_age: Option<u64>,
    /// Whom an answer names as its tenant.
    tenant: Option<&'static str>,
}

fn jwt_with_nonce() -> Builder<Jwt<Value>> {
    jwt::layer(Algorithm::HS256).audience("app").leeway(Duration::ZERO).nonce_member("nonce").secrets([SECRET])
}

macro_rules! app {
    ($layer:expr, $clock:expr, $replay:expr) => {
        App::new($layer.challenge(challenge()).replay($replay.clone()).clock($clock.clone()).build().unwrap())
    };
}

const FORMS: [Form; 3] = [
    Form {
        name: "signed_payload",
        app: |clock, replay| app!(launches::discourse::<Value>().secrets([SECRET]), clock, replay),
        answer: |nonces, _, user| {
            let nonces: String = nonces.iter().map(|nonce| format!("nonce={nonce}&")).collect();
            let sso = BASE64_STANDARD.encode(format!("{nonces}external_id={user}"));
            get(&format!("/?sso={}&sig={}", sso.replace('+', "%2B").replace('=', "%3D"), hex(&mac(&sso))))
        },
        own_age: None,
        tenant: None,
    },
    Form {
        name: "signed_parameters",
        app: |clock, replay| app!(launches::shopify_install::<Value>().secrets([SECRET]), clock, replay),
        answer: |nonces, after, user| {
            let nonces: String = nonces.iter().map(|nonce| format!("&state={nonce}")).collect();
            let signed = format!("code={user}&shop=acme.myshopify.com{nonces}&timestamp={}", NOW + after);
            get(&format!("/?{signed}&hmac={}", hex(&mac(&signed))))
        },
        own_age: Some(90),
        tenant: Some(SHOP),
    },
    Form {
        name: "jwt",
        app: |clock, replay| app!(jwt_with_nonce(), clock, replay),
        answer: |nonces, after, user| {
            let nonces: String = nonces.iter().map(|nonce| format!(r#","nonce":"{nonce}""#)).collect();
            let (iat, exp) = (NOW + after, NOW + after + 90);
            let claims = format!(r#"{{"aud":"app","sub":"{user}","iat":{iat},"exp":{exp}{nonces}}}"#);
            let signed = [r#"{"alg":"HS256"}"#, &claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".");
            get(&format!("/?sso_jwt={signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac(&signed))))
        },
        own_age: Some(90),
        tenant: None,
    },
];

/// A browser.
struct Browser {
    nonce: String,
    cookie: http::HeaderValue,
}

impl Browser {
    fn from(issued: &Issued) -> Self {
        let cookie = issued.set_cookie().to_str().unwrap().split(';').next().unwrap();
        Self { nonce: issued.nonce().to_owned(), cookie: format!("a=1; {cookie}").parse().unwrap() }
    }

    fn begin(tenant: Option<&'static str>) -> Self {
        Self::from(&challenge_for(tenant).issue(&HeaderMap::new()).unwrap())
    }

    /// The same browser in another tab.
    fn other_tab(&self, tenant: Option<&'static str>) -> Self {
        let tab =
            Self::from(&challenge_for(tenant).issue(&HeaderMap::from_iter([(COOKIE, self.cookie.clone())])).unwrap());
        assert_eq!(tab.cookie, self.cookie);
        tab
    }

    fn brings(&self, mut request: Request_) -> Request_ {
        request.headers_mut().insert(COOKIE, self.cookie.clone());
        request
    }
}

fn at(seconds: u64) -> ManualClock {
    let clock = clock();
    clock.advance(Duration::from_secs(seconds));
    clock
}

#[tokio::test]
async fn an_answer_comes_back_to_the_browser_that_asked() {
    for Form { name, app, answer, tenant, .. } in FORMS {
        let app = app(&clock(), &replay());
        let (browser, stranger) = (Browser::begin(tenant), Browser::begin(tenant));
        let (nonce, tab) = (browser.nonce.as_str(), browser.other_tab(tenant));
        for (request, why) in [
            (answer(&[nonce], 0, "ada"), "no cookie: the victim of a forged login"),
            (stranger.brings(answer(&[nonce], 0, "ada")), "another browser"),
            (browser.brings(answer(&["cb68251eefb5211e58c00ff1395f0c0b"], 0, "ada")), "a nonce of somebody else's"),
            (browser.brings(answer(&[""], 0, "ada")), "an empty one"),
            (browser.brings(answer(&[], 0, "ada")), "none"),
            (browser.brings(answer(&[nonce, "x"], 0, "ada")), "two"),
            (browser.brings(answer(&[nonce, nonce], 0, "ada")), "two of a kind"),
        ] {
            assert_ne!(outcome(&app.send(request).await), "ok", "{name}: {why}");
        }
        let answered = outcome(&app.send(browser.brings(answer(&[nonce], 0, "ada"))).await);
        assert_eq!(answered, "ok", "{name}: refusals burn nothing");
        let again = outcome(&app.send(browser.brings(answer(&[nonce], 0, "bob"))).await);
        assert_eq!(again, "replayed", "{name}: another answer to it");
        assert_eq!(outcome(&app.send(tab.brings(answer(&[&tab.nonce], 0, "ada"))).await), "ok", "{name}: another tab");
    }
}

/// An app that compares the nonce itself finds exactly one to compare.
#[tokio::test]
async fn any_nonce_is_one_nonce() {
    macro_rules! taking_any {
        ($layer:expr) => {
            App::new($layer.danger_any_nonce().secrets([SECRET]).replay(replay()).clock(clock()).build().unwrap())
        };
    }
    let apps = [
        taking_any!(launches::discourse::<Value>().danger_forgets_on_restart()),
        taking_any!(launches::shopify_install::<Value>()),
        taking_any!(jwt_with_nonce()),
    ];
    for (app, Form { name, answer, .. }) in apps.iter().zip(FORMS) {
        for (nonces, why) in [(&[][..], "none"), (&[""], "an empty one"), (&["n", "m"], "two"), (&["n", "n"], "twice")]
        {
            assert_ne!(outcome(&app.send(answer(nonces, 0, "ada")).await), "ok", "{name}: {why}");
        }
        assert_eq!(outcome(&app.send(answer(&["n"], 0, "ada")).await), "ok", "{name}");
    }
}

/// An answer to the nonce of another partner, who asked this one with it.
#[tokio::test]
async fn a_nonce_is_of_use_at_its_partner_only() {
    for (made_for, expected) in [("app", "ok"), ("other", "invalid"), ("", "invalid")] {
        let layer = jwt_with_nonce().challenge(challenge().for_partner("app"));
        let app = App::new(layer.replay(replay()).clock(clock()).build().unwrap());
        let browser = Browser::from(&challenge().for_partner(made_for).issue(&HeaderMap::new()).unwrap());
        let answer = (FORMS[2].answer)(&[&browser.nonce], 0, "ada");
        assert_eq!(outcome(&app.send(browser.brings(answer)).await), expected, "{made_for:?}");
    }
}

/// A layer of several tenants: one that was given a nonce asks another one with it, and sends on the answer.
#[tokio::test]
async fn a_nonce_is_of_use_at_its_tenant_only() {
    const OTHER: &str = "the secret of another tenant, which is long enough";
    let keys = || MemoryKeys::new().with("acme", SECRET).with("other", OTHER);
    let signed = |secret: &str, text: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(text);
        mac.finalize().into_bytes().to_vec()
    };
    let claims = |tenant: &str, nonce: &str| {
        let (iat, exp) = (NOW, NOW + 90);
        format!(r#"{{"aud":"app","org":"{tenant}","iat":{iat},"exp":{exp},"n":"{nonce}"}}"#)
    };
    let payloads = |secret: &str, tenant: &str, nonce: &str| {
        let payload = BASE64_URL_SAFE_NO_PAD.encode(claims(tenant, nonce));
        get(&format!("/?t={payload}.{}", hex(&signed(secret, &payload))))
    };
    let pairs = |secret: &str, tenant: &str, nonce: &str| {
        let pairs = format!("n={nonce}&org={tenant}");
        get(&format!("/?{pairs}&signature={}", hex(&signed(secret, &pairs))))
    };
    let tokens = |secret: &str, tenant: &str, nonce: &str| {
        let token =
            [r#"{"alg":"HS256"}"#, &claims(tenant, nonce)].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".");
        get(&format!("/?sso_jwt={token}.{}", BASE64_URL_SAFE_NO_PAD.encode(signed(secret, &token))))
    };
    macro_rules! of_both {
        ($layer:expr) => {
            |challenge: Challenge| {
                let layer = $layer.nonce_member("n").challenge(challenge).keys(keys());
                App::new(layer.replay(replay()).clock(clock()).build().unwrap())
            }
        };
    }
    type Answer<'a> = &'a dyn Fn(&str, &str, &str) -> Request_;
    let forms: [(&str, &dyn Fn(Challenge) -> App, Answer<'_>); 3] = [
        ("signed_payload", &of_both!(payload().tenant_member("org")), &payloads),
        ("signed_parameters", &of_both!(parameters().tenant_field("org")), &pairs),
        ("jwt", &of_both!(token().tenant_claim("org")), &tokens),
    ];
    for (name, app, answer) in forms {
        for (made_for, of_layer, expected) in [
            (challenge().for_tenant("other"), challenge(), "ok"),
            (challenge().for_tenant("acme"), challenge(), "invalid"),
            (challenge(), challenge(), "invalid"),
            (challenge(), challenge().danger_for_any_tenant(), "ok"),
        ] {
            let browser = Browser::from(&made_for.issue(&HeaderMap::new()).unwrap());
            let request = browser.brings(answer(OTHER, "other", &browser.nonce));
            assert_eq!(outcome(&app(of_layer).send(request).await), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_nonce_is_valid_for_ten_minutes() {
    for Form { name, app, answer, own_age, tenant } in FORMS {
        for (began_ago, expected) in [(0, "ok"), (600, "ok"), (601, "expired")] {
            let (browser, time) = (Browser::begin(tenant), at(began_ago));
            let request = browser.brings(answer(&[&browser.nonce], began_ago, "ada"));
            assert_eq!(outcome(&app(&time, &replay()).send(request).await), expected, "{name}: after {began_ago} s");
        }
        // The answer's own time counts too.
        let Some(age) = own_age else { continue };
        let browser = Browser::begin(tenant);
        for (after, expected) in [(age + 1, "expired"), (age, "ok")] {
            let request = browser.brings(answer(&[&browser.nonce], 0, "ada"));
            assert_eq!(outcome(&app(&at(after), &replay()).send(request).await), expected, "{name}: {after} s old");
        }
    }
}

/// The answer itself is right, so no slip in how it was signed or written is the cause.
#[tokio::test]
async fn an_operator_is_told_what_is_wrong_with_a_nonce() {
    let (asked, browser) = (Browser::begin(None), Browser::begin(None));
    for (of_browser, expected) in [(false, "came without the cookie"), (true, "is not one that this browser")] {
        for Form { name, answer, .. } in [&FORMS[0], &FORMS[2]] {
            let answer = answer(&[&asked.nonce], 0, "ada");
            let (head, _) = if of_browser { browser.brings(answer) } else { answer }.into_parts();
            macro_rules! explained {
                ($layer:expr) => {{
                    let layer = $layer.challenge(challenge()).secrets([SECRET]).replay(replay()).clock(clock()).build();
                    explain::request(&layer.unwrap(), &head, &Bytes::new()).await
                }};
            }
            let said =
                if *name == "jwt" { explained!(jwt_with_nonce()) } else { explained!(launches::discourse::<Value>()) };
            assert!(said.cause().unwrap().contains(expected), "{name}: {said}");
        }
    }
}

/// The first answer is over and the nonce is not: a second answer to it is still the second.
#[tokio::test]
async fn a_used_nonce_outlives_the_answer_that_used_it() {
    for Form { name, app, answer, tenant, .. } in FORMS {
        let (store, browser, time) = (replay(), Browser::begin(tenant), clock());
        let app = app(&time, &store);
        assert_eq!(outcome(&app.send(browser.brings(answer(&[&browser.nonce], 0, "ada"))).await), "ok", "{name}");
        for after in [300, 600] {
            time.advance(Duration::from_secs(300));
            let request = browser.brings(answer(&[&browser.nonce], after, "ada"));
            assert_eq!(outcome(&app.send(request).await), "replayed", "{name}: after {after} s");
        }
    }
}

/// A login that began before the store did may have been used.
#[tokio::test]
async fn a_restart_spends_what_was_given_before() {
    for Form { name, app, answer, tenant, .. } in FORMS {
        let (browser, time) = (Browser::begin(tenant), at(30));
        let restarted = MemoryReplay::builder().clock(time.clone()).build();
        let request = browser.brings(answer(&[&browser.nonce], 30, "ada"));
        assert_eq!(outcome(&app(&time, &restarted).send(request).await), "replayed", "{name}");
    }
}

fn payload() -> Builder<SignedPayload<Value>> {
    signed_payload::layer(Layout::payload_first(Place::query("t"), "."))
}

fn parameters() -> Builder<SignedParameters<Value>> {
    signed_parameters::layer(Recipe::all(Join::pairs('&')))
}

fn token() -> Builder<Jwt<Value>> {
    jwt::layer(Algorithm::HS256).danger_any_audience()
}

#[test]
fn settings_that_do_not_build() {
    let host = || Challenge::new("__Host-sso");
    macro_rules! refuse {
        ($($layer:expr => $part:expr),+ $(,)?) => {
            $({
                let built: Result<(), ConfigError> = $layer.secrets([SECRET]).replay(replay()).build().map(drop);
                let problem = refused(built);
                assert!(problem.contains($part), "{}: {problem}", $part);
            })+
        };
    }
    macro_rules! refuse_for_each_form {
        ($($layer:ident),+) => {
            $(refuse! {
                $layer().nonce_member("n") => "`challenge` is not called",
                $layer().nonce_member("n").challenge(Challenge::new("sso")) => "`__Host-`",
                $layer().nonce_member("n").challenge(host().max_age(Duration::from_secs(3_601))) => "`max_age`",
                $layer().nonce_member("n").challenge(host()).danger_any_nonce() => "contradicts",
                $layer().nonce_member("").challenge(host()) => "has no name",
                $layer().challenge(host()) => "`nonce_member`",
                $layer().danger_any_nonce() => "`danger_any_nonce`",
            })+
        };
    }
    refuse_for_each_form!(payload, parameters, token);
    refuse! {
        payload().nonce_member("n").tenant_member("t").challenge(host().for_tenant("acme")) => "call `for_tenant` where",
        payload().nonce_member("n").challenge(host()).reusable() => "lets a nonce come back twice",
        payload().nonce_member("n").challenge(host()).danger_without_time() => "`danger_without_time`",
        payload().nonce_member("n").danger_any_nonce() => "forgets when the process ends",
        parameters().nonce_member("n").challenge(host()).reusable() => "lets a nonce come back twice",
        parameters().nonce_member("n").challenge(host()).danger_without_time() => "`danger_without_time`",
        parameters().nonce_member("n").danger_any_nonce() => "forgets when the process ends",
        parameters().nonce_member("signature").challenge(host()) => "is not signed",
        signed_parameters::layer::<Value>(Recipe::prefixed("vk_", Join::pairs('&'))).nonce_member("n").challenge(host())
            => "`nonce_member` is not signed",
        token().nonce_member("n").challenge(host()).danger_reusable() => "lets a nonce come back twice",
        token().nonce_member("n").challenge(host()).replay_by_id() => "`replay_by_id` has no effect",
        launches::discourse::<Value>() => "`challenge` is not called",
        launches::shopify_install::<Value>() => "`challenge` is not called",
        launches::lti13::<Value>().audience("tool") => "`challenge` is not called",
        launches::lti13::<Value>().audience("tool").challenge(host()) => "`for_form_posts`",
    }
}

/// With a time of its own and a nonce, or with either.
#[test]
fn settings_that_build() {
    for layer in [
        payload().nonce_member("n").challenge(challenge()),
        payload().nonce_member("n").challenge(challenge()).issued_at("iat", TimeFormat::Seconds),
        payload().nonce_member("n").danger_any_nonce().issued_at("iat", TimeFormat::Seconds),
    ] {
        assert!(layer.secrets([SECRET]).replay(replay()).build().is_ok());
    }
}
