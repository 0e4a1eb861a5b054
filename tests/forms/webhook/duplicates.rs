//! What becomes of a duplicate.

use std::sync::{Arc, Mutex};

use super::*;
use tower_sso::Identity;

#[tokio::test]
async fn a_duplicate_gets_the_answer_that_is_set() {
    let received = http::Response::builder().status(202).header("content-type", "text/plain");
    let received = received.body(Bytes::from("received")).unwrap();
    let app = App::new(layer().acknowledge_with(received).build().unwrap());
    for (status, body, content_type) in [(200, "", None), (202, "received", Some("text/plain"))] {
        let answer = app.send(request(signer().sign(JSON))).await;
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (status, body.as_bytes()));
        assert_eq!(answer.headers().get("content-type").map(|value| value.to_str().unwrap()), content_type);
    }
    assert_eq!(app.inner.calls(), 1);
}

/// The handler sees every duplicate with a mark, and its answer does not undo the event.
#[tokio::test]
async fn duplicates_are_handed_on_with_a_mark() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let shown = seen.clone();
    let handler = service_fn(move |request: Request<LayerBody<Full<Bytes>>>| {
        let identity = Identity::<Value>::of(request.extensions()).unwrap();
        let mut seen = shown.lock().unwrap();
        seen.push(identity.clone().is_duplicate());
        // The first attempt fails, and so does the handler at the first duplicate.
        let status = if [1, 3].contains(&seen.len()) { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
        let mut answer = http::Response::new(Full::<Bytes>::default());
        *answer.status_mut() = status;
        async move { Ok::<_, std::convert::Infallible>(answer) }
    });
    let service = layer().hand_duplicates_on().build().unwrap().layer(handler);
    for (status, is_duplicate) in [(502, false), (200, false), (502, true), (200, true)] {
        let answer = service.clone().oneshot(request(signer().sign(JSON))).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(seen.lock().unwrap().last(), Some(&is_duplicate));
    }
    // A forged one is not a duplicate.
    let forged = with(request(signer().sign(JSON)), "webhook-signature", &"0".repeat(64));
    assert_eq!(service.oneshot(forged).await.unwrap().status(), 401);
    assert_eq!(seen.lock().unwrap().len(), 4);
}

#[test]
fn settings_that_contradict_each_other_do_not_build() {
    let days = |days: u64| secs(days * 24 * 60 * 60);
    let without = || webhook::layer::<Value>().secrets([SECRET]).replay(replay()).danger_forgets_on_restart();
    let failure = || http::Response::builder().status(500).body(Bytes::new()).unwrap();
    let field = || EventId::field("id");
    for (layer, said) in [
        (without().hand_duplicates_on(), "handler_remembers"),
        (layer().hand_duplicates_on().acknowledge_with(http::Response::default()), "acknowledge_with"),
        (layer().hand_duplicates_on().danger_every_delivery(), "danger_every_delivery"),
        (layer().acknowledge_with(failure()), "no success"),
        (layer().event_id(field()).retried_for(days(91)), "90 days"),
        (layer().danger_remember_for(days(367)), "366 days"),
    ] {
        let problem = refused(layer.build());
        assert!(problem.contains(said), "{said}: {problem}");
    }
    assert!(layer().event_id(field()).retried_for(days(90)).build().is_ok());
    assert!(layer().danger_remember_for(days(366)).build().is_ok());
}
