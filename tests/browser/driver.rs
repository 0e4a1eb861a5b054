//! A real Chromium, driven over WebDriver by plain HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

/// One browser window. Dropping it ends the browser.
pub(crate) struct Browser {
    driver: Child,
    client: Client,
    session: String,
    _profile: TempDir,
}

/// A chromedriver and its port. `None` if it has ended: it looks for a port that is free in IPv4, and needs the same one in
/// IPv6, which may be taken.
fn started() -> Option<(Child, String)> {
    let mut driver = Command::new("chromedriver");
    let driver = driver.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null());
    let mut driver = driver.spawn().expect("chromedriver is not there: run scripts/test, which installs it");
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.ok()?;
        let rest = line.split("started successfully on port ").nth(1)?;
        Some(rest.trim_end_matches('.').to_owned())
    });
    if port.is_none() {
        driver.wait().unwrap();
    }
    port.map(|port| (driver, port))
}

impl Browser {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more arguments for Chromium.
    pub(crate) async fn start_with(more: &[&str]) -> Self {
        let (driver, port) = (0..5)
            .find_map(|_| started())
            .expect("chromedriver did not start, five times: run `chromedriver` to see why");
        let base = format!("http://127.0.0.1:{port}/session");
        let profile = tempfile::tempdir().unwrap();
        let directory = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &directory,
        ];
        let arguments = [&arguments[..], more].concat();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"performance": "ALL"},
        }}});
        let client = Client::new();
        let answer: Value = client.post(&base).json(&wanted).send().await.unwrap().json().await.unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {answer}"));
        Self { driver, client, session: format!("{base}/{id}"), _profile: profile }
    }

    async fn command(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let request = self.client.request(method.clone(), format!("{}{path}", self.session));
        let request = if method == Method::POST { request.json(&body) } else { request };
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{path}: {error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }

    pub(crate) async fn open(&self, address: &str) {
        self.command(Method::POST, "/url", json!({"url": address})).await.unwrap();
    }

    /// From here on, commands are for the page in the window's first frame, until another page is opened.
    pub(crate) async fn enter_frame(&self) {
        self.command(Method::POST, "/frame", json!({"id": 0})).await.unwrap();
    }

    /// Clicks the first element that the selector finds, once it is there.
    pub(crate) async fn click(&self, selector: &str) {
        let by = json!({"using": "css selector", "value": selector});
        let began = Instant::now();
        let element = loop {
            match self.command(Method::POST, "/element", by.clone()).await {
                Ok(element) => break element,
                Err(error) if began.elapsed() > Duration::from_secs(10) => panic!("{selector}: {error}"),
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let id = element.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        self.command(Method::POST, &format!("/element/{id}/click"), json!({})).await.unwrap();
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.command(Method::POST, "/execute/sync", json!({"script": script, "args": []})).await.unwrap()
    }

    /// Writes into a field of a form.
    pub(crate) async fn fill(&self, id: &str, text: &str) {
        let text = json!(text);
        self.run(&format!("document.getElementById({}).value = {text}", json!(id))).await;
    }

    pub(crate) async fn text(&self) -> String {
        self.run("return document.body.innerText").await.as_str().unwrap().to_owned()
    }

    pub(crate) async fn address(&self) -> String {
        self.run("return location.href").await.as_str().unwrap().to_owned()
    }

    /// Waits until the page says this.
    pub(crate) async fn expect(&self, text: &str, why: &str) {
        let began = Instant::now();
        while !self.text().await.contains(text) {
            assert!(began.elapsed() < Duration::from_secs(10), "{why}: no {text:?} in {}", self.text().await);
            tokio::task::yield_now().await;
        }
    }

    /// Every address that the browser has asked for since the last time.
    pub(crate) async fn requests(&self) -> Vec<String> {
        let log = self.command(Method::POST, "/se/log", json!({"type": "performance"})).await.unwrap();
        let entries = log.as_array().unwrap().iter().filter_map(|entry| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            let sent = message["method"] == "Network.requestWillBeSent";
            sent.then(|| message["params"]["request"]["url"].as_str().unwrap_or_default().to_owned())
        });
        entries.collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The end of the session is the end of the browser; the driver alone would leave it running.
        let (host, path) = self.session.trim_start_matches("http://").split_once('/').unwrap_or_default();
        if let Ok(mut driver) = TcpStream::connect(host) {
            _ = driver.set_read_timeout(Some(Duration::from_secs(10)));
            _ = write!(driver, "DELETE /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            _ = driver.read(&mut [0; 64]);
        }
        _ = self.driver.kill();
        _ = self.driver.wait();
    }
}
