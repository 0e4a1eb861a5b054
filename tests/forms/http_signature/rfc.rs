//! The vectors of RFC 9421: of its appendix B and of section 4.3.

use http::Method;
use tower_sso::body::RawBody;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::http_signature::{self, Algorithm};
use tower_sso::scheme::{Origin, SecretFormat};

use super::{HELLO, call, changed};
use crate::support::subject::store_since;
use crate::support::{App, reason};

const CREATED: u64 = 1_618_884_473;
const DIGEST: &str =
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
const B_SECRET: &str = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
const B_ED25519: &str = "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
const B_RSA_PSS: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI2wIDAQAB";
pub(super) const B_RSA: &str = r#"{"kty":"RSA","e":"AQAB","n":"hAKYdtoeoy8zcAcR874L8cnZxKzAGwd7v36APp7Pv6Q2jdsPBRrwWEBnez6d0UDKDwGbc6nxfEXAy5mbhgajzrw3MOEt8uA5txSKobBpKDeBLOsdJKFqMGmXCQvEG7YemcxDTRPxAleIAgYYRjTSd_QBwVW9OwNFhekro3RtlinV0a75jfZgkne_YiktSvLG34lw2zqXBDTC5NHROUqGTlML4PlNZS5Ri2U4aCNx2rUPRcKIlE0PuKxI4T-HIaFpv8-rdV6eUgOrB2xeI1dSFFn_nnv5OoZJEIB-VmuKn3DCUcCZSFlQPSXSfBDiUGhwOw76WuSSsf1D4b_vLoJ10w"}"#;

