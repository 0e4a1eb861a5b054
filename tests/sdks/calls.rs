//! Calls that a library has signed, and a server that gets them.

use std::process::Command;

use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_sso::clock::{Clock, ManualClock, SystemClock, UnixTime};
use tower_sso::replay::MemoryReplay;

/// What the Python script of this name prints, at this time.
pub(crate) fn python(name: &str, now: u64) -> Vec<Value> {
    let Some(python) = std::env::var_os("TOWER_SSO_PYTHON") else {
        panic!("TOWER_SSO_PYTHON is not set: run scripts/test, which installs the libraries");
    };
    calls(Command::new(python).arg("-B").arg(format!("tests/clients/{name}.py")).arg(now.to_string()))
}

/// Whether libraries for Node are installed.
pub(crate) fn has_node() -> bool {
    std::env::var_os("TOWER_SSO_NODE_MODULES").is_some()
}

/// What the script for Node of this name prints; nothing where npm is not installed.
pub(crate) fn node(name: &str, now: u64) -> Vec<Value> {
    let Some(modules) = std::env::var_os("TOWER_SSO_NODE_MODULES") else { return Vec::new() };
    calls(Command::new("node").arg(format!("tests/clients/{name}.mjs")).arg(modules).arg(now.to_string()))
}

pub(crate) fn now() -> u64 {
    u64::try_from(SystemClock.now().as_secs()).unwrap()
}

fn calls(command: &mut Command) -> Vec<Value> {
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// A store for calls that were signed before it was made.
pub(crate) fn replay() -> MemoryReplay {
    MemoryReplay::builder().clock(ManualClock::at(UnixTime::from_secs(0))).build()
}

/// A server, until it is dropped.
pub(crate) struct Server {
    address: String,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(crate) async fn of(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        Self { address, serving: tokio::spawn(axum::serve(listener, app).into_future()) }
    }

    /// Status and body of the answer to a call: a POST if there is a body.
    pub(crate) async fn send(&self, target: &str, headers: &Value, body: Option<&str>) -> (u16, String) {
        let (client, address) = (reqwest::Client::new(), format!("{}{target}", self.address));
        let mut request = match body {
            Some(body) => client.post(address).body(body.to_owned()),
            None => client.get(address),
        };
        for (name, value) in headers.as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap());
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
