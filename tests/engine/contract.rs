//! The promises that every form keeps.

use futures::future::join_all;
use http::{HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt, Full};
use tower_sso::Identity;
use tower_sso::clock::UnixTime;
use tower_sso::keys::KeyUse;

use crate::support::subject::{Duplicate, Failure, FernetSubject, Spoil, Subject, Wish, keys, store_since};
use crate::support::{App, NOW, Request_, clock, outcome, reason, replay, secs, seen};

fn app<S: Subject>() -> App {
    S::app_with(keys::<S>(), replay(), clock())
}

fn wish() -> Wish {
    Wish::default()
}

/// What a duplicate of a credential that was used gets.
fn copy<S: Subject>() -> &'static str {
    match S::DUPLICATE {
        Duplicate::Refused(code) => code,
        Duplicate::Acknowledged | Duplicate::Passes => "ok",
    }
}

/// How often the application is called by a credential and its duplicates.
fn calls<S: Subject>(copies: usize) -> usize {
    if S::DUPLICATE == Duplicate::Passes { 1 + copies } else { 1 }
}

crate::for_every_form! {
    async fn a_good_request_passes_once<S: Subject>() {
        let app = app::<S>();
        let first = app.send(S::request(&wish())).await;
        assert_eq!(outcome(&first), "ok");
        assert!(seen(&first).identified);
        assert_eq!(seen(&first).tenant.as_deref(), Some("acme"));

        let request = S::request(&Wish { subject: "bob".into(), ..wish() });
        assert_eq!(outcome(&app.send(request.clone()).await), "ok", "another credential");
        assert_eq!(outcome(&app.send(request).await), copy::<S>());
        assert_eq!(app.inner.calls(), 1 + calls::<S>(1), "the copy did not reach the application");
    }

    async fn what_is_spoilt_is_refused_and_burns_nothing<S: Subject>() {
        let app = app::<S>();
        let good = S::request(&wish());
        for (how, expected) in [
            (Spoil::Content, &["invalid"][..]),
            (Spoil::Signature, &["invalid"]),
            (Spoil::Twice, &["malformed"]),
            (Spoil::Absent, &["malformed", "unsupported_media_type"]),
            (Spoil::Alphabet, &["malformed"]),
            (Spoil::Short, &["malformed", "invalid"]),
            (Spoil::Oversize, &["malformed", "payload_too_large"]),
        ] {
            let Some(request) = S::spoil(good.clone(), how) else { continue };
            let answer = app.send(request).await;
            assert!(expected.contains(&outcome(&answer)), "{how:?}: {}", outcome(&answer));
        }
        assert_eq!(app.inner.calls(), 0);
        assert_eq!(outcome(&app.send(good).await), "ok", "a forger cannot use up a victim's credential");
    }

    async fn a_body_that_nobody_signed_is_refused_and_uses_nothing_up<S: Subject>() {
        let good = S::posted(&wish());
        let signed = good.clone().into_body().collect().await.unwrap().to_bytes();
        let form = "application/x-www-form-urlencoded";
        for content_type in [form, "application/json", "text/plain", ""].into_iter().filter(|_| signed.is_empty()) {
            let mut with_body = good.clone().map(|_| Full::from("role=admin"));
            if !content_type.is_empty() {
                with_body.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
            }
            let app = S::posted_app(false);
            let refused = app.send(with_body.clone()).await;
            // OAuth signs a form.
            let is_read = S::NAME == "oauth1" && content_type == form;
            let expected = if is_read { ("invalid", "bad_signature") } else { ("malformed", "unsigned_body") };
            assert_eq!((outcome(&refused), reason(&refused)), expected, "{content_type}");
            assert_eq!(app.inner.calls(), 0);
            assert_eq!(outcome(&app.send(good.clone()).await), "ok", "{content_type}: nothing was used up");

            let dangerous = S::posted_app(true).send(with_body).await;
            assert_eq!(outcome(&dangerous), if is_read { "invalid" } else { "ok" }, "{content_type}");
            assert!(is_read || seen(&dangerous).body == "role=admin", "{content_type}: as it came");
        }
        if !signed.is_empty() {
            // It is signed, or has the credential in it.
            let app = S::posted_app(false);
            let longer = [&signed[..], b"&role=admin"].concat();
            let refused = app.send(good.clone().map(|_| Full::from(longer))).await;
            assert!(matches!(outcome(&refused), "malformed" | "invalid"), "{}", outcome(&refused));
            assert_eq!(app.inner.calls(), 0);
            assert_eq!(outcome(&app.send(good).await), "ok", "nothing was used up");
        }
    }

    async fn another_spelling_is_not_another_login<S: Subject>() {
        let app = app::<S>();
        let good = S::request(&wish());
        let Some(respelled) = S::spoil(good.clone(), Spoil::Respelled) else { return };
        assert_ne!(format!("{good:?}"), format!("{respelled:?}"));
        assert_eq!(outcome(&app.send(respelled).await), "ok");
        assert_eq!(outcome(&app.send(good).await), copy::<S>());
        assert_eq!(app.inner.calls(), calls::<S>(1));
    }

    async fn of_64_copies_at_once_one_passes<S: Subject>() {
        let app = app::<S>();
        let request = S::request(&wish());
        let copies = join_all((0..64).map(|_| {
            let (app, request) = (app.clone(), request.clone());
            tokio::spawn(async move { outcome(&app.send(request).await) })
        })).await;
        let passed = copies.into_iter().filter(|outcome| *outcome.as_ref().unwrap() == "ok").count();
        assert_eq!(app.inner.calls(), calls::<S>(63));
        assert_eq!(passed, if copy::<S>() == "ok" { 64 } else { 1 });
    }

    async fn the_window_is_inclusive_and_remembered_to_its_end<S: Subject>() {
        let Some((max_age, skew)) = S::WINDOW else { return };
        for (issued_at, expected) in [
            (NOW - max_age, "ok"),
            (NOW - max_age - 1, "expired"),
            (NOW + skew, "ok"),
            (NOW + skew + 1, "not_yet_valid"),
        ] {
            let request = S::request(&Wish { issued_at: UnixTime::from_secs(issued_at), ..wish() });
            assert_eq!(outcome(&app::<S>().send(request).await), expected, "made at {issued_at}");
        }

        // A used credential passes again at no second of its window.
        let time = clock();
        let app = S::app_with(keys::<S>(), replay(), time.clone());
        let request = S::request(&Wish { issued_at: UnixTime::from_secs(NOW + skew), ..wish() });
        assert_eq!(outcome(&app.send(request.clone()).await), "ok");
        for _ in 0..max_age + skew {
            assert_eq!(outcome(&app.send(request.clone()).await), copy::<S>());
            time.advance(secs(1));
        }
        assert_eq!(outcome(&app.send(request.clone()).await), copy::<S>(), "the last second, inclusive");
        time.advance(secs(1));
        assert_eq!(outcome(&app.send(request).await), "expired");
        assert_eq!(app.inner.calls(), 1);
    }

    async fn what_was_made_before_the_store_is_refused<S: Subject>() {
        let Some(_) = S::WINDOW else { return };
        let app = S::app_with(keys::<S>(), store_since(S::CUTOFF_AT), clock());
        let before = S::request(&Wish { issued_at: UnixTime::from_secs(NOW - 1), ..wish() });
        let answer = app.send(before).await;
        assert_eq!((outcome(&answer), reason(&answer)), ("replayed", "before_cutoff"));
        assert_eq!(outcome(&app.send(S::request(&wish())).await), "ok", "made when the store was");
    }

    async fn an_unknown_tenant_is_answered_like_a_wrong_key<S: Subject>() {
        let app = app::<S>();
        let unknown = app.send(S::request(&Wish { tenant: "nobody", ..wish() })).await;
        let wrong_key = app.send(S::request(&Wish { key: 3, ..wish() })).await;
        let others_key = app.send(S::request(&Wish { key: 2, ..wish() })).await;
        assert_eq!(reason(&unknown), "unknown_key");
        let mut refused = vec![(&wrong_key, if S::LOOKED_UP { "unknown_key" } else { "bad_signature" })];
        if S::LOOKED_UP {
            // A credential that was issued to another tenant is that tenant's, wherever it arrives.
            assert_eq!(seen(&others_key).tenant.as_deref(), Some("other"));
        } else {
            refused.push((&others_key, "bad_signature"));
        }
        for (other, expected) in refused {
            assert_eq!(reason(other), expected);
            assert_eq!(unknown.status(), other.status());
            assert_eq!(unknown.headers(), other.headers());
            assert_eq!(unknown.body(), other.body());
        }
        assert_eq!(outcome(&unknown), "invalid");
        assert_eq!(app.inner.calls(), usize::from(S::LOOKED_UP));
    }

    /// The sender chooses the name, unless the form signs it.
    async fn a_credential_is_one_login_under_all_names_of_its_key<S: Subject>() {
        let app = S::app_with(keys::<S>().with("twin", S::key(0)), replay(), clock());
        let request = S::request(&wish());
        if S::LOOKED_UP {
            // Nothing in the request names a tenant, and what looks like a name does not count.
            let (mut head, body) = request.into_parts();
            head.uri = format!("{}&tenant=twin", head.uri).parse().unwrap();
            head.headers.insert("x-tenant", HeaderValue::from_static("twin"));
            let answer = app.send(http::Request::from_parts(head, body)).await;
            assert_eq!(seen(&answer).tenant.as_deref(), Some("acme"));
        } else {
            let renamed = renamed(request.clone(), "acme", "twin");
            assert_eq!(outcome(&app.send(request).await), "ok");
            app.send(renamed).await;
        }
        assert_eq!(app.inner.calls(), 1);
    }

    async fn the_previous_key_works_until_its_end<S: Subject>() {
        if !S::ROTATES {
            return;
        }
        let (time, stored) = (clock(), keys::<S>());
        let app = S::app_with(stored.clone(), replay(), time.clone());
        let with = |key: usize, issued_at: u64, subject: &str| {
            S::request(&Wish { key, issued_at: UnixTime::from_secs(issued_at), subject: subject.into(), ..wish() })
        };
        let first = with(0, NOW, "a");
        let current = app.send(first.clone()).await;
        assert_eq!(seen(&current).key, Some(KeyUse::Current));
        let previous = with(1, NOW, "b");
        assert_eq!(seen(&app.send(previous).await).key, Some(KeyUse::Previous));

        // What was used before a rotation stays used after it, although its key is now the previous one.
        stored.rotate("acme", S::key(3), UnixTime::MAX);
        assert_eq!(outcome(&app.send(first).await), copy::<S>());
        assert_eq!(app.inner.calls(), 1 + calls::<S>(1));

        let app = S::app_with(keys::<S>(), replay(), time.clone());
        time.set(UnixTime::from_secs(NOW + 3_600));
        assert_eq!(outcome(&app.send(with(1, NOW + 3_600, "c")).await), "ok", "its last second, inclusive");
        time.advance(secs(1));
        assert_eq!(outcome(&app.send(with(1, NOW + 3_601, "d")).await), "invalid");
        assert_eq!(outcome(&app.send(with(0, NOW + 3_601, "e")).await), "ok");
    }

    async fn head_prefetch_and_other_methods_use_nothing_up<S: Subject>() {
        let app = app::<S>();
        let good = S::request(&wish());
        for method in [Method::HEAD, Method::PUT, Method::OPTIONS] {
            let mut request = good.clone();
            *request.method_mut() = method.clone();
            let answer = app.send(request).await;
            assert_eq!(outcome(&answer), "method_not_allowed", "{method}");
            assert_eq!(answer.headers()["allow"], good.method().as_str());
        }
        let mark = async |name: &'static str, value: String| {
            let mut request = good.clone();
            request.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
            assert_eq!(outcome(&app.send(request).await), "too_early", "{name}: {value}");
        };
        for name in ["sec-purpose", "purpose", "x-purpose", "x-moz", "x-sec-purpose"] {
            for word in ["prefetch", "prerender", "preview", "instant"] {
                for value in [
                    word.to_owned(),
                    word.to_uppercase(),
                    format!("\"{word}\""),
                    format!("{word}=?1"),
                    format!("{word};anonymous-client-ip"),
                    format!("prefetch;{word}"),
                    format!("other, {word} ; x=1"),
                ] {
                    mark(name, value).await;
                }
            }
        }
        let mut twice = good.clone();
        twice.headers_mut().append("x-purpose", HeaderValue::from_static("other"));
        twice.headers_mut().append("x-purpose", HeaderValue::from_static("preview"));
        assert_eq!(outcome(&app.send(twice).await), "too_early", "the mark is in the second header");
        assert_eq!(app.inner.calls(), 0);
        let mut clicked = good;
        for (name, value) in [("purpose", "navigation"), ("x-purpose", "prefetched-before"), ("x-moz", "")] {
            clicked.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        assert_eq!(outcome(&app.send(clicked).await), "ok", "other words are no mark");
    }

    async fn the_credential_does_not_go_on_in_the_uri<S: Subject>() {
        let answer = app::<S>().send(S::request(&wish())).await;
        let uri = seen(&answer).uri.to_string();
        assert!(uri.ends_with("b=1"), "other parameters stay: {uri}");
        assert!(!uri.contains("token") && !uri.contains("tenant") && !uri.contains("hash") && !uri.contains("email"), "{uri}");
    }

    async fn an_identity_that_came_in_is_removed<S: Subject>() {
        let app = S::optional_app(keys::<S>(), replay(), clock());
        let request = S::spoil(S::request(&wish()), Spoil::Absent).unwrap();
        let (mut head, body) = request.into_parts();
        head.extensions.insert(stolen().await);
        let answer = app.send_unsealed(http::Request::from_parts(head, body)).await;
        assert!(!seen(&answer).identified, "only this layer says who the user is");
    }

    async fn an_optional_layer_lets_through_what_has_no_credential_and_nothing_else<S: Subject>() {
        let app = S::optional_app(keys::<S>(), replay(), clock());
        let absent = S::spoil(S::request(&wish()), Spoil::Absent).unwrap();
        let mut head = absent.clone();
        *head.method_mut() = Method::HEAD;
        for request in [absent, head] {
            let answer = app.send_unsealed(request).await;
            assert!(!seen(&answer).identified);
            assert!(!answer.headers().contains_key("cache-control"), "the page's own caching is left alone");
        }
        assert_eq!(outcome(&app.send(S::spoil(S::request(&wish()), Spoil::Signature).unwrap()).await), "invalid");
        assert!(seen(&app.send(S::request(&wish())).await).identified);
    }

    async fn a_store_that_fails_is_not_a_way_in<S: Subject>() {
        for failure in [Failure::Error, Failure::Never, Failure::Full] {
            let (app, expected) = S::failing_app(failure);
            let answer = app.send(S::request(&wish())).await;
            assert_eq!((outcome(&answer), reason(&answer)), ("unavailable", expected), "{failure:?}");
            assert!(answer.headers().contains_key("retry-after"));
            assert_eq!(app.inner.calls(), 0);
        }
    }
}

