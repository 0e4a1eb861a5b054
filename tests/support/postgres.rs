//! A private, real PostgreSQL server for integration tests.
//!
//! ```ignore
//! let url = support::postgres::shared().fresh_database();   // "postgres://postgres@127.0.0.1:PORT/test_1"
//! ```
//!
//! The server is this test process's own: a throwaway data directory, a free port on the loopback, no password, no
//! durability. It ends with the process, however the process ends; see [`WATCHDOG`]. Unix only.

#![allow(dead_code, unreachable_pub, reason = "each test crate that includes this module uses its own part of it")]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, iter, thread};

use tempfile::TempDir;

/// Generous: a loaded machine may take seconds, and only a broken one ever waits this long.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Another process may take our free port before the server binds it; more often than this is no accident.
const PORT_ATTEMPTS: usize = 5;

/// Runs the server (`"$@"`) until standard input ends, then stops it and removes its directory (`$0`).
///
/// The write end of that pipe is in the test process alone, so it also ends when the process is killed, or exits with
/// the server in a static, which is never dropped. SIGQUIT stops at once, without a checkpoint. The marker file tells
/// "we were told to stop" from "the server gave up", after which the test process still wants to read its log.
const WATCHDOG: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
{ read -r line; : >"$0/stopping"; kill -QUIT "$server"; } <&3 &
watch=$!
wait "$server"
status=$?
if [ -e "$0/stopping" ]; then rm -rf -- "$0"; else kill "$watch"; fi
exit "$status"
"#;

/// The server of this test process, started at first use.
///
/// Tests share the server and not a database: take a [`Postgres::fresh_database`] each.
pub fn shared() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(Postgres::start)
}

/// A running server. Dropping it stops the server and removes its data.
pub struct Postgres {
    watchdog: Child,
    port: u16,
    bin: PathBuf,
    account: Account,
    databases: AtomicU32,
    // Last, so that the directory goes after the server.
    dir: TempDir,
}

impl Postgres {
    /// Creates a data directory, starts a server on it, and returns when it answers.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed or does not start; the message has the server's log.
    pub fn start() -> Self {
        let bin = find_bin();
        let dir = tempfile::Builder::new().prefix("tower-sso-postgres-").tempdir().expect("a temporary directory");
        let account = Account::for_server(dir.path());
        init(&bin, &account, dir.path());

        let mut log = String::new();
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port();
            let mut watchdog = spawn(&bin, &account, dir.path(), port);
            match wait_until_ready(&mut watchdog, &bin, dir.path(), port) {
                Ok(()) => {
                    return Self { watchdog, port, bin, account, databases: AtomicU32::new(0), dir };
                }
                Err(why) => log = format!("{why}\n{}", fs::read_to_string(dir.path().join("log")).unwrap_or_default()),
            }
            stop(&mut watchdog);
            // A server that was stopped for being late has taken its directory with it.
            if !dir.path().exists() || !log.contains("could not create any TCP/IP sockets") {
                break;
            }
        }
        panic!("PostgreSQL from {} did not start: {log}", bin.display());
    }

    /// The address of the maintenance database: for what needs a server and leaves nothing behind.
    pub fn url(&self) -> String {
        url(self.port, "postgres")
    }

    /// Creates an empty database that no other caller gets, and returns its address.
    pub fn fresh_database(&self) -> String {
        // The server is ours alone, so a counter is unique.
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed) + 1);
        if let Err(error) = psql(&self.bin, self.port, &format!("CREATE DATABASE {name}")) {
            panic!("could not create the database {name}: {error}");
        }
        url(self.port, &name)
    }
}

impl Postgres {
    /// Ends it: connections break, and nobody answers. Its data stay. Not as a crash does, after which a server without
    /// durability may lack the last transactions.
    pub fn end(&mut self) {
        let pid = fs::read_to_string(self.dir.path().join("data/postmaster.pid")).expect("the server runs");
        let pid = pid.lines().next().expect("its first line is the process number");
        let status = Command::new("kill").args(["-INT", pid]).status().expect("running kill");
        assert!(status.success(), "kill -INT {pid}");
        // The watchdog ends with the server, and leaves the directory alone as long as its input does not end.
        let input = self.watchdog.stdin.take();
        _ = self.watchdog.wait();
        drop(input);
    }

