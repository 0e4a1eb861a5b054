//! What is special about the signed parameters form.

mod platforms;

use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::Full;
use serde_json::Value;
use sha2::Sha256;
use tower_sso::scheme::{Digest, Encoding, Place, TimeFormat};
use tower_sso::signed_parameters::{self, Join, Order, Recipe, Repeated, SignedParameters, Source, Text};
use tower_sso::{Builder, ConfigError, Identity};

use crate::support::subject::{get, refused};
use crate::support::{App, NOW, Request_, clock, outcome, replay};

const SECRET: &str = "parameter-secret-0123456789";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac_with(secret: &str, text: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(text);
    hex(&mac.finalize().into_bytes())
}

fn mac(text: &str) -> String {
    mac_with(SECRET, text)
}

fn layer(recipe: Recipe) -> Builder<SignedParameters<Value>> {
    signed_parameters::layer(recipe).danger_without_time().danger_forgets_on_restart()
}

fn app(layer: Builder<SignedParameters<Value>>) -> App {
    App::new(layer.secrets([SECRET]).replay(replay()).clock(clock()).build().unwrap())
}

async fn send(app: &App, uri: &str) -> &'static str {
    outcome(&app.send(get(uri)).await)
}

/// Each row: a recipe, the query without its signature, what is signed, and what comes of it.
#[tokio::test]
async fn texts_as_partners_write_them() {
    let (and, lf) = (|| Recipe::all(Join::pairs('&')), || Recipe::all(Join::pairs('\n')));
    let listed = |join| Recipe::listed(["b", "a"], join);
    let bare = || Recipe::all(Join::pairs_without_separator());
    let brackets = || and().order(Order::Names).text(Text::Encoded).repeated(Repeated::Brackets);
    for (recipe, query, signed, expected, why) in [
        (and(), "b=2&a=1+%2B", "a=1 +&b=2", "ok", "decoded and sorted"),
        (and(), "b=&a", "a=&b=", "ok", "empty values are signed"),
        (and(), "b=2&&a=1", "a=1&b=2", "ok", "an empty piece is no pair"),
        (and().order(Order::Sent), "b=2&a=1", "b=2&a=1", "ok", "as sent"),
        (and().text(Text::Raw).order(Order::Sent), "b=2%2f&a", "b=2%2f&a", "ok", "as received"),
        (and().text(Text::Encoded), "a=1+%2B%2f", "a=1%20%2B%2F", "ok", "encoded"),
        (and().text(Text::FormEncoded), "a=1%20%2B", "a=1+%2B", "ok", "as form data"),
        (and().text(Text::Encoded), "a=o%27d~*", "a=o%27d~%2A", "ok", "RFC 3986: Python's `quote`"),
        (and().text(Text::Encoded), "a=o%27d~*", "a=o%27d%7E*", "ok", "a form's: `URLSearchParams`, a space as `%20`"),
        (and().text(Text::Encoded), "a=o%27d~*", "a=o'd~*", "ok", "JavaScript's `encodeURIComponent`"),
        (and().text(Text::Encoded), "a=o%27d~*", "a=o'd~%2A", "invalid", "half and half"),
        (and().text(Text::Encoded), "a=o%27d~*", "a=o%27d%7e*", "invalid", "lower case"),
        (and().text(Text::FormEncoded), "a=%28o+d%29~*", "a=%28o+d%29%7E*", "ok", "a form's: Java's `URLEncoder`"),
        (and().text(Text::FormEncoded), "a=%28o+d%29~*", "a=%28o+d%29~%2A", "ok", "Python's `urlencode`"),
        (and().text(Text::FormEncoded), "a=%28o+d%29~*", "a=(o+d)~*", "ok", "`encodeURIComponent`, a space as `+`"),
        (and().text(Text::Encoded), "a~=1&a!=2", "a!=2&a~=1", "ok", "sorted as they are written"),
        (and().text(Text::Encoded), "a~=1&a!=2", "a%21=2&a%7E=1", "ok", "sorted as they are written"),
        (and().except(["x"]), "a=1&x=2", "a=1", "ok", "an exception"),
        (and().around("v1:", ":end"), "a=1", "v1:a=1:end", "ok", "text around"),
        (and(), "a-b=1&a=2", "a-b=1&a=2", "ok", "`-` sorts before `=`"),
        (and().order(Order::Names), "a-b=1&a=2", "a=2&a-b=1", "ok", "a name sorts before a longer one"),
        (and(), "a=1%262", "a=1&2", "malformed", "a value holds the separator"),
        (and(), "a=1%3D2", "a=1=2", "ok", "`=` in a value: the first one ends the name"),
        (and(), "a%3D1=2", "a=1=2", "malformed", "`=` in a name"),
        (lf(), "a=1%262&b=3", "a=1&2\nb=3", "ok", "lines"),
        (lf(), "a=1%0Ab=3", "a=1\nb=3", "malformed", "a value holds a line feed"),
        (and(), "a=1&a=2", "a=1&a=2", "malformed", "a name twice"),
        (and().repeated(Repeated::Commas), "a=1&a=2&b=3", "a=1,2&b=3", "ok", "joined by commas"),
        (brackets(), "ids%5B%5D=1&ids%5B%5D=2&a=%2F", "a=%2F&ids=[\"1\", \"2\"]", "ok", "a list"),
        (brackets(), "ids%5B%5D=1&ids=2", "ids=[\"1\", \"2\"]", "malformed", "a list and a name"),
        (
            Recipe::listed(["a", "ids[]"], Join::pairs('&')).text(Text::Encoded).repeated(Repeated::Brackets),
            "ids%5B%5D=1&a=2",
            "a=2&ids=[\"1\"]",
            "ok",
            "a list, as listed",
        ),
        (brackets(), "ids%5B%5D=1%22", "ids=[\"1\"\"]", "malformed", "the end of an element in an element"),
        (brackets(), "ids%5B%5D=1%3D2", "ids=[\"1=2\"]", "malformed", "`=` in an element, which is not encoded"),
        (brackets(), "ids%5B%5D=1%26b", "ids=[\"1&b\"]", "malformed", "`&` in an element"),
        (brackets(), "ids%5B%5D=%2Fa", "ids=[\"/a\"]", "malformed", "`/` in an element"),
        (bare(), "b=2&a=1", "a=1b=2", "ok", "no separator"),
        (bare(), "a=1b%3D2", "a=1b=2", "malformed", "the same text, cut in another place"),
        (bare(), "a=&1b=2", "a=1b=2", "invalid", "sorted, it is another text"),
        (bare(), "a=1&ba=2", "a=1ba=2", "malformed", "the name of a known pair ends another's name"),
        (bare(), "aa=2", "aa=2", "malformed", "the same, and the known pair is not there"),
        (listed(Join::values(':')), "a=1&b=2&c=3", "2:1", "ok", "values as listed"),
        (listed(Join::values(':')), "a=1&b=", ":1", "ok", "an empty value"),
        (listed(Join::values(':')), "a=1", "1", "malformed", "a value is missing"),
        (listed(Join::values(':')), "a=1:2&b=3", "3:1:2", "malformed", "a value holds the separator"),
        (listed(Join::pairs('&')), "a=1&c=%zz", "a=1", "ok", "a pair is missing; another's escape is not read"),
        (Recipe::prefixed("p_", Join::pairs('&')), "p_a=1&a=2", "p_a=1", "ok", "by prefix"),
        (Recipe::all(Join::json()).order(Order::Sent), "b=1%2F&a=%C3%A9", r#"{"b":"1\/","a":"\u00e9"}"#, "ok", "JSON"),
        (and(), "a=%zz", "a=%zz", "malformed", "a bad escape"),
        (and(), "a=1%00", "a=1\0", "malformed", "NUL"),
    ] {
        // Without a separator, some value must have a known shape.
        let layer = if recipe == bare() { layer(recipe).digits(["a"]) } else { layer(recipe) };
        let found = send(&app(layer), &format!("/?{query}&signature={}", mac(signed))).await;
        assert_eq!(found, expected, "{why}: {query}");
    }
}

#[tokio::test]
async fn pairs_and_signatures_in_every_place() {
    let signed = "a=1&b=2";
    let recipe = || Recipe::all(Join::pairs('&'));
    let form = |body: String| {
        Request::post("/").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Full::from(body)).unwrap()
    };
    let with = |mut request: Request_, name: &'static str, value: String| {
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let header = || Place::header(http::HeaderName::from_static("x-signature"));
    let whole = format!("b=2&a=1&signature={}", mac(signed));
    let cases: Vec<(&str, Builder<SignedParameters<Value>>, Request_)> = vec![
        ("a form", layer(recipe()).source(Source::Form).methods([Method::POST]), form(whole.clone())),
        (
            "a form, signed in a header",
            layer(recipe()).source(Source::Form).signature_in(header()).methods([Method::POST]),
            with(form("b=2&a=1".into()), "x-signature", mac(signed)),
        ),
        (
            "a query, signed in a header",
            layer(recipe()).signature_in(header()),
            with(get("/?a=1&b=2"), "x-signature", mac(signed)),
        ),
        (
            "a header's value",
            layer(recipe()).source(Source::Value(Place::header_after(AUTHORIZATION, "tma"))),
            with(get("/?c=3"), "authorization", format!("tma {whole}")),
        ),
        (
            "a form's field",
            layer(recipe()).source(Source::Value(Place::form("data"))).methods([Method::POST]),
            form(format!("c=3&data={}", whole.replace('&', "%26").replace('=', "%3D"))),
        ),
        (
            "a header's value, signed in a form",
            layer(recipe())
                .source(Source::Value(Place::header(AUTHORIZATION)))
                .signature_in(Place::form("sig"))
                .methods([Method::POST]),
            with(form(format!("sig={}", mac(signed))), "authorization", "b=2&a=1".into()),
        ),
    ];
    for (why, layer, request) in cases {
        let app = app(layer);
        assert_eq!(outcome(&app.send(request.clone()).await), "ok", "{why}");
        assert_eq!(outcome(&app.send(request).await), "replayed", "{why}");
    }
}

