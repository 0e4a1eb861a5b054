//! Presets of platforms that open an app with a JWT, or with a request signed by OAuth 1.0a.

use serde_json::Value;
use tower_sso::jwt::Jwt;
use tower_sso::oauth1::{OAuth1, Origin};
use tower_sso::providers::launches;
use tower_sso::scheme::Place;
use tower_sso::{Builder, keys};

use crate::forms::{Built, Grant, replay};
use crate::routes::{Route, World, mount};

/// The route of a launch; `None` if no launch has this preset.
pub(crate) fn launch(route: &Route, world: &World, secrets: &[keys::Secret]) -> Option<Built> {
    let name = route.preset.as_deref().unwrap_or_default();
    if let Some((layer, reusable)) = signed_by_jwt(name, route, secrets) {
        let layer = match &route.aud {
            Some(audience) => layer.audience(audience.clone()),
            None => layer.danger_any_audience(),
        };
        let layer = match &route.issuer {
            Some(issuer) => layer.issuer(issuer.clone()),
            None => layer,
        };
        let layer = layer.secrets(secrets.to_vec());
        let layer = if reusable { layer } else { layer.replay(replay()) };
        let subjects = ["/sub", "/user/id", "/user_id", "/userId", "/external_id"];
        let grant = move |claims: Value| {
            let subject = subjects.iter().find_map(|pointer| claims.pointer(pointer)).cloned();
            let (email, name) = (claims.get("email").cloned(), claims.get("name").cloned());
            Ok(Grant { subject, email, name, attributes: claims, ..Grant::default() })
        };
        return Some(mount(route, world, layer.map_claims(grant)));
    }
    let origin = match &route.public_url {
        Some(public_url) => Origin::new(public_url),
        None => Origin::danger_from_host_header(world.https),
    };
    let layer = signed_by_oauth1(name, origin)?.secrets(secrets.to_vec()).replay(replay());
    Some(mount(
        route,
        world,
        layer.map_claims(|claims: Value| {
            let (subject, name) = (claims.get("user_id").cloned(), claims.get("lis_person_name_full").cloned());
            Ok(Grant { subject, name, attributes: claims, ..Grant::default() })
        }),
    ))
}

/// The layer, and whether its tokens may come again.
fn signed_by_jwt(name: &str, route: &Route, secrets: &[keys::Secret]) -> Option<(Builder<Jwt<Value>>, bool)> {
    const REUSABLE: bool = true;
    Some(match name {
        "atlassian_connect" => (launches::atlassian_connect(), REUSABLE),
        "atlassian_forge" => (launches::atlassian_forge().danger_unsigned_body(), false),
        "aws_alb" => match route.signer.clone() {
            Some(signer) => (launches::aws_alb(signer), REUSABLE),
            None => (launches::danger_aws_alb_of_anyone(), REUSABLE),
        },
        "aws_verified_access" => (launches::aws_verified_access(route.signer.clone()?), REUSABLE),
        "bigcommerce" => (launches::bigcommerce(), false),
        "canva" if is_public(secrets) => (launches::canva().danger_unsigned_body(), false),
        "cloudflare_access" => (launches::cloudflare_access().danger_any_issuer(), REUSABLE),
        "google_cloud_marketplace" => (launches::google_cloud_marketplace(), false),
        "google_iap" => (launches::google_iap(), REUSABLE),
        "jsconnect" => (launches::jsconnect(), false),
        // The driver has no browser that was given a nonce. A route's issuer is set above.
        "lti13" => (launches::lti13().danger_any_issuer().danger_any_nonce(), false),
        // Its published call has a body.
        "kommo" => (launches::kommo().danger_unsigned_body(), false),
        "marketing_cloud" => (launches::danger_marketing_cloud(), REUSABLE),
        "monday" => (launches::monday().danger_unsigned_body(), false),
        "monday_view" => (launches::monday_view(Place::bearer()), REUSABLE),
        "pipedrive" => (launches::pipedrive(), false),
        "shopify_session_token" => (launches::shopify_session_token(), REUSABLE),
        "shopware_storefront" => (launches::shopware_storefront(), REUSABLE),
        "trello" if is_public(secrets) => (launches::danger_trello(), false),
        "twitch_extension" => (launches::twitch_extension(), REUSABLE),
        "zendesk_app" => (launches::zendesk_app(), false),
        "zendesk_jwt" => (launches::zendesk_jwt(), false),
        _ => return None,
    })
}

/// Whether the keys are public ones: some senders of webhooks, with a shared secret, have a platform's name.
fn is_public(secrets: &[keys::Secret]) -> bool {
    let text = |secret: &keys::Secret| String::from_utf8_lossy(secret.expose()).into_owned();
    secrets.iter().map(text).any(|text| text.contains("-----BEGIN ") || text.trim_start().starts_with('{'))
}

fn signed_by_oauth1(name: &str, origin: Origin) -> Option<Builder<OAuth1<Value>>> {
    Some(match name {
        "appdirect" => launches::appdirect(origin),
        // Its calls may have a JSON body.
        "eloqua" => launches::eloqua(origin).danger_unsigned_body(),
        "lti11" => launches::lti11(origin),
        _ => return None,
    })
}
