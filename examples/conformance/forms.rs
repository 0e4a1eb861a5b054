use std::error::Error;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderName, Method};
use serde::Deserialize;
use serde_json::Value;
use tower_sso::Builder;
use tower_sso::form::HasWindow;
use tower_sso::keys::{self, MemoryKeys};
use tower_sso::oauth1::{Origin, Transport};
use tower_sso::providers::tutorcruncher::{CompanySignup, TutorUser};
use tower_sso::providers::{lcvista, seatmap, site_builder, waggl::WagglUser};
use tower_sso::rejection::RefusedClaims;
use tower_sso::replay::MemoryReplay;
use tower_sso::shared_secret::PrivateKeys;
use tower_sso::timestamp_hash::Plus;
use tower_sso::webhook::{Digest, Encoding};
use tower_sso::{fernet, jwt, oauth1, webhook};

use crate::routes::{Route, Service, World, mount};

pub(crate) type Built = Result<Service, Box<dyn Error>>;

pub(crate) const BAD_PAYLOAD: &str = "bad_payload";
pub(crate) const MISSING_FIELD: &str = "missing_field";

/// What a layer proved, in the same shape for every form.
#[derive(Default)]
pub(crate) struct Grant {
    pub(crate) subject: Option<Value>,
    pub(crate) email: Option<Value>,
    pub(crate) name: Option<Value>,
    pub(crate) attributes: Value,
    pub(crate) learn: Option<CompanySignup>,
    pub(crate) lands: bool,
    pub(crate) hands_on_a_ticket: bool,
}

impl Grant {
    /// Takes the subject, email and name from these JSON pointers.
    fn of(attributes: Value, [subject, email, name]: [&str; 3]) -> Self {
        let part = |pointer: &str| attributes.pointer(pointer).cloned();
        Self { subject: part(subject), email: part(email), name: part(name), attributes, ..Self::default() }
    }
}

/// A secret as text, or encoded.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Secret {
    Utf8(String),
    Hex(String),
    Base64url(String),
    /// A public key or a certificate, as text.
    Pem(String),
}

impl Secret {
    /// As it is: some vectors that senders publish have short ones.
    pub(crate) fn read(&self) -> Result<keys::Secret, Box<dyn Error>> {
        let hex = |pair: &[u8]| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?);
        Ok(keys::Secret::verbatim(match self {
            Self::Utf8(text) | Self::Pem(text) => text.clone().into_bytes(),
            Self::Hex(text) => text.as_bytes().chunks(2).map(hex).collect::<Result<Vec<u8>, Box<dyn Error>>>()?,
            Self::Base64url(text) => URL_SAFE_NO_PAD.decode(text.trim_end_matches('='))?,
        }))
    }
}

fn secret(route: &Route) -> Result<keys::Secret, Box<dyn Error>> {
    route.secret.as_ref().ok_or("the route has no `secret`")?.read()
}

fn seconds(seconds: f64) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::try_from_secs_f64(seconds)?)
}

/// With the window that the route names; otherwise with the layer's own.
pub(crate) fn windowed<F: HasWindow>(mut layer: Builder<F>, route: &Route) -> Result<Builder<F>, Box<dyn Error>> {
    if let Some(age) = route.max_age {
        layer = layer.max_age(seconds(age)?);
    }
    if let Some(skew) = route.clock_skew {
        layer = layer.clock_skew(seconds(skew)?);
    }
    Ok(layer)
}

/// One store for each route. Without a startup cutoff, because the driver sends old vectors.
pub(crate) fn replay() -> MemoryReplay {
    MemoryReplay::builder().danger_no_startup_cutoff().build()
}

fn requires(route: &Route, fields: &[&str]) -> bool {
    fields.iter().all(|field| route.required.iter().flatten().any(|required| required == field))
}

fn refuse<T>(word: &'static str) -> Result<T, RefusedClaims> {
    Err(RefusedClaims::new(word))
}

