//! LCvista's users sign in and land on the page that they asked for. On bare hyper, without a framework.
//!
//! ```text
//! cargo run --example timestamp_hash
//! ```
//! It prints a link to click. Click it twice: the second time it is refused.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tower::{Layer, Service, service_fn};
use tower_sso::ConfigError;
use tower_sso::Identity;
use tower_sso::body::LayerBody;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::keys::MemoryKeys;
use tower_sso::landing::LocalPath;
use tower_sso::providers::lcvista::{self, LcvistaUser};
use tower_sso::replay::MemoryReplay;
use tower_sso::sign::HashedLink;

/// The whole integration.
fn app<B>(
    keys: MemoryKeys,
    clock: impl Clock + Clone,
) -> Result<
    impl Service<Request<B>, Response = Response<LayerBody<Full<Bytes>>>, Error = Infallible, Future: Send> + Clone + Send,
    ConfigError,
>
where
    B: http_body::Body + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let replay = MemoryReplay::builder().clock(clock.clone()).build();
    let sso = lcvista::sso(keys).replay(replay).clock(clock).build()?;
    Ok(sso.layer(service_fn(async |request: Request<B>| Ok(land(&request)))))
}

/// Your app would open a session for the user here.
fn land<B>(request: &Request<B>) -> Response<Full<Bytes>> {
    let user = Identity::<LcvistaUser>::of(request.extensions());
    let known = user.is_some_and(|user| user.email == "admin@lcvista.com" && user.slug == "rainier");
    let mut response = Response::new(Full::default());
    if known {
        // `next` is not signed. A target outside this site is replaced.
        let next = LocalPath::from_query(request.uri(), "next").unwrap_or_default();
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(header::LOCATION, next.into());
    } else {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = app(MemoryKeys::new().with("rainier", "shared secret"), SystemClock)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}/sso/oauth/", listener.local_addr()?);
    // Rounded up to the next second: the replay store refuses links made before it opened.
    let timestamp = SystemClock.now().ceil_to_second().as_secs().to_string();
    let link = HashedLink::new(base, lcvista::recipe(), &"shared secret".into());
    println!("within 30 seconds: {}&next=%2Fcatalog", link.uri(&[&timestamp, "admin@lcvista.com", "rainier"]));
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
    use tower_sso::clock::{ManualClock, UnixTime};

    use super::*;

    #[tokio::test]
    async fn a_link_signs_in_once_and_lands_on_this_site() -> Result<(), Box<dyn std::error::Error>> {
        let clock = ManualClock::at(UnixTime::from_secs(1_700_000_000));
        let app = app(MemoryKeys::new().with("rainier", "shared secret"), clock)?;
        let link = |timestamp: &str, email: &str, next: &str| {
            let link = HashedLink::new("/sso/oauth/", lcvista::recipe(), &"shared secret".into());
            format!("{}&next={next}", link.uri(&[timestamp, email, "rainier"]))
        };
        let click = async |link: String| -> Result<(u16, String), Box<dyn std::error::Error>> {
            let answer = app.clone().oneshot(Request::get(link).body(String::new())?).await?;
            let location =
                answer.headers().get(header::LOCATION).map_or("", |location| location.to_str().unwrap_or("?"));
            Ok((answer.status().as_u16(), location.to_owned()))
        };
        let admin = "admin@lcvista.com";
        assert_eq!(click(link("1700000000.5", admin, "%2Fcatalog%2F%3Fq%3D1")).await?, (303, "/catalog/?q=1".into()));
        assert_eq!(click(link("1700000000.5", admin, "%2F")).await?, (401, String::new()), "used");
        assert_eq!(click(link("1700000001", admin, "https%3A%2F%2Fevil.example")).await?, (303, "/".into()));
        assert_eq!(click(link("1700000000", "nobody@lcvista.com", "%2F")).await?, (403, String::new()));
        Ok(())
    }
}
