//! The URI that the client asked for, whatever routers and middleware have done to it since.

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Path};
use axum::response::Response;
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{HeaderMap, Request, Uri};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_http::normalize_path::NormalizePathLayer;
use tower_sso::Identity;
use tower_sso::clock::UnixTime;
use tower_sso::fernet;
use tower_sso::keys::MemoryKeys;
use tower_sso::login_redirect::{LoginRedirectLayer, SsoUrl, login_required};
use tower_sso::oauth1::{self, Origin};
use tower_sso::received;
use tower_sso::scheme::TimeFormat;
use tower_sso::sealed::{self, Seal};
use tower_sso::sign::{FernetLink, OAuthLink};
use tower_sso::tenant::Tenant;

use crate::support::subject::frame;
use crate::support::{NOW, clock, replay};

const KEY: &str = "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=";

/// Cuts the first segment off, as an app's own service may do.
fn cut_first_segment(mut request: Request<Body>) -> Request<Body> {
    let rest = request.uri().path_and_query().unwrap().as_str().get(1..).unwrap_or_default();
    let rest = rest.find('/').map_or("/", |at| &rest[at..]);
    *request.uri_mut() = rest.parse().unwrap();
    request
}

/// The documentation's recipe.
fn keep_uri(mut request: Request<Body>) -> Request<Body> {
    let uri = OriginalUri(request.uri().clone());
    request.extensions_mut().insert(uri);
    request
}

/// A route and one layer of it, in every surrounding that changes the URI. The path is `/t/{tenant}/sso`, with a slash
/// at its end where one is to be cut off.
macro_rules! surroundings {
    ($handler:expr, $layer:expr) => {{
        let (handler, layer) = (|| $handler, || $layer);
        let mapped = |app: Router, map: fn(Request<Body>) -> Request<Body>| {
            Router::new().fallback_service(ServiceBuilder::new().map_request(map).service(app))
        };
        let flat = Router::new().route("/t/{tenant}/sso", get(handler()).layer(layer()));
        let nested = Router::new().route("/sso", get(handler()).layer(layer()));
        let deep = Router::new().nest("/t", Router::new().nest("/{tenant}", nested.clone()));
        let service = Router::new().nest_service("/t/{tenant}", nested.clone());
        let single = Router::new().nest_service("/t/{tenant}/sso", get(handler()).layer(layer()));
        let cut = Router::new().route("/{tenant}/sso", get(handler()).layer(layer()));
        let outside = ServiceBuilder::new()
            .map_request(keep_uri)
            .layer(NormalizePathLayer::trim_trailing_slash())
            .service(flat.clone());
        [
            ("a flat router", "/t/TENANT/sso", flat),
            ("`nest`", "/t/TENANT/sso", Router::new().nest("/t/{tenant}", nested)),
            ("`nest` in `nest`", "/t/TENANT/sso", deep),
            ("`nest_service` of a router", "/t/TENANT/sso", service),
            ("`nest_service` of a route", "/t/TENANT/sso", single),
            // A router outside keeps the URI; without one, the recipe does.
            ("a prefix cut off inside a router", "/t/TENANT/sso", mapped(cut, cut_first_segment)),
            ("`NormalizePath` outside", "/t/TENANT/sso/", Router::new().fallback_service(outside)),
        ]
    }};
}

