//! `/healthz` and `/metrics`. Anyone can call `/healthz`, so its result is cached for a second.

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::sync::Mutex;
use tower_sso::clock::{Clock, UnixTime};

use crate::app::Portal;

const GOOD_FOR: Duration = Duration::from_secs(1);

/// The last result and its time.
#[derive(Default)]
pub(crate) struct Health(Mutex<Option<(UnixTime, bool)>>);

/// Where the layers' metrics go.
pub(crate) fn recorder() -> Result<PrometheusHandle, BuildError> {
    use tower_sso::metrics::names::{AGE, CHECK, STORE};

    // A check takes microseconds, or as long as a store or a slow body does.
    let times = [10e-6, 30e-6, 100e-6, 300e-6, 1e-3, 3e-3, 10e-3, 30e-3, 0.1, 0.3, 1.0, 3.0, 10.0];
    let ages =
        [-3_600.0, -300.0, -60.0, -10.0, -2.0, 0.0, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3_600.0];
    let builder = PrometheusBuilder::new();
    let builder = builder.set_buckets_for_metric(Matcher::Full(CHECK.into()), &times)?;
    let builder = builder.set_buckets_for_metric(Matcher::Full(STORE.into()), &times)?;
    let handle = builder.set_buckets_for_metric(Matcher::Full(AGE.into()), &ages)?.install_recorder()?;
    tower_sso::metrics::describe();
    Ok(handle)
}

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
