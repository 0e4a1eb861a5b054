//! Two portal processes behind one address, sharing a Redis and a database.
//!
//! ```sh
//! cargo build --examples
//! cargo run --example cluster -- --config portal.toml
//! ```
//! The configuration is the portal's (`examples/portal/portal.example.toml`), with a shared Redis and Postgres. Partners
//! use the common address:
//!
//! ```toml
//! public_url = "http://127.0.0.1:3000"
//! database_url = "postgres://user@127.0.0.1/portal"
//! replay_url = "redis://127.0.0.1/"
//! ```
//! Connections go to the portals in turn. If you kill one, the others carry on. If you open a link twice, any portal
//! refuses it the second time.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use tokio::io::{AsyncBufReadExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

#[derive(Parser)]
#[command(about = "Several portals behind one address")]
struct Arguments {
    /// The portals' configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The common address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Number of portals
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    nodes: usize,
}

/// A portal process. Killed when dropped.
struct Node {
    process: Child,
    address: SocketAddr,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| format!("--listen: {error}"))?;
    let mut nodes = Vec::new();
    for _ in 0..arguments.nodes.max(1) {
        let node = Node::start(&arguments.config).await?;
        writeln!(std::io::stdout(), "node {} on {}", node.process.id().unwrap_or_default(), node.address)?;
        nodes.push(node);
    }
    writeln!(std::io::stdout(), "cluster listening on http://{}", listener.local_addr()?)?;
    let addresses: Arc<[SocketAddr]> = nodes.iter().map(|node| node.address).collect();
    let turn = Arc::new(AtomicUsize::new(0));
    let mut stop = std::pin::pin!(asked_to_stop());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // On an error (client gone, out of file descriptors), go on with the next client.
                if let Ok((client, _)) = accepted {
                    tokio::spawn(hand_on(client, Arc::clone(&addresses), Arc::clone(&turn)));
                }
            }
            () = &mut stop => return Ok(()),
        }
    }
}

/// The nodes are killed on drop, so signals must lead to a normal return.
async fn asked_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    _ = interrupted.await;
}

impl Node {
    /// Starts the portal executable next to this one, and waits until it prints its address.
    async fn start(config: &PathBuf) -> Result<Self, Box<dyn Error>> {
        let portal = std::env::current_exe()?.with_file_name("portal").with_extension(std::env::consts::EXE_EXTENSION);
        let mut command = Command::new(&portal);
        command.args(["--listen", "127.0.0.1:0", "--config"]).arg(config).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}: build it with `cargo build --examples`", portal.display()))?;
        let output = process.stdout.take().ok_or("the portal has no output")?;
        let line = BufReader::new(output).lines().next_line().await?.unwrap_or_default();
        let address = line.strip_prefix("portal listening on http://").ok_or("a portal did not start")?;
        Ok(Self { address: address.parse()?, process })
    }
}

/// Connects a client to the next portal that accepts it.
async fn hand_on(mut client: TcpStream, addresses: Arc<[SocketAddr]>, turn: Arc<AtomicUsize>) {
    let first = turn.fetch_add(1, Ordering::Relaxed);
    for address in addresses.iter().cycle().skip(first % addresses.len()).take(addresses.len()) {
        if let Ok(mut portal) = TcpStream::connect(address).await {
            _ = copy_bidirectional(&mut client, &mut portal).await;
            return;
        }
    }
}
