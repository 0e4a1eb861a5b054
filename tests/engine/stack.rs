//! The layers in real stacks: axum, plain hyper, limits and buffers, any body, any claims.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::extract::OriginalUri;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::buffer::BufferLayer;
use tower::limit::ConcurrencyLimitLayer;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_sso::Identity;
use tower_sso::VerifyLayer;
use tower_sso::body::LayerBody;
use tower_sso::fernet::Fernet;
use tower_sso::service::Verify;
use tower_sso::webhook::Webhook;

use crate::support::log::Log;
use crate::support::subject::{FernetSubject, Subject, WebhookSubject, Wish, keys};
use crate::support::{self, clock, replay, secs};

fn fernet_layer() -> VerifyLayer<Fernet<Value>> {
    FernetSubject::layer(keys::<FernetSubject>(), replay(), clock()).build().unwrap()
}

/// The same for claims of another type.
fn layer_of<C: DeserializeOwned + Send + Sync + 'static>() -> VerifyLayer<Fernet<C>> {
    let layer = tower_sso::fernet::layer().tenant(tower_sso::tenant::Tenant::query("tenant"));
    layer.keys(keys::<FernetSubject>()).replay(replay()).clock(clock()).build().unwrap()
}

fn webhook_layer() -> VerifyLayer<Webhook<Value>> {
    WebhookSubject::layer(keys::<WebhookSubject>(), replay(), clock()).build().unwrap()
}

fn wish(subject: &str) -> Wish {
    Wish { subject: subject.into(), ..Wish::default() }
}

fn link(subject: &str) -> Request<Full<Bytes>> {
    FernetSubject::request(&wish(subject))
}

fn call(subject: &str) -> Request<Full<Bytes>> {
    WebhookSubject::request(&wish(subject))
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[tokio::test]
async fn axum_with_a_claim_struct_of_ones_own_and_several_layers() {
    async fn land(user: Identity<User>) -> String {
        format!("{} of {}", user.id, user.tenant())
    }
    async fn hook(call: Identity<Value>, body: Bytes) -> String {
        format!("{} in {} bytes", call["id"], body.len())
    }
    let sso = layer_of::<User>();
    let app = Router::new()
        .merge(Router::new().route("/sso", get(land)).layer(sso))
        .merge(Router::new().route("/hook", post(hook)).layer(webhook_layer()))
        .route("/open", get(|user: Option<Identity<User>>| async move { user.is_none().to_string() }))
        .route("/forgotten", get(land));
    let ask = async |request: Request<Full<Bytes>>| {
        let response = app.clone().oneshot(request.map(axum::body::Body::new)).await.unwrap();
        let status = response.status();
        (status, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
    };
    assert_eq!(ask(link("ada")).await, (StatusCode::OK, "ada of acme".into()));
    let (status, said) = ask(call("ada")).await;
    assert_eq!((status, said.starts_with("\"ada\" in ")), (StatusCode::OK, true));
    let plain = |uri: &str| Request::get(uri).body(Full::default()).unwrap();
    assert_eq!(ask(plain("/sso")).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(ask(plain("/open")).await, (StatusCode::OK, "true".into()));
    let log = Log::start();
    let (status, said) = ask(plain("/forgotten")).await;
    assert_eq!((status, &*said), (StatusCode::INTERNAL_SERVER_ERROR, "This page is not set up correctly."));
    let errors = log.lines("ERROR").join("\n");
    assert!(errors.contains("put the layer") && errors.contains("User"), "only the log names the types: {errors}");
}

#[tokio::test]
async fn axum_does_not_show_the_credential_in_its_original_uri() {
    async fn show(OriginalUri(original): OriginalUri, uri: http::Uri) -> String {
        format!("{original} {uri}")
    }
    let inner = Router::new().route("/sso", get(show)).layer(fernet_layer());
    let app = Router::new().nest("/deep", inner);
    let (mut head, body) = link("ada").into_parts();
    head.uri = format!("/deep{}", head.uri).parse().unwrap();
    let response = app.oneshot(Request::from_parts(head, axum::body::Body::new(body))).await.unwrap();
    let said = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(said, "/deep/sso?a=%zz&b=1 /sso?a=%zz&b=1");
}

/// Serves one connection of bare hyper, and sends requests over it.
async fn over_hyper<S, R>(service: S, requests: Vec<Request<Full<Bytes>>>) -> Vec<(StatusCode, Bytes)>
where
    S: Service<Request<Incoming>, Response = Response<R>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: std::error::Error + Send + Sync,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper_util::service::TowerToHyperService::new(service);
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.unwrap();
    });
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for mut request in requests {
        request.headers_mut().insert("host", "rp.example".parse().unwrap());
        sender.ready().await.unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status = response.status();
        answers.push((status, response.into_body().collect().await.unwrap().to_bytes()));
    }
    answers
}

