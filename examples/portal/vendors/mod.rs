//! One file for each vendor: its routes, and its card on the page. Adding one is a file, a line in each function below,
//! and a section of the configuration.

pub(crate) mod tutorcruncher;

use axum::Router;

use crate::app::Portal;
use crate::page::Card;
use crate::problem::Problem;

/// What the configured vendors call.
pub(crate) async fn routes(portal: &Portal) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    let mut routes = Router::new();
    if let Some(config) = &portal.tutorcruncher {
        routes = routes.merge(tutorcruncher::routes(portal, config).await?);
    }
    Ok(routes)
}

/// What the page says of the configured vendors.
pub(crate) async fn cards(portal: &Portal, session: &tower_sessions::Session) -> Result<Vec<Card>, Problem> {
    let mut cards = Vec::new();
    if portal.tutorcruncher.is_some() {
        cards.push(tutorcruncher::card(portal, session).await?);
    }
    Ok(cards)
}

/// The claims of a session as the vendor's own type, for the page.
pub(crate) fn typed(provider: &str, claims: &serde_json::Value) -> Option<String> {
    match provider {
        tutorcruncher::NAME => tutorcruncher::typed(claims),
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
