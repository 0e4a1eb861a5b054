//! Where the protocol parameters are (query, header or form), and what else is signed.

use super::*;

#[tokio::test]
async fn each_transport_is_switched_on_by_itself() {
    let header = signer().authorization(&[]).unwrap();
    let form = signer().form(&JOHN).unwrap();
    let in_header = || {
        let mut request = get(&format!("{BASE}?b=1"));
        let signed = signer_for(&format!("{BASE}?b=1")).authorization(&[]).unwrap();
        request.headers_mut().insert("authorization", signed.parse().unwrap());
        request
    };
    let requests = [
        (Transport::Query, get(&signer().uri(&[]).unwrap())),
        (Transport::Header, in_header()),
        (Transport::Form, post(BASE, FORM, &form)),
    ];
    for (on, _) in &requests {
        let layer = || layer_at(Origin::new("https://app.example")).methods([Method::GET, Method::POST]);
        for (transport, request) in &requests {
            let app = App::new(layer().transports([*on]).build().unwrap());
            let expected = if on == transport { "ok" } else { "malformed" };
            assert_eq!(outcome(&app.send(request.clone()).await), expected, "{transport:?} where {on:?} is on");
        }
        // Two at once are refused, whichever are enabled.
        let mut two = requests[0].1.clone();
        two.headers_mut().insert("authorization", header.parse().unwrap());
        let mut header_and_form = post(BASE, FORM, &form);
        header_and_form.headers_mut().insert("authorization", header.parse().unwrap());
        for two in [two, header_and_form, post(&link(), FORM, &form)] {
            let app = App::new(layer().transports([*on]).build().unwrap());
            assert_eq!(outcome(&app.send(two).await), "malformed");
        }
    }
}

#[tokio::test]
async fn a_launch_is_a_signed_form() {
    let launch = "https://app.example/launch?tool=7";
    let fields = [
        ("lti_message_type", "basic-lti-launch-request"),
        ("lti_version", "LTI-1p0"),
        ("resource_link_id", "120988f929-274612"),
        ("user_id", "292832126"),
        ("roles", "urn:lti:role:ims/lis/Instructor,Learner"),
        ("lis_person_name_full", "Zoë Q. Public"),
        ("oauth_callback", "about:blank"),
        ("custom_empty", ""),
    ];
    let app = || {
        let layer = layer_at(Origin::new("https://app.example")).transports([Transport::Form]);
        App::new(layer.methods([Method::POST]).require(["lti_message_type", "resource_link_id"]).build().unwrap())
    };
    let body = signer_for(launch).form(&fields).unwrap();
    let answer = app().send(post(launch, FORM, &body)).await;
    assert_eq!(outcome(&answer), "ok");
    assert_eq!(seen(&answer).body, body, "the very same bytes");
    assert_eq!(seen(&answer).uri, launch, "and the query that is no credential");
    for (uri, content_type, body, expected, why) in [
        (launch, "application/X-www-form-urlencoded; charset=utf-8", body.clone(), "ok", "with a parameter, any case"),
        (launch, FORM, body.replace("%20", "+"), "ok", "as forms are encoded"),
        (launch, FORM, body.replace("Learner", "Admin"), "invalid", "the body is signed"),
        (launch, FORM, format!("{body}&roles=Admin"), "invalid", "all of it"),
        ("https://app.example/launch?tool=8", FORM, body.clone(), "invalid", "and so is the query"),
        (launch, FORM, format!("{body}&a=%zz"), "malformed", "a bad escape"),
        (launch, "text/plain", body.clone(), "malformed", "not a form"),
        (launch, FORM, String::new(), "malformed", "empty"),
        (launch, FORM, "x".repeat(64 * 1024 + 1), "payload_too_large", "over the limit"),
    ] {
        assert_eq!(outcome(&app().send(post(uri, content_type, &body)).await), expected, "{why}");
    }
    let mut two_types = post(launch, FORM, &body);
    two_types.headers_mut().append("content-type", "text/plain".parse().unwrap());
    assert_eq!(outcome(&app().send(two_types).await), "malformed", "which of them?");
    let answer = app().send(post(launch, FORM, &signer_for(launch).form(&fields[..1]).unwrap())).await;
    assert_eq!(reason(&answer), "missing_field");
}

