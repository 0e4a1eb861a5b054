//! The dashboard in `docs/`, fed by a portal under load.
//!
//! A picture of it, drawn by Chromium from the file's own panels and queries, after a minute of load:
//! `TOWER_SSO_PICTURE=dashboard.png scripts/test --test portal every_panel`. With `TOWER_SSO_PICTURE_OF=127.0.0.1:PORT` it is
//! the dashboard of another portal, such as the one of `cargo bench --bench load`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::load;
use crate::prometheus::{Prometheus, Series};
use crate::running::{Home, browser, visit};

const DASHBOARD: &str = include_str!("../../docs/observability/dashboard.json");
const PAGE: &str = include_str!("dashboard.html");

/// The panel that is all zeros while nothing fails.
const TROUBLES: &str = "Unavailable and unsettled";

/// Each series of a panel, with its name in the legend.
async fn drawn(prometheus: &Prometheus, panel: &Value, seconds: i64) -> Vec<(String, Series)> {
    let mut drawn = Vec::new();
    for target in panel["targets"].as_array().unwrap() {
        let (expression, legend) = (target["expr"].as_str().unwrap(), target["legendFormat"].as_str().unwrap());
        // Four scrapes and more, as Grafana would choose it.
        let filled = expression.replace("$__rate_interval", "5s").replace("$form", ".*").replace("$namespace", ".*");
        assert!(!filled.contains('$'), "{filled}");
        let before = drawn.len();
        for series in prometheus.series(&filled, seconds).await {
            let labels = series.labels.as_object().into_iter().flatten();
            let named = labels.fold(legend.to_owned(), |name, (label, value)| {
                name.replace(&format!("{{{{{label}}}}}"), value.as_str().unwrap_or_default())
            });
            if !series.points.is_empty() {
                drawn.push((named.replace("{{namespace}}", "").trim().to_owned(), series));
            }
        }
        if drawn.len() == before {
            return Vec::new(); // a query without data
        }
    }
    drawn
}

fn has_lines(drawn: &[(String, Series)]) -> bool {
    drawn.iter().any(|(_, series)| series.points.len() > 2)
}

fn has_more_than_zeros(drawn: &[(String, Series)]) -> bool {
    drawn.iter().flat_map(|(_, series)| &series.points).any(|(_, value)| *value > 0.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_panel_shows_data_while_the_portal_is_under_load() {
    let picture = std::env::var("TOWER_SSO_PICTURE").ok();
    let home = Home::new();
    let portal = home.start();
    let other = std::env::var("TOWER_SSO_PICTURE_OF").ok();
    let prometheus = Prometheus::start(&home, other.as_deref().unwrap_or(portal.authority()));
    let _load = load::start(&home, &portal).await;
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() >= 8);

    let (begun, patience) = (Instant::now(), Duration::from_secs(90));
    let least = Duration::from_secs(if picture.is_some() { 60 } else { 0 });
    loop {
        let (mut page, mut empty) = (Vec::new(), Vec::new());
        for panel in panels {
            let title = panel["title"].as_str().unwrap();
            let drawn = drawn(&prometheus, panel, 60).await;
            // What others do to their portal is not known.
            let may_be_zero = title == TROUBLES || other.is_some();
            if !has_lines(&drawn) || !(may_be_zero || has_more_than_zeros(&drawn)) {
                empty.push(title);
            }
            let lines = drawn.into_iter().map(|(name, series)| json!({"name": name, "points": series.points}));
            page.push(json!({"panel": panel, "lines": lines.collect::<Vec<_>>()}));
        }
        if empty.is_empty() && begun.elapsed() >= least {
            if let Some(picture) = picture {
                draw(&home, &page, Path::new(&picture));
            }
            break;
        }
        assert!(begun.elapsed() < patience, "no data for {empty:?}");
        // Meanwhile it works for others too.
        visit(&browser(), &portal.at("/healthz")).await;
    }
}

/// The page as a picture.
fn draw(home: &Home, page: &[Value], picture: &Path) {
    let html = home.path().join("dashboard.html");
    // `<` may not end the script.
    let panels = serde_json::to_string(page).unwrap().replace('<', "\\u003c");
    std::fs::write(&html, PAGE.replace("PANELS", &panels)).unwrap();
    let drawn = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1440,1490"])
        .arg(format!("--user-data-dir={}", home.path().join("chromium").display()))
        .arg(format!("--screenshot={}", std::path::absolute(picture).unwrap().display()))
        .arg(format!("file://{}", html.display()))
        .output()
        .expect("chromium is needed: scripts/test installs it");
    assert!(picture.exists(), "{}", String::from_utf8_lossy(&drawn.stderr));
}
