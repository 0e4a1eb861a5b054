//! Senders of webhooks.

use super::*;

/// Webhooks.
#[tokio::test]
async fn senders() {
    macro_rules! layer {
        ($builder:expr) => {
            $builder.replay(replay()).handler_remembers().clock(clock()).build()
        };
    }
    let body = r#"{"id":"evt_7","note":"Zoë & Ada <ada@x.example>"}"#;
    let hub = |signature: Vec<u8>| called("x-hub-signature-256", format!("sha256={}", hex(signature)), body);
    let shop = |signature: String| called("x-shopify-hmac-sha256", signature, body);
    let utf16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin1: Vec<u8> = body.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    let stripe_header = |time: u64, text: String| format!("t={time},v1={}", hex(mac(SECRET, text)));
    let command = |signature: String| {
        let request = Request::post("/hook").header("content-type", "application/x-www-form-urlencoded");
        let request =
            request.header("x-slack-signature", signature).header("x-slack-request-timestamp", NOW.to_string());
        sent(request, "command=%2Fada&text=hello+there")
    };
    let standard = |text: &str, key: &[u8]| {
        let signature = format!("v1,{}", BASE64_STANDARD.encode(mac(key, text)));
        let request = Request::post("/hook").header("content-type", "application/json").header("webhook-id", "msg_7");
        let request = request.header("webhook-timestamp", NOW.to_string()).header("webhook-signature", signature);
        sent(request, body)
    };
    let whsec = "whsec_MDEyMzQ1Njc4OWFiY2RlZg==";
    let local = NOW - 2 * 3_600;
    for (why, said, expected) in [
        (
            "hash_hmac with its arguments swapped",
            said(layer!(github::<Value>().secrets([SECRET])), hub(mac(body, SECRET))).await,
            "arguments are swapped",
        ),
        (
            "a plain digest with the secret behind the body",
            said(layer!(github::<Value>().secrets([SECRET])), hub(Sha256::digest(format!("{body}{SECRET}")).to_vec()))
                .await,
            "a plain digest with the secret at the end",
        ),
        (
            "Encoding.Unicode in C#",
            said(layer!(github::<Value>().secrets([SECRET])), hub(mac(SECRET, utf16))).await,
            "UTF-16",
        ),
        (
            "a Windows code page",
            said(layer!(github::<Value>().secrets([SECRET])), hub(mac(SECRET, latin1))).await,
            "Latin-1",
        ),
        (
            "base64_encode(hash_hmac(…)) without `true`",
            said(
                layer!(shopify_webhook::<Value>().secrets([SECRET])),
                shop(BASE64_STANDARD.encode(hex(mac(SECRET, body)))),
            )
            .await,
            "base64 of the hexadecimal text",
        ),
        (
            "printf into openssl dgst, whose output is hexadecimal",
            said(layer!(shopify_webhook::<Value>().secrets([SECRET])), shop(hex(mac(SECRET, body)))).await,
            "as hexadecimal",
        ),
        (
            "echo instead of printf",
            said(layer!(github::<Value>().secrets([SECRET])), hub(mac(SECRET, format!("{body}\n")))).await,
            "ended with a line feed",
        ),
        (
            "a colon instead of the point",
            said(
                layer!(stripe::<Value>().secrets([SECRET])),
                called("stripe-signature", stripe_header(NOW, format!("{NOW}:{body}")), body),
            )
            .await,
            "signs `{timestamp}:{body}`",
        ),
        (
            "local time as Unix time",
            said(
                layer!(stripe::<Value>().secrets([SECRET])),
                called("stripe-signature", stripe_header(local, format!("{local}.{body}")), body),
            )
            .await,
            "local time, where UTC is meant",
        ),
        (
            "the id forgotten",
            said(
                layer!(standard_webhooks::<Value>().secrets([whsec])),
                standard(&format!("{NOW}.{body}"), b"0123456789abcdef"),
            )
            .await,
            "signs `{timestamp}.{body}`",
        ),
        (
            "the secret not decoded",
            said(
                layer!(standard_webhooks::<Value>().secrets([whsec])),
                standard(&format!("msg_7.{NOW}.{body}"), whsec.as_bytes()),
            )
            .await,
            "takes the secret's text as the key",
        ),
        (
            "the form decoded before it was signed",
            said(
                layer!(slack::<Value>().secrets([SECRET])),
                command(format!("v0={}", hex(mac(SECRET, format!("v0:{NOW}:command=/ada&text=hello there"))))),
            )
            .await,
            "decoded",
        ),
    ] {
        assert!(said.contains(expected), "{why}: {said}");
    }
}

