//! A SaaS portal that five partners sign their users in to, with a demo page on which you play each partner.
//!
//! ```sh
//! cargo run --example portal                          # the demo, on http://127.0.0.1:3000
//! cargo run --example portal -- --config portal.toml  # your configuration, without the demo
//! cargo run --example portal -- --config portal.toml --explain 'https://portal.example/sso/oauth/?…'
//! cargo run --example portal -- --config portal.toml --kit https://portal.example/sso/oauth/ --tenant rainier
//! ```
//!
//! | file | contents |
//! |---|---|
//! | `vendors/` | the configuration and routes of each vendor. **This is where the crate is used** |
//! | `session.rs` | from an identity to a session; `/me` and `/logout` |
//! | `app.rs`, `config.rs`, `db.rs`, `stores.rs` | the router and its state, `portal.toml`, the database, the replay store |
//! | `accounts.rs`, `passwords.rs` | users that the portal registers itself |
//! | `explain.rs`, `operators.rs` | why a partner's request does not pass, for the operator: the command and the page |
//! | `presets.rs` | partners of other apps, whose requests are explained too |
//! | `kits.rs` | pages for partners: how they sign requests |
//! | `caller.rs`, `text.rs` | checks of untrusted client addresses and text |
//! | `random.rs` | secrets and ids |
//! | `serve.rs`, `log.rs`, `health.rs` | the server, its timeouts and limits; logging; health and metrics |
//! | `page.rs`, `problem.rs`, `templates/` | the pages and error answers |
//! | `demo/` | the partners' side, which signs links. A relying party has no such code |

#![allow(missing_docs, reason = "a program, not a library")]

mod accounts;
mod app;
mod caller;
mod config;
mod db;
mod demo;
mod explain;
mod health;
mod kits;
mod log;
mod operators;
mod page;
mod passwords;
mod presets;
mod problem;
mod random;
mod serve;
mod session;
mod stores;
#[cfg(test)]
mod tests;
mod text;
mod vendors;

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::net::TcpListener;
use tower_sso::clock::{Clock, SystemClock};

use crate::app::{Parts, Portal};
use crate::config::{Config, ConfigError, Origin};
use crate::db::Database;
use crate::explain::Explainers;
use crate::health::Health;
use crate::kits::Kits;
use crate::stores::Stores;

const SWEEP_INTERVAL: Duration = Duration::from_secs(10 * 60);