#[tokio::test]
async fn claims_come_only_from_what_is_signed() {
    let layer = layer(Recipe::prefixed("vk_", Join::pairs('&'))).map_claims(|claims: Value| {
        assert_eq!(claims, serde_json::json!({"vk_user_id": "7"}));
        Ok(claims)
    });
    let app = App::new(layer.secrets([SECRET]).replay(replay()).clock(clock()).build().unwrap());
    let uri = format!("/?user_id=8&vk_user_id=7&signature={}", mac("vk_user_id=7"));
    let answer = app.send(get(&uri)).await;
    assert_eq!(outcome(&answer), "ok");
    assert!(answer.extensions().get::<Identity<Value>>().is_none());
}

#[tokio::test]
async fn what_is_required_is_there_once_and_not_empty() {
    let layer =
        || layer(Recipe::all(Join::pairs('&')).repeated(Repeated::Commas)).require(["a"]).once(["b"]).digits(["c"]);
    for (query, signed, expected) in [
        ("a=1&b=2&b2=3", "a=1&b2=3&b=2", "ok"),
        ("b=1", "b=1", "malformed"),
        ("a=", "a=", "malformed"),
        ("a=1&a=2", "a=1,2", "malformed"),
        ("a=1&b=2&b=3", "a=1&b=2,3", "malformed"),
        ("a=1&c=12", "a=1&c=12", "ok"),
        ("a=1&c=", "a=1&c=", "ok"),
        ("a=1&c=1x", "a=1&c=1x", "malformed"),
        ("a=1&c=1&c=2", "a=1&c=1,2", "malformed"),
        // What was joined of two values, sent as one.
        ("a=1,2", "a=1,2", "malformed"),
        ("a=1&b=2%2C3", "a=1&b=2,3", "malformed"),
        ("a=1&d=2,3", "a=1&d=2,3", "ok"),
    ] {
        assert_eq!(send(&app(layer()), &format!("/?{query}&signature={}", mac(signed))).await, expected, "{query}");
    }
    let many = (0..257).map(|n| format!("n{n:03}=1")).collect::<Vec<_>>().join("&");
    assert_eq!(send(&app(layer()), &format!("/?a=1&{many}&signature={}", mac("x"))).await, "malformed", "too many");
}

