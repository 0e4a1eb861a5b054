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
        (r#"{"id":-1}"#, "ok", 3),
        (r#"{"id":18446744073709551615}"#, "ok", 4),
        (r#"{"id":18446744073709551616}"#, "rejected_claims", 4),
        (r#"{"id":1.5}"#, "rejected_claims", 4),
    ] {
        let answer = app.send(request(signer().sign(body))).await;
        let said = if answer.status() == 200 { "ok" } else { outcome(&answer) };
        assert_eq!((said, app.inner.calls()), (expected, calls), "{body}");
    }
}

/// Wherever the id is, one event is handed on once; what has no id is recognised by its bytes, or refused if it must
/// have one.
#[tokio::test]
async fn an_events_id_may_stand_anywhere_in_the_body() {
    let inner = || EventId::field("/event/id");
    let escaped = || EventId::field("/a~1b/~0c/1");
    let if_given = || EventId::field_if_given("/event/id");
    let each = || EventId::each("events", "/meta/id");
    let list = || EventId::each("", "id");
    for (id, bodies, expected, calls, why) in [
        (inner(), [r#"{"event":{"id":"1"},"n":1}"#, r#"{"n":2,"event":{"id":1}}"#], "ok", 1, "one id"),
        (inner(), [r#"{"event":{"id":"1"}}"#, r#"{"event":{"id":"2"}}"#], "ok", 2, "two ids"),
        (inner(), [r#"{"id":"1"}"#, r#"{"event":["id"]}"#], "rejected_claims", 0, "elsewhere"),
        (inner(), [r#"{"event/id":"1"}"#, r#"{"/event/id":"1"}"#], "rejected_claims", 0, "a name that looks like one"),
        (escaped(), [r#"{"a/b":{"~c":[0,"x"]}}"#, r#"{"a/b":{"~c":[1,"x"]}}"#], "ok", 1, "escapes, and a list"),
        (if_given(), [r#"{"event":{"id":"1"},"n":1}"#, r#"{"event":{"id":"1"},"n":2}"#], "ok", 1, "given"),
        (if_given(), [r#"{"n":1}"#, r#"{"n":1}"#], "ok", 1, "not given: the same bytes"),
        (if_given(), [r#"{"n":1}"#, r#"{"n":2}"#], "ok", 2, "not given: other bytes"),
        (if_given(), [r#"{"event":{"id":[1]}}"#, r#"{"event":{"id":""}}"#], "ok", 2, "no id"),
        (each(), [r#"{"events":[{"meta":{"id":1}}]}"#, r#"{"n":1,"events":[{"meta":{"id":"1"}}]}"#], "ok", 1, "one"),
        (each(), [r#"{"events":[]}"#, r#"{"events":[],"n":1}"#], "ok", 2, "an empty list"),
        (list(), [r#"[{"id":"a"},{"id":"b"}]"#, r#"[{"id":"a","n":1},{"id":"b"}]"#], "ok", 1, "the same events"),
        (list(), [r#"[{"id":"a"},{"id":"b"}]"#, r#"[{"id":"a"},{"id":"c"}]"#], "ok", 2, "one other"),
        (list(), [r#"[{"id":"a"},{"id":"b"}]"#, r#"[{"id":"a"}]"#], "ok", 2, "one less"),
        (list(), [r#"[{"id":"a\",\"b"}]"#, r#"[{"id":"a"},{"id":"b"}]"#], "ok", 2, "an id that looks like two"),
        (list(), [r#"[{"id":"a"},{"n":1}]"#, r#"[{"id":"a"},{"n":2}]"#], "ok", 2, "one has none"),
        (list(), [r#"{"id":"a"}"#, r#"{"id":"a","n":1}"#], "ok", 2, "no list"),
        (EventId::Body, [r#"{"n":1}"#, r#"{"n":1}"#], "ok", 1, "the same body"),
        (EventId::Body, [r#"{"n":1}"#, r#"{"n":1} "#], "ok", 2, "another body"),
    ] {
        let layer = webhook::layer::<RawBody>().secrets([SECRET]).replay(replay()).handler_remembers().clock(clock());
        let app = App::new(layer.event_id(id.clone()).build().unwrap());
        for body in bodies {
            let answer = app.send(request(signer().sign(body))).await;
            let said = if answer.status() == 200 { "ok" } else { outcome(&answer) };
            assert_eq!(said, expected, "{why}: {id:?} in {body}");
        }
        assert_eq!(app.inner.calls(), calls, "{why}: {id:?}");
    }
}

/// An id, or a time, is taken from what is signed.
#[test]
fn ids_that_cannot_be_read_do_not_build() {
    let start = || webhook::layer::<RawBody>().secrets([SECRET]).replay(replay()).handler_remembers().clock(clock());
    let form = || start().content_type("application/x-www-form-urlencoded");
    assert!(form().event_id(EventId::Body).build().is_ok());
    for (layer, why) in [
        (start().event_id(EventId::field("/a~b")), "no pointer"),
        (start().event_id(EventId::each("/a~", "id")), "no pointer to the list"),
        (start().event_id(EventId::each("", "/id~2")), "no pointer in an element"),
        (start().danger_signed("x{body:crc32}").event_id(EventId::field("id")), "a body that is not signed"),
        (form().event_id(EventId::field("id")), "a form is no object"),
        (form().event_id(EventId::field_if_given("id")), "none would ever be found"),
        (form().event_id(EventId::each("", "id")), "nor in a list"),
    ] {
        let error = layer.build().unwrap_err().to_string();
        assert!(error.contains("event_id"), "{why}: {error}");
    }
}

/// A call with a time and an event's id is retried with a new time. Whoever reads the error must learn that.
#[test]
fn a_store_that_forgets_is_refused_with_the_true_reason() {
    let start = webhook::layer::<Value>().secrets(["the secret of a company"]).replay(replay());
    let timed = start.separator(',').timestamp_element("t=").prefix("v1=").signed("{timestamp}.{body}");
    let error = timed.event_id(EventId::field("id")).build().unwrap_err().to_string();
    for said in ["`event_id`", "a retry", "handler_remembers()", "RedisStore"] {
        assert!(error.contains(said), "{said}: {error}");
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

/// Layers of two senders share a store. Where nothing of a MAC counts, the header tells them apart; for two of a kind a
/// namespace does.
#[tokio::test]
async fn an_event_is_its_layers_where_two_share_a_store() {
    const SECRETS: [&str; 2] = ["the secret of sender a", "the secret of sender b"];
    let default = HeaderName::from_static("webhook-signature");
    let other = HeaderName::from_static("other-signature");
    for (is_list, headers, namespace, expected) in [
        (false, [&default, &other], "", 1),
        (true, [&default, &other], "", 1),
        (false, [&default, &default], "b", 1),
        (true, [&default, &default], "b", 1),
        (false, [&default, &default], "", 0),
    ] {
        let store = replay();
        let mut calls = Vec::new();
        for ((secret, header), namespace) in SECRETS.into_iter().zip(headers).zip(["", namespace]) {
            let start = webhook::layer::<Value>().secrets([secret]).replay(store.clone()).handler_remembers();
            let start = start.clock(clock()).signature_header(header.clone()).namespace(namespace);
            let start = if is_list { start.separator(',') } else { start.event_id(EventId::field("id")) };
            let app = App::new(start.build().unwrap());
            let mut call = request(SigningWebhook::new(Secret::new(secret)).sign(r#"{"id":1}"#));
            let signature = call.headers_mut().remove("webhook-signature").unwrap();
            call.headers_mut().insert(header, signature);
            assert_eq!(app.send(call).await.status(), 200);
            calls.push(app.inner.calls());
        }
        assert_eq!(calls, [1, expected], "list: {is_list}, {headers:?}, namespace {namespace:?}");
    }
}

/// A retry that is signed after a restart has a new time, which the startup cutoff lets through.
#[test]
fn events_need_more_than_a_store_that_forgets() {
    let time = HeaderName::from_static("x-time");
    let start = || {
        let layer = webhook::layer::<Value>().secrets([SECRET]).replay(replay()).clock(clock());
        layer.signed("{timestamp}.{body}").timestamp_header(time.clone())
    };
    assert!(start().build().is_ok(), "each retry is processed again anyway");
    let by_id = || start().event_id(EventId::field("id"));
    let error = by_id().build().unwrap_err().to_string();
    assert!(error.contains("handler_remembers"), "{error}");
    assert!(by_id().handler_remembers().build().is_ok());
}