    /// Starts it again after [`end`](Self::end), on the same port and data.
    pub fn start_again(&mut self) {
        self.watchdog = spawn(&self.bin, &self.account, self.dir.path(), self.port);
        if let Err(error) = wait_until_ready(&mut self.watchdog, &self.bin, self.dir.path(), self.port) {
            let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            panic!("PostgreSQL did not start again: {error}\n{log}");
        }
    }

    /// Holds a table locked until what this returns is dropped: who writes to it waits.
    pub fn lock(&self, database_url: &str, table: &str) -> Lock {
        self.hold(database_url, &format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
    }

    /// Keeps a transaction open in which this statement was run, with the locks that it takes, until what this returns is
    /// dropped.
    pub fn hold(&self, database_url: &str, statement: &str) -> Lock {
        let mut client = clean_command(self.bin.join("psql"));
        client.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", database_url]);
        let mut client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("running psql");
        let begin = format!("BEGIN; {statement}; SELECT 'locked';\n");
        client.stdin.as_mut().expect("a pipe").write_all(begin.as_bytes()).expect("psql reads");
        let mut said = String::new();
        BufReader::new(client.stdout.as_mut().expect("a pipe")).read_line(&mut said).expect("psql answers");
        assert_eq!(said.trim(), "locked");
        Lock(client)
    }

    /// How many wait for a lock in this database.
    pub fn waiting(&self, database_url: &str) -> usize {
        let database = database_url.rsplit('/').next().expect("an address ends with the database");
        let query =
            format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'");
        psql(&self.bin, self.port, &query).expect("psql answers").trim().parse().expect("a number")
    }
}

/// A lock that somebody else holds.
pub struct Lock(Child);

impl Drop for Lock {
    fn drop(&mut self) {
        // The end of its input ends psql, and its transaction with it.
        drop(self.0.stdin.take());
        _ = self.0.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        stop(&mut self.watchdog);
    }
}

/// Who runs the server. PostgreSQL refuses to run as root, which is what a container's tests often are.
struct Account(Option<(u32, u32)>);

impl Account {
    /// Ourselves; if we are root, another user, who is given `dir`.
    fn for_server(dir: &Path) -> Self {
        // We made it a moment ago, so its owner is who we are; std has no other way to ask without unsafe code.
        let us = fs::metadata(dir).expect("the new directory's metadata").uid();
        if us != 0 {
            return Self(None);
        }
        let (uid, gid) = ["postgres", "nobody"]
            .into_iter()
            .find_map(|user| Some((id("-u", user)?, id("-g", user)?)))
            .expect("root may not run PostgreSQL, and neither `postgres` nor `nobody` exists to run it instead");
        chown(dir, Some(uid), Some(gid)).expect("giving the directory to the server's user");
        Self(Some((uid, gid)))
    }

    /// A command that runs as this user.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = clean_command(program);
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid);
        }
        command
    }
}

/// A command that the developer's own PostgreSQL settings do not reach.
fn clean_command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
        command.env_remove(name);
    }
    // One language for the messages we look for. The server's user may not enter the directory that we are in.
    command.env("LC_ALL", "C").env("PGCONNECT_TIMEOUT", "5").current_dir("/").stdin(Stdio::null());
    command
}

