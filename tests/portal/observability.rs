//! The alerts and the page in `docs/`, against a running Prometheus, its tool and the code.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::prometheus::Prometheus;
use crate::running::{Home, browser, visit};

const PAGE: &str = include_str!("../../docs/observability.md");
const ALERTS: &str = include_str!("../../docs/observability/alerts.yaml");
const TESTS: &str = include_str!("alerts.yaml");

fn names_of_alerts() -> Vec<&'static str> {
    ALERTS.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect()
}

/// What the tool says, if it finds nothing wrong.
fn promtool(arguments: [&str; 2], file: &str) -> String {
    let output = Command::new("promtool")
        .args(arguments)
        .arg(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")))
        .output()
        .expect("promtool is needed: scripts/test installs it");
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn the_alerts_are_rules_of_prometheus() {
    let said = promtool(["check", "rules"], "docs/observability/alerts.yaml");
    assert!(said.contains(&format!("{} rules found", names_of_alerts().len())), "{said}");
}

/// By Prometheus's own tests, with made-up series and its own clock: some alerts wait for a day.
#[test]
fn every_alert_fires_when_it_should_and_is_quiet_before() {
    promtool(["test", "rules"], "tests/portal/alerts.yaml");
    for name in names_of_alerts() {
        let fires = format!("      - alertname: {name}\n");
        let is_quiet = format!("      - {{ alertname: {name}, eval_time: ");
        assert!(TESTS.contains(&fires) && TESTS.contains(&is_quiet), "{name} has no test");
        assert!(PAGE.contains(&format!("`{name}`")), "{name} is not on the page");
    }
}

/// With the portal's own metrics: no rule is about a label or a metric in vain, and none fires while all is well.
#[tokio::test]
async fn a_running_prometheus_evaluates_every_alert() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    let prometheus = Prometheus::start(&home, portal.authority());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        visit(&browser(), &company.link()).await;
        let rules = prometheus.ask("rules").await;
        let rules: Vec<&Value> = rules["groups"][0]["rules"].as_array().into_iter().flatten().collect();
        let is_evaluated = |rule: &&Value| rule["health"] == "ok" && rule["state"] == "inactive";
        if !rules.is_empty() && rules.iter().all(is_evaluated) {
            let names: Vec<&str> = rules.iter().map(|rule| rule["name"].as_str().unwrap()).collect();
            assert_eq!(names, names_of_alerts());
            break;
        }
        assert!(Instant::now() < deadline, "{rules:?}");
    }
}

/// The names of `Reason`, by the name of their `Code`: from the one list in the code, which the compiler keeps complete.
fn outcomes_of_the_code() -> BTreeMap<String, BTreeSet<String>> {
    const CODE: &str = include_str!("../../src/rejection/reason.rs");
    let rows = CODE.split("const fn row(&self)").nth(1).and_then(|rest| rest.split("\n    }\n").next()).unwrap();
    let mut outcomes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows.lines().filter(|line| line.contains("=>")) {
        let (name, rest) = row.split_once("=> (\"").and_then(|(_, row)| row.split_once("\", Code::")).unwrap();
        let code = rest.split(',').next().unwrap().chars().fold(String::new(), |code, letter| {
            let gap = if letter.is_uppercase() && !code.is_empty() { "_" } else { "" };
            format!("{code}{gap}{}", letter.to_ascii_lowercase())
        });
        outcomes.entry(code).or_default().insert(name.to_owned());
    }
    outcomes
}

#[test]
fn the_page_lists_every_metric_and_outcome() {
    for name in tower_sso::metrics::names::ALL {
        assert!(PAGE.contains(name) || PAGE.contains(&name.replace("tower_sso_", "")), "{name}");
    }
    let table = PAGE.split("| code | outcomes |").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let listed: BTreeMap<_, _> = rows.map(|(code, outcomes)| (code.to_owned(), words(outcomes))).collect();
    assert_eq!(listed, outcomes_of_the_code());
    assert!(listed.values().map(BTreeSet::len).sum::<usize>() >= 33);
}
