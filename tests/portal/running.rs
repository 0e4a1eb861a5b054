//! A running portal, and a partner that signs with this crate.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower_sso::clock::UnixTime;
use tower_sso::keys::Secret;
use tower_sso::sign::{FernetLink, SignedCall, SigningWebhook, generate_fernet_key};

pub(crate) const LCVISTA_SECRET: &str = "lcv-secret";
pub(crate) const CONSUMER_SECRET: &str = "partner secret&/";
pub(crate) const PRIVATE_KEY: &str = "3f9c-private";
pub(crate) const WAGGL_SECRET: &str = "adskfjlksflksgjl";

/// The other vendors' sections.
const OTHERS: &str = r#"
[[lcvista]]
slug = "rainier"
secrets = ["lcv-secret", "an older secret"]
users = [
    "admin@lcvista.com", "o'brien@example.com", "a+b@example.com", "zoë@example.com", "a~b@example.com",
    "first.last-name@mail.example.co.uk", "only@rainier.com",
]
[[lcvista]]
slug = "olympus"
secrets = ["another organisation's secret"]
users = ["admin@lcvista.com"]
[[seatmap]]
organization = "default"
private_keys = ["3f9c-private", "an older private key"]
[[seatmap]]
organization = "globex"
private_keys = ["globex private key"]
[[site_builder]]
consumer_key = "partner-key"
consumer_secrets = ["partner secret&/", "an older secret"]
[[site_builder]]
consumer_key = "other-key"
consumer_secrets = ["other secret"]
[[waggl]]
tenant = "acme"
secrets = ["adskfjlksflksgjl", "an older secret"]
sso_url = "https://idp.example/waggl/sso/"
surveys = ["9745804b"]
[[waggl]]
tenant = "globex"
secrets = ["globex secret"]
sso_url = "https://globex.example/in?a=1"
surveys = ["globex-1", "globex-2"]
"#;

/// A directory for one portal's data, its configuration and its log.
pub(crate) struct Home {
    dir: TempDir,
    pub(crate) webhook_secret: String,
}

/// The portal's process. Dropping it kills it.
pub(crate) struct Portal {
    child: Child,
    pub(crate) url: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        let secret = generate_fernet_key();
        let webhook_secret = String::from_utf8(secret.expose().to_vec()).unwrap();
        Self { dir: tempfile::tempdir().unwrap(), webhook_secret }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn configuration(&self) -> String {
        let tutorcruncher =
            format!("[tutorcruncher]\nwebhook_secrets = [\"{}\", \"an older secret\"]\n", self.webhook_secret);
        // Last, so that a test may add to it.
        OTHERS.to_owned() + &tutorcruncher
    }

    /// Starts a portal as configured.
    pub(crate) fn start(&self) -> Portal {
        self.start_with(&self.configuration())
    }

    pub(crate) fn start_with(&self, configuration: &str) -> Portal {
        let file = self.write(configuration);
        let mut command = command();
        if !configuration.contains("database_url") {
            command.arg("--data").arg(self.data());
        }
        Portal::started(self, command.arg("--config").arg(file))
    }

    /// Starts a portal without a configuration file.
    pub(crate) fn start_demo(&self) -> Portal {
        Portal::started(self, &mut self.command())
    }

    pub(crate) fn write(&self, configuration: &str) -> PathBuf {
        let file = self.path().join("portal.toml");
        fs::write(&file, configuration).unwrap();
        file
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The program, with a data directory.
    pub(crate) fn command(&self) -> Command {
        let mut command = command();
        command.arg("--data").arg(self.data());
        command
    }

    /// The program as configured, run by a shell after these commands.
    #[cfg(unix)]
    pub(crate) fn command_after(&self, commands: &str, configuration: &str) -> Command {
        let file = self.write(configuration);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{commands}; exec \"$0\" \"$@\"")]).arg(example("portal"));
        set_up(&mut command);
        command.arg("--data").arg(self.data()).arg("--config").arg(file);
        command
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// The content of the database's files.
    pub(crate) fn stored(&self) -> String {
        let files = fs::read_dir(self.data()).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
        files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    /// A company's number and its new key, and the call that announces them.
    pub(crate) fn announcement(&self, company: i64, key: &Secret, name: &str) -> SignedCall {
        let body = json!({
            "company_id": company,
            "fernet_key": String::from_utf8_lossy(key.expose()),
            "admin_email": "ada@example.com",
            "admin_name": "Ada Admin",
            "company_name": name,
        });
        self.signed(body.to_string())
    }

    pub(crate) fn signed(&self, body: String) -> SignedCall {
        SigningWebhook::new(Secret::new(self.webhook_secret.as_str())).sign(body)
    }
}