fn id(flag: &str, user: &str) -> Option<u32> {
    let output = Command::new("id").args([flag, user]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn init(bin: &Path, account: &Account, dir: &Path) {
    let data = dir.join("data");
    let output = account
        .command(bin.join("initdb"))
        .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"])
        .arg(&data)
        .output()
        .expect("running initdb");
    assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
    // Instead of initdb's rules: this one address, and neither a socket nor replication.
    fs::write(data.join("pg_hba.conf"), "host all postgres 127.0.0.1/32 trust\n").expect("writing pg_hba.conf");
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("binding a loopback port");
    listener.local_addr().expect("the bound address").port()
}

fn spawn(bin: &Path, account: &Account, dir: &Path, port: u16) -> Child {
    // A file, not a pipe: nobody would read it, and the harness must not wait for a server that still holds its own.
    let log = File::create(dir.join("log")).expect("creating the server's log");
    let settings = [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        // In the temporary directory a socket's path could be too long for the system; nobody needs one.
        "unix_socket_directories=".to_owned(),
        // Tells our server from another that may have got the port first.
        format!("cluster_name={}", cluster_name(dir)),
        // Many tests with a pool each.
        "max_connections=200".to_owned(),
        // The data does not outlive the process, so nothing needs to reach the disk.
        "fsync=off".to_owned(),
        "synchronous_commit=off".to_owned(),
        "full_page_writes=off".to_owned(),
        // Nor should it stay there: a log of 1 GiB, which is the default, would outweigh all the databases together.
        "max_wal_size=64MB".to_owned(),
        "min_wal_size=32MB".to_owned(),
    ];
    let mut command = account.command("sh");
    command.arg("-c").arg(WATCHDOG).arg(dir).arg(bin.join("postgres")).arg("-D").arg(dir.join("data"));
    for setting in settings {
        command.arg("-c").arg(setting);
    }
    command
        // A group of its own: Ctrl-C is for the tests. The server then ends with them, and its directory too.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().expect("a second handle of the log"))
        .stderr(log)
        .spawn()
        .expect("running sh")
}

/// Polls until the server answers as ours; gives up when it has ended, or at the limit.
#[allow(clippy::disallowed_methods, reason = "another process tells us nothing: polling it is the only way")]
fn wait_until_ready(watchdog: &mut Child, bin: &Path, dir: &Path, port: u16) -> Result<(), String> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if let Some(status) = watchdog.try_wait().expect("waiting for the server") {
            return Err(format!("it ended with {status}"));
        }
        let last = match psql(bin, port, "SHOW cluster_name") {
            Ok(name) if name.trim() == cluster_name(dir) => return Ok(()),
            Ok(_) => "another server has the port".to_owned(),
            Err(error) => error,
        };
        if Instant::now() > deadline {
            return Err(format!("it does not answer: {last}"));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Ends the watchdog's input, which ends the server, and waits for both.
fn stop(watchdog: &mut Child) {
    drop(watchdog.stdin.take());
    // Nothing can be done about an error, and a panic in a drop would hide the test's own.
    let _ = watchdog.wait();
}

/// Runs one statement and returns what it prints.
fn psql(bin: &Path, port: u16, sql: &str) -> Result<String, String> {
    let output = clean_command(bin.join("psql"))
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password", "--set=ON_ERROR_STOP=1"])
        .args(["--dbname", &url(port, "postgres"), "--command", sql])
        .output()
        .map_err(|error| format!("psql does not run: {error}"))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn url(port: u16, database: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{database}")
}

/// The name of the temporary directory, which is random.
fn cluster_name(dir: &Path) -> String {
    dir.file_name().expect("a temporary directory has a name").to_string_lossy().into_owned()
}

/// The directory with the server's programs: told, on the PATH, or the newest in the usual places.
fn find_bin() -> PathBuf {
    if let Some(told) = env::var_os("TOWER_SSO_POSTGRES_BIN").filter(|told| !told.is_empty()) {
        let told = PathBuf::from(told);
        assert!(is_bin(&told), "TOWER_SSO_POSTGRES_BIN={} lacks postgres, initdb or psql", told.display());
        return told;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    // It may be a lone symlink: its neighbours are at the other end.
    let on_path = env::split_paths(&path)
        .filter_map(|dir| Some(fs::canonicalize(dir.join("postgres")).ok()?.parent()?.to_path_buf()));
    let usual = iter::once(newest_first("/usr/lib/postgresql", "")).chain(
        ["/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"]
            .map(|prefix| newest_first(prefix, "postgresql")),
    );
    on_path
        .chain(usual.flatten())
        .find(|dir| is_bin(dir))
        .expect("PostgreSQL's server programs were not found: run scripts/test, which installs it")
}

fn is_bin(dir: &Path) -> bool {
    ["postgres", "initdb", "psql"].iter().all(|program| dir.join(program).is_file())
}

/// `parent/{prefix}*/bin`, the highest version first.
fn newest_first(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut names: Vec<OsString> = names.filter(|name| name.to_string_lossy().starts_with(prefix)).collect();
    // "9.6", "17", "postgresql@16": by number, or 9 would beat 17.
    let version = |name: &OsString| -> Vec<u32> {
        name.to_string_lossy().split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
    };
    names.sort_by_key(|name| std::cmp::Reverse(version(name)));
    names.into_iter().map(|name| Path::new(parent).join(name).join("bin")).collect()
}
