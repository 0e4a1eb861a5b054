//! A launch in a real browser: the tool in the platform's frame, each on a site of its own, behind a proxy that
//! terminates TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#[path = "../../tests/browser/driver.rs"]
mod driver;

/// The platform's page of a course, which opens the tool in a frame and posts the launch there.
fn course(launch: &str) -> Html<String> {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let fields: String = url::form_urlencoded::parse(launch.as_bytes())
        .map(|(name, value)| format!("<input type=hidden name=\"{name}\" value=\"{}\">", escaped(&value)))
        .collect();
    Html(format!(
        "<!doctype html><iframe name=tool></iframe>\
         <form method=post action={ADDRESS} target=tool>{fields}</form><script>document.forms[0].submit()</script>"
    ))
}

/// Takes https for each of these hosts, and hands it on to the server behind.
async fn proxy(hosts: [(&'static str, SocketAddr); 2]) -> Tested<SocketAddr> {
    let certificate = rcgen::generate_simple_self_signed(hosts.map(|(host, _)| host.to_owned()))?;
    let key = PrivateKeyDer::Pkcs8(certificate.signing_key.serialize_der().into());
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    let tls = tls.with_no_client_auth().with_single_cert(vec![certificate.cert.der().clone()], key)?;
    let (listener, tls) = (TcpListener::bind("127.0.0.1:0").await?, TlsAcceptor::from(Arc::new(tls)));
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let mut stream = tls.accept(stream).await.ok()?;
                let (_, behind) = hosts.iter().find(|(host, _)| stream.get_ref().1.server_name() == Some(host))?;
                let mut behind = TcpStream::connect(behind).await.ok()?;
                tokio::io::copy_bidirectional(&mut stream, &mut behind).await.ok()
            });
        }
    });
    Ok(address)
}

#[tokio::test]
async fn the_session_lives_in_the_platforms_frame_and_nowhere_else() -> Tested {
    let tool = Tool::new().await?;
    let behind = tool.address.trim_start_matches("http://").parse()?;
    let platform = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = proxy([("tool.example", behind), (MOODLE.0, platform.local_addr()?)]).await?;
    let launch = move || course(&tool.signed(MOODLE, ADDRESS, &ADA).unwrap_or_default());
    let launch = Arc::new(launch);
    tokio::spawn(axum::serve(platform, Router::new().route("/", get(async move || launch()))).into_future());
    let browser = driver::Browser::start_with(&[
        &format!("--host-resolver-rules=MAP *.example {proxy}"),
        "--ignore-certificate-errors",
        // Of third parties' cookies, only partitioned ones are stored.
        "--test-third-party-cookie-phaseout",
    ])
    .await;

    let course = format!("https://{}/", MOODLE.0);
    browser.open(&course).await;
    browser.enter_frame().await;
    browser.expect("Hello Ada <b>, teacher", "the page after the launch, which only a session gets").await;
    browser.open("https://tool.example/").await;
    browser.expect("Open this tool in your course.", "in a window of its own, the tool knows nobody").await;

    browser.open(&course).await;
    browser.enter_frame().await;
    browser.expect("Hello Ada <b>, teacher", "launched again").await;
    browser.click("button").await;
    browser.expect("Open this tool in your course.", "signed out").await;
    Ok(())
}
