//! Routes of the scheme `preset`: a sender's preset by its name, with nothing set but its secrets.

use http::HeaderName;
use serde_json::Value;
use tower_sso::body::RawBody;
use tower_sso::jwt::webhook::JwtWebhook;
use tower_sso::providers::{launches, webhooks as senders};
use tower_sso::rejection::RefusedClaims;
use tower_sso::scheme::Origin;
use tower_sso::shared_secret::{PrivateKeys, SharedSecret, UserName};
use tower_sso::signed_json::SignedJson;
use tower_sso::webhook::Webhook;
use tower_sso::{Builder, keys};

use crate::forms::{Built, Grant, Secret, replay, windowed};
use crate::routes::{Route, World, mount};

pub(crate) fn preset(route: &Route, world: &World) -> Built {
    let name = route.preset.as_deref().unwrap_or_default();
    let secrets = route.secrets.iter().map(Secret::read).collect::<Result<Vec<keys::Secret>, _>>()?;
    match name {
        "front_plugin" => {
            let keys = PrivateKeys::new().with("default", secrets)?;
            return mount(route, world, launches::danger_front_plugin(keys).map_claims(|_| Ok(Grant::default())));
        }
        "nextcloud_appapi" => {
            let grant = |UserName(user)| Ok(Grant { subject: Some(user.into()), ..Grant::default() });
            return mount(route, world, launches::nextcloud_appapi().secrets(secrets).map_claims(grant));
        }
        _ => {}
    }
    // Some names are of a sender and of a platform that opens apps. Rows of the latter name the app's address.
    if route.public_url.is_some()
        && let Some(built) = crate::launches::launch(route, world, name, &secrets)
    {
        return built;
    }
    if let Some(built) = crate::tokens::launch(route, world, &secrets) {
        return built;
    }
    if let Some(layer) = sender_of_a_secret(name) {
        return mount(route, world, layer.secrets(secrets).map_claims(grant));
    }
    if let Some(layer) = sender_in_json(route, name) {
        let layer = windowed(layer, route)?.secrets(secrets).danger_forgets_on_restart().replay(replay());
        return mount(route, world, layer.map_claims(|attributes| Ok(Grant { attributes, ..Grant::default() })));
    }
    if let Some(layer) = sender_of_a_token(name) {
        let layer = layer.secrets(secrets).danger_forgets_on_restart().replay(replay());
        return mount(route, world, layer.map_claims(grant));
    }
    let origin = match &route.public_url {
        Some(url) => Origin::new(url),
        None => Origin::danger_from_host_header(world.https),
    };
    let layer = sender(name).or_else(|| sender_of_an_address(route, name, origin)).ok_or("no such preset")?;
    let layer = windowed(layer, route)?.secrets(secrets).danger_forgets_on_restart();
    // These come again and again, and are not remembered.
    let layer = match name {
        "canva_extension" | "dropbox" | "enchant" | "help_scout_legacy" | "intercom_canvas_kit" | "stripe_apps" => {
            layer
        }
        _ => layer.replay(replay()),
    };
    mount(route, world, layer.map_claims(grant))
}

fn grant(RawBody(body): RawBody) -> Result<Grant, RefusedClaims> {
    let attributes: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Grant { attributes, ..Grant::default() })
}

fn sender_of_a_secret(name: &str) -> Option<Builder<SharedSecret<RawBody>>> {
    Some(match name {
        "auth0" => senders::auth0(),
        "bigcommerce_webhook" => senders::bigcommerce_webhook(HeaderName::from_static("x-hook-secret")),
        "flutterwave_v3" => senders::flutterwave_v3(),
        "gitlab_token" => senders::gitlab_token(),
        "gumroad" => senders::danger_gumroad(),
        "okta" => senders::okta(),
        "postmark" => senders::postmark(),
        "shippo" => senders::danger_shippo(),
        "telegram" => senders::telegram(),
        _ => return None,
    })
}