#[tokio::test]
async fn bare_hyper() {
    // A form that needs no body leaves its type alone …
    let inner = service_fn(|request: Request<Incoming>| async move {
        let user = Identity::<Value>::of(request.extensions()).unwrap();
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(user["id"].to_string()))))
    });
    let answers = over_hyper(fernet_layer().layer(inner), vec![link("ada"), link("bob")]).await;
    assert_eq!(answers, [(StatusCode::OK, "\"ada\"".into()), (StatusCode::OK, "\"bob\"".into())]);

    // … and one that does hands on the same bytes.
    let inner = service_fn(|request: Request<LayerBody<Incoming>>| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, Infallible>(Response::new(Full::new(body)))
    });
    let sent = call("ada").into_body().collect().await.unwrap().to_bytes();
    let answers = over_hyper(webhook_layer().layer(inner), vec![call("ada"), call("ada")]).await;
    assert_eq!(answers, [(StatusCode::OK, sent), (StatusCode::OK, Bytes::new())]);
}

#[tokio::test]
async fn services_that_must_be_polled_ready_are() {
    // ConcurrencyLimit panics if it is called without a permit, which a careless layer's clone does not have.
    let inner =
        service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
    let service = ServiceBuilder::new().layer(fernet_layer()).layer(ConcurrencyLimitLayer::new(1)).service(inner);
    let sent = futures::future::join_all((0..20).map(|n| service.clone().oneshot(link(&n.to_string())))).await;
    assert!(sent.into_iter().all(|answer| answer.unwrap().status() == 200));

    let inner = service_fn(|_: Request<LayerBody<Full<Bytes>>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let service = ServiceBuilder::new()
        .layer(BufferLayer::new(4))
        .layer(webhook_layer())
        .layer(BufferLayer::new(4))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(inner);
    let sent = futures::future::join_all((0..20).map(|n| service.clone().oneshot(call(&n.to_string())))).await;
    assert!(sent.into_iter().all(|answer| answer.unwrap().status() == 200));
}

/// A service that is ready when the test says so.
#[derive(Clone, Default)]
struct Gate(Arc<AtomicBool>);

impl Service<Request<String>> for Gate {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.0.load(Ordering::SeqCst) { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        std::future::ready(Ok(Response::new(())))
    }
}

#[test]
fn a_busy_inner_service_holds_requests_back() {
    let gate = Gate::default();
    let mut service = fernet_layer().layer(gate.clone());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_pending());
    gate.0.store(true, Ordering::SeqCst);
    assert!(service.poll_ready(&mut cx).is_ready());
}

/// If the inner service reserved something for a request that it never gets, such as a permit, it is released.
#[tokio::test]
async fn a_refused_request_keeps_no_place_in_the_inner_service() {
    let inner = service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, Infallible>(Response::new(())) });
    let stack = ServiceBuilder::new().layer(fernet_layer()).layer(ConcurrencyLimitLayer::new(1)).service(inner);
    let (mut one, mut other) = (stack.clone(), stack);
    let refused = Request::get("/sso").body(Full::default()).unwrap();
    assert_eq!(one.ready().await.unwrap().call(refused).await.unwrap().status(), 400);
    // `one` is still there, as on a connection that is kept open.
    assert!(futures::poll!(std::pin::pin!(other.ready())).is_ready());
    let answer = other.call(link("ada")).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(futures::poll!(std::pin::pin!(one.ready())).is_ready());
}

