//! Every sender's deliveries to several tenants, each with a secret of its own.

use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::tenant::Tenant;

use super::all;
use super::contract::{Delivery, Preset};
use crate::support::{App, clock, outcome, replay, seen};

#[tokio::test]
async fn no_secret_is_another_tenants() {
    for sender in all() {
        let [one, other] = sender.secrets.map(Secret::new);
        // The first segment of the path to which these deliveries go.
        let named = sender.target()[1..].split(['/', '?']).next().unwrap();
        let nobody = Secret::new(sender.secrets[0]);
        for (keys, expected, why) in [
            (MemoryKeys::new().with(named, one.clone()).with("other", other.clone()), "ok", "its own"),
            (MemoryKeys::new().with(named, other).with("other", one), "invalid", "another tenant's"),
            (MemoryKeys::new().with("other", nobody), "invalid", "nobody has this name"),
        ] {
            let layer = (sender.layer)().keys(keys).tenant(Tenant::path_segment(0)).danger_forgets_on_restart();
            let layer = if sender.facts.every_delivery { layer } else { layer.replay(replay()) };
            let app = App::new(layer.clock(clock()).build().unwrap());
            let answer = app.send(sender.request(&Delivery::by(sender.secrets[0]))).await;
            assert_eq!(outcome(&answer), expected, "{}: {why}", sender.name);
            if expected == "ok" {
                assert_eq!(seen(&answer).tenant.as_deref(), Some(named), "{}", sender.name);
            }
        }
    }
}
