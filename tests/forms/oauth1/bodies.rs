//! What a signature covers of the body: a form's pairs, a hash, or that there is none.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::body::LayerBody;

use super::*;

const XML: &str = "application/xml";
const API: &str = "https://app.example/api";
const SCORE: &str = "<score>0.9</score>";
const OTHER_SCORE: &str = "<score>1.0</score>";

fn api() -> Builder<OAuth1<Value>> {
    let layer = layer_at(Origin::new("https://app.example")).transports([Transport::Query, Transport::Header]);
    layer.methods([Method::GET, Method::POST, Method::PUT])
}

fn api_signer() -> OAuthLink {
    signer_for(API).method(Method::POST)
}

/// The same request, signed in the header and in the query.
fn signed(link: &OAuthLink, content_type: &str, body: &str) -> [Request_; 2] {
    let mut in_header = post(API, content_type, body);
    in_header.headers_mut().insert("authorization", link.authorization(&[]).unwrap().parse().unwrap());
    [in_header, post(&link.uri(&[]).unwrap(), content_type, body)]
}

/// LTI 1.1 Basic Outcomes: the score is in a body that is not a form (OAuth Request Body Hash 1.0, 3.2).
#[tokio::test]
async fn a_score_is_the_one_whose_hash_was_signed() {
    let request = |body| {
        let mut request = post("/api", XML, body);
        let signed = "OAuth oauth_consumer_key=\"lms.example\", oauth_nonce=\"nonce0037\", oauth_timestamp=\"1700000000\", \
                      oauth_signature_method=\"HMAC-SHA1\", oauth_version=\"1.0\", \
                      oauth_body_hash=\"ojqpu26ifunWUH6EEu4dCU1Baj4%3D\", \
                      oauth_signature=\"%2FgiCzuRz%2BmXchJgv0mz9ECMZBX8%3D\"";
        request.headers_mut().insert("host", "rp.example".parse().unwrap());
        request.headers_mut().insert("authorization", signed.parse().unwrap());
        request
    };
    let layer = oauth1::layer::<Value>(Origin::new("https://rp.example")).transports([Transport::Header]);
    let layer = layer.methods([Method::POST]).keys(MemoryKeys::new().with("lms.example", "lti-secret"));
    let app = App::new(layer.replay(replay()).clock(clock()).build().unwrap());
    assert_eq!(said(&app, request(OTHER_SCORE)).await, ("invalid", "body_hash"));
    let answer = app.send(request(SCORE)).await;
    assert_eq!(outcome(&answer), "ok", "and the one that was refused has not used it up");
    assert_eq!(seen(&answer).body, SCORE);
    assert_eq!(said(&app, request(OTHER_SCORE)).await, ("invalid", "body_hash"));
}

#[tokio::test]
async fn a_body_is_signed_or_refused() {
    let plain = api_signer();
    let hashed = |body: &str| api_signer().body(body);
    let (unsigned, refused) = (("malformed", "unsigned_body"), ("malformed", "malformed"));
    for (link, content_type, body, expected, dangerously, why) in [
        (plain.clone(), XML, SCORE, unsigned, ("ok", "ok"), "nothing signs it"),
        (plain.clone(), "multipart/form-data; boundary=x", "--x--", unsigned, ("ok", "ok"), "nor this"),
        (plain.clone(), XML, "", ("ok", "ok"), ("ok", "ok"), "there is none"),
        (hashed(SCORE), XML, SCORE, ("ok", "ok"), ("ok", "ok"), "its hash is signed"),
        (hashed(SCORE), XML, OTHER_SCORE, ("invalid", "body_hash"), ("invalid", "body_hash"), "another body"),
        (hashed(SCORE), XML, "", ("invalid", "body_hash"), ("invalid", "body_hash"), "it was taken away"),
        (hashed(""), XML, "", ("ok", "ok"), ("ok", "ok"), "the hash of nothing (3.1)"),
        (hashed(""), XML, SCORE, ("invalid", "body_hash"), ("invalid", "body_hash"), "something was added"),
        (hashed(SCORE), FORM, SCORE, refused, refused, "never beside a form (3.1)"),
        (hashed(""), FORM, "", refused, refused, "nor beside an empty one"),
        // axum's `Form` accepts any content type that begins like a form's.
        (
            plain.clone(),
            "application/x-www-form-urlencodedx",
            "a=1",
            INVALID,
            INVALID,
            "it is read, and was not signed",
        ),
        (plain.clone(), "application/x-www-form-urlencoded, text/plain", "a=1", INVALID, INVALID, "the same"),
        (plain.clone(), " Application/X-WWW-form-urlencoded-y", "a=1", INVALID, INVALID, "the same"),
        (plain, "text/plain; application/x-www-form-urlencoded", "a=1", unsigned, ("ok", "ok"), "this one is no form"),
    ] {
        for request in signed(&link, content_type, body) {
            let app = App::new(api().build().unwrap());
            assert_eq!(said(&app, request.clone()).await, expected, "{why}: {content_type}");
            let app = App::new(api().danger_unsigned_body().build().unwrap());
            let answer = app.send(request).await;
            assert_eq!((outcome(&answer), reason(&answer)), dangerously, "{why}: {content_type}");
            assert!(outcome(&answer) != "ok" || seen(&answer).body == body);
        }
    }
}

