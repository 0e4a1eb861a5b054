//! Every form as a black box: published vectors and the vendors' own clients, through `examples/conformance`.
//!
//! Run it with `scripts/test --test conformance`: `cargo test --test conformance` does not build the example.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tower_sso::clock::{Clock, SystemClock};

#[test]
fn published_vectors() {
    let said = driver(&[OsStr::new("--vectors"), tests().join("vectors/public.jsonl").as_os_str()]);
    assert!(said.contains("'accept': 130") && said.contains("differences 0"), "{said}");
}

/// Calls of webhook senders, from their documentation and the tests of their libraries.
#[test]
fn senders_own_calls() {
    all_agree("vectors/webhooks.jsonl", 19);
}

/// `docs/webhooks.md`, `docs/launches.md` and the numbers in the README are those of the presets, and each preset is in
/// every table.
#[test]
fn the_pages_of_senders_and_platforms_are_those_of_the_presets() {
    for script in ["webhooks_page.py", "launches_page.py"] {
        let script = tests().join("../scripts").join(script);
        // The published package has no scripts.
        if script.exists() {
            let output = python().arg(script).arg("--check").output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

/// Requests with which platforms open an app, from their documentation.
#[test]
fn platforms_own_launches() {
    all_agree("vectors/launches.jsonl", 40);
}

/// What an attacker, another clock and a rotation make of each of these.
#[test]
fn variants_of_senders_calls_and_platforms_launches() {
    let rows = tests().join("vectors");
    let files = ["webhooks.jsonl", "launches.jsonl"].map(|file| rows.join(file));
    let output = python().arg(tests().join("clients/variants.py")).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let directory = tempfile::tempdir().unwrap();
    let variants = directory.path().join("variants.jsonl");
    fs::write(&variants, output.stdout).unwrap();
    let (accepted, refused) = counts(&variants);
    assert!(accepted > 200 && refused > 2_500, "{accepted} and {refused}");
    let said = driver(&[OsStr::new("--vectors"), variants.as_os_str()]);
    assert!(said.contains("differences 0"), "{said}");
}

/// How many rows of the file are to be accepted, and how many are not.
fn counts(file: &Path) -> (usize, usize) {
    let rows = fs::read_to_string(file).unwrap();
    let is_accepted = |row: &str| serde_json::from_str::<Value>(row).unwrap()["expect"] == "accept";
    let accepted = rows.lines().filter(|row| is_accepted(row)).count();
    (accepted, rows.lines().count() - accepted)
}

/// Every row of the file agrees, of which at least so many are to be accepted.
fn all_agree(file: &str, least: usize) {
    let (accepted, _) = counts(&tests().join(file));
    assert!(accepted >= least, "{accepted}");
    let said = driver(&[OsStr::new("--vectors"), tests().join(file).as_os_str()]);
    assert!(said.contains(&format!("'accept': {accepted}")) && said.contains("differences 0"), "{said}");
}

#[test]
fn the_vendors_own_clients() {
    let credentials = tests().join("clients/creds.json");
    let known: Value = serde_json::from_slice(&fs::read(&credentials).unwrap()).unwrap();
    let known = |name: &str| known[name].as_str().map_or_else(|| known[name].to_string(), str::to_owned);
    let captures = tempfile::tempdir().unwrap();
    let mut arguments = vec![OsStr::new("--clients").to_owned(), credentials.into()];
    for (vendor, options) in [
        (
            "tutorcruncher",
            &[("--webhook-secret", "webhook_secret"), ("--fernet-key", "fernet_key"), ("--company-id", "company_id")][..],
        ),
        ("sitebuilder", &[("--consumer-key", "consumer_key"), ("--consumer-secret", "consumer_secret")]),
        ("waggl", &[("--secret", "jwt_secret")]),
        ("seatmap", &[("--private-key", "private_key")]),
        ("lcvista", &[("--secret", "lcv_secret")]),
    ] {
        let options: Vec<String> = options.iter().map(|(option, name)| format!("{option}={}", known(name))).collect();
        let options = [vec![format!("--base-url={}", known("base_url"))], options].concat();
        let before = SystemClock.now().as_secs();
        let mut rows = client(vendor, &options);
        if vendor == "waggl" {
            // Without a `jti`, the same claims in the same second make the same token; its second use is a replay.
            const TWIN: &str = "sample with return params";
            rows = rows.lines().filter(|row| !row.contains(TWIN)).map(|row| format!("{row}\n")).collect();
            let earlier = format!("--now={}", before - 1);
            rows += &client(vendor, &[&options[..], &[earlier, format!("--only={TWIN}")]].concat());
        }
        let capture = captures.path().join(vendor).with_extension("jsonl");
        fs::write(&capture, rows).unwrap();
        arguments.push(capture.into());
    }
    let said = driver(&arguments);
    assert!(said.contains("'accept': 49") && said.contains("'reject': 41"), "{said}");
    assert!(said.contains("differences 0"), "{said}");
}

/// What a vendor's client prints: one request per line.
fn client(vendor: &str, options: &[String]) -> String {
    let script = tests().join("clients").join(vendor).with_extension("py");
    let output = python().arg(script).args(options).output().unwrap();
    assert!(output.status.success(), "{vendor}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The driver's report.
fn driver(arguments: &[impl AsRef<OsStr>]) -> String {
    // The driver reads it as a shell would.
    let server = format!("'{}'", server().display());
    let driver = python().arg(tests().join("clients/driver.py")).arg("--server").arg(server).args(arguments).output();
    let output = driver.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn python() -> Command {
    let Some(python) = std::env::var_os("TOWER_SSO_PYTHON") else {
        panic!("TOWER_SSO_PYTHON is not set: run scripts/test, which installs what the vendors' clients need");
    };
    let mut command = Command::new(python);
    command.arg("-B").env("PYTHONIOENCODING", "utf-8");
    command
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The example stands beside the directory of the tests: `target/{profile}/deps` and `target/{profile}/examples`.
fn server() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let server = test.parent().and_then(Path::parent).unwrap().join("examples").join("conformance");
    let server = server.with_extension(std::env::consts::EXE_EXTENSION);
    assert!(server.exists(), "{} is not there: run scripts/test, which builds it", server.display());
    server
}
