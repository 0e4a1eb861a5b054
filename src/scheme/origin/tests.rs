use http::request::Parts;

use super::*;

fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = http::Request::get(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn base(origin: &Origin, uri: &str, headers: &[(&str, &str)]) -> Option<String> {
    let head = head(uri, headers);
    let (origin, path) = origin.base_uri(&head).ok()?;
    Some(crate::text::percent::decode_form(&origin).unwrap().into_owned() + path)
}

#[test]
fn origins() {
    let host = |https| Origin::danger_from_host_header(https);
    for (origin, uri, headers, expected) in [
        (Origin::new("HTTPS://App.Example:443/"), "/a?b=1", &[][..], Some("https://app.example/a")),
        (Origin::new("http://app.example:8080"), "/", &[("host", "evil")], Some("http://app.example:8080/")),
        (Origin::new("https://app.example/sso/"), "/a%20B", &[], Some("https://app.example/sso/a%20B")),
        (Origin::new("http://[::1]:3000"), "/", &[], Some("http://[::1]:3000/")),
        (host(false), "/", &[("host", "EXAMPLE.com:80")], Some("http://example.com/")),
        (host(false), "/", &[("host", "example.com:443")], Some("http://example.com:443/")),
        (host(true), "/", &[("host", "example.com:443")], Some("https://example.com/")),
        (host(true), "/", &[], None),
        (host(true), "/", &[("host", "a"), ("host", "b")], None),
        (host(true), "/", &[("host", "u@a")], None),
        (host(true), "/", &[("host", "u@a:443")], None),
        (host(true), "/", &[("host", "a:99999")], None),
        (host(true), "/", &[("host", "a:+443")], None),
        (host(true), "/", &[("host", "a;b")], None),
        (Origin::danger_trust_forwarded(), "/", &[("host", "a")], None),
        (
            Origin::danger_trust_forwarded(),
            "/",
            &[("x-forwarded-proto", "https"), ("x-forwarded-host", "B.example")],
            Some("https://b.example/"),
        ),
        (Origin::danger_trust_forwarded(), "/", &[("x-forwarded-proto", "ftp"), ("x-forwarded-host", "b")], None),
    ] {
        assert_eq!(base(&origin, uri, headers).as_deref(), expected, "{origin:?} {uri} {headers:?}");
    }
    for bad in [
        "",
        "app.example",
        "ftp://app.example",
        "https://",
        "https://a/?b",
        "https://u@b@a/",
        "https://@/",
        "/a",
        "https://a:99999",
    ] {
        assert!(Origin::new(bad).check().is_err(), "{bad}");
    }
}
#[test]
fn a_user_is_signed_by_webhooks_alone() {
    let origin = Origin::new("https://user:pass@app.example:443/sso");
    assert!(origin.check().is_err() && origin.check_url().is_ok());
    assert!(!format!("{origin:?}").contains("pass"), "{origin:?}");
}

#[test]
fn urls_with_and_without_a_port() {
    for (origin, expected) in [
        (Origin::new("https://App.example/"), ["https://app.example/a?b", "https://app.example:443/a?b"]),
        (Origin::new("http://app.example:80/x"), ["http://app.example/x/a?b", "http://app.example:80/x/a?b"]),
        (Origin::new("https://app.example:8443"), ["https://app.example:8443/a?b", "https://app.example/a?b"]),
        (Origin::new("https://u:p@app.example"), ["https://u:p@app.example/a?b", "https://u:p@app.example:443/a?b"]),
        (Origin::danger_from_host_header(true), ["https://h.example/a?b", "https://h.example:443/a?b"]),
    ] {
        let (head, ()) = http::Request::get("/a?b").header("host", "h.example").body(()).unwrap().into_parts();
        let (url, other) = origin.urls(&head).unwrap();
        assert_eq!([&*url, &*other], expected, "{origin:?}");
    }
}

#[test]
fn chains_of_proxies() {
    let proxies = Origin::danger_trust_proxies;
    let (proto, host, port) = ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-port");
    for (origin, headers, expected, why) in [
        (proxies(1), &[(proto, "https"), (host, "a")][..], Some("https://a/"), "one proxy"),
        (proxies(1), &[(proto, "http,https"), (host, "evil, a")], Some("https://a/"), "the client wrote the first"),
        (proxies(2), &[(proto, "https,http"), (host, "a, internal")], Some("https://a/"), "two that append"),
        (proxies(2), &[(proto, "https,http"), (host, "a")], Some("https://a/"), "the last overwrites the host"),
        (proxies(2), &[(proto, "http,https,http"), (host, "evil,a,b")], Some("https://a/"), "two, and a client"),
        (proxies(3), &[(proto, "https,http"), (host, "a")], None, "one of three does not append"),
        (proxies(2), &[(proto, "https,"), (host, "a")], Some("https://a/"), "an empty entry is one"),
        (proxies(1), &[(proto, "https,"), (host, "a")], None, "and no scheme"),
        (proxies(2), &[(proto, "https,http"), (host, "a"), (port, "8443,3000")], Some("https://a:8443/"), "ports"),
        (proxies(2), &[(proto, "https,http"), (host, "a"), (port, "443, 80")], Some("https://a/"), "default ports"),
        (proxies(2), &[(proto, "https"), (proto, "http"), (host, "a")], None, "a header twice"),
        (proxies(usize::MAX), &[(proto, "https,http"), (host, "a")], None, "many"),
        (Origin::danger_trust_forwarded(), &[(proto, "https,http"), (host, "a,b")], Some("https://a/"), "the first"),
        (
            Origin::danger_trust_forwarded(),
            &[(proto, "https,http"), (host, "a"), (port, "8443,80")],
            Some("https://a:8443/"),
            "the first port",
        ),
    ] {
        assert_eq!(base(&origin, "/", headers).as_deref(), expected, "{why}");
    }
    assert!(proxies(0).check().is_err());
}

#[test]
fn the_requests_host_picks_one_of_several_addresses() {
    let urls = ["https://App.example", "http://b.example:8080/sso", "https://[::1]:3000"];
    let (ours, proxied) = (Origin::one_of(urls), Origin::danger_one_of_forwarded(urls));
    let forwarded = "x-forwarded-host";
    for (origin, uri, headers, expected) in [
        (&ours, "/x", &[("host", "APP.example")][..], Some("https://app.example/x")),
        (&ours, "/x", &[("host", "app.example:3000")], Some("https://app.example/x")),
        (&ours, "/x", &[("host", "b.example")], Some("http://b.example:8080/sso/x")),
        (&ours, "/x", &[("host", "[::1]")], Some("https://[::1]:3000/x")),
        (&ours, "http://b.example/x", &[("host", "app.example")], Some("http://b.example:8080/sso/x")),
        (&ours, "/x", &[("host", "c.example")], None),
        (&ours, "/x", &[("host", "app.example.")], None),
        (&ours, "/x", &[("host", "10.0.0.7"), (forwarded, "app.example")], None),
        (&ours, "/x", &[], None),
        (&ours, "/x", &[("host", "app.example"), ("host", "b.example")], None),
        (&proxied, "/x", &[("host", "10.0.0.7"), (forwarded, "b.example, proxy")], Some("http://b.example:8080/sso/x")),
        (&proxied, "/x", &[("host", "app.example")], None),
        (&proxied, "/x", &[(forwarded, "c.example")], None),
        (&proxied, "/x", &[(forwarded, "app.example"), (forwarded, "app.example")], None),
    ] {
        assert_eq!(base(origin, uri, headers).as_deref(), expected, "{origin:?} {uri} {headers:?}");
    }
    let url = ours.urls(&head("/x?y", &[("host", "b.example")])).unwrap();
    assert_eq!(url.0, "http://b.example:8080/sso/x?y");
    for (urls, part) in [
        (&[][..], "lists no address"),
        (&["https://a.example", "b.example"], "is not an address"),
        (&["https://a.example", "http://A.example:8080"], "lists a host twice"),
        (&["https://u:p@a.example"], "has a user"),
    ] {
        let problem = Origin::one_of(urls.iter().copied()).check().unwrap_err().to_string();
        assert!(problem.contains(part), "{problem}");
    }
}