/// A layer at the time of the RFC's examples.
fn rfc(algorithm: Algorithm, origin: &str, secret: &str, required: &[&'static str]) -> App {
    let time = ManualClock::at(UnixTime::from_secs(CREATED + 30));
    let layer = http_signature::layer::<RawBody>(algorithm, Origin::new(origin))
        .required_components(required.iter().copied())
        .secrets([secret])
        .methods([Method::GET, Method::POST])
        .optional_body()
        .any_content_type();
    let layer = if algorithm == Algorithm::HmacSha256 {
        layer.secret_format(SecretFormat::Base64 { prefix: "" })
    } else {
        layer
    };
    App::new(layer.replay(store_since(CREATED - 3_600)).clock(time).build().unwrap())
}

/// B.2.5 and B.2.6 do not cover the body, and so pass only without one.
#[tokio::test]
async fn the_rfcs_signatures_of_a_request() {
    let b25 = [
        (
            "signature-input",
            r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#,
        ),
        ("signature", "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"),
    ];
    let b26 = [
        (
            "signature-input",
            r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
        ),
        (
            "signature",
            "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
        ),
    ];
    for (algorithm, secret, signature) in [(Algorithm::HmacSha256, B_SECRET, b25), (Algorithm::Ed25519, B_ED25519, b26)]
    {
        let app = rfc(algorithm, "https://example.com", secret, &["@authority"]);
        let request = |body| {
            let headers = [
                ("host", "example.com"),
                ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
                ("content-type", "application/json"),
                ("content-digest", DIGEST),
                ("content-length", "18"),
            ];
            call("POST", "/foo?param=Value&Pet=dog", &[&headers[..], &signature].concat(), body)
        };
        assert_eq!(reason(&app.send(request(HELLO)).await), "malformed", "{algorithm:?}: a body that is not signed");
        let other = changed(request(""), "date", "Tue, 20 Apr 2021 02:07:56 GMT");
        assert_eq!(reason(&app.send(other).await), "bad_signature", "{algorithm:?}: another date");
        assert_eq!(reason(&app.send(request("")).await), "ok", "{algorithm:?}");
    }
}

/// B.2.1 covers nothing, and so passes only without a body. B.2.2 and B.2.3 cover it by its digest.
#[tokio::test]
async fn the_rfcs_signatures_with_rsa_pss() {
    let b21 = [
        ("signature-input", r#"sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd""#),
        (
            "signature",
            "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:",
        ),
    ];
    let b22 = [
        (
            "signature-input",
            r#"sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example""#,
        ),
        (
            "signature",
            "sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==:",
        ),
    ];
    let b23 = [
        (
            "signature-input",
            r#"sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss""#,
        ),
        (
            "signature",
            "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:",
        ),
    ];
    let send = async |signature: &[(&str, &str)], uri: &str, body: &str, required: &[&'static str]| {
        let app = rfc(Algorithm::RsaPssSha512, "https://example.com", B_RSA_PSS, required);
        let headers = [
            ("host", "example.com"),
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("content-type", "application/json"),
            ("content-digest", DIGEST),
            ("content-length", "18"),
        ];
        reason(&app.send(call("POST", uri, &[&headers[..], signature].concat(), body)).await)
    };
    let (uri, all) = ("/foo?param=Value&Pet=dog", ["@method", "@authority", "@path", "@query"]);
    for (signature, uri, body, required, expected, why) in [
        (&b21, uri, "", &[][..], "ok", "B.2.1"),
        (&b21, uri, HELLO, &[], "malformed", "B.2.1 with a body that is not signed"),
        (&b22, uri, HELLO, &[], "ok", "B.2.2"),
        (&b22, "/foo?param=value&Pet=dog", HELLO, &[], "ok", "B.2.2 with another parameter that is not signed"),
        (&b22, "/foo?Pet=cat", HELLO, &[], "bad_signature", "B.2.2 with another value"),
        (&b22, "/foo?Pet=dog&Pet=dog", HELLO, &[], "duplicate_parameter", "B.2.2 with a parameter twice"),
        (&b23, uri, HELLO, &all, "ok", "B.2.3"),
        (&b23, "/foo?param=value&Pet=dog", HELLO, &all, "bad_signature", "another query"),
        (&b23, uri, "{}", &all, "body_hash", "another body"),
    ] {
        assert_eq!(send(signature, uri, body, required).await, expected, "{why}");
    }
    let other = rfc(Algorithm::RsaV15Sha256, "https://example.com", B_RSA_PSS, &[]);
    assert_eq!(reason(&other.send(call("POST", uri, &b21, "")).await), "bad_signature", "another padding");
}

/// Section 4.3, what the proxy signs; it is the one signature there with RSA PKCS#1, and covers the body.
#[tokio::test]
async fn the_rfcs_signature_of_a_proxy() {
    let input = r#"proxy_sig=("@method" "@authority" "@path" "content-digest" "content-type" "content-length" "forwarded");created=1618884480;keyid="test-key-rsa";alg="rsa-v1_5-sha256";expires=1618884540"#;
    let signature = "proxy_sig=:S6ZzPXSdAMOPjN/6KXfXWNO/f7V6cHm7BXYUh3YD/fRad4BCaRZxP+JH+8XY1I6+8Cy+CM5g92iHgxtRPz+MjniOaYmdkDcnL9cCpXJleXsOckpURl49GwiyUpZ10KHgOEe11sx3G2gxI8S0jnxQB+Pu68U9vVcasqOWAEObtNKKZd8tSFu7LB5YAv0RAGhB8tmpv7sFnIm9y+7X5kXQfi8NMaZaA8i2ZHwpBdg7a6CMfwnnrtflzvZdXAsD3LH2TwevU+/PBPv0B6NMNk93wUs/vfJvye+YuI87HU38lZHowtznbLVdp770I6VHR6WfgS9ddzirrswsE1w5o0LV/g==:";
    let request = |body| {
        let headers = [
            ("host", "origin.host.internal.example"),
            ("content-digest", DIGEST),
            ("content-type", "application/json"),
            ("content-length", "18"),
            ("forwarded", "for=192.0.2.123;host=example.com;proto=https"),
            ("signature-input", input),
            ("signature", signature),
        ];
        call("POST", "/foo?param=Value&Pet=dog", &headers, body)
    };
    let required = ["@method", "@authority", "@path"];
    let app = rfc(Algorithm::RsaV15Sha256, "https://origin.host.internal.example", B_RSA, &required);
    for (request, expected, why) in [
        (request(&HELLO.replace("world", "World")), "body_hash", "another body"),
        (request(""), "body_hash", "no body"),
        (changed(request(HELLO), "forwarded", "for=192.0.2.124"), "bad_signature", "another header"),
        (changed(request(HELLO), "signature-input", &input.replace("4540", "4541")), "bad_signature", "a later end"),
        (request(HELLO), "ok", "as it is"),
    ] {
        assert_eq!(reason(&app.send(request).await), expected, "{why}");
    }
}

/// Appendix B.4: what may happen to a request on its way.
#[tokio::test]
async fn the_rfcs_transformations() {
    let signed = [
        (
            "signature-input",
            r#"transform=("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519""#,
        ),
        (
            "signature",
            "transform=:ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==:",
        ),
    ];
    let two = [("accept", "application/json"), ("accept", "*/*")];
    let one = [("accept", "application/json, */*")];
    let other = [("accept", "*/*"), ("accept", "application/json")];
    for (method, uri, origin, accept, expected, why) in [
        ("GET", "/demo?name1=Value1&Name2=value2", "https://example.org", &two[..], "ok", "as sent"),
        ("GET", "/demo?name1=Value1&Name2=value2&param=added", "https://example.org", &two, "ok", "an uncovered query"),
        ("GET", "/demo?name1=Value1&Name2=value2", "https://EXAMPLE.org:443", &two, "ok", "the host as configured"),
        ("GET", "/demo", "https://example.org", &one, "ok", "lines that were joined"),
        ("POST", "/demo", "https://example.org", &two, "bad_signature", "another method"),
        ("GET", "/demo", "https://example.com", &two, "bad_signature", "another host"),
        ("GET", "/demo", "https://example.org", &other, "bad_signature", "lines in another order"),
        ("GET", "/Demo", "https://example.org", &two, "bad_signature", "another path"),
    ] {
        let app = rfc(Algorithm::Ed25519, origin, B_ED25519, &["@method", "@authority", "@path"]);
        let request = call(method, uri, &[&signed[..], accept].concat(), "");
        assert_eq!(reason(&app.send(request).await), expected, "{why}");
    }
    let app = rfc(Algorithm::Ed25519, "https://example.org", B_ED25519, &["@method", "@target-uri"]);
    assert_eq!(reason(&app.send(call("GET", "/demo", &[&signed[..], &two].concat(), "")).await), "malformed");
}
