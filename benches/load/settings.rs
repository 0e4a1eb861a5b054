//! The vendors' settings, shared by the servers and the bench's client.

use std::sync::Arc;

use tower_sso::keys::Secret;
use tower_sso::login_redirect::SsoUrl;

use crate::vendors::Vendors;
use crate::vendors::lcvista::{self, Lcvista};
use crate::vendors::seatmap::{self, Seatmap};
use crate::vendors::site_builder::{self, SiteBuilder};
use crate::vendors::tutorcruncher::TutorCruncher;
use crate::vendors::waggl::{self, Waggl};

pub(crate) const COMPANY: &str = "4321";
pub(crate) const CONSUMER: &str = "partner-key";
pub(crate) const SURVEY: &str = "9745804b";
pub(crate) const SLUG: &str = "rainier";
pub(crate) const LCVISTA_EMAIL: &str = "admin@lcvista.com";
pub(crate) const ORGANIZATION: &str = "default";

pub(crate) const FERNET_KEY: &str = "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=";
pub(crate) const PRIVATE_KEY: &str = "k-9f86d081884c7d659a2feaa0c55ad015";

pub(crate) fn fernet_key() -> Secret {
    FERNET_KEY.into()
}

pub(crate) fn webhook_secret() -> Secret {
    "whsec-2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".into()
}

pub(crate) fn waggl_secret() -> Secret {
    "a secret that is shared with the partner, of sixty-four letters.".into()
}

pub(crate) fn lcvista_secret() -> Secret {
    "5d1c7b1f9a3e4c60".into()
}

pub(crate) fn consumer_secret() -> Secret {
    "kd94hf93k423kf44".into()
}

pub(crate) fn private_key() -> Secret {
    PRIVATE_KEY.into()
}

/// One tenant of each vendor.
pub(crate) fn vendors() -> Result<Vendors, Box<dyn std::error::Error>> {
    let seatmap = seatmap::Section { organization: ORGANIZATION.to_owned(), private_keys: vec![private_key()] };
    let partner =
        site_builder::Section { consumer_key: CONSUMER.to_owned(), consumer_secrets: vec![consumer_secret()] };
    Ok(vec![
        Arc::new(TutorCruncher::new(webhook_secret())),
        Arc::new(lcvista()),
        Arc::new(SiteBuilder { sections: vec![partner] }),
        Arc::new(waggl()?),
        Arc::new(Seatmap::new(vec![seatmap])),
    ])
}

pub(crate) fn lcvista() -> Lcvista {
    let users = vec![LCVISTA_EMAIL.to_owned()];
    Lcvista { sections: vec![lcvista::Section { slug: SLUG.to_owned(), secrets: vec![lcvista_secret()], users }] }
}

pub(crate) fn waggl() -> Result<Waggl, Box<dyn std::error::Error>> {
    let section = waggl::Section {
        tenant: "acme".to_owned(),
        secrets: vec![waggl_secret()],
        sso_url: SsoUrl::parse("https://idp.example/waggl/sso/")?,
        surveys: vec![SURVEY.to_owned()],
    };
    Ok(Waggl { sections: vec![section] })
}
