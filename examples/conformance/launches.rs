//! Presets of platforms that sign payloads and parameters.

use serde_json::Value;
use tower_sso::Builder;
use tower_sso::keys::Secret;
use tower_sso::providers::launches;
use tower_sso::signed_payload::SignedPayload;

use crate::forms::{Built, Grant, replay};
use crate::routes::{Route, World, mount};

/// The preset of this name; `None` if it is not one of these.
pub(crate) fn launch(route: &Route, world: &World, name: &str, secrets: &[Secret]) -> Option<Built> {
    if name == "discourse_provider" {
        let layer = launches::discourse_provider::<Value>().secrets(secrets.to_vec());
        return Some(mount(route, world, layer.map_claims(grant)));
    }
    let layer = payload(name)?.secrets(secrets.to_vec()).replay(replay()).danger_forgets_on_restart();
    Some(mount(route, world, layer.map_claims(grant)))
}

fn payload(name: &str) -> Option<Builder<SignedPayload<Value>>> {
    Some(match name {
        "bigcommerce_signed_payload" => launches::bigcommerce_signed_payload(),
        "facebook_signed_request" => launches::facebook_signed_request(),
        _ => return None,
    })
}

fn grant(attributes: Value) -> Result<Grant, tower_sso::rejection::RefusedClaims> {
    Ok(Grant { attributes, ..Grant::default() })
}
