//! One file for each vendor: its routes, and its card on the page. Adding one is a file, a line in each function below,
//! and a section of the configuration.

pub(crate) mod lcvista;
pub(crate) mod seatmap;
pub(crate) mod site_builder;
pub(crate) mod tutorcruncher;
pub(crate) mod waggl;

use axum::Router;

use crate::app::Portal;
use crate::page::Card;
use crate::problem::Problem;

/// What the configured vendors call.
pub(crate) async fn routes(portal: &Portal) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    let mut routes = Router::new();
    if let Some(config) = &portal.vendors.tutorcruncher {
        routes = routes.merge(tutorcruncher::routes(portal, config).await?);
    }
    if !portal.vendors.lcvista.is_empty() {
        routes = routes.merge(lcvista::routes(portal, &portal.vendors.lcvista)?);
    }
    if !portal.vendors.site_builder.is_empty() {
        routes = routes.merge(site_builder::routes(portal, &portal.vendors.site_builder)?);
    }
    if !portal.vendors.waggl.is_empty() {
        routes = routes.merge(waggl::routes(portal, &portal.vendors.waggl)?);
    }
    if !portal.vendors.seatmap.is_empty() {
        routes = routes.merge(seatmap::routes(portal, &portal.vendors.seatmap)?);
    }
    Ok(routes)
}

/// What the page says of the configured vendors.
pub(crate) async fn cards(portal: &Portal, session: &tower_sessions::Session) -> Result<Vec<Card>, Problem> {
    let mut cards = Vec::new();
    if portal.vendors.tutorcruncher.is_some() {
        cards.push(tutorcruncher::card(portal, session).await?);
    }
    if !portal.vendors.lcvista.is_empty() {
        cards.push(lcvista::card(portal, session).await?);
    }
    if !portal.vendors.site_builder.is_empty() {
        cards.push(site_builder::card(portal, session).await?);
    }
    if !portal.vendors.waggl.is_empty() {
        cards.push(waggl::card(portal, session).await?);
    }
    if !portal.vendors.seatmap.is_empty() {
        cards.push(seatmap::card(portal, session).await?);
    }
    Ok(cards)
}

/// The claims of a session as the vendor's own type, for the page.
pub(crate) fn typed(provider: &str, claims: &serde_json::Value) -> Option<String> {
    match provider {
        tutorcruncher::NAME => tutorcruncher::typed(claims),
        lcvista::NAME => lcvista::typed(claims),
        site_builder::NAME => site_builder::typed(claims),
        seatmap::NAME => seatmap::typed(claims),
        waggl::NAME => waggl::typed(claims),
        _ => None,
    }
}

/// The lines between `// [name]` and `// [/name]` of a source file, so that what the page shows is what runs.
pub(crate) fn excerpt(source: &str, name: &str) -> String {
    let (begin, end) = (format!("// [{name}]"), format!("// [/{name}]"));
    let lines = || source.lines().skip_while(|line| line.trim() != begin).skip(1).take_while(|line| line.trim() != end);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let common = lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or_default();
    lines().map(|line| line.get(common..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}
