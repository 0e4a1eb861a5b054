//! Under which scheme, host and path a request is signed.

use super::*;

#[tokio::test]
async fn the_origin_is_the_configured_one() {
    for (origin, signed, requested, expected, why) in [
        ("https://app.example", BASE, BASE, "ok", "as configured"),
        ("HTTPS://App.Example/", BASE, BASE, "ok", "case does not count in it"),
        ("https://app.example:443", BASE, BASE, "ok", "nor does a default port"),
        ("https://app.example", "https://APP.example:443/widget/", BASE, "ok", "the partner's library normalises too"),
        ("http://app.example:80", "http://app.example/widget/", BASE, "ok", "behind a proxy that ends TLS elsewhere"),
        ("https://app.example:8443", "https://app.example:8443/widget/", BASE, "ok", "a port of its own"),
        ("https://app.example:8443", BASE, BASE, "invalid", "another port"),
        ("https://app.example", "http://app.example/widget/", BASE, "invalid", "another scheme"),
        (
            "https://app.example",
            "https://evil.example/widget/",
            "https://evil.example/widget/",
            "invalid",
            "another host",
        ),
        ("https://app.example", BASE, "https://evil.example/widget/", "ok", "what the request says does not count"),
        ("https://app.example", "https://app.example", "https://app.example", "ok", "no path is `/`"),
        ("https://app.example", "https://app.example/", "https://app.example", "ok", "and `/` is no path"),
        ("https://app.example/sso", "https://app.example/sso/widget/", BASE, "ok", "a path that a proxy takes away"),
        (
            "https://app.example",
            "https://app.example/a%2fb/",
            "https://app.example/a%2fb/",
            "ok",
            "escapes as received",
        ),
        ("http://[2001:DB8::A]:80", "http://[2001:db8::a]/widget/", BASE, "ok", "IPv6"),
        ("http://[::1]:3000", "http://[::1]:3000/widget/", BASE, "ok", "IPv6 and a port of its own"),
        (
            "https://app.example",
            "https://app.example//a/../b",
            "https://app.example//a/../b",
            "ok",
            "a path as received",
        ),
        (
            "https://app.example",
            "https://app.example/a%2fb/",
            "https://app.example/a%2Fb/",
            "invalid",
            "and not mended",
        ),
    ] {
        let app = App::new(layer_at(Origin::new(origin)).build().unwrap());
        let link = signer_for(signed).uri(&JOHN).unwrap();
        let uri = format!("{requested}?{}", link.split_once('?').unwrap().1);
        assert_eq!(outcome(&app.send(get(&uri)).await), expected, "{why}");
    }
}

