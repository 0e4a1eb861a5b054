//! The redirect to the partner's sign-in page, and attempts to abuse it.

use std::convert::Infallible;

use http::{HeaderValue, Method, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::body::LayerBody;
use tower_sso::login_redirect::{LoginRedirectLayer, LoginRequired, SsoUrl, is_bound, login_required};
use tower_sso::query::Query;
use tower_sso::received;

const HOST: &str = "app.waggl.com";

fn layer() -> LoginRedirectLayer {
    let url = SsoUrl::parse("https://idp.example/waggl/sso/").unwrap();
    LoginRedirectLayer::new(move |_| Some(url.clone()))
}

/// A service without sessions behind the layer. Its answers show which path it saw.
async fn send(layer: LoginRedirectLayer, request: Request<()>) -> Response<LayerBody<String>> {
    let inner = service_fn(|request: Request<()>| async move {
        let mut answer: Response<String> = login_required();
        answer.headers_mut().insert("set-cookie", HeaderValue::from_static("pre=1"));
        answer.headers_mut().insert("x-path", request.uri().path().parse().unwrap());
        Ok::<_, Infallible>(answer)
    });
    layer.layer(inner).oneshot(request).await.unwrap()
}

async fn location(layer: LoginRedirectLayer, uri: &str) -> String {
    let answer = send(layer, Request::get(uri).body(()).unwrap()).await;
    assert_eq!(answer.status(), 302, "{uri}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// The two parameters, decoded as the partner decodes them.
async fn returns(layer: LoginRedirectLayer, uri: &str) -> (String, Option<String>) {
    let location: http::Uri = location(layer, uri).await.parse().unwrap();
    let query = Query::of(&location);
    let params = query.value("return_to_params").unwrap().map(std::borrow::Cow::into_owned);
    (query.required("return_to_path").unwrap().into_owned(), params)
}

#[tokio::test]
async fn the_samples_are_met_to_the_letter() {
    let bare = || layer().bare_segments(["i"]);
    for (uri, expected) in [
        ("/i/9745804b", "return_to_path=i%2F9745804b"),
        ("/i/9745804b?view=vote&page=1", "return_to_path=i%2F9745804b&return_to_params=view%3Dvote%26page%3D1"),
    ] {
        assert_eq!(location(bare(), uri).await, format!("https://idp.example/waggl/sso/?{expected}"));
    }
}

#[tokio::test]
async fn the_answer_is_a_redirect_that_nobody_keeps() {
    let answer = send(layer(), Request::get("/i/1").body(()).unwrap()).await;
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["set-cookie"], "pre=1", "what binds the browser goes on");
    assert!(!answer.headers().contains_key("www-authenticate"));
    assert!(answer.extensions().get::<LoginRequired>().is_none());
    assert!(http_body::Body::is_end_stream(answer.body()));
}

#[tokio::test]
async fn what_is_not_to_be_redirected_stays() {
    for (layer, method, why) in [
        (LoginRedirectLayer::new(|_| None), Method::GET, "an unknown tenant"),
        (layer(), Method::POST, "a form would be lost on the way"),
    ] {
        let answer = send(layer, Request::builder().method(method).uri("/i/1").body(()).unwrap()).await;
        assert_eq!(answer.status(), 401, "{why}");
        assert_eq!(answer.headers()["www-authenticate"], "SSO", "{why}");
    }
    let head = send(layer(), Request::head("/i/1").body(()).unwrap()).await;
    assert_eq!(head.status(), 302);

    let unmarked =
        service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::builder().status(401).body("").unwrap()) });
    let answer = layer().layer(unmarked).oneshot(Request::get("/i/1").body(()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 401, "another layer's refusal, such as that of a bad token");
}