pub(crate) fn fernet(route: &Route, keys: MemoryKeys, world: &World) -> Built {
    let mut layer = fernet::layer::<Value>().keys(keys).replay(replay());
    if let Some(ttl) = route.ttl {
        layer = layer.max_age(seconds(ttl)?);
    }
    if let Some(skew) = route.future_skew {
        layer = layer.clock_skew(seconds(skew)?);
    }
    layer = layer.require(route.required.clone().unwrap_or_default());
    let typed = requires(route, &["id", "nm", "rt"]);
    let layer = layer.map_claims(move |claims| {
        if typed && TutorUser::deserialize(&claims).is_err() {
            return refuse(BAD_PAYLOAD);
        }
        Ok(Grant::of(claims, ["/id", "/e", "/nm"]))
    });
    mount(route, world, layer)
}

pub(crate) fn webhook(route: &Route, world: &World) -> Built {
    let header = HeaderName::try_from(route.header.as_deref().unwrap_or("Webhook-Signature"))?;
    let digest = match route.hash.as_deref().unwrap_or("sha256") {
        "sha1" => Digest::Sha1,
        "sha256" => Digest::Sha256,
        "sha384" => Digest::Sha384,
        "sha512" => Digest::Sha512,
        other => return Err(format!("unknown hash {other:?}").into()),
    };
    let encoding = match route.encoding.as_deref().unwrap_or("hex") {
        "hex" => Encoding::Hex,
        "base64" => Encoding::Base64,
        other => return Err(format!("unknown encoding {other:?}").into()),
    };
    let secret = secret(route)?;
    macro_rules! layer {
        ($claims:ty) => {
            webhook::layer::<$claims>()
                .signature_header(header)
                .digest(digest)
                .encoding(encoding)
                .secrets([secret])
                .replay(replay())
                // State lasts until the next configuration, or the end of the process.
                .danger_forgets_on_restart()
        };
    }
    match route.effect.as_deref() {
        None => mount(route, world, layer!(Value).map_claims(|body| Ok(Grant::of(body, ["", "", ""]).anonymous()))),
        Some("tutorcruncher_signup") => mount(
            route,
            world,
            layer!(CompanySignup).map_claims(|signup: CompanySignup| {
                let subject = Some(Value::from(signup.company_id.to_string()));
                let (email, name) = (Some(signup.admin_email.clone().into()), Some(signup.company_name.clone().into()));
                Ok(Grant { subject, email, name, learn: Some(signup), ..Grant::default() })
            }),
        ),
        Some(other) => Err(format!("unknown effect {other:?}").into()),
    }
}

impl Grant {
    /// Drops the subject, email and name.
    fn anonymous(self) -> Self {
        Self { attributes: self.attributes, ..Self::default() }
    }
}

pub(crate) fn jwt(route: &Route, world: &World) -> Built {
    let algorithm = route.alg.as_deref().ok_or("the route has no `alg`")?;
    let algorithm = jwt::Algorithm::named(algorithm).ok_or("the route has an unknown `alg`")?;
    let mut layer = jwt::layer::<Value>(algorithm).secrets([secret(route)?]).replay(replay());
    if let Some(parameter) = &route.param {
        layer = layer.token_parameter(parameter.clone());
    }
    layer = match &route.aud {
        Some(audience) => layer.audience(audience.clone()),
        None => layer.danger_any_audience(),
    };
    if let Some(leeway) = route.leeway {
        layer = layer.leeway(seconds(leeway)?);
    }
    layer = match route.max_lifetime {
        Some(lifetime) => layer.max_lifetime(seconds(lifetime)?),
        None => layer.danger_any_lifetime(),
    };
    if let Some(claims) = &route.require {
        if !claims.iter().any(|claim| claim == "exp") {
            layer = layer.danger_without_expiry(Duration::from_secs(24 * 3_600));
        }
        layer = layer.require_claims(claims.clone());
    }
    let subject = route.subject.clone();
    let layer = layer.map_claims(move |claims| {
        let Some(pointer) = &subject else {
            return Ok(Grant::of(claims, ["/sub", "/data/email", "/name"]));
        };
        match claims.pointer(pointer) {
            None | Some(Value::Null) => return refuse(MISSING_FIELD),
            Some(Value::String(subject)) if !subject.trim().is_empty() => {}
            Some(_) => return refuse(BAD_PAYLOAD),
        }
        // Parses users as the Waggl provider does.
        if pointer == "/data/email" && WagglUser::deserialize(&claims).is_err() {
            return refuse(BAD_PAYLOAD);
        }
        Ok(Grant::of(claims, [pointer, "/data/email", "/name"]))
    });
    mount(route, world, layer)
}

