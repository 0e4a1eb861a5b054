//! A private, real Redis server for integration tests.
//!
//! ```ignore
//! let server = support::redis::Redis::start(&[]);
//! let store = RedisStore::connect(server.url(), "test").await;
//! server.pause();
//! ```
//!
//! The server is the test's own: a throwaway directory, a free port on the loopback, no persistence unless asked for. It
//! ends with the test process, however that ends; see [`WATCHDOG`]. Unix only.

#![allow(dead_code, unreachable_pub, reason = "each test crate that includes this module uses its own part of it")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Generous: a loaded machine may take seconds, and only a broken one ever waits this long.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Another process may take our free port before the server binds it; more often than this is no accident.
const PORT_ATTEMPTS: usize = 5;

/// Says the server's process number, runs it (`"$@"`) with its output in the file `$0`, and kills it when standard input
/// ends, which is when the test process does.
const WATCHDOG: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null >>"$0" 2>&1 &
server=$!
echo "$server"
{ read -r line; kill -KILL "$server"; } <&3 2>/dev/null &
watch=$!
wait "$server"
kill "$watch" 2>/dev/null
exit 0
"#;

/// A server, which may be killed, paused and started again on the same port and directory. Dropping it kills it.
pub struct Redis {
    port: u16,
    arguments: Vec<String>,
    /// What makes it a sentinel.
    sentinel: Option<String>,
    running: Option<Running>,
    // Last, so that the directory goes after the server.
    dir: TempDir,
}

struct Running {
    watchdog: Child,
    pid: String,
}

impl Redis {
    /// Starts a server with these settings besides its own, such as `["--appendonly", "yes"]`, and returns when it answers.
    ///
    /// # Panics
    ///
    /// If redis-server is not installed or does not start; the message has the server's log.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_as(arguments, None)
    }

    /// Starts a sentinel that alone decides who is the master, which is at first the server on this port.
    pub fn sentinel(master: &str, port: u16) -> Self {
        Self::start_as(
            &[],
            Some(format!(
                "sentinel monitor {master} 127.0.0.1 {port} 1\nsentinel down-after-milliseconds {master} 500\n\
                 sentinel failover-timeout {master} 3000\n"
            )),
        )
    }

    fn start_as(arguments: &[&str], sentinel: Option<String>) -> Self {
        let dir = tempfile::Builder::new().prefix("tower-sso-redis-").tempdir().expect("a temporary directory");
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut server = Self { port: 0, arguments, sentinel, running: None, dir };
        for _ in 0..PORT_ATTEMPTS {
            server.port = free_port();
            if server.try_start() {
                return server;
            }
            if !server.log().contains("Address already in use") {
                break;
            }
        }
        panic!("redis-server did not start: {}", server.log());
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Ends it as a crash does: nothing is saved.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            signal("KILL", &running.pid);
            _ = running.watchdog.wait();
        }
    }

    /// Starts it again after [`kill`](Self::kill), with what it finds in its directory.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "it runs");
        assert!(self.try_start(), "redis-server did not start again: {}", self.log());
    }

    /// Stops its process for a while: connections stay, and nothing is answered.
    pub fn pause(&self) {
        signal("STOP", &self.running.as_ref().expect("it runs").pid);
    }

    pub fn resume(&self) {
        signal("CONT", &self.running.as_ref().expect("it runs").pid);
    }

    /// Runs a command of plain words and returns the answer as it came.
    pub fn command(&self, words: &str) -> String {
        command(self.port, &words.split(' ').collect::<Vec<_>>()).expect("the server answers")
    }

    /// Runs a script, with the name of the one key that has this in it as `key`.
    pub fn eval(&self, part_of_key: &str, script: &str) -> String {
        let find = format!("local key = redis.call('KEYS', '*{part_of_key}*')[1] {script}");
        command(self.port, &["EVAL", &find, "0"]).expect("the server answers")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    #[allow(clippy::disallowed_methods, reason = "another process tells us nothing: polling it is the only way")]
    fn try_start(&mut self) -> bool {
        File::create(self.dir.path().join("log")).expect("creating the server's log");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(WATCHDOG).arg(self.dir.path().join("log")).arg("redis-server");
        if let Some(sentinel) = &self.sentinel {
            // A sentinel keeps what it learns in its configuration, so it insists on a file.
            let file = self.dir.path().join("sentinel.conf");
            fs::write(&file, sentinel).expect("writing the configuration");
            shell.arg(file).arg("--sentinel");
        }
        shell.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--dir"]).arg(self.dir.path());
        if self.sentinel.is_none() {
            shell.args(["--save", ""]);
        }
        let mut watchdog = shell
            .args(&self.arguments)
            // A group of its own: Ctrl-C is for the tests. The server then ends with them.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // The shell reports that its child was killed.
            .stderr(Stdio::null())
            .spawn()
            .expect("running sh");
        let mut pid = String::new();
        let stdout = watchdog.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut pid).expect("the server's process number");
        let running = self.running.insert(Running { watchdog, pid: pid.trim().to_owned() });
        let deadline = Instant::now() + START_LIMIT;
        // Another server on this port would give another number.
        let ours = format!("process_id:{}", running.pid);
        while Instant::now() < deadline {
            if command(self.port, &["INFO", "server"]).is_ok_and(|answer| answer.contains(&ours))
                && command(self.port, &["PING"]).is_ok_and(|answer| answer.starts_with("+PONG"))
            {
                return true;
            }
            if running.watchdog.try_wait().expect("waiting for the server").is_some() {
                self.running = None;
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn signal(name: &str, pid: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), pid]).status().expect("running kill");
    assert!(status.success(), "kill -{name} {pid}");
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("binding a loopback port");
    listener.local_addr().expect("the bound address").port()
}

fn command(port: u16, words: &[&str]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let words = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect::<Vec<_>>();
    stream.write_all(format!("*{}\r\n{}", words.len(), words.concat()).as_bytes())?;
    let mut answer = vec![0; 64 * 1024];
    let length = stream.read(&mut answer)?;
    answer.truncate(length);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