#[tokio::test]
async fn the_tenant_is_what_was_signed() {
    let keys = tower_sso::MemoryKeys::new().with("acme", SECRET).with("other", "other-secret-0123456789");
    let recipe = Recipe::all(Join::pairs('&'));
    let layer = signed_parameters::layer::<Value>(recipe).issued_at("ts", TimeFormat::Seconds).tenant_field("shop");
    let app = App::new(layer.keys(keys).replay(replay()).clock(clock()).build().unwrap());
    let link = |shop: &str| format!("/?shop={shop}&ts={NOW}&signature={}", mac(&format!("shop=acme&ts={NOW}")));
    assert_eq!(send(&app, &link("other")).await, "invalid");
    assert_eq!(send(&app, &link("nobody")).await, "invalid");
    assert_eq!(send(&app, &link("")).await, "malformed");
    assert_eq!(send(&app, &link("acme")).await, "ok");
}

/// Of pairs without a separator, the handler gets those whose borders are checked.
#[tokio::test]
async fn claims_come_only_from_what_cannot_be_cut_again() {
    let layer = layer(Recipe::all(Join::pairs_without_separator())).digits(["user"]).map_claims(|claims: Value| {
        assert_eq!(claims, serde_json::json!({"user": "7"}));
        Ok(claims)
    });
    let app = App::new(layer.secrets([SECRET]).replay(replay()).clock(clock()).build().unwrap());
    assert_eq!(send(&app, &format!("/?role=admin&user=7&signature={}", mac("role=adminuser=7"))).await, "ok");
}