pub(crate) fn timestamp_hash(route: &Route, world: &World) -> Built {
    let slug = route.slug.as_deref().ok_or("the route has no `slug`")?;
    let mut layer = lcvista::sso(MemoryKeys::new().with(slug, secret(route)?)).replay(replay());
    if let Some(age) = route.max_age {
        layer = layer.max_age(seconds(age)?);
    }
    if let Some(skew) = route.future_skew {
        layer = layer.clock_skew(seconds(skew)?);
    }
    layer = match route.plus.as_deref() {
        None => layer,
        Some("space") => layer.plus(Plus::Space),
        Some("literal") => layer.plus(Plus::Literal),
        Some(other) => return Err(format!("unknown plus {other:?}").into()),
    };
    let layer = layer.map_claims(|user: lcvista::LcvistaUser| {
        let email = Some(Value::from(user.email));
        Ok(Grant { subject: email.clone(), email, lands: true, ..Grant::default() })
    });
    mount(route, world, layer)
}

pub(crate) fn oauth1(route: &Route, world: &World) -> Built {
    let consumers = route.consumers.iter();
    let keys = consumers.fold(MemoryKeys::new(), |keys, (consumer, secret)| {
        keys.with(consumer.as_str(), keys::Secret::verbatim(secret.as_str()))
    });
    let transports = route.transports.as_ref().map(|names| {
        let transport = |name: &String| match name.as_str() {
            "query" => Ok(Transport::Query),
            "header" => Ok(Transport::Header),
            "form" => Ok(Transport::Form),
            other => Err(format!("unknown transport {other:?}")),
        };
        names.iter().map(transport).collect::<Result<Vec<_>, _>>()
    });
    let (transports, window) = (transports.transpose()?, route.window.map(seconds).transpose()?);
    // The driver sets the scheme, and each vector its host.
    let origin = Origin::danger_from_host_header(world.https);
    let required = route.required.clone().unwrap_or_default();
    macro_rules! set_up {
        ($layer:expr) => {{
            let mut layer = $layer.replay(replay()).require(required).methods([Method::GET, Method::POST]);
            if let Some(transports) = transports {
                layer = layer.transports(transports);
            }
            if let Some(window) = window {
                layer = layer.window(window);
            }
            layer
        }};
    }
    // Parses users as the Site Builder provider does.
    if requires(route, &["email", "partner_user_id"]) {
        let layer = set_up!(site_builder::sso(origin, keys)).map_claims(|user| {
            let Ok(attributes) = serde_json::to_value(&user) else { return refuse(BAD_PAYLOAD) };
            let names = [&user.first_name, &user.last_name].into_iter().flatten().map(String::as_str);
            let name = names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
            let name = (!name.is_empty()).then(|| name.into());
            Ok(Grant { name, ..Grant::of(attributes, ["/partner_user_id", "/email", "/name"]) })
        });
        return mount(route, world, layer);
    }
    let layer = set_up!(oauth1::layer::<Value>(origin).keys(keys));
    mount(route, world, layer.map_claims(|claims| Ok(Grant::of(claims, ["/partner_user_id", "/email", "/name"]))))
}

pub(crate) fn shared_secret(route: &Route, world: &World) -> Built {
    match route.effect.as_deref() {
        None => {}
        Some("seatmap_register") => return Ok(world.users.register(route)),
        Some(other) => return Err(format!("unknown effect {other:?}").into()),
    }
    let keys = PrivateKeys::new().with("default", [secret(route)?])?;
    let layer = seatmap::autologin(keys).map_claims(|user: seatmap::SeatmapLogin| {
        let names = [user.first_name.as_deref(), user.last_name.as_deref()].into_iter().flatten();
        let name = names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
        let name = (!name.is_empty()).then(|| name.into());
        let login = Some(Value::from(user.login));
        Ok(Grant { subject: login.clone(), email: login, name, hands_on_a_ticket: true, ..Grant::default() })
    });
    mount(route, world, layer)
}
