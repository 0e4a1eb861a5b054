//! A Prometheus that scrapes one target, four times a second.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tower_sso::clock::{Clock, SystemClock};

use crate::running::Home;

/// Killed when dropped.
pub(crate) struct Prometheus {
    child: Child,
    url: String,
}

impl Prometheus {
    /// With the alert rules of `docs/`, which it evaluates as often.
    pub(crate) fn start(home: &Home, target: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let configuration = home.path().join("prometheus.yml");
        let scrape = format!(
            "global: {{scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}}\n\
             rule_files: [\"{}/docs/observability/alerts.yaml\"]\n\
             scrape_configs: [{{job_name: portal, static_configs: [{{targets: [\"{target}\"]}}]}}]\n",
            env!("CARGO_MANIFEST_DIR")
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

    /// What its API says; null while it starts.
    pub(crate) async fn ask(&self, path: &str) -> Value {
        let Ok(answer) = reqwest::get(format!("{}/api/v1/{path}", self.url)).await else { return Value::Null };
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
        assert_ne!(answer["status"], "error", "{path}: {answer}");
        answer["data"].clone()
    }

    /// The series of an expression over the last seconds, with a point for each of them.
    pub(crate) async fn series(&self, expression: &str, seconds: i64) -> Vec<Series> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let now = SystemClock.now().as_secs();
        let data = self.ask(&format!("query_range?query={encoded}&start={}&end={now}&step=1", now - seconds)).await;
        data["result"].as_array().into_iter().flatten().map(Series::read).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The labels, and times with values. Without what is not a number.
pub(crate) struct Series {
    pub(crate) labels: Value,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Series {
    fn read(series: &Value) -> Self {
        let point = |pair: &Value| Some((pair[0].as_f64()?, pair[1].as_str()?.parse::<f64>().ok()?));
        let points = series["values"].as_array().into_iter().flatten().filter_map(point);
        Self { labels: series["metric"].clone(), points: points.filter(|(_, value)| value.is_finite()).collect() }
    }
}
