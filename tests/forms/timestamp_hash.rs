//! What is special about the timestamp hash form.

use serde_json::Value;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::providers::lcvista;
use tower_sso::sign::HashedLink;
use tower_sso::tenant::Tenant;
use tower_sso::timestamp_hash::{self, Digest, Plus, Recipe};

use crate::support::subject::{get, refused};
use crate::support::{App, NOW, Seen, clock, outcome, replay, seen};

const SECRET: &str = "lcv-secret";

fn app_with(plus: Plus) -> App {
    let keys = MemoryKeys::new().with("rainier", SECRET);
    App::new(lcvista::sso(keys).plus(plus).replay(replay()).clock(clock()).build().unwrap())
}

fn hash_of(timestamp: &str, email: &str, slug: &str) -> String {
    let link = HashedLink::new("/sso/oauth/", lcvista::recipe(), &SECRET.into()).uri(&[timestamp, email, slug]);
    link.rsplit_once("hash=").unwrap().1.to_owned()
}

/// A link as the sample code prints it: nothing is encoded.
fn link(timestamp: &str, email: &str) -> String {
    let hash = hash_of(timestamp, email, "rainier");
    format!("/sso/oauth/?timestamp={timestamp}&email={email}&slug=rainier&hash={hash}&next=%2F")
}

async fn send(uri: &str) -> &'static str {
    outcome(&app_with(Plus::default()).send(get(uri)).await)
}

/// Made by the vendor's sample code, in Python: `urlencode` of these four and `hmac.new(key, b'', hashlib.sha1)`.
#[test]
fn the_hash_is_the_samples() {
    for (email, expected) in [
        ("admin@lcvista.com", "523392ec169997e498cda35bb4f79c437fbd60f0"),
        ("o'brien+x~y z@exämple.com", "3726040482b4d2cc99baada873d97ccd0ae8c357"),
    ] {
        assert_eq!(hash_of("1700000000.123456", email, "rainier"), expected);
    }
}

#[tokio::test]
async fn timestamps_are_hashed_as_received() {
    for (timestamp, expected) in [
        ("1700000000", "ok"),
        ("1700000000.0", "ok"),
        ("1700000000.123456", "ok"),
        ("1699999970", "ok"),
        ("1699999970.0", "ok"),
        ("1699999969.999999", "expired"),
        ("1700000005", "ok"),
        ("1700000005.000001", "not_yet_valid"),
        ("1700000029", "not_yet_valid"),
        ("1700003600", "not_yet_valid"),
        ("1700000000000", "not_yet_valid"),
        ("-1.0", "malformed"),
        ("nan", "malformed"),
        ("inf", "malformed"),
        ("1.700000000e9", "malformed"),
        ("1.700000000e%2B09", "malformed"),
        ("%2B1700000000", "malformed"),
        ("01700000000", "malformed"),
        ("1700000000,5", "malformed"),
        ("1700000000x", "malformed"),
        ("", "malformed"),
    ] {
        assert_eq!(send(&link(timestamp, "admin@lcvista.com")).await, expected, "{timestamp}");
    }
    // The same instant in another spelling is another text.
    let other = link("1700000000.5", "a@b.c").replace("1700000000.5", "1700000000.50");
    assert_eq!(send(&other).await, "invalid");
}

#[tokio::test]
async fn fields_are_read_strictly() {
    let now = NOW.to_string();
    let good = link(&now, "admin@lcvista.com");
    for (uri, expected, why) in [
        (good.clone(), "ok", "as printed"),
        (good.replace("email=admin@", "email=admin%40"), "ok", "a browser may encode"),
        (good.replace("&next=%2F", ""), "ok", "next is optional, and not signed"),
        (good.replace("next=%2F", "next=%2F%2Fevil"), "ok", "a bad next does not stop the sign-in"),
        (link(&now, "o'brien@example.com"), "ok", "an apostrophe"),
        (link(&now, "a~b@example.com"), "ok", "a tilde"),
        (
            link(&now, "zo%C3%AB@example.com").replace(
                &hash_of(&now, "zo%C3%AB@example.com", "rainier"),
                &hash_of(&now, "zoë@example.com", "rainier"),
            ),
            "ok",
            "UTF-8",
        ),
        (good.replace("admin@", "root@"), "invalid", "another user"),
        (good.replace("admin@", "Admin@"), "invalid", "case counts"),
        (good.replace("slug=rainier", "slug=Rainier"), "invalid", "case counts"),
        (good.replace("slug=rainier", "slug=other"), "invalid", "another organisation"),
        (good.replace("slug=rainier", "slug="), "malformed", "no organisation"),
        (link(&now, ""), "malformed", "no email"),
        (format!("{good}&email=root@lcvista.com"), "malformed", "two emails"),
        (link(&now, "a@b.c&slug=x"), "malformed", "an ambiguous join"),
        (good.replace("email=admin", "email=%00admin"), "malformed", "NUL"),
        (good.replace("email=admin", "email=%FFadmin"), "malformed", "no UTF-8"),
        (good.replace("email=admin", "email=%adm"), "malformed", "a bad escape"),
        (good.replace("timestamp=", "ts="), "malformed", "no timestamp"),
    ] {
        assert_eq!(send(&uri).await, expected, "{why}: {uri}");
    }
}