#[test]
fn settings_that_do_not_build() {
    let build = |layer: Builder<SignedParameters<Value>>| -> Result<(), ConfigError> {
        layer.secrets([SECRET]).replay(replay()).build().map(drop)
    };
    let and = || Recipe::all(Join::pairs('&'));
    let bare = || Recipe::all(Join::pairs_without_separator());
    let with = |recipe| layer(recipe);
    let listed = |join| Recipe::listed(["a", "b"], join);
    for (layer, part) in [
        (signed_parameters::layer(and()), "`issued_at` is not called"),
        (with(bare()), "border between a value and the next name"),
        (with(bare()).digits(["id"]).tenant_field("org"), "`tenant_field` has no known shape"),
        (with(bare()).ends_with("org", ""), "`ends_with` says nothing"),
        (with(bare()).digits(["1st"]), "sorts before digits"),
        (with(bare().order(Order::Sent)).digits(["id"]), "in the order in which they were sent"),
        (with(bare().text(Text::Encoded)).digits(["id"]), "are signed decoded"),
        (with(Recipe::all(Join::values(':'))), "could change places"),
        (with(listed(Join::values(':')).order(Order::Names)), "could change places"),
        (with(Recipe::all(Join::pairs('='))), "cut in two ways"),
        (with(Recipe::all(Join::pairs('\n')).text(Text::Raw)), "as received"),
        (with(and().text(Text::Raw).repeated(Repeated::Commas)), "have to be decoded"),
        (with(and().repeated(Repeated::Brackets)), "take `Text::Encoded`"),
        (with(Recipe::all(Join::json()).repeated(Repeated::Commas)), "to JSON"),
        (with(and().order(Order::Listed)), "lists none"),
        (with(Recipe::prefixed("", Join::pairs('&'))), "empty prefix"),
        (with(Recipe::listed([""; 0], Join::pairs('&'))), "is empty, or none"),
        (with(Recipe::listed(["a", "a"], Join::pairs('&'))), "names a parameter twice"),
        (with(listed(Join::pairs('&')).danger_digest_with_secret_before(1)), "among values"),
        (with(listed(Join::values(':')).danger_digest_with_secret_before(0)), "the secret first"),
        (with(listed(Join::values(':')).danger_digest_with_secret_before(2)), "behind the last value"),
        (with(Recipe::all(Join::pairs('-')).text(Text::Encoded)), "what an encoded value can hold"),
        (with(Recipe::all(Join::pairs('*')).text(Text::Encoded)), "what an encoded value can hold"),
        (with(Recipe::all(Join::pairs('+')).text(Text::FormEncoded)), "what an encoded value can hold"),
        (with(and().danger_md5_with_secret_at_the_end()).digest(Digest::Sha512), "`digest` is MD5 by the recipe"),
        (with(and()).issued_at("ts", TimeFormat::WallTime { hours_ahead: 15 }), "no zone's"),
        (with(listed(Join::pairs('&'))).issued_at("ts", TimeFormat::Seconds), "`issued_at` is not signed"),
        (with(listed(Join::pairs('&'))).tenant_field("org"), "`tenant_field` is not signed"),
        (with(listed(Join::pairs('&'))).require(["c"]), "names a parameter that is not signed"),
        (with(listed(Join::pairs('&'))).signature_parameter("a"), "cannot sign itself"),
        (with(and().except(["ts"])).issued_at("ts", TimeFormat::Seconds), "`issued_at` is not signed"),
        (with(and()).signature_parameter(""), "is empty"),
        (with(and()).signature_in(Place::query("sig")), "`signature_in` is among the pairs"),
        (with(and()).source(Source::Form).signature_in(Place::form("sig")), "`signature_in` is among the pairs"),
        (with(and()).source(Source::Json).signature_in(Place::json("sig")), "`signature_in` is among the pairs"),
        (
            with(and()).source(Source::Value(Place::bearer())).signature_in(Place::bearer()),
            "`signature_in` is among the pairs",
        ),
        (with(and()).source(Source::Form).signature_in(Place::json("sig")), "`signature_in` is in another body"),
        (
            with(and()).source(Source::Value(Place::json("data"))).signature_in(Place::body("text/plain")),
            "`signature_in` is in another body",
        ),
        (with(and()).issued_at_if_given("ts", TimeFormat::Seconds).reusable(), "`reusable`"),
        (with(and()).source(Source::Value(Place::query(""))), "no request can have"),
        (signed_parameters::layer(and()).danger_without_time(), "forgets when the process ends"),
        (
            with(and()).encoding(Encoding::Base64).tenant(tower_sso::Tenant::query("org")).tenant_field("org"),
            "`tenant`",
        ),
    ] {
        let problem = refused(build(layer));
        assert!(problem.contains(part), "{part}: {problem}");
    }
    let keys = tower_sso::MemoryKeys::new().with("acme", SECRET);
    let read_twice = with(listed(Join::pairs('&'))).tenant(tower_sso::Tenant::query("a")).keys(keys);
    assert!(refused(read_twice.replay(replay()).build()).contains("call `tenant_field`"));
}
