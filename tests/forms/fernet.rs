//! What is special about the Fernet form.

use serde_json::{Value, json};
use tower_sso::clock::UnixTime;
use tower_sso::fernet;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::sign::FernetLink;

use crate::support::subject::{FernetSubject, Subject, get, refused};
use crate::support::{Answer, App, NOW, clock, outcome, reason, replay, secs, seen};

fn key() -> Secret {
    FernetSubject::key(0)
}

fn keys() -> MemoryKeys {
    MemoryKeys::new().with("4321", key())
}

fn app() -> App {
    App::new(fernet::layer::<Value>().keys(keys()).replay(replay()).clock(clock()).build().unwrap())
}

fn link() -> FernetLink {
    FernetLink::new("/sso", "4321", &key()).issued_at(UnixTime::from_secs(NOW))
}

async fn content(text: &str) -> Answer {
    let token = link().token(text.as_bytes()).unwrap();
    app().send(get(&format!("/sso?company_id=4321&token={token}"))).await
}

#[tokio::test]
async fn padding_may_be_raw_escaped_or_absent_and_nothing_between() {
    // 98 bytes of token need one padding character in one of these two contents, and two in the other.
    for text in ["{}", r#"{"a":"0123456789abcdef"}"#] {
        let token = link().token(text.as_bytes()).unwrap();
        let bare = token.trim_end_matches('=').to_owned();
        let owed = token.len() - bare.len();
        for (padding, expected) in [
            ("=".repeat(owed), "ok"),
            ("%3D".repeat(owed), "ok"),
            ("%3d".repeat(owed), "ok"),
            (String::new(), "ok"),
            ("=".repeat(owed + 1), "malformed"),
            ("=".repeat(owed + 4), "malformed"),
            ("=".repeat(owed.saturating_sub(1)), if owed > 1 { "malformed" } else { "ok" }),
        ] {
            let answer = app().send(get(&format!("/sso?company_id=4321&token={bare}{padding}"))).await;
            assert_eq!(outcome(&answer), expected, "{text} with {padding:?} of {owed}");
        }
    }
}

#[tokio::test]
async fn structure_is_checked_before_anything_else() {
    let token = link().token(b"{}").unwrap();
    let company = "company_id=4321";
    let long = format!("{token}{}", "A".repeat(8 * 1024));
    for (query, why) in [
        (format!("{company}&token="), "empty"),
        (format!("{company}&token"), "no value"),
        (company.to_owned(), "no token"),
        (format!("token={token}"), "no company"),
        (format!("company_id=&token={token}"), "an empty company"),
        (format!("{company}&company_id=4322&token={token}"), "two companies"),
        (format!("{company}&token={token}&token={token}"), "two tokens"),
        (format!("{company}&token={token}&%74oken={token}"), "two tokens, one in disguise"),
        (format!("{company}&token={token}%00"), "NUL"),
        (format!("{company}&token={token}%FF"), "no UTF-8"),
        (format!("{company}&token={token}%"), "a bad escape"),
        (format!("company_id=43%2&token={token}"), "a bad escape in the company"),
        (format!("company_id={}&token={token}", "4".repeat(256)), "a company that is too long"),
        (format!("{company}&token=+{token}"), "a space"),
        (format!("{company}&token={}", token.replace('-', "%2B").replace("gAAAA", "gAAA/")), "the other alphabet"),
        (format!("{company}&token={}", &token[..96]), "too short"),
        (format!("{company}&token={}", token.replacen("gAAAA", "gQAAA", 1)), "another version"),
        (format!("{company}&token={long}"), "too long"),
        (format!("{company}&token={}AAAA", token.trim_end_matches('=')), "no whole block"),
    ] {
        let answer = app().send(get(&format!("/sso?{query}"))).await;
        assert_eq!(outcome(&answer), "malformed", "{why}");
    }
}

#[tokio::test]
async fn an_8_kib_token_is_read_and_one_character_more_is_not() {
    // A token's length goes in steps of 64/3 characters; these two contents are the last below and the first above.
    let padded = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length));
    let (mut accepted, mut refused) = (0, 0);
    for length in (5_900..6_200).step_by(16) {
        let token = link().token(padded(length).as_bytes()).unwrap();
        let answer = app().send(get(&format!("/sso?company_id=4321&token={token}"))).await;
        let fits = token.len() <= 8 * 1024;
        assert_eq!(outcome(&answer), if fits { "ok" } else { "malformed" }, "{} characters", token.len());
        if fits { accepted += 1 } else { refused += 1 }
    }
    assert!(accepted > 0 && refused > 0);
}