#[tokio::test]
async fn a_raw_plus_is_what_the_hash_was_made_of() {
    let now = NOW.to_string();
    let (raw, encoded) = (link(&now, "a+b@example.com"), link(&now, "a+b@example.com").replace("a+b", "a%2Bb"));
    let space = link(&now, "a b@example.com").replace("a b", "a+b");
    for (plus, uri, expected) in [
        (Plus::Either, &raw, "ok"),
        (Plus::Either, &encoded, "ok"),
        (Plus::Either, &space, "ok"),
        (Plus::Literal, &raw, "ok"),
        (Plus::Literal, &encoded, "ok"),
        (Plus::Literal, &space, "invalid"),
        (Plus::Space, &raw, "invalid"),
        (Plus::Space, &encoded, "ok"),
        (Plus::Space, &space, "ok"),
    ] {
        assert_eq!(outcome(&app_with(plus).send(get(uri)).await), expected, "{plus:?}: {uri}");
    }
    // Two spellings of one link are one login.
    let app = app_with(Plus::Either);
    assert_eq!(outcome(&app.send(get(&raw)).await), "ok");
    assert_eq!(outcome(&app.send(get(&encoded)).await), "replayed");
    let answer = app_with(Plus::Either).send(get(&raw)).await;
    assert_eq!(seen(&answer).uri, "/sso/oauth/?next=%2F");
}

#[tokio::test]
async fn the_hash_is_one_login_in_either_case() {
    let app = app_with(Plus::default());
    let hash = hash_of("1700000000", "admin@lcvista.com", "rainier");
    let uri = |hash: &str| format!("/sso/oauth/?timestamp=1700000000&email=admin@lcvista.com&slug=rainier&hash={hash}");
    assert_eq!(outcome(&app.send(get(&uri(&hash.to_uppercase()))).await), "ok");
    let escaped = format!("%{:02x}{}", hash.as_bytes()[0], &hash[1..]);
    for again in [&hash, &hash.to_uppercase(), &escaped] {
        assert_eq!(outcome(&app.send(get(&uri(again))).await), "replayed", "{again}");
    }
    for (bad, why) in [
        (&hash[..38], "a byte less"),
        (&format!("{hash}00"), "a byte more"),
        (&format!("{hash}0"), "half a byte more"),
        (&hash.replacen(|_| true, "g", 1), "no hexadecimal"),
        ("", "empty"),
    ] {
        assert_eq!(outcome(&app.send(get(&uri(bad))).await), "malformed", "{why}");
    }
}

/// The key lookup uses the tenant that was hashed, however it is spelled.
#[tokio::test]
async fn a_slug_is_read_as_it_was_hashed() {
    let encode = |text: &str| form_urlencoded(text, "%20");
    let uri = |email: &str, slug: &str, hash: &str| {
        format!("/sso/oauth/?timestamp=1700000000&email={email}&slug={slug}&hash={hash}")
    };
    let long = "x".repeat(255);
    for slug in ["rainier", "Räinier & Söhne", "a+b", "a b", "50%", "a/b?c#d=e&f", "~_.-!*'()", "\u{1f3d4}", &long] {
        let app = |plus| {
            let layer = lcvista::sso(MemoryKeys::new().with(slug, SECRET)).plus(plus).replay(replay());
            App::new(layer.clock(clock()).build().unwrap())
        };
        let uri = uri("a@b.c", &encode(slug), &hash_of("1700000000", "a@b.c", slug));
        for plus in [Plus::Space, Plus::Literal, Plus::Either] {
            let answer = app(plus).send(get(&uri)).await;
            assert_eq!(outcome(&answer), "ok", "{plus:?} {uri}");
            assert_eq!(seen(&answer).tenant.as_deref(), Some(slug));
        }
    }
    // Two organisations whose slugs read the same in the link: neither can sign for the other.
    let of = |text: &str, secret: &str| {
        let link = HashedLink::new("/", lcvista::recipe(), &secret.into()).uri(&["1700000000", "a@b.c", text]);
        link.rsplit_once("hash=").unwrap().1.to_owned()
    };
    for (plus, hashed, secret, expected) in [
        (Plus::Space, "a b", "space", Some("a b")),
        (Plus::Space, "a+b", "plus", None),
        (Plus::Literal, "a+b", "plus", Some("a+b")),
        (Plus::Literal, "a b", "space", None),
        (Plus::Literal, "a+b", "space", None),
        (Plus::Either, "a b", "space", Some("a b")),
        (Plus::Either, "a+b", "space", None),
        (Plus::Either, "a b", "plus", None),
    ] {
        let keys = MemoryKeys::new().with("a b", Secret::verbatim("space")).with("a+b", Secret::verbatim("plus"));
        let app = App::new(lcvista::sso(keys).plus(plus).replay(replay()).clock(clock()).build().unwrap());
        let answer = app.send(get(&uri("a@b.c", "a+b", &of(hashed, secret)))).await;
        let tenant = answer.extensions().get::<Seen>().and_then(|seen| seen.tenant.clone());
        assert_eq!(tenant.as_deref(), expected, "{plus:?}: {hashed:?} hashed with the secret of {secret:?}");
    }
    let too_long = uri("a@b.c", &"x".repeat(256), &"0".repeat(40));
    assert_eq!(send(&too_long).await, "malformed", "no tenant's name is that long");
    assert_eq!(send(&uri(&"x".repeat(1_025), "rainier", &"0".repeat(40))).await, "malformed", "nor an email");
    assert_eq!(
        send(&uri(&"x".repeat(1_024), "rainier", &"0".repeat(40))).await,
        "invalid",
        "this is as long as it may be"
    );
}