impl Portal {
    /// Its resident memory, as the system reports it.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_bytes(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    pub(crate) fn started(home: &Home, command: &mut Command) -> Self {
        // A file, so that nobody has to read it while the portal runs.
        let log = File::options().append(true).create(true).open(home.path().join("log")).unwrap();
        Self::announced_by(command.stderr(log), "portal listening on ")
            .unwrap_or_else(|line| panic!("the portal did not start: {line:?}\n{}", home.log()))
    }

    /// A program that prints these words and its URL once it is ready. If it gives up, its output ends.
    pub(crate) fn announced_by(command: &mut Command, words: &str) -> Result<Self, String> {
        let child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut this = Self { child, url: String::new() };
        let lines = BufReader::new(this.child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut last = String::new();
        for line in lines {
            if let Some(url) = line.strip_prefix(words) {
                url.clone_into(&mut this.url);
                return Ok(this);
            }
            last = line;
        }
        Err(last)
    }

    pub(crate) fn kill(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn authority(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub(crate) async fn announce(&self, call: SignedCall) -> Response {
        self.announcement_request(&call).send().await.unwrap()
    }

    pub(crate) fn announcement_request(&self, call: &SignedCall) -> RequestBuilder {
        let request = browser().post(self.at("/tutorcruncher/companies")).header(&call.header, &call.signature);
        request.header("content-type", "application/json").body(call.body.clone())
    }

    /// A company that has signed up.
    pub(crate) async fn company(&self, home: &Home, company: i64) -> Company {
        let key = generate_fernet_key();
        let answer = self.announce(home.announcement(company, &key, "DinoTutors")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        Company { base: self.at("/tutorcruncher/sso"), number: company, key }
    }

    /// Sends bytes as they are and returns all that comes back.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.authority()).await.unwrap();
        // It may answer and close before it has read everything.
        _ = stream.write_all(request.as_ref()).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the connection was not closed: {:?}", String::from_utf8_lossy(&answer));
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A GET for a link, to be sent raw.
    pub(crate) fn raw_get(&self, link: &str) -> String {
        let path = link.strip_prefix(&self.url).unwrap();
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.authority())
    }

    /// Asks it to stop, as a service manager does, and waits until it has.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.terminate().unwrap()
    }

    /// Stops it and returns its log. A portal that is killed loses the lines that it has queued.
    pub(crate) fn into_log(mut self, home: &Home) -> String {
        #[cfg(unix)]
        assert_eq!(self.terminate().unwrap().code(), Some(0));
        #[cfg(not(unix))]
        self.kill();
        home.log()
    }

    #[cfg(unix)]
    pub(crate) fn ask_to_stop(&self) -> std::io::Result<ExitStatus> {
        Command::new("kill").arg(self.child.id().to_string()).status()
    }

    /// Whether it has ended, and how.
    #[cfg(unix)]
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    #[cfg(unix)]
    pub(crate) fn terminate(&mut self) -> std::io::Result<ExitStatus> {
        self.ask_to_stop()?;
        self.child.wait()
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A company of the partner, and its key.
pub(crate) struct Company {
    pub(crate) base: String,
    pub(crate) number: i64,
    pub(crate) key: Secret,
}

impl Company {
    pub(crate) fn link(&self) -> String {
        self.link_with(&user())
    }

    pub(crate) fn link_with(&self, claims: &Value) -> String {
        FernetLink::new(&self.base, self.number.to_string(), &self.key).uri(claims).unwrap()
    }

    pub(crate) fn link_of(&self, time: UnixTime) -> String {
        FernetLink::new(&self.base, self.number.to_string(), &self.key).issued_at(time).uri(&user()).unwrap()
    }
}

pub(crate) fn user() -> Value {
    json!({
        "rt": "Contractor", "nm": "Samuel Colvin", "id": 123, "role_id": 77, "tz": "Europe/London",
        "br_id": 3492, "br_nm": "DinoTutors: Dino Centre", "e": "sam@example.com",
    })
}

pub(crate) fn user_in_a_lesson() -> Value {
    let mut user = user();
    let lesson =
        json!({"apt_id": 42, "apt_nm": "Quadratic equations", "apt_st": 1_700_000_000, "apt_fn": 1_700_003_600});
    user.as_object_mut().unwrap().extend(lesson.as_object().unwrap().clone());
    user
}

/// A new browser: it keeps cookies and does not follow redirects.
pub(crate) fn browser() -> Client {
    Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A GET's status and where it redirects to.
pub(crate) async fn visit(browser: &Client, address: &str) -> (StatusCode, String) {
    let answer = browser.get(address).send().await.unwrap();
    (answer.status(), header(&answer, "location"))
}

/// The answer's status, and the code in its problem+json.
pub(crate) async fn refusal(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(header(&answer, "content-type"), "application/problem+json", "{status}");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["status"], status);
    (status, problem["code"].as_str().unwrap().to_owned())
}

/// What `/me` says.
pub(crate) async fn me(browser: &Client, portal: &Portal) -> (StatusCode, Value) {
    let answer = browser.get(portal.at("/me")).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

pub(crate) fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn command() -> Command {
    let mut command = Command::new(example("portal"));
    set_up(&mut command);
    command
}

fn set_up(command: &mut Command) {
    command.args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "trace").stdin(Stdio::null());
}

/// An example stands beside the directory of the tests: `target/{profile}/deps` and `target/{profile}/examples`.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    let program = program.with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{} is not there: run scripts/test, which builds it", program.display());
    program
}
