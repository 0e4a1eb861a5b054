//! TLS.
#![cfg(feature = "redis-tls")]

use std::fs;

use ::redis::aio::ConnectionManager;
use ::redis::{Client, TlsCertificates};
use tower_sso::redis::{ConnectError, RedisStore};

use super::Redis;
use super::server::free_port;

#[tokio::test]
async fn a_server_is_trusted_by_its_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [pem, key] = ["certificate", "key"].map(|name| dir.path().join(name));
    fs::write(&pem, certificate.cert.pem()).unwrap();
    fs::write(&key, certificate.signing_key.serialize_pem()).unwrap();
    let port = free_port().to_string();
    let [pem, key] = [&pem, &key].map(|path| path.to_str().unwrap());
    let files = ["--tls-cert-file", pem, "--tls-key-file", key, "--tls-ca-cert-file", pem, "--tls-auth-clients", "no"];
    let server = Redis::start(&[&["--tls-port", &port], &files[..]].concat());
    let url = format!("rediss://localhost:{port}/");

    let error = RedisStore::connect(url.as_str(), "test").await.unwrap_err();
    assert!(matches!(error, ConnectError::Server(_)), "this machine does not know who signed it: {error:?}");
    assert!(
        RedisStore::connect(format!("rediss://127.0.0.1:{}/", server.port()), "test").await.is_err(),
        "plain is not TLS"
    );

    let root_cert = Some(certificate.cert.pem().into_bytes());
    let client = Client::build_with_tls(url, TlsCertificates { client_tls: None, root_cert }).unwrap();
    let connection = ConnectionManager::new(client).await.unwrap();
    RedisStore::builder("test").over(connection).await.unwrap().ready().await.unwrap();
}
