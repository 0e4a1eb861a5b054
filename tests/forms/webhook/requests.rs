//! What a sender signs of a request besides its body.

use axum::extract::OriginalUri;
use bytes::Bytes;
use http::{HeaderName, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::Builder;
use tower_sso::body::LayerBody;
use tower_sso::replay::MemoryReplay;
use tower_sso::scheme::Origin;
use tower_sso::webhook::{self, Digest, RawBody, TimeFormat, Webhook};

use super::{SECRET, signer};
use crate::support::subject::refused;
use crate::support::{App, NOW, Request_, clock, outcome, reason, replay, secs};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const TIME: HeaderName = HeaderName::from_static("x-time");

fn layer() -> Builder<Webhook<RawBody>> {
    webhook::layer().secrets([SECRET]).replay(replay()).handler_remembers().clock(clock())
}

fn at_app(template: &str) -> Builder<Webhook<RawBody>> {
    layer().signed(template).origin(Origin::new("https://app.example"))
}

/// A request with the signature of this text.
fn request(method: &str, uri: &str, content_type: &str, body: &str, signed: &str) -> Request_ {
    let request = Request::builder().method(method).uri(uri).header("host", "internal:3000");
    let request = if content_type.is_empty() { request } else { request.header("content-type", content_type) };
    let request = request.header("webhook-signature", signer().signature(&[signed.as_bytes()]));
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

#[tokio::test]
async fn parts_of_the_request_are_signed() {
    let sha = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let all = [Method::POST, Method::PUT];
    for (template, request, expected, why) in [
        ("{url}{body}", request("POST", "/a?b=%20", JSON, "{}", "https://app.example/a?b=%20{}"), "ok", "a URL"),
        ("{url}{body}", request("POST", "/a", JSON, "[1]", "https://app.example/a[1]"), "ok", "a list"),
        (
            "{url}{body}",
            request("POST", "/a?b", JSON, "{}", "https://app.example/a{}"),
            "bad_signature",
            "a query more",
        ),
        (
            "{url}{body}",
            request("POST", "/a?", JSON, "{}", "https://app.example/a{}"),
            "bad_signature",
            "an empty query",
        ),
        ("{url}{body}", request("POST", "/A", JSON, "{}", "https://app.example/a{}"), "bad_signature", "another case"),
        ("{url}{body}", request("POST", "/%61", JSON, "{}", "https://app.example/a{}"), "bad_signature", "an escape"),
        (
            "{url}{body}",
            request("POST", "/a", JSON, "1{}", "https://app.example/a1{}"),
            "malformed",
            "moved to the body",
        ),
        ("{url}{body}", request("POST", "/a", JSON, " {}", "https://app.example/a {}"), "malformed", "a space first"),
        (
            "{url}{body}",
            request("POST", "/a{", JSON, "{}", "https://app.example/a{{}"),
            "malformed",
            "moved to the URL",
        ),
        ("{body}{url}", request("POST", "/a", JSON, "{}", "{}https://app.example/a"), "ok", "the URL last"),
        ("{body}{url}", request("POST", "/a", JSON, "{}h", "{}hhttps://app.example/a"), "malformed", "text after JSON"),
        ("{method} {path}\n{body}", request("PUT", "/a?b", JSON, "{}", "PUT /a\n{}"), "ok", "method and path"),
        ("{method} {path}\n{body}", request("POST", "/a", JSON, "{}", "PUT /a\n{}"), "bad_signature", "another method"),
        ("{query}\n{body}", request("POST", "/a?b=1&c", JSON, "{}", "b=1&c\n{}"), "ok", "the query alone"),
        ("{query}\n{body}", request("POST", "/a", JSON, "{}", "\n{}"), "ok", "no query"),
        (
            "{url} {body:sha256}",
            request("POST", "/", JSON, "{}", &format!("https://app.example/ {sha}")),
            "ok",
            "a digest",
        ),
        (
            "{url} {body:sha256}",
            request("POST", "/", JSON, "[]", &format!("https://app.example/ {sha}")),
            "bad_signature",
            "of another body",
        ),
    ] {
        let layer = if template.contains("{url}") { at_app(template) } else { layer().signed(template) };
        let app = App::new(layer.methods(all.clone()).build().unwrap());
        assert_eq!(reason(&app.send(request).await), expected, "{template}: {why}");
    }
}

#[tokio::test]
async fn a_url_is_signed_as_the_client_sent_it() {
    let app = App::new(at_app("{url}{body}").build().unwrap());
    let mut nested = request("POST", "/hook", JSON, "{}", "https://app.example/api/hook?a{}");
    nested.extensions_mut().insert(OriginalUri("/api/hook?a".parse().unwrap()));
    assert_eq!(outcome(&app.send(nested).await), "ok");

    let behind = layer().signed("{url}{body}").origin(Origin::new("https://App.example:443/sso/")).build();
    let call = request("POST", "/hook", JSON, "{}", "https://app.example/sso/hook{}");
    assert_eq!(outcome(&App::new(behind.unwrap()).send(call).await), "ok", "behind a proxy that removes `/sso`");

    let any_host = layer().signed("{url}{body}").origin(Origin::danger_from_host_header(false)).build();
    let call = request("POST", "/hook", JSON, "{}", "http://internal:3000/hook{}");
    assert_eq!(outcome(&App::new(any_host.unwrap()).send(call).await), "ok");
}

#[tokio::test]
async fn a_path_is_signed_below_the_apps_own() {
    for (base, uri, signed, expected, why) in [
        ("/app", "/app/hook", "/hook", "ok", "behind it"),
        ("/app/", "/app/hook", "/hook", "ok", "with a slash at its end"),
        ("/app", "/app", "", "ok", "the app's own"),
        ("/app", "/app/hook", "/app/hook", "bad_signature", "the whole path"),
        ("/app", "/app/other", "/hook", "bad_signature", "another path"),
        ("/app", "/apple/hook", "le/hook", "malformed", "no part of a name"),
        ("/app", "/hook", "/hook", "malformed", "not below it"),
        ("", "/app/hook", "/app/hook", "ok", "not set"),
    ] {
        let app = App::new(layer().signed("{path}\n{body}").path_below(base).build().unwrap());
        let call = request("POST", uri, JSON, "{}", &format!("{signed}\n{{}}"));
        assert_eq!(reason(&app.send(call).await), expected, "{base} {uri}: {why}");
    }
}

/// Whoever holds back a delivery can send another body of the same CRC-32, but not as a second event.
#[tokio::test]
async fn a_crc_of_the_body_signs_no_body() {
    let ada = r#"{"pay":"ada","n":"0000000000000000000000000000000000000000"}"#;
    let eve = r#"{"pay":"eve","n":"1101111000100011100101110111001000000000"}"#;
    let layer = || layer().danger_signed("{path}|{body:crc32}");
    let call = |body: &str| request("POST", "/a", JSON, body, "/a|3059836267");
    for (layer, why) in [(layer(), "one signature"), (layer().separator(','), "a list")] {
        let app = App::new(layer.build().unwrap());
        assert_eq!(outcome(&app.send(call(ada)).await), "ok", "{why}");
        assert_eq!(outcome(&app.send(call(&ada.replace("ada", "eve"))).await), "invalid", "{why}: another CRC");
        assert_eq!((outcome(&app.send(call(eve)).await), app.inner.calls()), ("ok", 1), "{why}: acknowledged");
    }
    let app = App::new(layer().build().unwrap());
    assert_eq!((outcome(&app.send(call(eve)).await), app.inner.calls()), ("ok", 1), "the first to come");
}

#[tokio::test]
async fn other_spellings_of_a_url_are_taken_only_where_the_sender_may_use_them() {
    let user = || layer().signed("{url}{body}").origin(Origin::new("https://user:pass@app.example:443"));
    let port = || layer().signed("{url}{body}").origin(Origin::new("https://app.example:8443"));
    let call = |url: &str| request("POST", "/a?b=%3A%20", JSON, "{}", &format!("{url}/a?b=%3A%20{{}}"));
    let decoded = || request("POST", "/a?b=%3A%20", JSON, "{}", "https://app.example/a?b=:%20{}");
    for (layer, request, expected, why) in [
        (at_app("{url}{body}"), call("https://app.example:443"), "bad_signature", "a port"),
        (at_app("{url}{body}").url_with_or_without_port(), call("https://app.example:443"), "ok", "with a port"),
        (at_app("{url}{body}").url_with_or_without_port(), call("https://app.example"), "ok", "without one"),
        (at_app("{url}{body}").url_with_or_without_port(), call("https://app.example:80"), "bad_signature", "another"),
        (port().url_with_or_without_port(), call("https://app.example:8443"), "ok", "its own port"),
        (port().url_with_or_without_port(), call("https://app.example"), "ok", "its own port left out"),
        (port().url_with_or_without_port(), call("https://app.example:443"), "bad_signature", "another port"),
        (user().url_with_or_without_port(), call("https://user:pass@app.example:443"), "ok", "a user and a port"),
        (user().url_with_or_without_port(), call("https://user:pass@app.example"), "ok", "a user"),
        (user().url_with_or_without_port(), call("https://app.example"), "bad_signature", "no user"),
        (at_app("{url}{body}"), decoded(), "bad_signature", "decoded"),
        (at_app("{url}{body}").url_decoded(":/"), decoded(), "ok", "a colon decoded, a space not"),
        (at_app("{url}{body}").url_decoded("/"), decoded(), "bad_signature", "another character"),
        (at_app("{url}{body}").url_decoded(":/"), call("https://app.example"), "ok", "as sent"),
    ] {
        let app = App::new(layer.build().unwrap());
        assert_eq!(reason(&app.send(request.clone()).await), expected, "{why}");
        app.send(request).await;
        assert_eq!(app.inner.calls(), usize::from(expected == "ok"), "{why}: processed once");
    }
}

#[tokio::test]
async fn a_form_is_signed_by_its_decoded_fields() {
    let layer = || layer().danger_signed("{url}{form}").origin(Origin::new("https://app.example")).content_type(FORM);
    let signed = "https://app.example/aBodyhi youFrom+1";
    let app = App::new(layer().build().unwrap());
    for (body, expected, why) in [
        ("From=%2B1&Body=hi+you", "ok", "sorted by name"),
        ("Body=hi%20you&From=%2B1", "acknowledged", "the same fields in another spelling"),
        ("Body=hi+you&From=%2B2", "bad_signature", "another value"),
        ("Body=hi+you", "bad_signature", "a field less"),
        ("Body=%zz", "malformed", "a bad escape"),
    ] {
        let answer = app.send(request("POST", "/a", FORM, body, signed)).await;
        let found = if answer.status() == 200 && app.inner.calls() == 1 { "processed once" } else { reason(&answer) };
        let expected = if matches!(expected, "ok" | "acknowledged") { "processed once" } else { expected };
        assert_eq!(found, expected, "{why}");
    }
    let json = request("POST", "/a", JSON, r#"{"Body":"hi you"}"#, "https://app.example/a");
    assert_eq!(outcome(&app.send(json).await), "unsupported_media_type", "nothing signs another body");
}

#[tokio::test]
async fn a_digest_in_the_signed_url_is_that_of_the_body() {
    let layer = || {
        let layer = layer().danger_signed("{url}{form}").origin(Origin::new("https://app.example"));
        layer
            .body_digest_parameter("bodySHA256")
            .any_content_type()
            .optional_body()
            .methods([Method::POST, Method::GET])
    };
    let right = "/a?bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let empty = "/a?bodySHA256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (method, uri, content_type, body, form, expected, why) in [
        ("POST", right, JSON, "{}", "", "ok", "JSON with its digest"),
        ("POST", right, "", "{}", "", "ok", "no content type"),
        ("POST", right, JSON, "[]", "", "malformed", "another body"),
        ("POST", right, JSON, "", "", "malformed", "no body"),
        ("POST", right, FORM, "a=1", "a1", "malformed", "a form that is not what the digest says"),
        ("POST", "/a", JSON, "{}", "", "missing_parameter", "JSON without a digest"),
        ("POST", "/a?bodySHA256=", JSON, "{}", "", "malformed", "an empty digest"),
        ("POST", &format!("{right}&z=1"), JSON, "{}", "", "malformed", "a parameter after it"),
        ("POST", &format!("{right}&bodySHA256=1"), JSON, "{}", "", "duplicate_parameter", "two digests"),
        ("POST", "/a", FORM, "a=1", "a1", "ok", "a form needs none"),
        ("GET", "/a?b=1", "", "", "", "ok", "neither does a request without a body"),
        ("GET", empty, "", "", "", "ok", "but if it is there, it is right"),
    ] {
        let request = request(method, uri, content_type, body, &format!("https://app.example{uri}{form}"));
        let app = App::new(layer().build().unwrap());
        assert_eq!(reason(&app.send(request).await), expected, "{why}");
    }
}

#[tokio::test]
async fn a_body_may_be_empty_where_something_else_is_signed() {
    let time = NOW.to_string() + "000";
    let layer = || {
        let layer = at_app("{method}{url}{body}{timestamp}").timestamp_header(TIME);
        layer.timestamp_format(TimeFormat::Milliseconds).methods([Method::GET, Method::POST])
    };
    let call = |method: &str, content_type: &str, body: &str| {
        let signed = format!("{method}https://app.example/a{body}{time}");
        let mut request = request(method, "/a", content_type, body, &signed);
        request.headers_mut().insert(TIME, time.parse().unwrap());
        request
    };
    for (layer, request, expected, why) in [
        (layer(), call("GET", JSON, ""), "malformed", "by default"),
        (layer().optional_body(), call("GET", JSON, ""), "ok", "no body"),
        (layer().optional_body(), call("GET", "", ""), "ok", "no body, and no content type"),
        (layer().optional_body(), call("GET", "text/plain", ""), "content_type", "another content type"),
        (layer().optional_body(), call("POST", JSON, "{}"), "ok", "a body"),
        (layer().optional_body(), call("POST", "", "{}"), "content_type", "a body without a content type"),
        (layer().optional_body(), call("PUT", JSON, "{}"), "method", "another method"),
    ] {
        let app = App::new(layer.build().unwrap());
        assert_eq!(reason(&app.send(request).await), expected, "{why}");
    }
    let app = App::new(layer().optional_body().build().unwrap());
    let mut shorter = call("GET", "", "");
    shorter.headers_mut().insert(TIME, time[1..].parse().unwrap());
    assert_eq!(reason(&app.send(shorter).await), "malformed", "only the time's length tells where it begins");
}

#[tokio::test]
async fn one_of_several_content_types_is_required() {
    let layer = || layer().content_types([JSON, FORM]);
    for (content_type, expected) in
        [(JSON, "ok"), ("Application/X-WWW-Form-Urlencoded; charset=utf-8", "ok"), ("text/plain", "content_type")]
    {
        let app = App::new(layer().build().unwrap());
        assert_eq!(reason(&app.send(request("POST", "/", content_type, "{}", "{}")).await), expected, "{content_type}");
    }
}

/// Of a list of signatures, a copy may leave one out: what was signed is compared, the URL too.
#[tokio::test]
async fn the_same_body_at_another_url_is_another_event() {
    let app = App::new(at_app("{url}{body}").separator(',').build().unwrap());
    for uri in ["/a", "/b", "/a"] {
        let call = request("POST", uri, JSON, "{}", &format!("https://app.example{uri}{{}}"));
        assert_eq!(app.send(call).await.status(), 200);
    }
    assert_eq!(app.inner.calls(), 2);
}

#[tokio::test]
async fn only_listed_headers_reach_the_handler() {
    let (list, user) = (HeaderName::from_static("x-app-signed"), HeaderName::from_static("x-app-user"));
    let layer = || {
        let layer = layer().signed("{method}\n{uri:encoded}\n{headers}\n{body}").signed_headers(list.clone(), "X-App-");
        layer.timestamp_header(HeaderName::from_static("x-app-time"))
    };
    let call = |names: &str, headers: &str| {
        let signed = format!("POST\n/a?b%253D1\n{headers}\n{{}}");
        let mut request = request("POST", "/a?b=1", JSON, "{}", &signed);
        for (name, value) in [("x-app-signed", names), ("x-app-user", "ada"), ("x-app-time", &NOW.to_string())] {
            request.headers_mut().insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        request
    };
    let all = "x-app-signed,x-app-time,x-app-user";
    let without_user = "x-app-signed,x-app-time";
    for (names, headers, expected, sees_user, why) in [
        (all, format!("x-app-signed:{all};x-app-time:{NOW};x-app-user:ada"), "ok", true, "the user is signed"),
        (without_user, format!("x-app-signed:{without_user};x-app-time:{NOW}"), "ok", false, "the user is not signed"),
        (all, format!("x-app-signed:{all};x-app-time:{NOW};x-app-user:bob"), "bad_signature", false, "another user"),
        ("x-app-signed", "x-app-signed:x-app-signed".into(), "malformed", false, "the time is not signed"),
    ] {
        let answer = App::new(layer().build().unwrap()).send(call(names, &headers)).await;
        assert_eq!(reason(&answer), expected, "{why}");
        let user = user.clone();
        let inner = service_fn(move |request: Request<LayerBody<_>>| {
            let sees = request.headers().contains_key(&user);
            async move { Ok::<_, std::io::Error>(Response::new(Full::<Bytes>::from(if sees { "ada" } else { "nobody" }))) }
        });
        let answer = layer().build().unwrap().layer(inner).oneshot(call(names, &headers)).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body == "ada", sees_user, "{why}");
    }
}

#[tokio::test]
async fn a_digest_with_the_secret_in_front_is_no_hmac() {
    // `printf 'whsec-shared{}' | sha256sum`
    let digest = "36cfa80c6ec16a9188227ea6e3f722207289e0a745de81d45c0b99dcf4b1f7ba";
    let app = |layer: Builder<Webhook<RawBody>>| App::new(layer.build().unwrap());
    let call = || {
        let mut call = request("POST", "/", JSON, "{}", "{}");
        call.headers_mut().insert("webhook-signature", digest.parse().unwrap());
        call
    };
    assert_eq!(reason(&app(layer()).send(call()).await), "bad_signature");
    assert_eq!(reason(&app(layer().danger_secret_first()).send(call()).await), "ok");
    let hmac = request("POST", "/", JSON, "{}", "{}");
    assert_eq!(reason(&app(layer().danger_secret_first()).send(hmac).await), "bad_signature");
}

#[tokio::test]
async fn a_request_that_wants_an_answer_is_refused_or_answered_again() {
    let timed = || layer().signed("{timestamp}.{body}").timestamp_header(TIME);
    let call = || {
        let mut call = request("POST", "/", JSON, "{}", &format!("{NOW}.{{}}"));
        call.headers_mut().insert(TIME, NOW.to_string().parse().unwrap());
        call
    };
    let app = App::new(timed().once().build().unwrap());
    assert_eq!(outcome(&app.send(call()).await), "ok");
    assert_eq!(outcome(&app.send(call()).await), "replayed");

    let time = clock();
    let bare = webhook::layer::<RawBody>().secrets([SECRET]).clock(time.clone());
    let layer = bare.signed("{timestamp}.{body}").timestamp_header(TIME).reusable();
    let app = App::new(layer.build().unwrap());
    for _ in 0..3 {
        assert_eq!(outcome(&app.send(call()).await), "ok");
    }
    time.advance(secs(301));
    assert_eq!(outcome(&app.send(call()).await), "expired");
    assert_eq!(app.inner.calls(), 3);
}

#[test]
fn texts_that_do_not_sign_the_request_do_not_build() {
    let start = || webhook::layer::<RawBody>().secrets([SECRET]).replay(MemoryReplay::new()).handler_remembers();
    let origin = || Origin::new("https://app.example");
    for (built, expected) in [
        (start().signed("{url}{body}").build(), "origin"),
        (start().origin(origin()).build(), "no URL is signed"),
        (start().signed("{url}{body}").origin(Origin::new("app.example")).build(), "is not an address"),
        (start().signed("{method}{body}").build(), "cut in two ways"),
        (start().signed("{url}{form}").origin(origin()).content_type(FORM).build(), "cut in two ways"),
        (start().danger_signed("{url}{form}").origin(origin()).build(), "no other body is signed"),
        (start().danger_signed("{url}{form}").origin(origin()).content_types([FORM, JSON]).build(), "no other body"),
        (start().danger_signed("{form}").content_type(FORM).separator(',').build(), "a single signature"),
        (start().signed("{path}").body_digest_parameter("sha").build(), "could be exchanged"),
        (start().signed("{url}").origin(origin()).build(), "has no {body}"),
        (start().optional_body().build(), "leaves nothing that is signed"),
        (start().content_types([""; 0]).build(), "names no type"),
        (start().content_types([JSON, "json"]).build(), "names no type"),
        (start().content_type(" application/json").build(), "names no type"),
        (
            start().signed("{url}{body}").origin(origin()).url_decoded(":").url_with_or_without_port().build(),
            "take one of them",
        ),
        (start().signed("{headers}\n{body}").build(), "name the header that lists"),
        (start().signed_headers(TIME, "x-").build(), "goes with {headers}"),
        (start().signed("{id}|{body:crc32}").build(), "only `danger_signed` takes it"),
        (start().signed("{url}{body}").origin(origin()).path_below("/app").build(), "path_below"),
        (start().signed("{path}\n{body}").path_below("app").build(), "path_below"),
        (start().signed("{path}\n{body}").path_below("/app?a").build(), "path_below"),
        (webhook::layer::<RawBody>().secrets([SECRET]).reusable().build(), "needs a signed time"),
        (start().once().danger_every_delivery().build(), "refuses duplicates"),
        (start().danger_secret_first().digest(Digest::Sha512).build(), "is SHA-256"),
    ] {
        let said = refused(built);
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
    }
    assert!(start().signed("{url}").origin(origin()).body_digest_parameter("sha").build().is_ok());
}
