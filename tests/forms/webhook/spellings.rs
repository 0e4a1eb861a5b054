//! One delivery that can be written in several ways, or one signed text that could be several deliveries.

use bytes::Bytes;
use http::{HeaderName, Method, Request};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};
use tower_sso::Builder;
use tower_sso::providers::webhooks as senders;
use tower_sso::scheme::Origin;
use tower_sso::webhook::{self, Digest, Encoding, RawBody, TimeFormat, Webhook};

use super::{SECRET, signer};
use crate::support::subject::refused;
use crate::support::{App, Request_, clock, reason, replay};

const FORM: &str = "application/x-www-form-urlencoded";

fn layer() -> Builder<Webhook<RawBody>> {
    webhook::layer().secrets([SECRET]).replay(replay()).handler_remembers().clock(clock())
}

fn call(method: Method, host: &str, uri: &str, signed: &str) -> Request_ {
    let request = Request::builder().method(method).uri(uri).header("host", host);
    let request = request.header("content-type", "application/json");
    let request = request.header("webhook-signature", signer().signature(&[signed.as_bytes()]));
    request.body(Full::from("{}")).unwrap()
}

/// Of a list of signatures, the signed text is compared: not what the request looks like.
#[tokio::test]
async fn another_spelling_of_a_delivery_is_a_duplicate() {
    let signed = "https://app.example/a?b=x/y\n{}";
    let layer = || layer().separator(',').signed("{url}\n{body}").methods([Method::POST, Method::PUT]);
    let decoded = layer().origin(Origin::new("https://app.example")).url_decoded("/");
    let hosts = layer().origin(Origin::danger_from_host_header(true)).url_with_or_without_port();
    for (layer, requests, why) in [
        (decoded, [("h", "/a?b=x/y"), ("h", "/a?b=x%2Fy"), ("h", "/a?b=x%2fy")], "a slash, escaped or not"),
        (
            hosts,
            [("app.example", "/a?b=x/y"), ("app.example:1", "/a?b=x/y"), ("app.example:2", "/a?b=x/y")],
            "a port that was not signed",
        ),
    ] {
        let app = App::new(layer.build().unwrap());
        for (host, uri) in requests {
            assert_eq!(app.send(call(Method::POST, host, uri, signed)).await.status(), 200, "{host}{uri}");
        }
        app.send(call(Method::PUT, requests[0].0, requests[0].1, signed)).await;
        assert_eq!(app.inner.calls(), 1, "{why}; or a method that was not signed");
    }
}

#[test]
fn a_time_with_a_fraction_needs_its_end() {
    let time = HeaderName::from_static("x-time");
    for (template, builds) in [
        ("{timestamp}.{body}", false),
        ("{timestamp}{body}", false),
        ("{timestamp}0{body}", false),
        ("{body}{timestamp}", false),
        ("{body}:{timestamp}", false),
        ("{timestamp}:{body}", true),
        ("{timestamp}:.{body}", true),
        ("{body:sha256}:{timestamp}", true),
    ] {
        let layer = layer().signed(template).timestamp_header(time.clone());
        let built = layer.timestamp_format(TimeFormat::FractionalSeconds).build();
        assert_eq!(built.is_ok(), builds, "{template}");
    }
}

#[test]
fn a_header_may_hold_a_tab() {
    let list = HeaderName::from_static("x-app-signed");
    let built = |template| layer().signed(template).signed_headers(list.clone(), "x-app-").build();
    assert!(refused(built("{headers}\t{body}")).contains("cut in two ways"));
    assert!(built("{headers}\n{body}").is_ok());
}

#[test]
fn only_characters_of_a_uri_are_decoded() {
    for (characters, builds) in [(":/@&=+$`\",;><?", true), ("{", false), ("[", false), (" ", false), ("ü", false)] {
        let layer = layer().signed("{url}{body}").origin(Origin::new("https://app.example"));
        assert_eq!(layer.url_decoded(characters).build().is_ok(), builds, "{characters}");
    }
}

/// The author of a text message writes a digest into it, and whoever holds it back moves the form to the query.
#[tokio::test]
async fn a_text_message_becomes_no_json() {
    let body = r#"{"forged":true}"#;
    let sha: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let form = format!("Body=%26bodySHA256%3D{sha}%26z%3D&From=%2B15550001");
    let signed = format!("https://app.example/sms?tenant=acmeBody&bodySHA256={sha}&z=From+15550001");
    let signature = signer().digest(Digest::Sha1).encoding(Encoding::Base64).signature(&[signed.as_bytes()]);
    for (uri, content_type, body, expected) in [
        ("/sms?tenant=acme", FORM, &*form, "ok"),
        (&format!("/sms?tenant=acmeBody&bodySHA256={sha}&z=From+15550001"), "application/json", body, "malformed"),
    ] {
        let layer = senders::danger_twilio::<RawBody>(Origin::new("https://app.example")).secrets([SECRET]);
        let app = App::new(layer.replay(replay()).handler_remembers().build().unwrap());
        let request = Request::post(uri).header("content-type", content_type).header("x-twilio-signature", &signature);
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        assert_eq!(reason(&app.send(request).await), expected, "{uri}");
    }
}

/// X's challenge signs words, which are therefore no deliveries.
#[tokio::test]
async fn a_token_that_x_had_signed_is_no_delivery() {
    for (body, expected) in [("abc", "malformed"), ("null", "malformed"), (r#"{"a":1}"#, "ok"), (" [1]", "ok")] {
        let layer = senders::x::<RawBody>().secrets([SECRET]).replay(replay()).handler_remembers();
        let app = App::new(layer.build().unwrap());
        let signature = signer().encoding(Encoding::Base64).prefix("sha256=").signature(&[body.as_bytes()]);
        let request = Request::post("/").header("content-type", "application/json");
        let request = request.header("x-twitter-webhooks-signature", signature);
        assert_eq!(reason(&app.send(request.body(Full::from(body)).unwrap()).await), expected, "{body}");
    }
}

/// Such a layer would refuse every delivery.
#[test]
fn what_no_list_can_have_does_not_build() {
    let list = |separator| layer().separator(separator).handler_remembers();
    let timed = |separator| list(separator).timestamp_element("t=").signed("{timestamp}|{body}");
    let wall_time = TimeFormat::WallTime { hours_ahead: 0 };
    for (layer, expected) in [
        (list(',').prefix("v1,"), "no element of the list can begin with it"),
        (list(',').prefix(" v1="), "no element of the list can begin with it"),
        (timed(',').timestamp_element("t,"), "no element of the list can begin with it"),
        (timed(',').prefix("t=v1="), "each signature would be taken for the time"),
        (timed(',').timestamp_format(TimeFormat::HttpDate), "stands in each time"),
        (timed('-').timestamp_format(TimeFormat::Rfc3339), "stands in each time"),
        (timed(' ').timestamp_format(wall_time), "stands in each time"),
    ] {
        let said = refused(layer.build());
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
    }
    for layer in [timed(',').prefix("v1= ").timestamp_format(wall_time), timed(' ').prefix("v1,"), timed('.')] {
        assert!(layer.build().is_ok());
    }
}
