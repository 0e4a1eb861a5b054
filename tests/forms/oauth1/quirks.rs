//! What Canvas and Eloqua do otherwise than the RFC, where it is switched on.

use super::*;
use crate::support::subject::store_since;

const LAUNCH: &str = "https://app.example/launch";

/// A form that repeats the launch URL's query, which was signed once.
fn copied(query: &str, fields: &[(&str, &str)]) -> Request_ {
    let body = signer_for(LAUNCH).form(fields).unwrap();
    post(&format!("{LAUNCH}?{query}"), FORM, &body)
}

fn canvas() -> App {
    let layer = layer_at(Origin::new("https://app.example")).transports([Transport::Form]).methods([Method::POST]);
    App::new(layer.query_copied_into_form().build().unwrap())
}

#[tokio::test]
async fn a_query_that_is_copied_into_the_form_counts_once() {
    let fields = [("user_id", "u1"), ("assignment", "7"), ("empty", "")];
    for (query, expected, why) in [
        ("assignment=7", "ok", "a copy"),
        ("assignment=%37", "ok", "a copy in another spelling"),
        ("assignment=7&empty=", "ok", "two copies"),
        ("assignment=7&empty", "ok", "an empty one"),
        ("assignment=8", "bad_signature", "another value"),
        ("assignment=7&x=1", "bad_signature", "one that nobody signed"),
        ("x=1", "bad_signature", "one that nobody signed"),
        ("assignment=7&assignment=7", "bad_signature", "one copy too many"),
        ("user_id=u2", "bad_signature", "another user"),
        ("assignment=7&oauth_nonce=12345678", "duplicate_parameter", "the protocol's own in both places"),
    ] {
        assert_eq!(said(&canvas(), copied(query, &fields)).await.1, expected, "{why}");
    }
    // As the RFC says it: the query is signed too, and the form does not repeat it.
    let url = format!("{LAUNCH}?assignment=7");
    let body = signer_for(&url).form(&[("user_id", "u1")]).unwrap();
    assert_eq!(said(&canvas(), post(&url, FORM, &body)).await.1, "ok");
    let strict = layer_at(Origin::new("https://app.example")).transports([Transport::Form]).methods([Method::POST]);
    let strict = App::new(strict.build().unwrap());
    assert_eq!(said(&strict, copied("assignment=7", &fields)).await.1, "bad_signature", "not switched on");
}

#[tokio::test]
async fn both_ways_are_one_launch() {
    let app = canvas();
    let fields = [("user_id", "u1"), ("assignment", "7")];
    assert_eq!(said(&app, copied("assignment=7", &fields)).await.1, "ok");
    assert_eq!(said(&app, copied("", &fields)).await.1, "replayed", "the same nonce without the query");
}

/// The vectors of Oracle's page.
#[tokio::test]
async fn names_sorted_without_case() {
    const FIXED: &str = "oauth_consumer_key=test_client_id&oauth_nonce=1234567&oauth_signature_method=HMAC-SHA1\
                         &oauth_timestamp=1427308921&oauth_version=1.0";
    let clock = tower_sso::clock::ManualClock::at(UnixTime::from_secs(1_427_308_921));
    let layer = || {
        let keys = MemoryKeys::new().with("test_client_id", "test_client_secret");
        let replay = store_since(1_427_308_921 - 3_600);
        let layer = oauth1::layer::<Value>(Origin::new("https://example.com")).keys(keys).replay(replay);
        layer.clock(clock.clone()).methods([Method::GET, Method::POST])
    };
    let call = |pairs: &str, signature: &str| {
        let uri = format!("https://example.com/eloqua/action/create?{pairs}&{FIXED}&oauth_signature={signature}");
        Request::post(uri).body(Full::default()).unwrap()
    };
    let lower = call("param1=value1&param2=value2", "EYKturXzLWMliisf%2FK9ySFFtgNo%3D");
    let mixed = "Special!Character=test@test&AssetName=Campaign+With+Spaces";
    let caseless = call(mixed, "WeeqcIooECjp2LEGPlkabKVhkEo%3D");
    let by_bytes = call(mixed, "Hf1fYQa3zNt0SVDkzXEgP7%2Bl3SM%3D");
    for (request, as_is, switched_on) in
        [(lower, "ok", "ok"), (caseless, "bad_signature", "ok"), (by_bytes, "ok", "ok")]
    {
        let uri = request.uri().clone();
        assert_eq!(said(&App::new(layer().build().unwrap()), request.clone()).await.1, as_is, "{uri}");
        let app = App::new(layer().names_sorted_without_case().build().unwrap());
        assert_eq!(said(&app, request).await.1, switched_on, "{uri}");
    }
}