#[tokio::test]
async fn any_body_in_any_body_out() {
    // A body that cannot leave its thread, empty bodies, and claims that cannot be cloned.
    #[derive(Clone)]
    struct NotSend(std::rc::Rc<str>);
    impl http_body::Body for NotSend {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            Poll::Ready(None)
        }
    }
    struct NotClone;
    impl<'de> Deserialize<'de> for NotClone {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
        }
    }
    let layer = layer_of::<NotClone>();
    let inner = service_fn(|request: Request<NotSend>| async move {
        assert_eq!(&*request.body().0, "not even Send");
        assert!(Identity::<NotClone>::of(request.extensions()).is_some());
        Ok::<_, Infallible>(Response::new(std::rc::Rc::new(5_u8)))
    });
    let request = link("ada").map(|_| NotSend("not even Send".into()));
    assert_eq!(layer.layer(inner).oneshot(request).await.unwrap().status(), 200);

    fn response_body<R: http_body::Body<Data = Bytes> + Default + 'static>()
    -> impl Service<Request<Full<Bytes>>, Response = Response<LayerBody<R>>, Error = Infallible> {
        let inner = service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, Infallible>(Response::new(R::default())) });
        fernet_layer().layer(inner)
    }
    _ = response_body::<Empty<Bytes>>();
    _ = response_body::<BoxBody<Bytes, Infallible>>();
    _ = response_body::<UnsyncBoxBody<Bytes, std::io::Error>>();
}

#[tokio::test]
async fn an_inner_services_error_goes_through_and_frees_a_call() {
    let inner = service_fn(|_: Request<LayerBody<Full<Bytes>>>| async { Err::<Response<Full<Bytes>>, _>("down") });
    let service = webhook_layer().layer(inner);
    for _ in 0..2 {
        assert_eq!(service.clone().oneshot(call("ada")).await.unwrap_err(), "down");
    }
}

#[test]
fn what_is_shared_between_threads_can_be() {
    fn shared<T: Send + Sync + Clone + Unpin + 'static>() {}
    fn debug<T: std::fmt::Debug>() {}
    shared::<VerifyLayer<Fernet<Value>>>();
    shared::<VerifyLayer<Webhook<Value>>>();
    shared::<Verify<axum::routing::Route, Webhook<Value>>>();
    shared::<Identity<Value>>();
    shared::<tower_sso::keys::Secret>();
    shared::<tower_sso::replay::MemoryReplay>();
    shared::<tower_sso::keys::CachedKeys>();
    debug::<Verify<(), Fernet<Value>>>();
    fn boxed(
        layer: VerifyLayer<Fernet<Value>>,
    ) -> BoxCloneSyncService<Request<Full<Bytes>>, Response<LayerBody<Full<Bytes>>>, Infallible> {
        let inner = service_fn(|_: Request<Full<Bytes>>| async { Ok(Response::new(Full::<Bytes>::default())) });
        BoxCloneSyncService::new(layer.layer(inner))
    }
    _ = boxed(fernet_layer());
}

#[tokio::test]
async fn a_future_polled_after_its_end_does_not_panic() {
    let inner = service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, Infallible>(Response::new(())) });
    let mut future = Box::pin(fernet_layer().layer(inner).oneshot(Request::get("/sso").body(Full::default()).unwrap()));
    assert_eq!((&mut future).await.unwrap().status(), 400);

    let inner = service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, Infallible>(Response::new(())) });
    let mut service = fernet_layer().layer(inner);
    let mut future = Box::pin(service.ready().await.unwrap().call(link("ada")));
    assert_eq!((&mut future).await.unwrap().status(), 200);
    assert!(futures::poll!(&mut future).is_pending());
}

#[tokio::test(start_paused = true)]
async fn a_slow_key_store_is_given_up_and_a_broken_one_lets_nobody_in() {
    let never = tower_sso::keys::from_fn(|_| std::future::pending::<Result<_, std::io::Error>>());
    let broken = tower_sso::keys::from_fn(|_| async { Err::<tower_sso::keys::Keys, _>(std::io::Error::other("down")) });
    let start = || tower_sso::fernet::layer::<Value>().replay(replay()).clock(clock()).store_timeout(secs(1));
    let tenant = || tower_sso::tenant::Tenant::query("tenant");
    for layer in [start().tenant(tenant()).keys(never).build(), start().tenant(tenant()).keys(broken).build()] {
        let app = support::App::new(layer.unwrap());
        let answer = app.send(link("ada")).await;
        assert_eq!((support::outcome(&answer), support::reason(&answer)), ("unavailable", "key_store"));
    }
}
