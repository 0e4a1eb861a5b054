//! `[[explained]]`: presets that the portal does not serve. The operators' page and `--explain` explain their requests, so an
//! app with other partners than the portal's has the same tool.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tower_sso::clock::Clock;
use tower_sso::form::Form;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1;
use tower_sso::providers::{launches, webhooks};
use tower_sso::replay::MemoryReplay;
use tower_sso::webhook::JsonOrForm;
use tower_sso::{Builder, VerifyLayer};

use crate::config::{self, ConfigError, Origin, keys};
use crate::explain::Explainers;

/// One section: a preset, where its requests arrive, and the secrets of one tenant or of all.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explained {
    preset: String,
    path: String,
    tenant: Option<String>,
    #[serde(deserialize_with = "config::secrets")]
    secrets: Vec<Secret>,
}

/// Checks what spans several sections.
pub(crate) fn check(sections: &[Explained]) -> Result<(), String> {
    for (position, section) in sections.iter().enumerate() {
        let path = &section.path;
        if !path.starts_with('/') || path.contains(['?', '#', '{', '}']) {
            return Err(format!("`[[explained]]` path: {path:?} is not a path such as \"/hooks/stripe\""));
        }
        for other in sections.iter().take(position).filter(|other| other.path == *path) {
            if other.preset != section.preset {
                return Err(format!("`[[explained]]` path: {path:?} has two presets"));
            }
            if other.tenant.is_none() || section.tenant.is_none() || other.tenant == section.tenant {
                return Err(format!(
                    "`[[explained]]` tenant: the sections of {path:?} need a `tenant` each, all different"
                ));
            }
        }
    }
    Ok(())
}

/// Explains the requests of all sections.
pub(crate) fn add(
    sections: &[Explained],
    explainers: &Explainers,
    origin: &Origin,
    clock: &Arc<dyn Clock>,
) -> Result<(), ConfigError> {
    for (position, first) in sections.iter().enumerate() {
        if sections.iter().take(position).any(|other| other.path == first.path) {
            continue;
        }
        let sections = sections.iter().filter(|other| other.path == first.path).collect();
        Preset { sections, explainers, origin, clock: clock.clone() }.add(first)?;
    }
    Ok(())
}

/// The sections of one path.
struct Preset<'a> {
    sections: Vec<&'a Explained>,
    explainers: &'a Explainers,
    origin: &'a Origin,
    clock: Arc<dyn Clock>,
}

impl Preset<'_> {
    fn add(&self, section: &Explained) -> Result<(), ConfigError> {
        let known = match section.preset.split_once("::") {
            Some(("webhooks", name)) => self.sender(name),
            Some(("launches", name)) => self.platform(name),
            _ => None,
        };
        let named = |what: String| ConfigError(format!("`[[explained]]` {}: {what}", section.preset));
        match known {
            Some(added) => added.map_err(|error| named(error.to_string())),
            None => Err(named(
                "is none of the presets that need nothing but secrets, such as \"webhooks::stripe\" and \
                               \"launches::lti11\": see `examples/portal/presets.rs`"
                    .to_owned(),
            )),
        }
    }

    fn sender(&self, name: &str) -> Option<Result<(), tower_sso::ConfigError>> {
        // Its commands are forms, its events JSON.
        if name == "slack" {
            let layer = webhooks::slack::<JsonOrForm<Value, Value>>().replay(MemoryReplay::new());
            return Some(self.explain(layer.handler_remembers()));
        }
        macro_rules! named {
            ($($sender:ident)*) => {
                $(if name == stringify!($sender) {
                    return Some(self.explain(webhooks::$sender::<Value>().replay(MemoryReplay::new()).handler_remembers()));
                })*
            };
        }
        named!(adyen_header asana bitbucket box_com cal_com calendly circleci coinbase_cdp coinbase_commerce contentful
            danger_adyen_standard danger_hubspot_v1 danger_mailgun discord docusign flutterwave_v4 github gitlab gocardless
            heroku intercom jira lemon_squeezy line linear meta mollie netlify notion paddle pagerduty paystack razorpay
            sendgrid sentry shippo_hmac shopify shopware_webhook standard_webhooks standard_webhooks_v1a stripe svix
            twitch typeform vercel viber wise woocommerce workos x xero zendesk zoom);
        None
    }

    fn platform(&self, name: &str) -> Option<Result<(), tower_sso::ConfigError>> {
        let replay = MemoryReplay::new;
        let origin = || oauth1::Origin::new(self.origin.as_str());
        macro_rules! named {
            ($($platform:ident)*) => {
                $(if name == stringify!($platform) {
                    return Some(self.explain(launches::$platform::<Value>().replay(replay()).danger_forgets_on_restart()));
                })*
            };
        }
        named!(asana_app_component asana_app_component_post bigcommerce_signed_payload danger_alibaba danger_heroku
            danger_heroku_v1 digitalocean facebook_signed_request shopify shopline shopware shopware_registration telegram_login
            vk_mini_app);
        Some(match name {
            "appdirect" => self.explain(launches::appdirect::<Value>(origin()).replay(replay())),
            "eloqua" => self.explain(launches::eloqua::<Value>(origin()).replay(replay())),
            "shopify_multipass" => self.explain(launches::shopify_multipass::<Value>().replay(replay())),
            "lti11" => self.explain(launches::lti11::<Value>(origin()).replay(replay())),
            // These have a nonce, which was given to a browser. Nobody is signed in here.
            "discourse" => {
                let layer = launches::discourse::<Value>().danger_any_nonce().danger_forgets_on_restart();
                self.explain(layer.replay(replay()))
            }
            "shopify_install" => self.explain(launches::shopify_install::<Value>().danger_any_nonce().replay(replay())),
            // These may come again.
            "danger_help_scout" => self.explain(launches::danger_help_scout::<Value>()),
            "discourse_provider" => self.explain(launches::discourse_provider::<Value>()),
            "shopify_app_proxy" => self.explain(launches::shopify_app_proxy::<Value>()),
            _ => return None,
        })
    }

    fn explain<F: Form, C: Send + Sync + 'static>(&self, layer: Builder<F, C>) -> Result<(), tower_sso::ConfigError> {
        let layer = match &self.sections[..] {
            [Explained { tenant: None, secrets, .. }] => layer.secrets(secrets.clone()),
            sections => {
                let all = MemoryKeys::new();
                for Explained { tenant, secrets, .. } in sections {
                    all.set(tenant.as_deref().unwrap_or_default(), keys(secrets));
                }
                layer.keys(all)
            }
        };
        let layer: VerifyLayer<F, C> = layer.clock(self.clock.clone()).build()?;
        let path = self.sections.first().map_or("", |section| &section.path);
        self.explainers.add_at(path, &layer);
        Ok(())
    }
}
