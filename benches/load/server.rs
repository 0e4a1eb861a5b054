//! The servers: the bench starts its own executable again as a server process.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::ticket::MemoryTickets;
use tracing_subscriber::EnvFilter;

use crate::app::{self, Parts, Portal};
use crate::config::{Connections, Origin};
use crate::db::{self, Database};
use crate::explain::Explainers;
use crate::health::{self, Health};
use crate::kits::Kits;
use crate::stores::Stores;
use crate::{serve, settings};

const SERVE: &str = "--serve";

/// Fixed, so that results of different machines are comparable.
const THREADS: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum App {
    Portal,
    Bare,
}

impl App {
    fn name(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Bare => "bare",
        }
    }

    /// The app that this process should serve, and its data directory.
    pub(crate) fn asked_for(arguments: &[String]) -> Option<(Self, &Path)> {
        let [flag, name, directory] = arguments else { return None };
        let app = [Self::Portal, Self::Bare].into_iter().find(|app| app.name() == name)?;
        (flag == SERVE).then_some((app, Path::new(directory)))
    }

    pub(crate) fn of_this_process() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        Self::asked_for(&arguments).expect("only a server has routes").0
    }
}

/// Serves until the measuring process ends.
pub(crate) fn run(directory: &Path) {
    let data = directory.to_owned();
    std::thread::spawn(move || {
        _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        // On a normal exit the parent kills this process first. Here it has crashed, so remove the data.
        _ = std::fs::remove_dir_all(data);
        std::process::exit(0);
    });
    // Like the portal's log but discarded, so that the cost of formatting is measured.
    tracing_subscriber::fmt().with_env_filter(EnvFilter::new("info")).with_writer(std::io::sink).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    runtime.unwrap().block_on(start(directory)).unwrap();
}

/// Like the portal's `main`.
async fn start(directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let database = Database::open(&db::file_in(directory)?).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut stores = Stores::in_memory(&clock);
    // No limit: tickets are never redeemed here, so a minute's worth of them accumulates.
    stores.tickets = Arc::new(MemoryTickets::builder().ceiling(u64::MAX).build());
    let portal = Portal::new(Parts {
        vendors: settings::vendors()?,
        clock,
        database,
        master_keys: None,
        stores,
        health: Health::default(),
        metrics: health::recorder()?,
        log: None,
        public_url: Origin::of_listener(address),
        demo: false,
        explainers: Explainers::default(),
        kits: Kits::default(),
    });
    // Before building the routes: the bare app verifies one link through a layer, which must not refuse it as too old.
    wait_for_the_cutoff(&portal).await;
    let app = app::app(&portal).await?;

    writeln!(std::io::stdout(), "{address}")?;
    serve::serve(listener, app, &Connections::default(), std::future::pending()).await;
    Ok(())
}

async fn wait_for_the_cutoff(portal: &Portal) {
    if let Some(cutoff) = portal.stores.replay.remembers_since() {
        let open = cutoff.ceil_to_second();
        while portal.clock.now() < open {
            tokio::time::sleep(open.since(portal.clock.now())).await;
        }
    }
}

/// A running server process. Killed on drop.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Child,
    _directory: TempDir,
}

impl Server {
    pub(crate) fn start(app: App) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(SERVE).arg(app.name()).arg(directory.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let process = command.spawn().unwrap();
        // Constructed before anything can panic, so that the process is always killed.
        let mut server = Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), process, _directory: directory };
        let mut line = String::new();
        BufReader::new(server.process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        server.address = line.trim().parse().unwrap_or_else(|_| panic!("{} did not start", app.name()));
        server
    }

    /// The CPU time of its threads in nanoseconds; `None` if the system does not report it.
    pub(crate) fn cpu(&self) -> Option<u64> {
        let mut threads = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).ok()?;
        threads.try_fold(0, |sum, thread| {
            let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            Some(sum + text.split_whitespace().next()?.parse::<u64>().ok()?)
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
