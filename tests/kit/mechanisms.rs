//! One layer or more for each mechanism: with its kit, and with the kit's key.

use std::time::Duration;

use http::HeaderName;
use serde_json::{Value, json};
use tower_sso::clock::{Clock, ManualClock, SystemClock};
use tower_sso::jwt::Algorithm;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::kit::Kit;
use tower_sso::oauth1::{Origin, Transport};
use tower_sso::replay::MemoryReplay;
use tower_sso::scheme::{Digest, Encoding, KeyDerivation, Place, SecretFormat, TimeFormat};
use tower_sso::sealed::{self, Seal};
use tower_sso::sign::Signs;
use tower_sso::signed_parameters::{Join, Source, Text};
use tower_sso::signed_payload::Layout;
use tower_sso::tenant::Tenant;
use tower_sso::timestamp_hash::Recipe;
use tower_sso::{
    Builder, VerifyLayer, fernet, http_signature, jwt, oauth1, shared_secret, signed_json, signed_parameters,
    signed_payload, timestamp_hash, webhook,
};

use crate::public_keys;
use crate::settings;
use crate::support::{App, Served, clock};

/// A secret of the layer's own, in the shapes that forms want. No kit may hold it.
pub(crate) const CANARIES: [&str; 4] = [
    "canary-of-the-layer-0123456789",
    "whsec_Y2FuYXJ5LW9mLXRoZS1sYXllci0wMTIzNDU2Nzg5",
    "63616e6172792d6f662d7468652d6c61",
    "Y2FuYXJ5LW9mLXRoZS1sYXllci0wMTIzNDU2Nzg5IT0=",
];