/// Signatures inside of JSON, message signatures and a body's digest in a token.
#[tokio::test]
async fn senders_of_other_forms() {
    let adyen = |key: &[u8]| {
        let text = "psp-7::Acme:ref-7:500:EUR:AUTHORISATION:true";
        let signature = BASE64_STANDARD.encode(mac(key, text));
        let item = json!({
            "pspReference": "psp-7", "merchantAccountCode": "Acme", "merchantReference": "ref-7",
            "amount": {"value": 500, "currency": "EUR"}, "eventCode": "AUTHORISATION", "success": "true",
            "additionalData": {"hmacSignature": signature},
        });
        let body = json!({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]});
        sent(Request::post("/hook").header("content-type", "application/json"), body.to_string())
    };
    let mailgun = |text: String| {
        let signature = json!({"timestamp": NOW.to_string(), "token": "f00d", "signature": hex(mac(SECRET, text))});
        let body = json!({"signature": signature, "event-data": {"event": "opened"}});
        sent(Request::post("/hook").header("content-type", "application/json"), body.to_string())
    };
    let key = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
    let bodies = r#"{"order":7}"#;
    let digest = format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(bodies)));
    let input = format!("(\"@method\" \"@target-uri\" \"content-digest\");created={NOW}");
    let message_with = |key: &str, last: &str| {
        let base =
            format!("\"@method\": POST\n\"@target-uri\": https://rp.example/hook\n\"content-digest\": {digest}{last}");
        let request = Request::post("/hook").header("content-type", "application/json");
        let request = request.header("content-digest", &digest).header("signature-input", format!("sig1={input}"));
        let signature = format!("sig1=:{}:", BASE64_STANDARD.encode(mac(key, base)));
        sent(request.header("signature", signature), bodies)
    };
    let message = |last: &str| message_with(SECRET, last);
    let signed = || {
        let layer =
            http_signature::layer::<Value>(http_signature::Algorithm::HmacSha256, Origin::new("https://rp.example"));
        layer.secrets([SECRET]).replay(replay()).clock(clock()).build()
    };
    let token = |claims: Value| {
        let parts =
            [json!({"alg": "HS256", "typ": "JWT"}), claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(mac(SECRET, parts.join(".")));
        called("x-webhook-signature", format!("{}.{signature}", parts.join(".")), bodies)
    };
    let of_netlify =
        || netlify::<Value>().secrets([SECRET]).replay(replay()).handler_remembers().clock(clock()).build();
    macro_rules! layer {
        ($builder:expr) => {
            $builder.replay(replay()).handler_remembers().clock(clock()).build()
        };
    }
    for (why, said, expected) in [
        (
            "the hexadecimal key taken as text",
            said(layer!(danger_adyen_standard::<Value>().secrets([key])), adyen(key.as_bytes())).await,
            "takes the secret's text as the key",
        ),
        (
            "a point between timestamp and token",
            said(layer!(danger_mailgun::<Value>().secrets([SECRET])), mailgun(format!("{NOW}.f00d"))).await,
            "with a point between them",
        ),
        (
            "token and timestamp in the other order",
            said(layer!(danger_mailgun::<Value>().secrets([SECRET])), mailgun(format!("f00d{NOW}"))).await,
            "another order: /token, /timestamp",
        ),
        (
            "a line feed behind the last line",
            said(signed(), message(&format!("\n\"@signature-params\": {input}\n"))).await,
            "ends the signature base with a line feed",
        ),
        (
            "a line feed behind the secret",
            said(signed(), message_with(&format!("{SECRET}\n"), &format!("\n\"@signature-params\": {input}"))).await,
            "ends with a line feed",
        ),
        ("no line for the parameters", said(signed(), message("")).await, "leaves the line `@signature-params` out"),
        (
            "the whole header as the last line",
            said(signed(), message(&format!("\n\"@signature-params\": sig1={input}"))).await,
            "writes the label into the line",
        ),
        (
            "a digest in base64",
            said(
                of_netlify(),
                token(json!({"iss": "netlify", "sha256": BASE64_STANDARD.encode(Sha256::digest(bodies))})),
            )
            .await,
            "the body's digest in base64",
        ),
    ] {
        assert!(said.contains(expected), "{why}: {said}");
    }
    let wrong = Request::post("/")
        .header("content-type", "application/json")
        .header("x-gitlab-token", format!("Bearer {SECRET}"));
    let layer = gitlab_layer();
    assert!(said(layer, sent(wrong, bodies)).await.contains("a word such as `Bearer` before it"));
}

fn gitlab_layer() -> Result<VerifyLayer<tower_sso::shared_secret::SharedSecret<Value>>, ConfigError> {
    tower_sso::providers::webhooks::gitlab_token::<Value>().secrets([SECRET]).clock(clock()).build()
}