#[tokio::test]
async fn a_form_is_signed_wherever_the_protocol_stands() {
    let fields = [("a", "1"), ("b", "x y")];
    let signed = || signer().method(Method::POST);
    for (body, expected) in [("a=1&b=x+y", "ok"), ("b=x%20y&a=1", "ok"), ("a=1", "invalid"), ("", "invalid")] {
        let mut request = post(BASE, FORM, body);
        request.headers_mut().insert("authorization", signed().authorization(&fields).unwrap().parse().unwrap());
        let app = App::new(
            layer_at(Origin::new("https://app.example"))
                .transports([Transport::Header])
                .methods([Method::POST])
                .build()
                .unwrap(),
        );
        assert_eq!(outcome(&app.send(request).await), expected, "{body:?}");
    }
    // A body cannot be added to a signed link, however its parameters are spelled.
    let link = signed().uri(&JOHN).unwrap();
    for link in [link.clone(), link.replace("oauth_", "%6Fauth%5f")] {
        assert_eq!(outcome(&every_transport().send(post(&link, FORM, "admin=1")).await), "invalid", "{link}");
        assert_eq!(outcome(&every_transport().send(post(&link, FORM, "")).await), "ok", "{link}");
    }
    let query_alone = layer_at(Origin::new("https://app.example")).methods([Method::POST]);
    let query_alone = App::new(query_alone.build().unwrap());
    let escaped = link.replace("oauth_", "%6Fauth%5f");
    assert_eq!(outcome(&query_alone.send(post(&escaped, FORM, "admin=1")).await), "invalid", "{escaped}");
    // RFC 5849, 3.4.1.3.1: what is not a form is not signed.
    let answer = every_transport().send(post(&link, "application/json", "{}")).await;
    assert_eq!(outcome(&answer), "malformed");
}

#[tokio::test]
async fn the_header_is_read_and_does_not_go_on() {
    let layer = || layer_at(Origin::new("https://app.example")).transports([Transport::Header]);
    let good = signer().authorization(&[]).unwrap();
    let rest = good.strip_prefix("OAuth realm=\"\", ").unwrap();
    let plus = signer().nonce("1234+678").authorization(&[]).unwrap();
    for (header, expected, why) in [
        (good.clone(), "ok", "as signed"),
        (format!("oauth {rest}"), "ok", "the scheme in another case, and no realm (RFC 7235, 2.1)"),
        (format!("OAuth realm=\"a, b\\\"c, oauth_token=d\",{rest}"), "ok", "a realm with commas and quotes"),
        (good.replace(", ", " ,  "), "ok", "with spaces"),
        (good.replace(", ", ","), "ok", "without spaces"),
        (good.replace("=\"", " = \""), "ok", "with spaces around the equals signs"),
        (format!("{good},"), "ok", "with a comma at the end (RFC 9110, 5.6.1.2)"),
        (format!("OAuth {rest}, Realm=\"x\""), "ok", "a realm at the end, in another case"),
        (format!("{good}, \"\"=\"\""), "malformed", "no name"),
        (good.replace(", ", ";"), "malformed", "another separator"),
        (good.replace("12345678", "1234567%38"), "ok", "with an escape"),
        (plus.replace("%2B", "+"), "ok", "a plus is a plus"),
        (plus.clone(), "ok", "escaped too"),
        (plus.replace("1234%2B", "1234%20"), "invalid", "and no space"),
        (good.replace("\"12345678\"", "12345678"), "malformed", "without quotes"),
        (format!("{good}, oauth_nonce=\"12345678\""), "malformed", "twice"),
        (format!("{good}, email=\"x\""), "invalid", "what is not the protocol's is signed too"),
        (format!("{good}, =\"x\""), "malformed", "an empty name"),
        (format!("{good}, e mail=\"x\""), "malformed", "a name with a space"),
        (good.replace("12345678", "%zz"), "malformed", "a bad escape"),
        ("OAuth ".into(), "malformed", "empty"),
        ("Basic Zm9v".into(), "malformed", "another scheme"),
    ] {
        let mut request = get(BASE);
        request.headers_mut().insert("authorization", header.parse().unwrap());
        let app = App::new(layer().build().unwrap());
        assert_eq!(outcome(&app.send(request).await), expected, "{why}: {header}");
    }
    // Another form's header does not disturb a link; one of this form is a second place, but for a lone realm.
    for (header, expected) in
        [("Basic Zm9v", "ok"), ("OAuth realm=\"x\"", "ok"), ("OAuth oauth_nonce=\"12345678\"", "malformed")]
    {
        let mut request = get(&link());
        request.headers_mut().insert("authorization", header.parse().unwrap());
        assert_eq!(outcome(&app().send(request).await), expected, "{header}");
    }
    // What the application sees.
    use http_body_util::BodyExt;
    use tower::{Layer, ServiceExt, service_fn};
    let look = service_fn(|request: Request<tower_sso::body::LayerBody<Full<Bytes>>>| async move {
        let header = request.headers().get("authorization").map(|value| value.as_bytes().to_vec());
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::new(Bytes::from(header.unwrap_or_default()))))
    });
    let mut request = get(BASE);
    request.headers_mut().insert("authorization", good.parse().unwrap());
    let mut signed_in_query = get(&link());
    signed_in_query.headers_mut().insert("authorization", "Basic Zm9v".parse().unwrap());
    for (request, expected) in [(request, ""), (signed_in_query, "Basic Zm9v")] {
        let layer = layer().transports([Transport::Query, Transport::Header]).build().unwrap();
        let answer = layer.layer(look).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), expected, "another form's header goes on");
    }
    let app = App::new(layer().build().unwrap());
    let mut two = get(BASE);
    two.headers_mut().append("authorization", good.parse().unwrap());
    two.headers_mut().append("authorization", good.parse().unwrap());
    assert_eq!(said(&app, two).await, ("malformed", "duplicate_parameter"));
}