#[tokio::test]
async fn no_timestamp_overflows() {
    for (issued_at, expected) in [
        (0, "expired"),
        (u64::MAX, "not_yet_valid"),
        (u64::MAX - 60, "not_yet_valid"),
        (1 << 63, "not_yet_valid"),
        (i64::MAX as u64 / 1_000_000_000, "not_yet_valid"),
    ] {
        let token = token_at(issued_at);
        let answer = app().send(get(&format!("/sso?company_id=4321&token={token}"))).await;
        assert_eq!(outcome(&answer), expected, "{issued_at}");

        // With a wrong MAC, the same eight bytes are not read as a time.
        let answer = app().send(get(&format!("/sso?company_id=4321&token={}", forged(&token)))).await;
        assert_eq!(outcome(&answer), "invalid", "{issued_at}");
    }
}

/// A token with any timestamp, made by the library itself.
fn token_at(issued_at: u64) -> String {
    let fernet = ::fernet::Fernet::new(std::str::from_utf8(key().expose()).unwrap()).unwrap();
    fernet.encrypt_at_time(b"{}", issued_at)
}

fn forged(token: &str) -> String {
    let at = token.len() - 20;
    let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}

#[tokio::test]
async fn the_content_is_an_object_read_strictly() {
    for (text, expected, why) in [
        ("{}", "ok", "an empty object"),
        (r#"{"unknown":{"a":[1]}}"#, "ok", "fields that are not known"),
        ("[]", "bad_payload", "an array"),
        ("null", "bad_payload", "null"),
        ("hello", "bad_payload", "text"),
        ("", "bad_payload", "nothing"),
        (r#"{"id":1,"id":2}"#, "bad_payload", "a name twice"),
        (r#"{"a":{"b":1,"b":2}}"#, "bad_payload", "a name twice, deeper"),
        (r#"{"id":1}{}"#, "bad_payload", "something after it"),
        (r#"{"ts":1700000000}"#, "ok", "the time of the token"),
        (r#"{"ts":1700000000.75}"#, "ok", "a fraction"),
        (r#"{"ts":1699999940}"#, "ok", "60 s old"),
        (r#"{"ts":1699999939}"#, "expired", "61 s old"),
        (r#"{"ts":1700000060}"#, "ok", "60 s ahead"),
        (r#"{"ts":1700000061}"#, "not_yet_valid", "61 s ahead"),
        (r#"{"ts":1e300}"#, "not_yet_valid", "far ahead"),
        (r#"{"ts":-1e300}"#, "expired", "far behind"),
        (r#"{"ts":"1700000000"}"#, "bad_payload", "text"),
        (r#"{"ts":null}"#, "bad_payload", "null"),
        (r#"{"ts":true}"#, "bad_payload", "a truth value"),
        (r#"{"ts":1e400}"#, "bad_payload", "beyond any number"),
    ] {
        let answer = content(text).await;
        assert_eq!(reason(&answer), expected, "{text}: {why}");
        assert!(answer.status().as_u16() < 500);
    }
}

#[tokio::test]
async fn a_refused_content_uses_nothing_up() {
    // Once the application is fixed, the same link works.
    let token = link().token(br#"{"id":1}"#).unwrap();
    let request = get(&format!("/sso?company_id=4321&token={token}"));
    let store = replay();
    let layer = || fernet::layer::<Value>().keys(keys()).replay(store.clone()).clock(clock());
    let strict = App::new(layer().require(["email"]).build().unwrap());
    assert_eq!(reason(&strict.send(request.clone()).await), "missing_field");
    let mended = App::new(layer().build().unwrap());
    assert_eq!(outcome(&mended.send(request).await), "ok");
}

#[tokio::test]
async fn the_application_may_refuse_or_replace_the_claims() {
    use tower_sso::rejection::RefusedClaims;
    let layer = fernet::layer::<Value>().keys(keys()).replay(replay()).clock(clock()).map_claims(|claims| {
        match claims["rt"].as_str() {
            Some("Contractor") => Ok("a tutor"),
            _ => Err(RefusedClaims::new("not a tutor")),
        }
    });
    // The form's own settings may come after it.
    let app = App::new(layer.token_parameter("token").max_age(secs(30)).build().unwrap());
    for (role, expected) in [("Contractor", "ok"), ("Client", "refused_by_application")] {
        let token = link().token(json!({"rt": role}).to_string().as_bytes()).unwrap();
        let answer = app.send(get(&format!("/sso?company_id=4321&token={token}"))).await;
        assert_eq!(reason(&answer), expected);
        if expected == "ok" {
            assert!(seen(&answer).identified);
        }
    }
}

#[tokio::test]
async fn windows_and_names_can_be_set() {
    let layer = fernet::layer::<Value>()
        .tenant(tower_sso::tenant::Tenant::path_segment(0))
        .token_parameter("t")
        .max_age(secs(10))
        .clock_skew(secs(0))
        .no_timestamp_claim()
        .keys(keys())
        .replay(replay())
        .clock(clock());
    let app = App::new(layer.build().unwrap());
    for (age, expected) in [(10, "ok"), (11, "expired"), (-1, "not_yet_valid")] {
        let issued_at = UnixTime::from_secs((NOW as i64 - age) as u64);
        let token = link().issued_at(issued_at).token(br#"{"ts":"any"}"#).unwrap();
        let answer = app.send(get(&format!("/4321/sso?t={token}&company_id=9"))).await;
        assert_eq!(outcome(&answer), expected, "{age} s old");
        if expected == "ok" {
            assert_eq!(seen(&answer).uri, "/4321/sso?company_id=9", "that parameter is not this layer's");
        }
    }
}

#[tokio::test]
async fn an_unusable_key_in_the_store_is_not_the_users_fault() {
    // An unusable key fails the build. Found later, it lets nobody in, and the partner is told to retry.
    let late = MemoryKeys::new().with("0", key());
    let layer = fernet::layer::<Value>().keys(late.clone()).replay(replay()).clock(clock()).build().unwrap();
    let app = App::new(layer);
    for bad in [
        "short",
        "",
        " ",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
    ] {
        late.set("4321", Secret::new(bad).into());
        let token = link().token(b"{}").unwrap();
        let answer = app.send(get(&format!("/sso?company_id=4321&token={token}"))).await;
        assert_eq!((outcome(&answer), reason(&answer)), ("unavailable", "unusable_key"), "{bad:?}");
    }
}

#[test]
fn unsafe_settings_do_not_build() {
    let bare = || fernet::layer::<Value>().replay(replay());
    let start = || bare().tenant(tower_sso::tenant::Tenant::fixed("acme"));
    for (built, expected) in [
        (start().build(), "no keys"),
        (start().secrets([""; 0]).build(), "no keys"),
        (start().secrets([""]).build(), "is empty"),
        (start().secrets(["  "]).build(), "is blank"),
        (start().secrets(["not a key"]).build(), "is not a Fernet key"),
        (start().secrets([key(), Secret::new("x")]).build(), "is not a Fernet key"),
        (start().keys(MemoryKeys::new().with("a", "x")).build(), "is not a Fernet key"),
        (start().secrets([key()]).token_parameter("").build(), "token_in"),
        (start().secrets([key()]).max_token_length(97).build(), "max_token_length"),
        (start().secrets([key()]).methods([]).build(), "no methods"),
        (start().secrets([key()]).methods([http::Method::HEAD]).build(), "HEAD"),
        (start().secrets([key()]).store_timeout(secs(0)).build(), "store_timeout"),
        (bare().secrets([key()]).build(), "all tenants have the same keys"),
        (
            fernet::layer::<Value>().tenant(tower_sso::tenant::Tenant::fixed("acme")).secrets([key()]).build(),
            "no replay store",
        ),
    ] {
        let said = refused(built);
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
    }
}

#[tokio::test]
async fn a_token_is_found_where_it_is_set() {
    use tower_sso::scheme::Place;

    let token = link().token(b"{}").unwrap();
    let layer = || fernet::layer::<Value>().keys(keys()).replay(replay()).clock(clock());
    let request = |headers: &[(&str, &str)]| {
        let mut request = get("/sso?company_id=4321");
        for (name, value) in headers {
            request.headers_mut().append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        request
    };
    let (bearer, cookie) = (format!("Bearer {token}"), format!("a=1; sso={token}"));
    let (bearer, cookie) = (("authorization", bearer.as_str()), ("cookie", cookie.as_str()));
    for (headers, expected, why) in [
        (&[bearer][..], "ok", "a header"),
        (&[cookie], "ok", "a cookie"),
        (&[cookie, bearer], "malformed", "both"),
        (&[], "malformed", "neither"),
    ] {
        let app = App::new(layer().token_in(Place::bearer()).or_in(Place::cookie("sso")).build().unwrap());
        assert_eq!(outcome(&app.send(request(headers)).await), expected, "{why}");
        if expected == "ok" {
            assert_eq!(outcome(&app.send(request(headers)).await), "replayed", "{why}");
        }
    }
}