#[tokio::test]
async fn headers_name_the_origin_only_where_that_was_chosen() {
    let trust = Origin::danger_trust_forwarded;
    let (host, forwarded) =
        (("host", "app.example"), [("x-forwarded-proto", "https"), ("x-forwarded-host", "APP.example:443")]);
    let bare = ("x-forwarded-host", "app.example");
    let spoofed = [("host", "evil.example"), ("x-forwarded-proto", "http"), ("x-forwarded-host", "evil.example")];
    for (origin, headers, expected, why) in [
        (Origin::new("https://app.example"), &spoofed[..], "ok", "headers have no effect"),
        (Origin::danger_from_host_header(true), &[host][..], "ok", "the Host header"),
        (Origin::danger_from_host_header(true), &[("host", "APP.example:443")], "ok", "normalised"),
        (Origin::danger_from_host_header(false), &[host], "invalid", "another scheme"),
        (Origin::danger_from_host_header(true), &[("host", "evil.example")], "invalid", "another host"),
        (Origin::danger_from_host_header(true), &[("host", "evil.example"), forwarded[1]], "invalid", "not trusted"),
        (Origin::danger_from_host_header(true), &[], "malformed", "no host"),
        (Origin::danger_from_host_header(true), &[host, host], "malformed", "two hosts"),
        (Origin::danger_from_host_header(true), &[("host", "app.example:80")], "invalid", "another scheme's port"),
        (Origin::danger_from_host_header(true), &[("host", "app.example/")], "malformed", "no host"),
        (Origin::danger_from_host_header(true), &[("host", "evil@app.example")], "malformed", "user information"),
        (trust(), &forwarded, "ok", "a proxy's headers"),
        (trust(), &[host], "malformed", "past the proxy"),
        (trust(), &[forwarded[0], forwarded[1], forwarded[1]], "malformed", "two of them"),
        (trust(), &[forwarded[0], ("x-forwarded-host", "app.example, internal")], "ok", "nearest the client"),
        (trust(), &[forwarded[0], ("x-forwarded-host", "internal, app.example")], "invalid", "not the last"),
        (trust(), &[forwarded[0], ("x-forwarded-host", ", app.example")], "malformed", "an empty one"),
        (trust(), &[("x-forwarded-proto", "ftp"), forwarded[1]], "malformed", "no scheme of the web"),
        (trust(), &[("x-forwarded-proto", "https, http"), forwarded[1]], "ok", "nearest the client"),
        (trust(), &[("x-forwarded-proto", "https,http"), forwarded[1]], "ok", "without a space"),
        (trust(), &[("x-forwarded-proto", "http, https"), forwarded[1]], "invalid", "not the last"),
        (trust(), &[("x-forwarded-proto", "HTTPS"), forwarded[1]], "ok", "a scheme has no case"),
        (trust(), &[("x-forwarded-proto", ""), forwarded[1]], "malformed", "empty"),
        (trust(), &[forwarded[0], forwarded[0], forwarded[1]], "malformed", "two schemes"),
        (trust(), &[forwarded[0], host], "malformed", "the Host header is no substitute"),
        (trust(), &[("x-forwarded-proto", "http"), forwarded[1]], "invalid", "another scheme"),
        (trust(), &[forwarded[0], ("x-forwarded-host", "evil.example"), host], "invalid", "another host"),
        (trust(), &[forwarded[0], forwarded[1], ("x-forwarded-port", "8443")], "ok", "the host has its own port"),
        (trust(), &[forwarded[0], bare, ("x-forwarded-port", "443")], "ok", "the default port"),
        (trust(), &[forwarded[0], bare, ("x-forwarded-port", "80")], "ok", "a proxy behind the one that ends TLS"),
        (trust(), &[forwarded[0], bare, ("x-forwarded-port", "8443")], "invalid", "another port"),
        (trust(), &[forwarded[0], bare, ("x-forwarded-port", "+8443")], "malformed", "no port"),
        (trust(), &[forwarded[0], bare, ("x-forwarded-port", "99999")], "malformed", "no port"),
        (trust(), &[forwarded[0], bare, ("x-forwarded-port", "1"), ("x-forwarded-port", "1")], "malformed", "two"),
        (Origin::danger_from_host_header(true), &[host, ("x-forwarded-port", "8443")], "ok", "not trusted"),
    ] {
        let app = App::new(layer_at(origin.clone()).build().unwrap());
        let path = link().strip_prefix("https://app.example").unwrap().to_owned();
        let mut request = get(&path);
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        assert_eq!(outcome(&app.send(request).await), expected, "{why}: {origin:?}");
    }
}

/// A non-default port is signed (RFC 5849, 3.4.1.2), and some proxies send it in a separate header.
#[tokio::test]
async fn a_proxy_says_the_port_beside_the_host() {
    let link = signer_for("https://app.example:8443/widget/").uri(&JOHN).unwrap();
    let app = App::new(layer_at(Origin::danger_trust_forwarded()).build().unwrap());
    let mut request = get(link.strip_prefix("https://app.example:8443").unwrap());
    for (name, value) in
        [("x-forwarded-proto", "https"), ("x-forwarded-host", "app.example"), ("x-forwarded-port", "8443, 80")]
    {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    assert_eq!(outcome(&app.send(request).await), "ok");
}

/// RFC 9112, 3.2.2: a target that names its host counts for more than the header. Its scheme does not count.
#[tokio::test]
async fn a_target_in_absolute_form_names_the_host() {
    let query = link().split_once('?').unwrap().1.to_owned();
    for (target, host, expected) in [
        ("https://app.example/widget/", "app.example", "ok"),
        ("https://app.example/widget/", "evil.example", "ok"),
        ("http://APP.example:443/widget/", "evil.example", "ok"),
        ("https://evil.example/widget/", "app.example", "invalid"),
    ] {
        let app = App::new(layer_at(Origin::danger_from_host_header(true)).build().unwrap());
        let mut request = get(&format!("{target}?{query}"));
        request.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(outcome(&app.send(request).await), expected, "{target} with {host}");
    }
}

/// A nested router shortens the path, but partners sign all of it.
#[cfg(feature = "axum")]
#[tokio::test]
async fn the_whole_path_is_signed_behind_a_nested_route() {
    for (inner, expected) in [("/", "ok"), ("/widget/", "ok")] {
        let mut request = get(&format!("{inner}?{}", link().split_once('?').unwrap().1));
        request.extensions_mut().insert(axum::extract::OriginalUri(link().parse().unwrap()));
        assert_eq!(outcome(&app().send(request).await), expected, "{inner}");
    }
}