#[tokio::test]
async fn an_optional_layer_leaves_other_forms_alone() {
    let app = App::new(layer().optional().methods([Method::GET, Method::POST]).build().unwrap());
    let answer = app.send_unsealed(post("/contact", FORM, "message=hello")).await;
    assert_eq!((answer.status().as_u16(), seen(&answer).identified), (200, false));
    assert_eq!(seen(&answer).body, "message=hello");
}

/// RFC 5849, 3.4.1.3.1: every pair of the header but `realm` is signed. Google's clients put theirs there.
#[tokio::test]
async fn a_pair_in_the_header_that_is_not_oauths_is_signed_and_a_claim() {
    let requestor = ("xoauth_requestor_id", "sam@school.example");
    let header = |fields: &[(&str, &str)]| signer().authorization(fields).unwrap();
    let [in_header, none] = [header(&[requestor]), header(&[])];
    let restricted = format!("{BASE}?restricted=yes");
    let with_query = signer_for(&restricted).authorization(&[]).unwrap();
    let [first, last] = ["OAuth xoauth_requestor_id=\"sam%40school.example\", ", "OAuth "];
    let sam = "xoauth_requestor_id=\"sam%40school.example\"";
    for (uri, header, expected, why) in [
        (BASE, in_header.replacen("OAuth ", first, 1), Ok(Some(requestor)), "in front"),
        (BASE, format!("{in_header}, {sam}"), Ok(Some(requestor)), "behind"),
        (BASE, none.clone(), Ok(None), "without"),
        (BASE, format!("{none}, {sam}"), Err("invalid"), "it was added"),
        (BASE, in_header.clone(), Err("invalid"), "it was taken away"),
        (BASE, format!("{in_header}, {sam}").replace("sam%40", "eve%40"), Err("invalid"), "it was changed"),
        (BASE, format!("{in_header}, {sam}, {sam}"), Err("invalid"), "it comes twice"),
        // A signature does not say where a pair stands, so one that is moved is no claim less.
        (&restricted, with_query.clone(), Ok(Some(("restricted", "yes"))), "in the query"),
        (BASE, format!("{with_query}, restricted=\"yes\""), Ok(Some(("restricted", "yes"))), "moved to the header"),
        (BASE, with_query.replacen(last, "OAuth restricted=\"yes\",", 1), Ok(Some(("restricted", "yes"))), "the same"),
    ] {
        let layer = layer_at(Origin::new("https://app.example")).transports([Transport::Header]).map_claims(
            move |claims: Value| {
                let only: Option<(&str, &str)> = expected.unwrap();
                let only: serde_json::Map<_, _> =
                    only.map(|(name, value)| (name.into(), value.into())).into_iter().collect();
                assert_eq!(claims, Value::Object(only), "{why}");
                Ok(claims)
            },
        );
        let mut request = get(uri);
        request.headers_mut().insert("authorization", header.parse().unwrap());
        let answer = App::new(layer.build().unwrap()).send(request).await;
        assert_eq!(outcome(&answer), expected.err().unwrap_or("ok"), "{why}: {header}");
    }
}
