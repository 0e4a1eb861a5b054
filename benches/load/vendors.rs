//! What `app::app` takes for its vendors: the portal's own, or the same without layers. So both servers have the very same
//! app around them.

use axum::Router;

pub(crate) use crate::portal::vendors::*;

use crate::app::Portal;
use crate::server::App;

/// Stands before the portal's own function of this name.
pub(crate) async fn routes(portal: &Portal) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    match App::of_this_process() {
        App::Portal => crate::portal::vendors::routes(portal).await,
        App::Bare => crate::bare::routes(portal).await,
    }
}
