//! A token's header: its type, its algorithm, and the request that it is bound to.

use super::*;

/// A signed statement about the request or its sender must be checked, or the token is refused.
#[tokio::test]
async fn what_binds_a_token_and_is_not_checked_is_refused() {
    for claim in ["htm", "htu", "ath", "cnf", "qsh", "bodyHash", "payload_hash", "url_hash", "request_body_sha256"] {
        for says in [json!("a"), json!({"jkt": "a"}), json!(false)] {
            let token = sign(Algorithm::HS512, HS512, &with(json!({claim: says})));
            let answer = send(&token).await;
            assert_eq!((reason(&answer), outcome(&answer)), ("bad_claim", "invalid"), "{claim}");
            let answer = send_to(|layer| layer.danger_unchecked_claims([claim]), &token).await;
            assert_eq!(reason(&answer), "ok", "{claim}, which the application checks");
        }
        let null = with(json!({})).replacen('{', &format!(r#"{{"{claim}":null,"#), 1);
        assert_eq!(reason(&send(&sign(Algorithm::HS512, HS512, &null)).await), "bad_claim", "{claim}: null");
        let other = if claim == "htm" { "htu" } else { "htm" };
        let both = sign(Algorithm::HS512, HS512, &with(json!({claim: "a", other: "b"})));
        let answer = send_to(|layer| layer.danger_unchecked_claims([claim]), &both).await;
        assert_eq!(reason(&answer), "bad_claim", "{claim} alone was named");
    }
    // What honest tokens have: an identity provider's bind a code, an access token or a session, not the request.
    let honest =
        json!({"nonce": "n", "at_hash": "a", "c_hash": "c", "s_hash": "s", "sid": "1", "uri": "/a", "hash": "h"});
    assert_eq!(reason(&send(&sign(Algorithm::HS512, HS512, &with(honest))).await), "ok");
}

#[tokio::test]
async fn the_type() {
    type Required = Option<&'static str>;
    for (required, typ, expected, why) in [
        (None as Required, r#""JWT""#, "ok", "the usual one"),
        (None, r#""jwt""#, "ok", "in small letters"),
        (None, "5", "ok", "it says nothing"),
        (None, r#""at+jwt""#, "bad_token", "an access token (RFC 9068)"),
        (None, r#""application/logout+jwt""#, "bad_token", "a logout token"),
        (None, r#""dpop+JWT""#, "bad_token", "a proof (RFC 9449)"),
        (Some("sso+jwt"), r#""sso+jwt""#, "ok", "as required"),
        (Some("sso+jwt"), r#""application/SSO+jwt""#, "ok", "with the prefix, in other letters"),
        (Some("application/sso+jwt"), r#""sso+jwt""#, "ok", "without it"),
        (Some("sso+jwt"), r#""JWT""#, "bad_token", "another"),
        (Some("JWT"), r#""at+jwt""#, "bad_token", "another"),
        (Some("JWT"), "null", "bad_token", "none"),
    ] {
        let token = sign(Algorithm::HS512, &format!(r#"{{"alg":"HS512","typ":{typ}}}"#), &with(json!({})));
        let layer = |layer: Builder<Jwt<Value>>| match required {
            Some(required) => layer.require_type(required),
            None => layer,
        };
        assert_eq!(reason(&send_to(layer, &token).await), expected, "{why}: {typ}, {required:?}");
    }
}

/// A refusal is explained by the header, so each mistake must have its own reason.
#[tokio::test]
async fn what_is_said_of_a_header() {
    for (header, expected) in [
        (r#"{"alg":"HS512","alg":"HS512"}"#, "has a name twice in its header"),
        ("[]", "has a header that is not a JSON object"),
        (r#"{"typ":"JWT"}"#, "has no `alg` in its header"),
        (r#"{"alg":null}"#, "has no `alg` in its header"),
    ] {
        let answer = send(&sign(Algorithm::HS512, header, &with(json!({})))).await;
        let said = answer.extensions().get::<tower_sso::rejection::Rejection>().unwrap().reason().to_string();
        assert!(said.contains(expected), "{header}: {said}");
    }
}