/// A layer's kit, and the same layer with the kit's key instead of its own.
pub(crate) struct Mechanism {
    pub(crate) name: &'static str,
    pub(crate) kit: Kit,
    pub(crate) app: App,
    /// What a second use gets, and how often the handler is called for both.
    pub(crate) second: (&'static str, usize),
}

const ONCE: (&str, usize) = ("replayed", 1);
pub(crate) const ACKNOWLEDGED: (&str, usize) = ("ok", 1);
pub(crate) const REUSABLE: (&str, usize) = ("ok", 2);

/// What the layers' clock is: the kit's vector is made at its time.
#[derive(Clone)]
pub(crate) enum Time {
    Fixed(ManualClock),
    Real,
}

impl Clock for Time {
    fn now(&self) -> tower_sso::clock::UnixTime {
        match self {
            Self::Fixed(clock) => clock.now(),
            Self::Real => SystemClock.now(),
        }
    }
}

pub(crate) struct Asked {
    pub(crate) name: &'static str,
    pub(crate) address: &'static str,
    pub(crate) claims: Value,
    pub(crate) canary: &'static str,
    /// The page's key pair, where it makes none.
    pub(crate) pair: Option<[&'static str; 2]>,
    pub(crate) second: (&'static str, usize),
}

pub(crate) fn mechanism<F, C>(asked: Asked, time: &Time, layer: impl Fn() -> Builder<F, C>) -> Mechanism
where
    F: Signs + Served,
    C: Send + Sync + 'static,
{
    let build = |secret: &Secret| -> VerifyLayer<F, C> {
        let replay = MemoryReplay::builder().danger_no_startup_cutoff().build();
        let layer = layer().keys(MemoryKeys::new().with("acme", secret.clone())).clock(time.clone());
        if asked.second == REUSABLE { layer.build() } else { layer.replay(replay).build() }.unwrap()
    };
    let layer = build(&Secret::new(asked.canary));
    let mut kit = layer.kit(asked.address).partner("Acme <& Co>").tenant("acme");
    for (name, value) in asked.claims.as_object().unwrap() {
        kit = kit.claim(name, value.clone());
    }
    if let Some([private, public]) = asked.pair {
        kit = kit.throwaway_key_pair(private, public);
    }
    let kit = kit.build().unwrap_or_else(|error| panic!("{}: {error}", asked.name));
    let app = App::new(build(kit.key()));
    Mechanism { name: asked.name, kit, app, second: asked.second }
}

pub(crate) fn asked(name: &'static str, address: &'static str, claims: Value) -> Asked {
    Asked { name, address, claims, canary: CANARIES[0], pair: None, second: ONCE }
}

fn user() -> Value {
    // Text that each language has to write, escape and sign as it is.
    json!({"email": "ada+lovelace@example.com", "name": "Ada \"$#{x}${y}\" Lovelace\\é😀/'?%+\t\u{7f}</b>*"})
}

pub(crate) fn all(time: &Time) -> Vec<Mechanism> {
    let acme = || Tenant::query("tenant");
    let hash = "https://app.example/sso/oauth/";
    let header = HeaderName::from_static;
    let mut all = vec![
        mechanism(asked("timestamp_hash", hash, user()), time, || {
            timestamp_hash::layer::<Value>(Recipe::hmac(Digest::Sha256, ["timestamp", "email", "name"], "|"))
                .tenant(acme())
        }),
        mechanism(asked("timestamp_hash, JSON", hash, user()), time, || {
            let recipe = Recipe::hmac(Digest::Sha256, ["email", "timestamp", "slug"], ":");
            let layer = timestamp_hash::body_layer::<Value>(recipe).tenant_field("slug").source(Source::Json);
            layer.methods([http::Method::POST])
        }),
        mechanism(asked("timestamp_hash, form as key", hash, user()), time, || {
            let recipe = Recipe::form_as_key(Digest::Sha1, ["timestamp", "email", "name", "slug"], "token");
            timestamp_hash::layer::<Value>(recipe).tenant_field("slug")
        }),
        mechanism(asked("timestamp_hash, plain digest", hash, user()), time, || {
            let recipe = Recipe::digest_with_secret_last(Digest::Sha512, ["email", "timestamp", "slug"], ":");
            timestamp_hash::layer::<Value>(recipe).tenant_field("slug").hash_parameter("mac")
        }),
    ];
    all.extend([
        mechanism(
            Asked { second: ACKNOWLEDGED, ..asked("webhook", "https://app.example/hook?tenant=acme", user()) },
            time,
            || webhook::layer::<Value>().tenant(acme()).handler_remembers(),
        ),
        mechanism(
            Asked {
                second: ACKNOWLEDGED,
                canary: CANARIES[1],
                ..asked("webhook, template", "https://app.example/hook?tenant=acme", user())
            },
            time,
            || {
                webhook::layer::<Value>()
                    .tenant(acme())
                    .signature_header(header("webhook-signature"))
                    .timestamp_header(header("webhook-timestamp"))
                    .id_header(header("webhook-id"))
                    .signed("{id}.{timestamp}.{body}")
                    .prefix("v1,")
                    .encoding(Encoding::Base64)
                    .secret_format(SecretFormat::Base64 { prefix: "whsec_" })
            },
        ),
        mechanism(
            Asked {
                second: ACKNOWLEDGED,
                canary: CANARIES[2],
                ..asked("webhook, list", "https://app.example/hook?tenant=acme", user())
            },
            time,
            || {
                webhook::layer::<Value>()
                    .tenant(acme())
                    .signature_header(header("x-signature"))
                    .separator(',')
                    .timestamp_element("t=")
                    .timestamp_format(TimeFormat::Milliseconds)
                    .prefix("v1=")
                    .signed("{timestamp}\n{method}\n{url}\n{body:sha256}")
                    .origin(Origin::new("https://app.example"))
                    .digest(Digest::Sha384)
                    .encoding(Encoding::Base64Url)
                    .secret_format(SecretFormat::Hex)
            },
        ),
        mechanism(
            Asked { second: ACKNOWLEDGED, ..asked("webhook, date", "https://app.example/hook?tenant=acme", user()) },
            time,
            || {
                webhook::layer::<Value>()
                    .tenant(acme())
                    .timestamp_header(header("date"))
                    .timestamp_format(TimeFormat::HttpDate)
                    .signed("{timestamp}|{body}")
                    .encoding(Encoding::Base64OfHex)
            },
        ),
        mechanism(
            Asked {
                second: ACKNOWLEDGED,
                ..asked("webhook, wall time", "https://app.example/hook?tenant=acme", user())
            },
            time,
            || {
                webhook::layer::<Value>()
                    .tenant(acme())
                    .timestamp_header(header("x-time"))
                    .timestamp_format(TimeFormat::WallTime { hours_ahead: -3 })
                    .signed("{timestamp}{body}")
            },
        ),
        mechanism(
            Asked {
                second: ACKNOWLEDGED,
                ..asked("webhook, time in the body", "https://app.example/hook?tenant=acme", user())
            },
            time,
            || {
                let layer = webhook::layer::<Value>().tenant(acme()).timestamp_field("sentAt");
                layer.timestamp_format(TimeFormat::Milliseconds).digest(Digest::Sha1)
            },
        ),
    ]);
    let claims = json!({"email": "ada@example.com", "data": {"tags": ["a", 1, true, null], "name": "Ada \"$#\" é"}});
    all.extend([
        mechanism(asked("jwt", "https://app.example/page", claims.clone()), time, || {
            jwt::layer::<Value>(Algorithm::HS256).tenant(acme()).audience("www.app.example").require(["data"])
        }),
        mechanism(asked("jwt, in a header", "https://app.example/page?tenant=acme", claims), time, || {
            jwt::layer::<Value>(Algorithm::HS512)
                .tenant(acme())
                .danger_any_audience()
                .issuer("acme")
                .replay_by_id()
                .token_in(Place::bearer())
        }),
        mechanism(Asked { canary: CANARIES[3], ..asked("fernet", "https://app.example/sso", user()) }, time, || {
            fernet::layer::<Value>().max_age(Duration::from_secs(60))
        }),
        mechanism(asked("oauth1, query", "https://app.example/widget/?a=b%20c", user()), time, || {
            oauth1::layer::<Value>(Origin::new("https://app.example"))
        }),
        mechanism(asked("oauth1, form", "https://app.example/launch", user()), time, || {
            oauth1::layer::<Value>(Origin::new("https://app.example"))
                .transports([Transport::Form])
                .signature_methods([oauth1::SignatureMethod::HmacSha256])
                .methods([http::Method::POST])
        }),
        mechanism(asked("oauth1, header", "https://app.example/widget/", user()), time, || {
            oauth1::layer::<Value>(Origin::new("https://app.example")).transports([Transport::Header])
        }),
        mechanism(
            Asked { second: REUSABLE, ..asked("shared_secret", "https://app.example/autologin?tenant=acme", user()) },
            time,
            || shared_secret::by_tenant::<Value>().tenant(acme()).require(["email"]),
        ),
        mechanism(
            Asked { second: REUSABLE, ..asked("shared_secret, basic", "https://app.example/logs?tenant=acme", user()) },
            time,
            || shared_secret::by_tenant::<Value>().tenant(acme()).password_in(Place::basic()),
        ),
        mechanism(asked("signed_payload", "https://app.example/sso?tenant=acme", user()), time, || {
            signed_payload::layer::<Value>(Layout::payload_first(Place::query("token"), "."))
                .tenant(acme())
                .issued_at("iat", TimeFormat::Seconds)
        }),
        mechanism(asked("signed_payload, apart", "https://app.example/sso", user()), time, || {
            signed_payload::layer::<Value>(Layout::apart(Place::query("sso"), Place::query("sig")))
                .tenant_member("org")
                .payload_encoding(signed_payload::PayloadEncoding::Base64)
                .pairs()
                .expires_at("exp", TimeFormat::Rfc3339, Duration::from_secs(120))
                .encoding(Encoding::Base64Url)
                .key_derivation(KeyDerivation::digest_after(Digest::Sha256, "salt"))
        }),
        mechanism(asked("signed_parameters", "https://app.example/sso?shop=a.example", user()), time, || {
            signed_parameters::layer::<Value>(signed_parameters::Recipe::all(Join::pairs('&')))
                .tenant_field("org")
                .signature_parameter("hmac")
                .issued_at("timestamp", TimeFormat::Seconds)
        }),
        mechanism(asked("signed_parameters, value", "https://app.example/sso", user()), time, || {
            signed_parameters::layer::<Value>(signed_parameters::Recipe::all(Join::pairs('\n')))
                .source(Source::Value(Place::header_after(http::header::AUTHORIZATION, "tma")))
                .tenant_field("org")
                .signature_parameter("hash")
                .issued_at("auth_date", TimeFormat::Seconds)
        }),
        mechanism(asked("signed_parameters, form", "https://app.example/sso", user()), time, || {
            let recipe = signed_parameters::Recipe::listed(["email", "org", "ts"], Join::values(':'));
            signed_parameters::layer::<Value>(recipe)
                .source(Source::Form)
                .methods([http::Method::POST])
                .tenant_field("org")
                .signature_parameter("sig")
                .issued_at("ts", TimeFormat::Milliseconds)
                .key_derivation(KeyDerivation::hmac_keyed_with(Digest::Sha256, "WebAppData"))
        }),
        mechanism(asked("signed_parameters, hashed", "https://app.example/sso", user()), time, || {
            let recipe = signed_parameters::Recipe::all(Join::pairs('&')).around("v1:", "&key=");
            signed_parameters::layer::<Value>(recipe.danger_digest_with_secret_at_the_end())
                .tenant_field("org")
                .issued_at("ts", TimeFormat::Seconds)
        }),
        mechanism(asked("signed_parameters, encoded", "https://app.example/sso", user()), time, || {
            let recipe = signed_parameters::Recipe::all(Join::pairs('&')).text(Text::FormEncoded);
            signed_parameters::layer::<Value>(recipe.order(signed_parameters::Order::Names))
                .tenant_field("org")
                .signature_in(Place::header(header("x-signature")))
                .issued_at("ts", TimeFormat::Seconds)
                .encoding(Encoding::Base64)
        }),
    ]);
    all.extend(in_bodies(time));
    all.extend(public_keys::all(time));
    all.extend(settings::all(time));
    all.extend([
        mechanism(asked("sealed, CBC", "https://app.example/login?tenant=acme", user()), time, || {
            let layer = sealed::in_last_segment::<Value>(Seal::AesCbcThenHmac).tenant(Tenant::query("tenant"));
            layer.issued_at("created_at", TimeFormat::Rfc3339)
        }),
        mechanism(asked("sealed, GCM", "https://app.example/login", user()), time, || {
            let layer = sealed::layer::<Value>(Seal::FramedAesGcm, Place::query("context"));
            let layer = layer.tenant(Tenant::query("tenant")).require_value("typ", "panel");
            layer.issued_at("ts", TimeFormat::Milliseconds)
        }),
    ]);
    all
}

/// Calls whose signature is in the body or is made of its digest.
fn in_bodies(time: &Time) -> Vec<Mechanism> {
    let acme = || Tenant::query("tenant");
    let call = |name, claims| Asked {
        second: ACKNOWLEDGED,
        ..asked(name, "https://app.example/hook?tenant=acme&n=1", claims)
    };
    vec![
        mechanism(call("signed_json", json!({"order": 7, "amount": {"value": 500}, "note": "é\"/"})), time, || {
            let signed = ["/order", "/amount/value", "/amount/currency", "/reason", "/event"];
            signed_json::layer::<Value>(signed)
                .tenant(acme())
                .layout(signed_json::Layout::Joined(':'))
                .optional_fields(["/reason"])
                .accepted_values("/event", ["paid"])
                .within("/items/0/item")
                .signature_field("/additional/mac")
                .encoding(Encoding::Base64)
                .secret_format(SecretFormat::Bytes)
        }),
        mechanism(call("signed_json, lines", json!({"message": "Ada \"$#{x}\" é"})), time, || {
            signed_json::layer::<Value>(["/at", "/message", "/id"])
                .tenant(acme())
                .layout(signed_json::Layout::Lines)
                .timestamp_field("/at")
                .timestamp_format(TimeFormat::Rfc3339)
                .event_id_field("/id")
                .digest(Digest::Sha512)
        }),
        mechanism(call("signed_json, in a member", json!({"event": {"name": "paid"}})), time, || {
            signed_json::layer::<Value>(["/timestamp", "/token"])
                .tenant(acme())
                .within("/signature")
                .signature_field("/signature")
                .timestamp_field("/timestamp")
        }),
        mechanism(call("http_signature", user()), time, || {
            let origin = Origin::new("https://app.example");
            http_signature::layer::<Value>(http_signature::Algorithm::HmacSha256, origin)
                .tenant(acme())
                .tag("hooks")
                .required_components(["@method", "@scheme", "@authority", "@path", "@query", "content-type"])
        }),
        mechanism(call("http_signature, keyid", user()), time, || {
            let origin = Origin::new("https://app.example");
            http_signature::layer::<Value>(http_signature::Algorithm::HmacSha256, origin).tenant_keyid().label("sig-b2")
        }),
        mechanism(call("jwt_webhook", user()), time, || {
            jwt::webhook::layer::<Value>(Algorithm::HS256)
                .tenant_header("kid")
                .body_digest_claim("sha256")
                .issuer("acme")
                .max_age(Duration::from_secs(300))
        }),
    ]
}

/// At the kit's own time.
pub(crate) fn at_a_fixed_time() -> Vec<Mechanism> {
    all(&Time::Fixed(clock()))
}
