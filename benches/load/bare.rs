//! The portal's login routes without SSO layers: the same handlers and the same other middleware. Every request gets the
//! identity of one link that a layer verified at startup, because only a layer can create an identity.
//!
//! Credentials stay in the request: bodies are not read, and Waggl's token stays in the URL that the handler redirects to.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, any, get, post};
use axum::{Extension, Router};
use tower::ServiceExt;
use tower_sso::Identity;
use tower_sso::keys::MemoryKeys;
use tower_sso::oauth1::Origin;
use tower_sso::providers::{self, lcvista::LcvistaUser, seatmap::SeatmapLogin, site_builder::SiteBuilderUser};
use tower_sso::providers::{tutorcruncher::TutorUser, waggl::WagglUser};
use tower_sso::shared_secret::PrivateKeys;
use tower_sso::ticket::Tickets;

use crate::accounts::Accounts;
use crate::app::Portal;
use crate::links::{self, Sent};
use crate::settings::{self, COMPANY, CONSUMER, ORGANIZATION, SLUG};
use crate::vendors::{lcvista, seatmap, site_builder, tutorcruncher, waggl};

type Routes = Result<Router<Portal>, Box<dyn std::error::Error>>;

pub(crate) async fn routes(portal: &Portal) -> Routes {
    Ok(Router::new()
        .merge(tutorcruncher(portal).await?)
        .merge(lcvista(portal).await?)
        .merge(site_builder(portal).await?)
        .merge(waggl(portal).await?)
        .merge(seatmap(portal).await?))
}

async fn tutorcruncher(portal: &Portal) -> Routes {
    let keys = MemoryKeys::new().with(COMPANY, settings::fernet_key());
    let sso = providers::tutorcruncher::sso(keys).replay(portal.stores.replay.clone()).build()?;
    let user = verified::<TutorUser>(|ask| ask.layer(sso), links::tutorcruncher(portal.public_url.as_str(), 0)).await;
    // Stands in for the `Keys` extension of the portal's sign-up route.
    let keys = Extension(());
    Ok(Router::new().route("/tutorcruncher/sso", get(tutorcruncher::land).layer(user)).layer(keys))
}

async fn lcvista(portal: &Portal) -> Routes {
    let keys = MemoryKeys::new().with(SLUG, settings::lcvista_secret());
    let sso = providers::lcvista::sso(keys).replay(portal.stores.replay.clone()).build()?;
    let user = verified::<LcvistaUser>(|ask| ask.layer(sso), links::lcvista(portal.public_url.as_str(), 0)).await;
    let config = Extension(Arc::new(settings::lcvista()));
    Ok(Router::new().route("/sso/oauth/", get(lcvista::land).layer(user)).layer(config))
}

async fn site_builder(portal: &Portal) -> Routes {
    let origin = portal.public_url.as_str();
    let keys = MemoryKeys::new().with(CONSUMER, settings::consumer_secret());
    let sso = providers::site_builder::sso(Origin::new(origin), keys).replay(portal.stores.replay.clone()).build()?;
    let user = verified::<SiteBuilderUser>(|ask| ask.layer(sso), links::site_builder(origin, 0)).await;
    let routes = Router::new().route("/sitebuilder/widget/", get(site_builder::widget).layer(user));
    Ok(routes.layer(Extension(tickets(portal, site_builder::NAME))))
}

async fn waggl(portal: &Portal) -> Routes {
    let sso = providers::waggl::sso([settings::waggl_secret()]).replay(portal.stores.replay.clone()).build()?;
    let user = verified::<WagglUser>(|ask| ask.layer(sso), links::waggl(portal.public_url.as_str(), 0)).await;
    let surveys = waggl::Surveys::new(&settings::waggl()?.sections);
    Ok(Router::new().route("/i/{survey}", get(waggl::survey)).route_layer(user).layer(Extension(surveys)))
}

async fn seatmap(portal: &Portal) -> Routes {
    let keys = PrivateKeys::new().with(ORGANIZATION, [settings::private_key()])?;
    let sso = providers::seatmap::autologin(keys).build()?;
    let user = verified::<SeatmapLogin>(|ask| ask.layer(sso), links::seatmap(portal.public_url.as_str(), 0)).await;
    let routes = Router::new().route("/api/auth/autologin", post(seatmap::sign_in).layer(user));
    let routes = routes.layer(Extension(tickets(portal, seatmap::NAME)));
    let accounts = Accounts::new(portal.database.clone());
    Ok(routes.layer(Extension(accounts)).layer(DefaultBodyLimit::max(16 * 1024)))
}

fn tickets(portal: &Portal, purpose: &'static str) -> Tickets {
    Tickets::new(portal.stores.tickets.clone()).namespace(purpose).clock(portal.clock.clone())
}

/// Verifies this request once, and returns a layer that gives its identity to every request.
async fn verified<C: Send + Sync + 'static>(
    layered: impl FnOnce(MethodRouter) -> MethodRouter,
    request: Sent,
) -> Extension<Identity<C>> {
    let ask = any(async |identity: Identity<C>| Extension(identity));
    let answer = layered(ask).oneshot(request.map(Body::new)).await;
    let mut answer = answer.unwrap_or_else(|never| match never {});
    let identity = answer.extensions_mut().remove();
    Extension(identity.unwrap_or_else(|| panic!("no identity: {answer:?}")))
}
