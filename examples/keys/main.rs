//! An operator's tool for the keys in a database ([`tower_sso::keys::sql`]).
//!
//! ```sh
//! export DATABASE_URL=sqlite://portal.db TOWER_SSO_MASTER_KEYS="$(cat master-keys)"
//! cargo run --example keys -- --namespace tutorcruncher list
//! cargo run --example keys -- --namespace tutorcruncher add 4321 < secret
//! cargo run --example keys -- --namespace tutorcruncher rotate 4321 --grace 24h < new-secret
//! cargo run --example keys -- --namespace tutorcruncher end-previous 4321
//! cargo run --example keys -- --namespace tutorcruncher revoke 4321
//! cargo run --example keys -- --namespace tutorcruncher log 4321
//! cargo run --example keys -- --namespace tutorcruncher encrypt
//! ```
//! A secret comes from standard input, never from the command line, which other users of the machine can read. No
//! command shows one. Each change is recorded with your name. Give the tool the master keys that the application has.
//!
//! The application's processes see a new key within a second, and notice a removal within the `time_to_live` of their
//! `CachedKeys`.

#![allow(missing_docs, reason = "a program, not a library")]

#[cfg(test)]
mod tests;

use std::error::Error;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Parser, Subcommand};
use sqlx::any::AnyPoolOptions;
use tower_sso::clock::{Clock, SystemClock, UnixTime};
use tower_sso::keys::sql::{MasterKeys, SqlKeyStore};
use tower_sso::keys::{Secret, TenantId};
use tower_sso::replay::FingerprintHasher;

type Failure = Box<dyn Error>;
type Store = SqlKeyStore<sqlx::Any>;

/// How many tenants are listed at once.
const PAGE: u32 = 500;

