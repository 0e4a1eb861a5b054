//! Presets of platforms that sign payloads and parameters.

use http::Method;
use serde_json::Value;
use tower_sso::Builder;
use tower_sso::keys::Secret;
use tower_sso::providers::launches;
use tower_sso::scheme::{Place, TimeFormat};
use tower_sso::sealed::Sealed;
use tower_sso::signed_parameters::{SignedParameters, Source};
use tower_sso::signed_payload::SignedPayload;

use crate::forms::{Built, Grant, replay, windowed};
use crate::routes::{Route, World, mount, posts_apart};

/// The bot of Telegram's published example. It is signed, and in neither the request nor the key.
const PUBLISHED_BOT: u64 = 7_342_037_359;

/// The preset of this name; `None` if it is not one of these.
pub(crate) fn launch(route: &Route, world: &World, name: &str, secrets: &[Secret]) -> Option<Built> {
    if name == "discourse_provider" {
        let layer = launches::discourse_provider::<Value>().secrets(secrets.to_vec());
        return Some(mount(route, world, layer.map_claims(grant)));
    }
    if name == "telegram_mini_app_third_party" {
        let bot_id = route.bot_id.unwrap_or(PUBLISHED_BOT);
        let layer = launches::telegram_mini_app_third_party::<Value>(bot_id, tma()).secrets(secrets.to_vec());
        return Some(mount(route, world, layer.map_claims(grant)));
    }
    match name {
        "asana_app_component" => return Some(asana(route, world, secrets)),
        "digitalocean" => return Some(digitalocean(route, world, secrets)),
        _ => {}
    }
    if name == "fourthwall_settings" {
        let app = route.app_id.as_deref().unwrap_or_default();
        let layer = launches::fourthwall_settings::<Value>(app).issued_at("timestamp", TimeFormat::Seconds);
        return Some(mount(route, world, layer.secrets(secrets.to_vec()).replay(replay()).map_claims(grant)));
    }
    if let Some(layer) = reusable_parameters(name, route) {
        let layer = windowed(layer.secrets(secrets.to_vec()), route);
        return Some(layer.and_then(|layer| mount(route, world, layer.map_claims(grant))));
    }
    if let Some(layer) = sealed(name) {
        let layer = layer.secrets(secrets.to_vec());
        // Zoom's context comes again and again, and is not remembered.
        let layer = if name == "shopify_multipass" { layer.replay(replay()) } else { layer };
        return Some(windowed(layer, route).and_then(|layer| mount(route, world, layer.map_claims(grant))));
    }
    if let Some(layer) = parameters(name) {
        let layer = layer.secrets(secrets.to_vec()).replay(replay()).danger_forgets_on_restart();
        return Some(windowed(layer, route).and_then(|layer| mount(route, world, layer.map_claims(grant))));
    }
    let layer = payload(name)?.secrets(secrets.to_vec()).replay(replay()).danger_forgets_on_restart();
    Some(windowed(layer, route).and_then(|layer| mount(route, world, layer.map_claims(grant))))
}

/// Asana reads and posts at one address, and signs the two in two ways.
fn asana(route: &Route, world: &World, secrets: &[Secret]) -> Built {
    let reads = launches::asana_app_component::<Value>().secrets(secrets.to_vec()).replay(replay());
    let posts = launches::asana_app_component_post::<Value>().secrets(secrets.to_vec()).replay(replay());
    let (reads, posts) = (windowed(reads, route)?.map_claims(grant), windowed(posts, route)?.map_claims(grant));
    Ok(posts_apart(mount(route, world, reads)?, mount(route, world, posts)?))
}

/// A customer of `DigitalOcean` comes by a form or by a link.
fn digitalocean(route: &Route, world: &World, secrets: &[Secret]) -> Built {
    let replay = replay();
    let mounted = |layer: Builder<SignedParameters<Value>>| {
        let layer = windowed(layer.secrets(secrets.to_vec()).replay(replay.clone()), route)?;
        mount(route, world, layer.map_claims(grant))
    };
    let link = launches::digitalocean().source(Source::Query).methods([Method::GET]);
    Ok(posts_apart(mounted(link)?, mounted(launches::digitalocean())?))
}

fn reusable_parameters(name: &str, route: &Route) -> Option<Builder<SignedParameters<Value>>> {
    Some(match name {
        // The call is the end of the path.
        "bigbluebutton" => launches::danger_bigbluebutton(route.path.rsplit('/').next().unwrap_or_default()),
        "help_scout" => launches::danger_help_scout(),
        "shopify_app_proxy" => launches::shopify_app_proxy().danger_unsigned_body(),
        "max_mini_app" => launches::max_mini_app(tma()),
        "telegram_mini_app" => launches::telegram_mini_app(tma()),
        _ => return None,
    })
}

/// Where a Mini App's page sends its string.
fn tma() -> Place {
    Place::header_after(http::header::AUTHORIZATION, "tma")
}

fn sealed(name: &str) -> Option<Builder<Sealed<Value>>> {
    Some(match name {
        "shopify_multipass" => launches::shopify_multipass(),
        "zoom_app_context" => launches::zoom_app_context(),
        _ => return None,
    })
}

fn parameters(name: &str) -> Option<Builder<SignedParameters<Value>>> {
    Some(match name {
        "alibaba" => launches::danger_alibaba(),
        // The unit of its time is not published.
        "fourthwall" => launches::fourthwall().issued_at("timestamp", TimeFormat::Seconds),
        "heroku" => launches::danger_heroku(),
        "heroku_v1" => launches::danger_heroku_v1(),
        "shopify" => launches::shopify(),
        // The driver has no browser that was given a nonce.
        "shopify_install" => launches::shopify_install().danger_any_nonce(),
        "shopline" => launches::shopline(),
        "shopware" => launches::shopware(),
        "shopware_registration" => launches::shopware_registration(),
        "telegram_login" => launches::telegram_login(),
        "vk" | "vk_mini_app" | "vk_mini_apps" => launches::vk_mini_app(),
        _ => return None,
    })
}

fn payload(name: &str) -> Option<Builder<SignedPayload<Value>>> {
    Some(match name {
        "asana_app_component_post" => launches::asana_app_component_post(),
        "bigcommerce_signed_payload" => launches::bigcommerce_signed_payload(),
        // The driver has no browser that was given a nonce.
        "discourse" => launches::discourse().danger_any_nonce(),
        "wix" => launches::wix(Place::query("instance")),
        // The unit of its time is not published.
        "salesforce_canvas" => launches::salesforce_canvas().issued_at("issuedAt", TimeFormat::Milliseconds),
        "facebook_instant_games" => launches::facebook_instant_games(Place::form("signature")),
        "facebook_signed_request" => launches::facebook_signed_request(),
        _ => return None,
    })
}

fn grant(attributes: Value) -> Result<Grant, tower_sso::rejection::RefusedClaims> {
    Ok(Grant { attributes, ..Grant::default() })
}
