//! Platforms that open an app with a secret of the customer's.

use tower_sso::providers::launches;
use tower_sso::shared_secret::PrivateKeys;

use super::launch::Launch;
use super::presets::{Preset, REUSABLE, Time};
use super::signers::{KEYS, base64, hosted, reusable};

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "danger_front_plugin",
        app: || {
            let keys = PrivateKeys::new().with("acme", [KEYS[0]]).unwrap().with("other", [KEYS[1]]).unwrap();
            reusable(launches::danger_front_plugin(keys))
        },
        launch: |signer, _, _| Launch::get(&format!("/plugin?auth_secret={}", signer.text().replace(' ', "%20"))),
        time: Time::None,
        secret_names_tenant: true,
        ..REUSABLE
    },
    Preset {
        name: "nextcloud_appapi",
        app: || reusable(hosted(launches::nextcloud_appapi())),
        launch: |signer, _, user| {
            let value = base64(format!("{user}:{}", signer.text()));
            Launch::header("authorization-app-api", &value).signed_from(4).at(signer.host())
        },
        time: Time::None,
        ..REUSABLE
    },
];
