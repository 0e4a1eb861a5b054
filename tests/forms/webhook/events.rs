//! What makes two deliveries one event.

use tower_sso::keys::MemoryKeys;

use super::*;

/// Without anything between time and body, only the time's length tells where it ends.
#[tokio::test]
async fn a_time_that_nothing_ends_has_its_fixed_length() {
    let time = HeaderName::from_static("x-time");
    let layer = layer().signed("{timestamp}{body}").timestamp_header(time).any_content_type().build().unwrap();
    let app = App::new(layer.clone());
    for (text, expected) in [("1700000000", "ok"), ("170000000", "malformed"), ("17000000001", "malformed")] {
        let call = signer().sign(format!("{text}{JSON}"));
        let signed = with(request(call), "x-time", text).map(|_| Full::new(Bytes::from(JSON)));
        assert_eq!(outcome(&app.send(signed).await), expected, "{text}");
    }
}

/// An id in the body is read from what is authentic, and has to be there.
#[tokio::test]
async fn an_event_is_known_by_a_field_of_its_body() {
    let app = App::new(layer().event_id(EventId::field("id")).build().unwrap());
    for (body, expected, calls) in [
        (r#"{"id":"one","n":1}"#, "ok", 1),
        (r#"{"n":2,"id":"one"}"#, "ok", 1),
        (r#"{"id":1}"#, "ok", 2),
        (r#"{"id":"1"}"#, "ok", 2),
        (r#"{"id":""}"#, "rejected_claims", 2),
        (r#"{"id":null}"#, "rejected_claims", 2),
        (r#"{"n":1}"#, "rejected_claims", 2),
        (r#"{"id":["one"]}"#, "rejected_claims", 2),
    ] {
        let answer = app.send(request(signer().sign(body))).await;
        let said = if answer.status() == 200 { "ok" } else { outcome(&answer) };
        assert_eq!((said, app.inner.calls()), (expected, calls), "{body}");
    }
}

/// Two senders of the same ids, or the same lists, are two.
#[tokio::test]
async fn an_events_id_is_its_senders() {
    let keys = MemoryKeys::new().with("a", "the secret of company a").with("b", "the secret of company b");
    let start = webhook::layer::<Value>().keys(keys).tenant(Tenant::query("company")).replay(replay());
    let app = App::new(start.handler_remembers().clock(clock()).event_id(EventId::field("id")).build().unwrap());
    for (tenant, secret, calls) in
        [("a", "the secret of company a", 1), ("b", "the secret of company b", 2), ("a", "the secret of company a", 2)]
    {
        let mut call = request(SigningWebhook::new(Secret::new(secret)).sign(r#"{"id":"one"}"#));
        *call.uri_mut() = format!("/hook?company={tenant}").parse().unwrap();
        assert_eq!(app.send(call).await.status(), 200);
        assert_eq!(app.inner.calls(), calls, "{tenant}");
    }
}