async fn ask(app: Router, uri: &str) -> (u16, HeaderMap, String) {
    let answer = app.oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    (head.status.as_u16(), head.headers, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn a_tenant_in_the_path_is_found_behind_every_router() {
    let keys = MemoryKeys::new().with("acme", KEY).with("acme inc", KEY).with("zoë/1", KEY).with("a+b", KEY);
    let layer = || {
        let layer = fernet::layer::<Value>().keys(keys.clone()).tenant(Tenant::path_segment(1));
        layer.clock(clock()).replay(replay()).build().unwrap()
    };
    let land = || async |user: Identity<Value>| user.tenant().to_string();
    let link = |path: &str, n: u64| {
        let link = FernetLink::new(path, "unused", &KEY.into()).issued_at(UnixTime::from_secs(NOW));
        link.uri(&serde_json::json!({ "n": n })).unwrap()
    };
    for (n, (segment, tenant)) in
        [("acme", "acme"), ("acme%20inc", "acme inc"), ("zo%C3%AB%2F1", "zoë/1"), ("a+b", "a+b"), ("a%2Bb", "a+b")]
            .into_iter()
            .enumerate()
    {
        for (surrounding, path, app) in surroundings!(land(), layer()) {
            let uri = link(&path.replace("TENANT", segment), n as u64);
            let (status, _, said) = ask(app, &uri).await;
            assert_eq!((status, &*said), (200, tenant), "{segment} in {surrounding}");
        }
    }
    for (segment, status, why) in [
        ("acme%2", 400, "a broken escape"),
        ("acme%zz", 400, "a broken escape"),
        ("acme%00", 400, "NUL"),
        ("%FF", 400, "not UTF-8"),
        ("acme%2520inc", 401, "decoded once"),
        ("ACME", 401, "another tenant"),
    ] {
        let app = Router::new().fallback_service(get(land()).layer(layer()));
        assert_eq!(ask(app, &link(&format!("/t/{segment}/sso"), 0)).await.0, status, "{segment}: {why}");
    }
}

/// The identity's tenant is the segment as axum's own extractor reads it.
#[tokio::test]
async fn the_tenant_is_spelled_as_in_axums_path() {
    let layer = || {
        let layer =
            fernet::layer::<Value>().keys(MemoryKeys::new().with("acme inc", KEY)).tenant(Tenant::path_segment(1));
        layer.clock(clock()).replay(replay()).build().unwrap()
    };
    let land =
        || async |Path(tenant): Path<String>, user: Identity<Value>| (tenant == user.tenant().as_str()).to_string();
    let link = FernetLink::new("/t/acme%20inc/sso", "unused", &KEY.into()).issued_at(UnixTime::from_secs(NOW));
    let app = Router::new().route("/t/{tenant}/sso", get(land()).layer(layer()));
    assert_eq!(ask(app, &link.uri(&serde_json::json!({})).unwrap()).await.2, "true");
}

#[tokio::test]
async fn a_signed_address_is_the_one_that_was_sent() {
    let layer = || {
        let layer = oauth1::layer::<Value>(Origin::new("https://rp.example"));
        layer.keys(MemoryKeys::new().with("lms", "s3cret-enough")).clock(clock()).replay(replay()).build().unwrap()
    };
    for segment in ["acme", "acme%20inc"] {
        for (surrounding, path, app) in surroundings!(async || "in", layer()) {
            let address = format!("https://rp.example{}?lang=de", path.replace("TENANT", segment));
            let link = OAuthLink::new(address, "lms", &"s3cret-enough".into()).issued_at(UnixTime::from_secs(NOW));
            let link = link.uri(&[("email", "ada@rp.example")]).unwrap();
            let (status, _, said) = ask(app, link.strip_prefix("https://rp.example").unwrap()).await;
            assert_eq!(status, 200, "{segment} in {surrounding}: {said}");
        }
    }
}

/// An app's middleware may remove or add parameters, but the partner signed those that the client sent.
#[tokio::test]
async fn a_signed_query_is_the_one_that_was_sent() {
    fn another_query(mut request: Request<Body>) -> Request<Body> {
        let query = request.uri().query().unwrap().replace("lang=de&", "theme=dark&");
        *request.uri_mut() = format!("/sso?{query}").parse().unwrap();
        request
    }
    let layer = oauth1::layer::<Value>(Origin::new("https://rp.example"));
    let layer =
        layer.keys(MemoryKeys::new().with("lms", "s3cret-enough")).clock(clock()).replay(replay()).build().unwrap();
    let show = async |uri: Uri, OriginalUri(original): OriginalUri, user: Identity<Value>| {
        format!("{} {uri} {original}", user["lang"])
    };
    let inner = Router::new().route("/sso", get(show).layer(layer));
    let app = Router::new().fallback_service(ServiceBuilder::new().map_request(another_query).service(inner));
    let link = OAuthLink::new("https://rp.example/sso?lang=de", "lms", &"s3cret-enough".into());
    let link = link.issued_at(UnixTime::from_secs(NOW)).uri(&[("email", "ada")]).unwrap();
    let (status, _, said) = ask(app, link.strip_prefix("https://rp.example").unwrap()).await;
    assert_eq!(
        (status, &*said),
        (200, "\"de\" /sso?theme=dark&email=ada /sso?lang=de&email=ada"),
        "the credential is gone from both"
    );
}

#[tokio::test]
async fn the_way_back_is_the_address_that_was_sent() {
    let page = SsoUrl::parse("https://idp.example/sso").unwrap();
    let layer = || {
        LoginRedirectLayer::new({
            let page = page.clone();
            move |_| Some(page.clone())
        })
    };
    let page = || async || -> Response { login_required() };
    for (surrounding, path, app) in surroundings!(page(), layer()) {
        let path = path.replace("TENANT", "acme%20inc");
        let (status, headers, _) = ask(app, &format!("{path}?a=1")).await;
        assert_eq!(status, 302, "{surrounding}");
        let expected = path.replace('/', "%2F").replace("%20", "%2520");
        let expected = format!("https://idp.example/sso?return_to_path={expected}&return_to_params=a%3D1");
        assert_eq!(headers["location"], expected, "{surrounding}");
    }
}

/// Without the recipe, nobody can know what was cut off: the layer sees the rest and refuses.
#[tokio::test]
async fn what_was_cut_off_outside_is_unknown_without_the_recipe() {
    let layer = fernet::layer::<Value>().keys(MemoryKeys::new().with("acme", KEY)).tenant(Tenant::path_segment(1));
    let layer = layer.clock(clock()).replay(replay()).build().unwrap();
    let inner = Router::new().route("/{tenant}/sso", get(async || "in").layer(layer));
    let link = FernetLink::new("/t/acme/sso", "unused", &KEY.into()).issued_at(UnixTime::from_secs(NOW));
    let link = link.uri(&serde_json::json!({})).unwrap();
    let request = || Request::get(&link).body(Body::empty()).unwrap();
    let cut = ServiceBuilder::new().map_request(cut_first_segment).service(inner.clone());
    assert_eq!(cut.oneshot(request()).await.unwrap().status(), 401);
    let kept = ServiceBuilder::new().map_request(keep_uri).map_request(cut_first_segment).service(inner);
    assert_eq!(kept.oneshot(request()).await.unwrap().status(), 200);
}

/// The credential is removed from both, so an inner layer finds it in neither.
#[tokio::test]
async fn a_spent_credential_is_in_neither_uri() {
    let keys = || MemoryKeys::new().with("acme", KEY);
    let layer = || fernet::layer::<Value>().keys(keys()).tenant(Tenant::path_segment(1)).clock(clock());
    let outer = layer().replay(replay()).build().unwrap();
    let inner = layer().replay(replay()).optional().build().unwrap();
    let show = async |user: Option<Identity<Value>>| user.is_some().to_string();
    let route = get(show).layer(ServiceBuilder::new().layer(outer).layer(inner));
    let app = Router::new().nest("/t/{tenant}", Router::new().route("/sso", route));
    let link = FernetLink::new("/t/acme/sso", "unused", &KEY.into()).issued_at(UnixTime::from_secs(NOW));
    let (status, _, said) = ask(app, &link.uri(&serde_json::json!({})).unwrap()).await;
    assert_eq!((status, &*said), (200, "false"), "the inner layer has removed the identity, and found no link");
}

#[test]
fn a_segment_that_is_beyond_every_path_is_no_reason_to_panic() {
    let layer =
        fernet::layer::<Value>().keys(MemoryKeys::new().with("acme", KEY)).tenant(Tenant::path_segment(usize::MAX));
    let layer = layer.clock(clock()).replay(replay()).build().unwrap();
    let link = FernetLink::new("/t/acme/sso", "unused", &KEY.into()).issued_at(UnixTime::from_secs(NOW));
    let request = Request::get(link.uri(&serde_json::json!({})).unwrap()).body(Body::empty()).unwrap();
    let mut service = layer.layer(get(async || "in"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(service.call(request)).unwrap().status(), 401);
}

#[test]
fn the_uri_is_the_original_one_where_there_is_one() {
    let (mut head, ()) = Request::get("/sso?a=1").body(()).unwrap().into_parts();
    assert_eq!(received::uri(&head), "/sso?a=1");
    head.extensions.insert(OriginalUri("/t/acme/sso?a=1".parse().unwrap()));
    assert_eq!(received::uri(&head), "/t/acme/sso?a=1");
}

/// A token that is the end of the path is part of the address that was sent.
#[tokio::test]
async fn a_sealed_segment_is_found_behind_every_router() {
    let layer = || {
        let layer = sealed::in_last_segment::<Value>(Seal::FramedAesGcm).issued_at("iat", TimeFormat::Seconds);
        layer.secrets(["a sealing secret"]).clock(clock()).replay(replay()).build().unwrap()
    };
    let land = || async |user: Identity<Value>| user["sub"].to_string();
    let route = || get(land()).layer(layer());
    let sealed = frame(b"a sealing secret", b"", &format!(r#"{{"iat":{NOW},"sub":7}}"#));
    let uri = format!("/login/{}?a=1", BASE64_URL_SAFE_NO_PAD.encode(sealed));
    for (surrounding, app) in [
        ("a flat router", Router::new().route("/login/{token}", route())),
        ("`nest`", Router::new().nest("/login", Router::new().route("/{token}", route()))),
        ("`nest` of the whole path", Router::new().nest("/login/{token}", Router::new().route("/", route()))),
        ("`nest_service` of a route", Router::new().nest_service("/login/{token}", route())),
    ] {
        let (status, _, said) = ask(app, &uri).await;
        assert_eq!((status, &*said), (200, "7"), "{surrounding}");
    }
}
