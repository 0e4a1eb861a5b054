//! Why a partner's request does not pass, on a line:
//!
//! ```sh
//! cargo run --example explain -- --config portal.toml 'https://portal.example/sso/oauth/?timestamp=…'
//! ```
//!
//! The request is a URL, or a line for curl as a browser's developer tools copy it. This runs the [portal](portal/main.rs)
//! with `--explain`, so that its layers are set up in one place: a copy could say something else about a request. Sections
//! `[[explained]]` add presets of other partners, such as `webhooks::stripe`.

#![allow(missing_docs, reason = "a program, not a library")]

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;

#[derive(Parser)]
#[command(about = "Explains why a partner's request does not pass the portal")]
struct Arguments {
    /// The portal's configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The directory of its database file, unless the configuration sets `database_url`
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// A URL, or a line for curl
    request: String,
}

fn main() -> ExitCode {
    let Arguments { config, data, request } = Arguments::parse();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut portal = Command::new(cargo);
    portal.args(["run", "--quiet", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    if !cfg!(debug_assertions) {
        portal.arg("--release");
    }
    portal.args(["--example", "portal", "--", "--config"]).arg(config).args(["--explain", &request]);
    if let Some(data) = data {
        portal.arg("--data").arg(data);
    }
    match portal.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            _ = writeln!(std::io::stderr(), "explain: cargo does not start: {error}");
            ExitCode::FAILURE
        }
    }
}
