//! The dashboard and the alerts in `docs/`, against a running Prometheus that scrapes a portal.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tower_sso::rejection::Reason;

use crate::running::{Home, browser, visit};

const DASHBOARD: &str = include_str!("../../docs/observability/dashboard.json");
const PAGE: &str = include_str!("../../docs/observability.md");

/// Killed when dropped.
struct Prometheus {
    child: Child,
    url: String,
}

impl Prometheus {
    fn start(home: &Home, target: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let configuration = home.path().join("prometheus.yml");
        let scrape = format!(
            "global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}\n\
             scrape_configs: [{{job_name: portal, static_configs: [{{targets: [\"{target}\"]}}]}}]\n"
        );
        std::fs::write(&configuration, scrape).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", home.path().join("tsdb").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is needed: scripts/test installs it");
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    /// The series of an expression; none while Prometheus starts.
    async fn query(&self, expression: &str) -> Vec<Value> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = reqwest::get(format!("{}/api/v1/query?query={encoded}", self.url)).await;
        let Ok(answer) = answer else { return Vec::new() };
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
        assert_ne!(answer["status"], "error", "{expression}: {answer}");
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[tokio::test]
async fn every_panel_shows_data() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    let prometheus = Prometheus::start(&home, portal.url.trim_start_matches("http://"));
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let expressions = panels.iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().unwrap();
        targets.iter().map(|target| (panel["title"].as_str().unwrap(), target["expr"].as_str().unwrap()))
    });
    let mut open: Vec<(&str, String)> = expressions
        .map(|(title, expression)| {
            let filled =
                expression.replace("$__rate_interval", "1m").replace("$form", ".*").replace("$namespace", ".*");
            (title, filled)
        })
        .collect();
    assert!(open.len() >= 8);
    let deadline = Instant::now() + Duration::from_secs(60);
    while !open.is_empty() {
        // Some are accepted, some refused.
        let link = company.link();
        visit(&browser(), &link).await;
        visit(&browser(), &link).await;
        let mut left = Vec::new();
        for (title, expression) in open {
            let series = prometheus.query(&expression).await;
            if !series.iter().any(|series| series["value"][1] != "NaN") {
                left.push((title, expression));
            }
        }
        open = left;
        assert!(Instant::now() < deadline, "no data for {open:?}");
    }
}

#[test]
fn the_alerts_are_rules_of_prometheus() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/observability/alerts.yaml");
    let output = Command::new("promtool").args(["check", "rules", file]).output().expect("promtool is needed");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("6 rules found"), "{said}");
}

#[test]
fn the_page_lists_every_metric_and_outcome() {
    for name in tower_sso::metrics::names::ALL {
        assert!(PAGE.contains(name) || PAGE.contains(&name.replace("tower_sso_", "")), "{name}");
    }
    for reason in [Reason::UnknownKey, Reason::BodyHash, Reason::Replayed, Reason::Forgotten, Reason::InProgress] {
        assert!(PAGE.contains(&format!("`{}`", reason.as_str())), "{reason:?}");
    }
}