const INVALID: (&str, &str) = ("invalid", "bad_signature");

#[tokio::test]
async fn the_hash_is_of_the_signatures_own_digest() {
    use SignatureMethod::{HmacSha1, HmacSha256};
    let app = || App::new(api().signature_methods([HmacSha1, HmacSha256]).build().unwrap());
    let link = api_signer().signature_method(HmacSha256).body(SCORE);
    for request in signed(&link, XML, SCORE) {
        assert_eq!(outcome(&app().send(request).await), "ok");
    }
    for request in signed(&link, XML, OTHER_SCORE) {
        assert_eq!(said(&app(), request).await, ("invalid", "body_hash"));
    }
    // The SHA-1 of the score, and text that is not a hash.
    for hash in ["ojqpu26ifunWUH6EEu4dCU1Baj4=", "", "x", "ojqpu26ifunWUH6EEu4dCU1Baj4"] {
        let link = api_signer().signature_method(HmacSha256).uri(&[("oauth_body_hash", hash)]).unwrap();
        assert_eq!(outcome(&app().send(post(&link, XML, SCORE)).await), "malformed", "{hash:?}");
    }
    let escaped = api_signer().body(SCORE).uri(&[]).unwrap().replace("oauth_body_hash", "oauth%5Fbody%5fhash");
    let dangerous = App::new(api().danger_unsigned_body().build().unwrap());
    assert_eq!(said(&dangerous, post(&escaped, XML, OTHER_SCORE)).await, ("invalid", "body_hash"), "in any spelling");
    // A forged body is not hashed: the signature is checked first.
    let forged = api_signer().body(SCORE).uri(&[]).unwrap().replace("nonce=12345678", "nonce=1");
    assert_eq!(said(&app(), post(&forged, XML, OTHER_SCORE)).await, INVALID);
}

/// HTTP/2 need not announce a body, not even that of a `GET`.
#[tokio::test]
async fn a_get_may_have_a_body_with_a_hash() {
    let link = signer_for(API).body(SCORE).uri(&[]).unwrap();
    for dangerous in [false, true] {
        let layer = if dangerous { api().danger_unsigned_body() } else { api() };
        let app = App::new(layer.build().unwrap());
        let request = |body: &'static str| {
            let mut request = post(&link, XML, body);
            (*request.method_mut(), *request.version_mut()) = (Method::GET, http::Version::HTTP_2);
            request.headers_mut().clear();
            request
        };
        for other in [OTHER_SCORE, ""] {
            assert_eq!(said(&app, request(other)).await, ("invalid", "body_hash"), "{dangerous} {other}");
        }
        assert_eq!(outcome(&app.send(request(SCORE)).await), "ok", "{dangerous}");
    }
}

/// axum's own extractor reads what was signed.
#[cfg(feature = "axum")]
#[tokio::test]
async fn no_handler_reads_a_form_that_nobody_signed() {
    use std::collections::HashMap;
    use tower_sso::Identity;
    type Fields = axum::Form<HashMap<String, String>>;
    let handler = |user: Identity<Value>, form: Fields| async move { format!("{} {}", user["user"], form.0["roles"]) };
    for content_type in [FORM, "application/x-www-form-urlencodedx", "application/x-www-form-urlencoded, text/plain"] {
        for danger in [false, true] {
            let layer = if danger { api().danger_unsigned_body() } else { api() }.build().unwrap();
            let app = axum::Router::new().route("/api", axum::routing::post(handler).layer(layer));
            let link = api_signer().uri(&[("user", "eve")]).unwrap();
            let body = axum::body::Body::from("roles=Administrator");
            let request = Request::post(&link).header("content-type", content_type).body(body).unwrap();
            assert_eq!(app.oneshot(request).await.unwrap().status(), 401, "{content_type}");
        }
    }
}

/// A body that must not be polled further.
struct Untouchable;

impl Body for Untouchable {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("nothing is to be read")
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

/// If the server knows that no body follows, the request is checked at once. A chunked body counts on any method.
#[tokio::test]
async fn a_body_is_looked_for_where_there_may_be_one() {
    let link = signer_for(API).uri(&[]).unwrap();
    let answered = service_fn(|_: Request<LayerBody<Untouchable>>| async {
        Ok::<_, Infallible>(http::Response::new(Full::<Bytes>::default()))
    });
    let request = Request::get(&link).body(Untouchable).unwrap();
    let answer = api().build().unwrap().layer(answered).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200, "no body");

    for (chunks, expected) in [(vec![], 200), (vec![""], 200), (vec!["a"], 400), (vec!["", "a", "b"], 400)] {
        let echo = service_fn(|request: Request<LayerBody<_>>| async {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            Ok::<_, Infallible>(http::Response::new(Full::new(body)))
        });
        let frames = chunks.iter().map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::from(*chunk))));
        let body = StreamBody::new(stream::iter(frames.collect::<Vec<_>>()));
        let request = Request::get(&link).body(body).unwrap();
        let answer = api().build().unwrap().layer(echo).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), expected, "{chunks:?}");
    }
}