fn sender_of_an_address(route: &Route, name: &str, origin: Origin) -> Option<Builder<Webhook<RawBody>>> {
    Some(match name {
        "canva_extension" => senders::canva(route.base_path.clone().unwrap_or_default()),
        "hubspot_v2" => senders::danger_hubspot_v2(origin),
        "hubspot_v3" => senders::hubspot_v3(origin),
        "mandrill" => senders::danger_mandrill(origin),
        "paypal" => senders::danger_paypal(route.webhook_id.as_deref().unwrap_or_default()),
        "square" => senders::square(origin),
        "trello" => senders::trello(origin),
        "twilio" => senders::danger_twilio(origin),
        _ => return None,
    })
}

fn sender_in_json(route: &Route, name: &str) -> Option<Builder<SignedJson<Value>>> {
    Some(match name {
        "adyen_standard" => senders::danger_adyen_standard(),
        "aws_sns" => match &route.topic_arns {
            Some(arns) => senders::aws_sns(arns.clone()),
            None => senders::danger_aws_sns_of_anyone(),
        },
        "mailgun" => senders::danger_mailgun(),
        _ => return None,
    })
}

fn sender_of_a_token(name: &str) -> Option<Builder<JwtWebhook<RawBody>>> {
    Some(match name {
        "netlify" => senders::netlify(),
        "plaid" => senders::plaid(),
        _ => return None,
    })
}

fn sender(name: &str) -> Option<Builder<Webhook<RawBody>>> {
    Some(match name {
        "adyen_header" => senders::adyen_header(),
        "asana" => senders::asana(),
        "bitbucket" => senders::bitbucket(),
        "box" => senders::box_com(),
        "cal_com" => senders::cal_com(),
        "calendly" => senders::calendly(),
        "circleci" => senders::circleci(),
        "coinbase_cdp" => senders::coinbase_cdp(),
        "coinbase_commerce" => senders::coinbase_commerce(),
        "discord" => senders::discord(),
        "contentful" => senders::contentful(),
        "docusign" => senders::docusign(),
        "dropbox" => senders::danger_dropbox(),
        "enchant" => senders::danger_enchant(),
        "github" => senders::github(),
        "flutterwave_v4" => senders::flutterwave_v4(),
        "gitlab" => senders::gitlab(),
        "gocardless" => senders::gocardless(),
        "help_scout_legacy" => senders::danger_help_scout_legacy(),
        "heroku" => senders::heroku(),
        "hubspot_v1" => senders::danger_hubspot_v1(),
        "intercom" => senders::intercom(),
        "intercom_canvas_kit" => senders::danger_intercom_canvas_kit(),
        "jira" => senders::jira(),
        "lemon_squeezy" => senders::lemon_squeezy(),
        "line" => senders::line(),
        "linear" => senders::linear(),
        "meta" => senders::meta(),
        "mollie" => senders::mollie(),
        "notion" => senders::notion(),
        "paddle" => senders::paddle(),
        "pagerduty" => senders::pagerduty(),
        "paystack" => senders::paystack(),
        "razorpay" => senders::razorpay(),
        "sendgrid" => senders::sendgrid(),
        "sentry" => senders::sentry(),
        "shopify" => senders::shopify(),
        "shopware_webhook" => senders::shopware_webhook(),
        "shippo_hmac" => senders::shippo_hmac(),
        "slack" => senders::slack(),
        "standard_webhooks" => senders::standard_webhooks(),
        "standard_webhooks_v1a" => senders::standard_webhooks_v1a(),
        "stripe" => senders::stripe(),
        "stripe_apps" => senders::stripe_apps(),
        "svix" => senders::svix(),
        "twitch" => senders::twitch(),
        "typeform" => senders::typeform(),
        "vercel" => senders::vercel(),
        "wise" => senders::wise(),
        "viber" => senders::viber(),
        "woocommerce" => senders::woocommerce(),
        "workos" => senders::workos(),
        "x" => senders::x(),
        "xero" => senders::xero(),
        "zendesk" => senders::zendesk(),
        "zoom" => senders::zoom(),
        _ => return None,
    })
}