#[derive(Parser)]
#[command(about = "A portal that partners sign their users in to, with a demo page")]
struct Arguments {
    /// Configuration file. Without one, the demo runs with generated secrets
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on; overrides the configuration
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Explains why this request of a partner does not pass, instead of serving: a URL, or a line for curl
    #[arg(long, value_name = "REQUEST")]
    explain: Option<String>,
    /// Prints a page for the partner whose requests go to this URL, in Markdown, instead of serving
    #[arg(long, value_name = "URL", conflicts_with = "explain")]
    kit: Option<String>,
    /// The partner's tenant, where its requests name it
    #[arg(long, value_name = "NAME", requires = "kit")]
    tenant: Option<String>,
    /// Directory of the database file, unless the configuration sets `database_url`
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            _ = writeln!(std::io::stderr(), "portal: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    // `_writing` flushes the log when dropped.
    let (log, _writing) = log::start()?;
    let demo = arguments.config.is_none();
    let config = arguments.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
    let master_keys = config.master_keys()?;
    let url = match (config.database_url.clone(), arguments.data) {
        (Some(_), Some(_)) => return Err(ConfigError("`database_url` is set: remove --data".to_owned()).into()),
        (Some(url), None) => url,
        (None, Some(directory)) => db::file_in(&directory)?,
        (None, None) => db::file_in(&user_directory()?)?,
    };
    let database = Database::open(&url).await?;

    // Beside a portal that serves.
    let any_port = arguments.explain.as_ref().or(arguments.kit.as_ref()).map(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
    let listen = any_port.or(arguments.listen).unwrap_or(config.listen);
    let listener = TcpListener::bind(listen).await.map_err(|error| format!("`listen` = {listen}: {error}"))?;
    let address = listener.local_addr()?;
    if demo && !address.ip().is_loopback() {
        tracing::warn!("the demo is reachable from other machines: its page signs anyone in");
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let stores = Stores::open(&config.replay_url, config.replay_namespace(), &clock).await;
    let stores = stores.map_err(|error| format!("`replay_url`: {error}"))?;
    let connections = config.connections.clone();
    let public_url = config.public_url.clone().unwrap_or_else(|| Origin::of_listener(address));
    let portal = Portal::new(Parts {
        vendors: if demo { vendors::made_up(&database, &public_url).await? } else { config.vendors },
        clock,
        database,
        master_keys,
        stores,
        health: Health::default(),
        metrics: health::recorder()?,
        log: Some(log),
        public_url,
        demo,
        explainers: Explainers::default(),
        kits: Kits::default(),
    });
    let app = app::app(&portal).await?;
    presets::add(&config.explained, &portal.explainers, &portal.public_url, &portal.clock)?;
    let operators = config.operators_listen.filter(|_| any_port.is_none());
    if let Some(line) = arguments.explain {
        let explanation = portal.explainers.explain(explain::read(&line)?).await;
        let explanation = explanation.ok_or(explain::UNKNOWN)?;
        write!(std::io::stdout(), "{explanation}")?;
        return Ok(());
    }
    if let Some(address) = arguments.kit {
        let page = portal.kits.page(&address, arguments.tenant.as_deref());
        let page = page.ok_or("no partner signs requests to this path")??;
        write!(std::io::stdout(), "{page}")?;
        return Ok(());
    }
    tokio::spawn(sweep_sessions(portal.clone()));
    wait_for_the_cutoff(&portal).await;

    let stop = asked_to_stop();
    // In one write: whoever has read the first line may stop reading.
    let mut announcement = String::new();
    if let Some(address) = operators {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| format!("`operators_listen` = {address}: {error}"))?;
        let address = listener.local_addr()?;
        let (app, connections) = (operators::app(&portal, address)?, connections.clone());
        // Ends with the process.
        tokio::spawn(async move { serve::serve(listener, app, &connections, std::future::pending()).await });
        announcement = format!("operators' page on http://{address}\n");
    }
    announcement += &format!("portal listening on http://{address}\n");
    std::io::stdout().write_all(announcement.as_bytes())?;
    serve::serve(listener, app, &connections, stop).await;
    Ok(())
}

fn user_directory() -> Result<PathBuf, ConfigError> {
    let directories = directories::ProjectDirs::from("", "", "tower-sso-portal");
    let directories =
        directories.ok_or_else(|| ConfigError("this user has no home directory: give one with --data".to_owned()))?;
    Ok(directories.data_dir().to_owned())
}

/// Waits until the second in which the replay store opened is over.
///
/// The store refuses links dated before it opened, because they may have been used before a restart. Partners date links in
/// whole seconds, so a link made in that same second would be refused too.
async fn wait_for_the_cutoff(portal: &Portal) {
    if let Some(cutoff) = portal.stores.replay.remembers_since() {
        let open = cutoff.ceil_to_second();
        while portal.clock.now() < open {
            tokio::time::sleep(open.since(portal.clock.now())).await;
        }
    }
}

async fn sweep_sessions(portal: Portal) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        if let Err(error) = session::sweep(&portal.database, &portal.clock).await {
            tracing::warn!(%error, "expired sessions were not deleted");
        }
    }
}

/// Listens for signals from now on, not only once it is polled: whoever reads that the portal listens may stop it at once.
fn asked_to_stop() -> impl Future<Output = ()> {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    let terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    async move {
        #[cfg(unix)]
        if let Ok(mut terminated) = terminated {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
        _ = interrupted.await;
    }
}
