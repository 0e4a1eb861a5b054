//! LCvista: the link with a timestamp and a hash that signs a user of an organisation in.

use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::get;
use http::{StatusCode, Uri};
use serde::Deserialize;
use serde_json::Value;
use tower_sessions::Session;
use tower_sso::config::ConfigError;
use tower_sso::identity::Identity;
use tower_sso::keys::MemoryKeys;
use tower_sso::landing::LocalPath;
use tower_sso::providers::lcvista::{self, LcvistaUser};

use crate::app::Portal;
use crate::config::{Lcvista, keys};
use crate::demo;
use crate::page::{self, Card};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::text;

pub(crate) const NAME: &str = "lcvista";

const UNKNOWN_USER: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    code: "unknown_user",
    title: "There is no user with this email address",
    detail: "Your partner has vouched for you, but you have no account here. Ask your organisation’s administrator for one.",
};

pub(crate) fn routes(portal: &Portal, config: &[Lcvista]) -> Result<Router<Portal>, ConfigError> {
    let (replay, clock) = (portal.stores.replay.clone(), portal.clock.clone());
    // [mount]
    let secrets = MemoryKeys::new();
    for organisation in config {
        secrets.set(&*organisation.slug, keys(&organisation.secrets));
    }
    let sso = lcvista::sso(secrets).replay(replay).clock(clock).responder(page::refused);
    let sso = sso.map_claims(text::storable).build()?;

    let routes = Router::new().route("/sso/oauth/", get(land).layer(sso));
    // [/mount]
    Ok(routes)
}

/// The hash says that the organisation vouches for the user; whether there is such a user, it does not say.
pub(crate) async fn land(
    portal: State<Portal>,
    session: Session,
    user: Identity<LcvistaUser>,
    uri: Uri,
) -> Result<Redirect, Problem> {
    let organisation = portal.vendors.lcvista.iter().find(|organisation| organisation.slug == user.slug);
    if !organisation.is_some_and(|organisation| organisation.users.contains(&user.email)) {
        return Err(UNKNOWN_USER);
    }
    let signed_in = SignedIn::new(NAME, &user, user.email.clone(), &user.email, Some(&user.email));
    signed_in.start(&session, &portal.clock).await?;
    // Nobody has signed `next`.
    Ok(Redirect::to(LocalPath::from_query(&uri, "next").unwrap_or_default().as_str()))
}

pub(crate) async fn card(portal: &Portal, session: &Session) -> Result<Card, Problem> {
    let (fields, rows) = match portal.demo {
        true => demo::lcvista::form(portal, session).await?,
        false => Default::default(),
    };
    Ok(Card {
        id: NAME,
        title: "LCvista",
        arrives: "A link with the time, the user’s email address and the organisation in the clear, and a hash over them \
                  that only who has the organisation’s secret can make. It is good for one click within half a minute.",
        rust: super::excerpt(include_str!("lcvista.rs"), "mount"),
        fields,
        rows,
        exchange: None,
    })
}

/// The claims of a session as their own type, for the page to show.
pub(crate) fn typed(claims: &Value) -> Option<String> {
    LcvistaUser::deserialize(claims).ok().map(|user| format!("{user:#?}"))
}
