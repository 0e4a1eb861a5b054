//! A signed webhook on bare hyper, without a framework.
//!
//! ```text
//! cargo run --example webhook
//! ```
//! It prints a curl command. Run it twice: the duplicate is acknowledged but not processed again.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use tower::{Layer, Service, service_fn};
use tower_sso::ConfigError;
use tower_sso::Identity;
use tower_sso::body::LayerBody;
use tower_sso::keys::Secret;
use tower_sso::replay::{Fingerprint, MemoryReplay};
use tower_sso::sign::SigningWebhook;
use tower_sso::webhook;

/// The sender's claims. Other fields are ignored.
#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Order {
    number: u32,
}

/// Orders by the fingerprint of their delivery. A real app stores both in one transaction.
type Orders = Arc<Mutex<HashMap<Fingerprint, Order>>>;

/// The whole integration.
fn app<B>(
    secret: Secret,
    orders: Orders,
) -> Result<
    impl Service<Request<B>, Response = Response<LayerBody<Full<Bytes>>>, Error = Infallible, Future: Send> + Clone + Send,
    ConfigError,
>
where
    B: http_body::Body<Data: Send> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let verify = webhook::layer::<Order>().secrets([secret]).replay(MemoryReplay::new()).handler_remembers().build()?;
    let take = service_fn(move |request: Request<LayerBody<B>>| {
        let orders = orders.clone();
        async move {
            if let Some(order) = Identity::<Order>::of(request.extensions()) {
                let mut orders = orders.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                orders.entry(order.fingerprint()).or_insert_with(|| order.claims().clone());
            }
            Ok(Response::new(Full::from("thank you\n")))
        }
    });
    Ok(verify.layer(take))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::new("a secret shared with the sender");
    let app = app(secret.clone(), Orders::default())?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let call = SigningWebhook::new(secret).sign(r#"{"number":7}"#);
    println!(
        "curl -H 'content-type: application/json' -H '{}: {}' -d '{}' http://{}/orders",
        call.header,
        call.signature,
        call.body,
        listener.local_addr()?
    );
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            // Without a timer, hyper waits forever for a request's head. More limits: `examples/portal/serve.rs`.
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn an_order_is_taken_once() -> Result<(), Box<dyn std::error::Error>> {
        let (secret, orders) = (Secret::new("shared secret"), Orders::default());
        let app = app(secret.clone(), orders.clone())?;
        let send = async |signed_by: &Secret| {
            let call = SigningWebhook::new(signed_by.clone()).sign(r#"{"number":7}"#);
            let request = call.request("/orders").map(Full::<Bytes>::from);
            app.clone().oneshot(request).await.map(|response| response.status())
        };
        assert_eq!(send(&secret).await?, 200);
        assert_eq!(send(&secret).await?, 200, "a duplicate is acknowledged …");
        assert_eq!(send(&Secret::new("another")).await?, 401);
        let orders = orders.lock().unwrap();
        assert_eq!(orders.values().collect::<Vec<_>>(), [&Order { number: 7 }], "… and not processed again");
        Ok(())
    }
}