fn form_urlencoded(text: &str, space: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', space)
}

#[tokio::test]
async fn the_cousins() {
    let now = NOW.to_string();
    for recipe in [
        Recipe::hmac(Digest::Sha256, ["email", "timestamp"], "|"),
        Recipe::hmac(Digest::Sha512, ["timestamp", "email", "name"], "\n"),
        Recipe::digest_with_secret_last(Digest::Sha384, ["email", "timestamp"], ":"),
        Recipe::form_as_key(Digest::Sha256, ["email", "timestamp"], "key"),
    ] {
        let layer = timestamp_hash::layer::<Value>(recipe.clone()).secrets([SECRET]).replay(replay()).clock(clock());
        let app = App::new(layer.build().unwrap());
        let timestamp_first = format!("{recipe:?}").find("timestamp") < format!("{recipe:?}").find("email");
        let values = if timestamp_first { [now.as_str(), "a@b.c", "Ada"] } else { ["a@b.c", now.as_str(), "Ada"] };
        let uri = HashedLink::new("/", recipe.clone(), &SECRET.into()).uri(&values);
        assert_eq!(outcome(&app.send(get(&uri.replace("a%40b.c", "x%40b.c"))).await), "invalid", "{recipe:?}");
        assert_eq!(outcome(&app.send(get(&uri)).await), "ok", "{recipe:?}");
        // Values that could shift the border between two fields are refused.
        if !matches!(format!("{recipe:?}").as_str(), form if form.contains("FormAsKey")) {
            for (escaped, separator) in [("%7C", "|"), ("%0A", "\n"), ("%3A", ":")] {
                let moved = uri.replace("a%40b.c", &format!("a{escaped}b"));
                let expected =
                    if format!("{recipe:?}").contains(&format!("{separator:?}")) { "malformed" } else { "invalid" };
                assert_eq!(outcome(&app.send(get(&moved)).await), expected, "{recipe:?} {escaped}");
            }
        }
    }
}

#[test]
fn unsafe_settings_do_not_build() {
    let build = |recipe| timestamp_hash::layer::<Value>(recipe).secrets([SECRET]).replay(replay()).build();
    for (built, expected) in [
        (build(Recipe::hmac(Digest::Sha256, ["email"], "|")), "does not hash the timestamp"),
        (build(Recipe::hmac(Digest::Sha256, ["timestamp"], "|")), "nothing but the timestamp"),
        (
            timestamp_hash::layer::<Value>(Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|"))
                .tenant_field("org")
                .secrets([SECRET])
                .replay(replay())
                .build(),
            "tenant_field",
        ),
        (
            timestamp_hash::layer::<Value>(lcvista::recipe())
                .hash_parameter("")
                .secrets([SECRET])
                .replay(replay())
                .build(),
            "hash_parameter",
        ),
        (build(Recipe::hmac(Digest::Sha256, ["timestamp", "email", "email"], "|")), "twice"),
        (build(Recipe::hmac(Digest::Sha256, ["timestamp", ""], "|")), "a field without a name"),
        (
            timestamp_hash::layer::<Value>(lcvista::recipe())
                .tenant(Tenant::query(""))
                .keys(MemoryKeys::new().with("acme", SECRET))
                .replay(replay())
                .build(),
            "a query parameter without a name",
        ),
        (build(Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "")), "without a separator"),
        (build(Recipe::digest_with_secret_last(Digest::Sha256, ["timestamp", "email"], "")), "without a separator"),
        (build(Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "||")), "overlaps itself"),
        (build(Recipe::digest_with_secret_last(Digest::Sha256, ["timestamp", "email"], "-:-")), "overlaps itself"),
        (
            timestamp_hash::layer::<Value>(Recipe::hmac(Digest::Sha256, ["timestamp", "email", "org"], "|"))
                .tenant(Tenant::query("org"))
                .keys(MemoryKeys::new().with("a b", SECRET))
                .replay(replay())
                .build(),
            "call `tenant_field`",
        ),
        (
            timestamp_hash::layer::<Value>(Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|"))
                .hash_parameter("email")
                .secrets([SECRET])
                .replay(replay())
                .build(),
            "cannot hash itself",
        ),
    ] {
        let said = refused(built);
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
    }
}
