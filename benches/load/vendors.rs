//! Replaces the portal's `vendors` module, so that both servers run the same `app::app`, with the portal's routes or the bare
//! ones.

use axum::Router;

pub(crate) use crate::portal::vendors::*;

use crate::app::Portal;
use crate::server::App;

/// Shadows the portal's function of this name.
pub(crate) async fn routes(portal: &Portal) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    match App::of_this_process() {
        App::Portal => crate::portal::vendors::routes(portal).await,
        App::Bare => crate::bare::routes(portal).await,
    }
}