/// The same credential, addressed to another tenant.
fn renamed(request: Request_, from: &str, to: &str) -> Request_ {
    let (mut head, body) = request.into_parts();
    let uri = head.uri.to_string();
    head.uri = uri.replace(&format!("={from}"), &format!("={to}")).parse().unwrap();
    let by_header = head.headers.get("x-tenant").is_some_and(|tenant| tenant == from);
    assert!(by_header || head.uri.to_string() != uri, "the request names its tenant somewhere");
    if by_header {
        head.headers.insert("x-tenant", to.parse().unwrap());
    }
    http::Request::from_parts(head, body)
}

/// An identity as a careless layer outside might leave it in a request.
async fn stolen() -> Identity<serde_json::Value> {
    use tower::{Layer, ServiceExt, service_fn};
    let layer = FernetSubject::layer(keys::<FernetSubject>(), replay(), clock());
    let take = service_fn(|request: Request_| async move {
        let identity = Identity::<serde_json::Value>::of(request.extensions()).unwrap().clone();
        let mut response = http::Response::new(());
        response.extensions_mut().insert(identity);
        Ok::<_, std::convert::Infallible>(response)
    });
    let request = FernetSubject::request(&wish());
    let response = layer.build().unwrap().layer(take).oneshot(request).await.unwrap();
    response.extensions().get::<Identity<serde_json::Value>>().unwrap().clone()
}

/// A form's folder has `impl<…> Form for` in `mod.rs` or `form.rs`; each of them must be among the subjects.
#[test]
fn no_form_is_left_out() {
    let subjects = include_str!("../support/subject/mod.rs");
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut forms = 0;
    let folders = std::fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().path());
    for folder in folders.chain([source.join("jwt/webhook")]) {
        let texts = ["mod.rs", "form.rs"].map(|file| std::fs::read_to_string(folder.join(file)).unwrap_or_default());
        let text = texts.concat();
        let Some((_, name)) = text.split_once("\n    const NAME: &'static str = \"") else { continue };
        let name = name.split('"').next().unwrap();
        forms += 1;
        assert!(subjects.contains(&format!("@form {name} ")), "{name} has no line in `for_every_form!`");
    }
    assert_eq!(forms, 13, "say here how many forms there are");
}
