//! `/healthz` and `/metrics`. Anyone can call `/healthz`, so its result is cached for a second.

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use tokio::sync::Mutex;
use tower_sso::clock::{Clock, UnixTime};

use crate::app::Portal;

const GOOD_FOR: Duration = Duration::from_secs(1);

/// The last result and its time.
#[derive(Default)]
pub(crate) struct Health(Mutex<Option<(UnixTime, bool)>>);

pub(crate) async fn healthz(portal: State<Portal>) -> StatusCode {
    // Held across the check: concurrent callers wait for the same result.
    let mut last = portal.health.0.lock().await;
    let now = portal.clock.now();
    let ready = match *last {
        Some((asked, ready)) if asked <= now && now.since(asked) < GOOD_FOR => ready,
        _ => {
            let (database, stores) = tokio::join!(portal.database.is_ready(), portal.stores.is_ready());
            *last = Some((now, database && stores));
            database && stores
        }
    };
    if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

pub(crate) async fn metrics(portal: State<Portal>) -> String {
    let mut text = portal.metrics.render();
    if let Some(lost) = &portal.log {
        // In Prometheus' text format.
        let name = "portal_log_lines_lost_total";
        text.push_str(&format!("# TYPE {name} counter\n{name} {}\n", lost.lines()));
    }
    text
}