/// Whatever the path, and however the partner joins it to the host, the token comes back to us.
#[tokio::test]
async fn no_path_turns_into_another_host() {
    for (path, expected, why) in [
        ("/i/9745804b", "/i/9745804b", "an ordinary path that nobody has named"),
        ("/", "/", "the root"),
        ("/munity/x", "/munity/x", "`com` + `munity` is a real top-level domain"),
        ("/m/x", "/m/x", "behind `.co` it would be another country"),
        ("/5/x", "/5/x", "behind an IPv4 address it would be another address"),
        ("/.evil.example/x", "/.evil.example/x", "a longer host name"),
        ("/-evil.example/x", "/-evil.example/x", "a longer host name"),
        ("/@evil.example/x", "/@evil.example/x", "our host would be user information"),
        ("/:pw@evil.example/x", "/:pw@evil.example/x", "our host would be user information"),
        ("/:8080/x", "/:8080/x", "another port"),
        ("/%2eevil.example", "/%2eevil.example", "an escaped dot"),
        ("/%40evil.example", "/%40evil.example", "an escaped at sign"),
        ("/%2Fevil.example", "/", "a slash in disguise is no local path"),
        ("/%5Cevil.example", "/", "a backslash in disguise is no local path"),
        ("/..//evil.example", "/", "dots that leave two slashes"),
        ("//evil.example/x", "/evil.example/x", "two slashes are one"),
        ("///evil.example/x", "/evil.example/x", "three too"),
        ("/i/../@evil.example", "/i/../@evil.example", "dots that stay inside"),
        ("/i;.evil.example/x", "/i;.evil.example/x", "no plain segment"),
        ("/i%2F..%2F/x", "/", "escaped slashes that leave two, once they are decoded"),
        ("/i%2Fx/y", "/i%2Fx/y", "an escaped slash further on"),
        ("/\\evil.example", "/", "a backslash"),
        ("//\\evil.example", "/", "a backslash behind two slashes"),
        ("/.//evil.example", "/", "a dot that leaves two slashes"),
        ("/\u{ff0f}evil.example", "/%EF%BC%8Fevil.example", "a wide slash is one only in a host name"),
    ] {
        let (returned, _) = returns(layer().bare_segments(["", "i;.evil.example", ".evil.example"]), path).await;
        assert_eq!(returned, expected, "{path}: {why}");
        for glue in ["", "/"] {
            for host in [HOST, "app.waggl.co", "10.0.0.1", "[::1]", "localhost:3000"] {
                let back = format!("https://{host}{glue}{returned}?sso_jwt=x");
                let (back, own) =
                    (url::Url::parse(&back).unwrap(), url::Url::parse(&format!("https://{host}/")).unwrap());
                assert_eq!(back.origin(), own.origin(), "{path} glued by {glue:?}: {why}");
                assert_eq!(back.username(), "", "{path}: {why}");
            }
        }
    }
}

/// A named first segment is kept as it is, so no link can turn it into a host.
#[tokio::test]
async fn a_named_segment_stays_what_it_is() {
    for (path, expected) in [
        ("/i/9745804b", "i/9745804b"),
        ("/i", "i"),
        ("/i/@evil.example/x", "i/@evil.example/x"),
        ("/i/..//x", "/"),
        ("/i.evil.example/x", "/i.evil.example/x"),
        ("/i@evil.example/x", "/i@evil.example/x"),
        ("/%69/x", "/%69/x"),
        ("/I/x", "/I/x"),
        ("/ii/x", "/ii/x"),
    ] {
        let (returned, _) = returns(layer().bare_segments(["i"]), path).await;
        assert_eq!(returned, expected);
        let with_slash = url::Url::parse(&format!("https://{HOST}/{returned}")).unwrap();
        assert_eq!(with_slash.host_str(), Some(HOST));
        let without = url::Url::parse(&format!("https://{HOST}{returned}")).unwrap();
        assert!([HOST, "app.waggl.comi"].contains(&without.host_str().unwrap()), "{without}");
        assert_eq!(without.username(), "");
    }
}

#[tokio::test]
async fn the_query_goes_along_without_a_token() {
    for (uri, expected, why) in [
        ("/i/1", None, "none"),
        ("/i/1?", None, "empty"),
        ("/i/1?a=%zz&b=1+2", Some("a=%zz&b=1+2"), "byte for byte"),
        ("/i/1?sso_jwt=x.y.z", None, "an old token"),
        ("/i/1?a=1&sso_jwt=x&b=2", Some("a=1&b=2"), "an old token in between"),
        ("/i/1?%73so_jwt=x&a=1", Some("a=1"), "in another spelling"),
        ("/i/1?a=%26sso_jwt%3Dx", Some("a=%26sso_jwt%3Dx"), "encoded once more than it is decoded"),
        ("/i/1?a=b%23c", Some("a=b%23c"), "no fragment comes of it"),
    ] {
        assert_eq!(returns(layer(), uri).await.1.as_deref(), expected, "{why}");
    }
    let other = || layer().credential_parameter("token");
    assert_eq!(returns(other(), "/i/1?token=x&sso_jwt=y").await.1.as_deref(), Some("sso_jwt=y"), "another parameter");
    let long = format!("/{}", "x".repeat(10_000));
    assert_eq!(returns(layer(), &long).await.0, "/", "no landing is that long");
}

#[tokio::test]
async fn the_way_back_is_bound_to_the_browser() {
    let bound = || layer().bind("state", |head| Some(head.headers.get("cookie")?.to_str().ok()?.to_owned()));
    let request = |uri: &str| Request::get(uri).header("cookie", "a&b=c").body(()).unwrap();
    for (uri, expected) in [
        ("/i/1", "state=a%26b%3Dc"),
        ("/i/1?view=vote", "view=vote&state=a%26b%3Dc"),
        ("/i/1?state=forged&view=vote&%73tate=too", "view=vote&state=a%26b%3Dc"),
    ] {
        let answer = send(bound(), request(uri)).await;
        let location: http::Uri = answer.headers()["location"].to_str().unwrap().parse().unwrap();
        let params = Query::of(&location).required("return_to_params").unwrap().into_owned();
        assert_eq!(params, expected);
        let back: http::Uri = format!("/i/1?sso_jwt=x&{params}").parse().unwrap();
        assert!(is_bound(&back, "state", "a&b=c"));
        assert!(!is_bound(&back, "state", "another's"));
    }
    assert_eq!(returns(bound(), "/i/1?state=forged").await.1, None, "no value, and still not the link's");
    for uri in ["/i/1", "/i/1?state=", "/i/1?state=x&state=x", "/i/1?state=%zz"] {
        let uri: http::Uri = uri.parse().unwrap();
        assert!(!is_bound(&uri, "state", "x") && !is_bound(&uri, "state", ""), "{uri}");
    }
}