#[derive(Parser)]
#[command(about = "Lists, adds, rotates and revokes the keys in a database")]
struct Arguments {
    /// The database: sqlite://… or postgres://…. Default: the variable DATABASE_URL
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The partner whose keys they are, as in `SqlKeyStore::new`
    #[arg(long, value_name = "NAME")]
    namespace: String,
    /// A file with the master keys, one to a line. Default: the variable TOWER_SSO_MASTER_KEYS
    #[arg(long, value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// Who you are, for the record. Default: the variable USER
    #[arg(long = "as", value_name = "WHO")]
    who: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists the keys: of one tenant, or of all
    List { tenant: Option<String> },
    /// Adds the first key of a tenant, from standard input
    Add { tenant: String },
    /// Replaces a tenant's key by one from standard input. The old one is accepted for the grace period
    Rotate {
        tenant: String,
        /// Such as "24h" or "15m"
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        grace: Duration,
    },
    /// Ends a tenant's previous keys now. The current key stays
    EndPrevious { tenant: String },
    /// Removes all keys of a tenant now
    Revoke { tenant: String },
    /// Shows who changed keys: of one tenant, or of all
    Log {
        tenant: Option<String>,
        /// How many changes, the newest first
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        most: u32,
    },
    /// Updates the tables, and encrypts all secrets under the first master key
    Encrypt,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse(), &mut std::io::stdin(), &mut std::io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            _ = writeln!(std::io::stderr(), "keys: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), Failure> {
    let keys = open(&arguments).await?;
    if !matches!(arguments.command, Command::Encrypt) {
        keys.check_master_keys().await?;
    }
    match arguments.command {
        Command::List { tenant: Some(tenant) } => list(&keys, &tenant.into(), output).await,
        Command::List { tenant: None } => list_all(&keys, output).await,
        Command::Add { tenant } => add(&keys, tenant.into(), input).await,
        Command::Rotate { tenant, grace } => rotate(&keys.grace(grace), tenant.into(), input).await,
        Command::EndPrevious { tenant } => Ok(keys.end_previous(&known(&keys, tenant).await?).await?),
        Command::Revoke { tenant } => Ok(keys.remove(&known(&keys, tenant).await?).await?),
        Command::Log { tenant, most } => log(&keys, tenant.map(TenantId::from), most, output).await,
        Command::Encrypt => Ok(keys.migrate().await?),
    }
}

async fn open(arguments: &Arguments) -> Result<Store, Failure> {
    let variable = |name| std::env::var(name).ok();
    let url = arguments.database.clone().or_else(|| variable("DATABASE_URL"));
    let url = url.ok_or("which database? Give --database or set DATABASE_URL")?;
    let master_keys = match &arguments.master_key_file {
        Some(file) => Some(std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?),
        None => variable("TOWER_SSO_MASTER_KEYS"),
    };
    let master_keys = master_keys.map(|text| MasterKeys::parse(&text)).transpose()?;
    let who = arguments.who.clone().or_else(|| variable("USER"));
    let who = who.ok_or("who are you? Give --as, for the record of changes")?;
    sqlx::any::install_default_drivers();
    let pool = AnyPoolOptions::new().max_connections(1).connect(&url).await?;
    Ok(SqlKeyStore::new(pool, arguments.namespace.as_str()).master_keys(master_keys).acting_as(&who))
}

async fn list_all(keys: &Store, output: &mut dyn Write) -> Result<(), Failure> {
    let mut last = None;
    loop {
        let page = keys.tenants(last.as_ref(), PAGE).await?;
        for tenant in &page {
            list(keys, tenant, output).await?;
        }
        match page.into_iter().next_back() {
            Some(tenant) => last = Some(tenant),
            None => return Ok(()),
        }
    }
}

/// A line for each key: the tenant, the key's id, until when it is accepted, and when it was last used.
async fn list(keys: &Store, tenant: &TenantId, output: &mut dyn Write) -> Result<(), Failure> {
    for key in keys.keys_of(tenant).await? {
        let state = key.not_after.map_or("current".to_owned(), |end| format!("until {}", time(end)));
        let used = key.last_used.map_or("never noted".to_owned(), time);
        let stored = if key.is_encrypted { "encrypted" } else { "readable" };
        writeln!(output, "{}\t{}\t{state}\tlast used: {used}\t{stored}", shown(tenant.as_str()), key.id)?;
    }
    Ok(())
}

async fn log(keys: &Store, tenant: Option<TenantId>, most: u32, output: &mut dyn Write) -> Result<(), Failure> {
    for change in keys.changes(tenant.as_ref(), most).await? {
        let (tenant, key) = (shown(change.tenant.as_str()), change.key.unwrap_or_default());
        writeln!(output, "{}\t{}\t{tenant}\t{}\t{key}", time(change.at), shown(&change.who), change.what)?;
    }
    Ok(())
}

async fn add(keys: &Store, tenant: TenantId, input: &mut dyn Read) -> Result<(), Failure> {
    if has_key(keys, &tenant).await? {
        return Err("the tenant has a key: to replace it, call `rotate`".into());
    }
    install(keys, &tenant, input).await
}

async fn rotate(keys: &Store, tenant: TenantId, input: &mut dyn Read) -> Result<(), Failure> {
    if !has_key(keys, &tenant).await? {
        return Err("the tenant has no key: to give it the first one, call `add`".into());
    }
    install(keys, &tenant, input).await
}

async fn install(keys: &Store, tenant: &TenantId, input: &mut dyn Read) -> Result<(), Failure> {
    let secret = secret(input)?;
    // A change of its own, each time.
    let mut change = FingerprintHasher::new("keys");
    change.part(&SystemClock.now().as_nanos().to_be_bytes()).part(secret.expose());
    _ = keys.rotate(tenant, &secret, change.finish()).await?;
    Ok(())
}

/// Without the line feed that an editor or `echo` leaves at the end.
fn secret(input: &mut dyn Read) -> Result<Secret, Failure> {
    let mut text = String::new();
    input.read_to_string(&mut text)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line != line.trim() {
        return Err("the secret begins or ends with white space: take it out".into());
    }
    Ok(Secret::new(line))
}

async fn has_key(keys: &Store, tenant: &TenantId) -> Result<bool, Failure> {
    Ok(keys.keys_of(tenant).await?.iter().any(|key| key.not_after.is_none()))
}

/// A slip in the name must not look like success.
async fn known(keys: &Store, tenant: String) -> Result<TenantId, Failure> {
    let tenant = TenantId::from(tenant);
    match keys.keys_of(&tenant).await?.is_empty() {
        true => Err("the tenant has no keys: `list` shows who has".into()),
        false => Ok(tenant),
    }
}

fn time(at: UnixTime) -> String {
    let seconds = Duration::from_secs(u64::try_from(at.as_secs()).unwrap_or_default());
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + seconds).to_string()
}

/// A name that a partner chose must not reach the terminal as a command.
fn shown(name: &str) -> String {
    name.escape_debug().to_string()
}
