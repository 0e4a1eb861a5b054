//! Layers whose settings say where a part stands, or what a request must have.

use http::Method;
use serde_json::{Value, json};
use tower_sso::body::RawBody;
use tower_sso::jwt::{self, Algorithm};
use tower_sso::oauth1::Origin;
use tower_sso::scheme::{Place, TimeFormat};
use tower_sso::tenant::Tenant;
use tower_sso::{fernet, http_signature, shared_secret, webhook};

use crate::mechanisms::{ACKNOWLEDGED, Asked, CANARIES, Mechanism, REUSABLE, Time, asked, mechanism};

pub(crate) fn all(time: &Time) -> Vec<Mechanism> {
    let acme = || Tenant::query("tenant");
    let origin = || Origin::new("https://app.example");
    let hook = || webhook::layer::<Value>().tenant(acme());
    let call = |name, address, claims| Asked { second: ACKNOWLEDGED, ..asked(name, address, claims) };
    let event = || json!({"event": {"name": "paid"}, "a/b": 1});
    let spelled = "HTTPS://App.Example:443?tenant=acme";
    vec![
        mechanism(call("webhook, time inside", "https://app.example/hook?tenant=acme", event()), time, || {
            hook().timestamp_field("/event/sent~1at").timestamp_format(TimeFormat::Rfc3339)
        }),
        mechanism(call("webhook, time inside alone", "https://app.example/hook?tenant=acme", json!({})), time, || {
            hook().timestamp_field("/meta/sent/at").timestamp_format(TimeFormat::Milliseconds)
        }),
        mechanism(call("webhook, path below", "https://app.example/app/hook?tenant=acme", event()), time, || {
            hook().signed("{path}\n{body}").path_below("/app/").handler_remembers()
        }),
        mechanism(call("webhook, digest in the query", "https://app.example/hook?tenant=acme", event()), time, || {
            let layer = hook().signed("{path}\n{query}\n{url}").origin(origin());
            layer.body_digest_parameter("bodySHA256").handler_remembers()
        }),
        mechanism(call("webhook, another spelling", spelled, event()), time, || {
            hook().signed("{url}\n{body}").origin(origin()).handler_remembers()
        }),
        mechanism(call("http_signature, another spelling", spelled, event()), time, || {
            let components = ["@method", "@target-uri", "@scheme", "@authority", "@path", "@query", "@request-target"];
            let layer = http_signature::layer::<Value>(http_signature::Algorithm::HmacSha256, origin());
            layer.tenant(acme()).required_components(components)
        }),
        mechanism(call("http_signature, no body", "https://app.example/hook?tenant=acme", json!({})), time, || {
            let layer = http_signature::layer::<RawBody>(http_signature::Algorithm::HmacSha256, origin());
            layer.tenant(acme()).optional_body().methods([Method::GET])
        }),
        mechanism(
            Asked { canary: CANARIES[3], ..asked("fernet, time inside", "https://app.example/sso", json!({})) },
            time,
            || fernet::layer::<Value>().timestamp_claim("made").require(["made", "email"]),
        ),
        mechanism(asked("jwt, registered claims", "https://app.example/page?tenant=acme", json!({})), time, || {
            let layer = jwt::layer::<Value>(Algorithm::HS256).audience("rp.example").issuer("https://idp.example");
            layer.tenant(acme()).require(["iat", "exp"]).require_claims(["iss", "aud", "sub", "jti"]).replay_by_id()
        }),
        mechanism(
            Asked { second: REUSABLE, ..asked("shared_secret, no claims", "https://app.example/in", json!({})) },
            time,
            || shared_secret::by_tenant::<Value>().tenant(acme()).token_in(Place::bearer()),
        ),
    ]
}