#[tokio::test]
async fn both_ways_back_are_accepted() {
    for (uri, expected) in
        [("/i/1?a=//b", "/i/1"), ("//i/1?a=//b", "/i/1"), ("///i//1", "/i//1"), ("/", "/"), ("//", "/")]
    {
        let answer = send(LoginRedirectLayer::new(|_| None), Request::get(uri).body(()).unwrap()).await;
        assert_eq!(answer.headers()["x-path"], expected, "{uri}");
    }
}

#[tokio::test]
async fn the_pages_address_is_kept() {
    for (url, expected) in [
        ("https://idp.example/sso", "https://idp.example/sso?return_to_path=%2F"),
        ("https://idp.example/sso?", "https://idp.example/sso?return_to_path=%2F"),
        ("https://idp.example/sso?a=b", "https://idp.example/sso?a=b&return_to_path=%2F"),
        ("https://idp.example/sso?a=b&", "https://idp.example/sso?a=b&return_to_path=%2F"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080?return_to_path=%2F"),
    ] {
        let url = SsoUrl::parse(url).unwrap();
        assert_eq!(location(LoginRedirectLayer::new(move |_| Some(url.clone())), "/").await, expected);
    }
    for bad in [
        "",
        "/sso",
        "//idp.example/",
        "idp.example/sso",
        "ftp://idp.example/",
        "javascript:alert(1)",
        "https://",
        "https:///sso",
        "https://user@idp.example/",
        "https://idp.example:x/",
        "https://idp.example:99999/",
        "https://idp.example/#top",
        "https://idp.example/a b",
        "https://idp.example/\r\nSet-Cookie: a=b",
        "https://idp.example\\@evil.example/",
        "https://idp.example/ü",
    ] {
        assert!(SsoUrl::parse(bad).is_err(), "{bad:?}");
    }
}

/// HTTP/1 has the host in a header, HTTP/2 in the URI.
#[tokio::test]
async fn the_page_is_found_by_the_host_over_every_version() {
    let layer = || {
        let url = SsoUrl::parse("https://idp.example/sso").unwrap();
        LoginRedirectLayer::new(move |head| (received::host(head)? == "acme.app.example").then(|| url.clone()))
    };
    for (uri, host, status, why) in [
        ("/i/1", Some("acme.app.example"), 302, "HTTP/1"),
        ("/i/1", Some("Acme.App.Example:443"), 302, "case and port do not count"),
        ("https://acme.app.example/i/1", None, 302, "HTTP/2"),
        ("https://acme.app.example/i/1", Some("other.example"), 302, "HTTP/2, RFC 9113, 8.3.1"),
        ("https://other.example/i/1", Some("acme.app.example"), 401, "HTTP/2, RFC 9113, 8.3.1"),
        ("/i/1", Some("evil@acme.app.example"), 401, "no host name"),
        ("/i/1", None, 401, "no host"),
    ] {
        let mut request = Request::get(uri);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        assert_eq!(send(layer(), request.body(()).unwrap()).await.status(), status, "{why}");
    }
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn nested_routes_return_to_what_the_client_asked_for() {
    use axum::{Router, body::Body, routing::get};

    let survey = get(|| async { login_required::<Body>() });
    let inner = Router::new().route("/{survey}", survey).layer(layer().bare_segments(["i"]));
    let app: Router = Router::new().nest("/i", inner);
    let answer = app.oneshot(Request::get("/i/9745804b?a=1").body(Body::empty()).unwrap()).await.unwrap();
    let expected = "https://idp.example/waggl/sso/?return_to_path=i%2F9745804b&return_to_params=a%3D1";
    assert_eq!(answer.headers()["location"], expected);
}

#[test]
fn the_bound_value_is_not_in_the_debug_output() {
    let inner = service_fn(|_: Request<()>| std::future::ready(Ok::<Response<String>, Infallible>(login_required())));
    let mut service = layer().bind("state", |_| Some("n0nce".into())).layer(inner);
    let future = tower::Service::call(&mut service, Request::get("/i/1").body(()).unwrap());
    let shown = format!("{future:?}");
    assert!(!shown.contains("n0nce"), "{shown}");
}
