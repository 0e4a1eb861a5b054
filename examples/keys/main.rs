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
//! command shows one. Each change is recorded with your name, and the tenant's keys are listed after it. Give the tool the
//! master keys that the application has.
//!
//! The application's processes see a new key within a second, and notice a removal within the `time_to_live` of their
//! `CachedKeys`.

#![allow(missing_docs, reason = "a program, not a library")]

#[cfg(test)]
mod tests;

use std::error::Error;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Parser, Subcommand};
use sqlx::Connection;
use sqlx::any::AnyPoolOptions;
use tower_sso::clock::{Clock, SystemClock, UnixTime};
use tower_sso::keys::sql::{MasterKeys, Rotation, SqlKeyError, SqlKeyStore};
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
    Add {
        tenant: String,
        /// Take the secret even if it looks wrongly copied or is short
        #[arg(long)]
        verbatim: bool,
    },
    /// Replaces a tenant's key by one from standard input. The old one is accepted for the grace period
    Rotate {
        tenant: String,
        /// Such as "24h" or "15m"
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        grace: Duration,
        /// Take the secret even if it looks wrongly copied or is short
        #[arg(long)]
        verbatim: bool,
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
    let arguments = Arguments::parse();
    let takes_a_secret = matches!(arguments.command, Command::Add { .. } | Command::Rotate { .. });
    if takes_a_secret && std::io::stdin().is_terminal() {
        _ = writeln!(std::io::stderr(), "keys: type the secret, then Enter and Ctrl-D");
    }
    match run(arguments, &mut std::io::stdin(), &mut std::io::stdout()).await {
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
        keys.check_master_keys().await.map_err(|error| match error {
            SqlKeyError::Database(error) => {
                format!("{error}: is it the application's database? `encrypt` makes the tables")
            }
            other => format!("{other} (here: with --master-key-file, or in TOWER_SSO_MASTER_KEYS)"),
        })?;
    }
    match arguments.command {
        Command::List { tenant: Some(tenant) } => list(&keys, &known(&keys, tenant).await?, output).await,
        Command::List { tenant: None } => list_all(&keys, &arguments.namespace, output).await,
        Command::Add { tenant, verbatim } => {
            let tenant = tenant.into();
            add(&keys, &tenant, secret(input, verbatim)?).await?;
            list(&keys, &tenant, output).await
        }
        Command::Rotate { tenant, grace, verbatim } => {
            let tenant = tenant.into();
            rotate(&keys.clone().grace(grace), &tenant, secret(input, verbatim)?).await?;
            list(&keys, &tenant, output).await
        }
        Command::EndPrevious { tenant } => {
            let tenant = known(&keys, tenant).await?;
            keys.end_previous(&tenant).await?;
            list(&keys, &tenant, output).await
        }
        Command::Revoke { tenant } => {
            keys.remove(&known(&keys, tenant).await?).await?;
            Ok(writeln!(output, "the tenant has no keys now")?)
        }
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
    // A pool would try for half a minute, and not say why it failed.
    let tried =
        sqlx::AnyConnection::connect(&url).await.map_err(|error| format!("cannot open the database: {error}"))?;
    tried.close().await?;
    let pool = AnyPoolOptions::new().max_connections(1).connect(&url).await?;
    Ok(SqlKeyStore::new(pool, arguments.namespace.as_str()).master_keys(master_keys).acting_as(&who))
}

async fn list_all(keys: &Store, namespace: &str, output: &mut dyn Write) -> Result<(), Failure> {
    let mut last = None;
    loop {
        let page = keys.tenants(last.as_ref(), PAGE).await?;
        for tenant in &page {
            list(keys, tenant, output).await?;
        }
        match (page.into_iter().next_back(), &last) {
            (Some(tenant), _) => last = Some(tenant),
            (None, Some(_)) => return Ok(()),
            (None, None) => return Err(format!("nobody has keys in the namespace {namespace:?}").into()),
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

async fn add(keys: &Store, tenant: &TenantId, secret: Secret) -> Result<(), Failure> {
    if has_key(keys, tenant).await? {
        return Err("the tenant has a key: to replace it, call `rotate`".into());
    }
    install(keys, tenant, secret).await
}

async fn rotate(keys: &Store, tenant: &TenantId, secret: Secret) -> Result<(), Failure> {
    if !has_key(keys, tenant).await? {
        return Err("the tenant has no key: to give it the first one, call `add`".into());
    }
    install(keys, tenant, secret).await
}

async fn install(keys: &Store, tenant: &TenantId, secret: Secret) -> Result<(), Failure> {
    // A change of its own, each time.
    let mut change = FingerprintHasher::new("keys");
    change.part(&SystemClock.now().as_nanos().to_be_bytes()).part(secret.expose());
    match keys.rotate(tenant, &secret, change.finish()).await? {
        Rotation::Unchanged => Err("it is the tenant's current key already: nothing was changed".into()),
        _ => Ok(()),
    }
}

/// Without the line feed that an editor or `echo` leaves at the end. Unless it is taken verbatim, what is almost surely a slip
/// is refused now, and not by the partner's first request.
fn secret(input: &mut dyn Read, verbatim: bool) -> Result<Secret, Failure> {
    let mut text = String::new();
    input.read_to_string(&mut text)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let is_quoted = |quote| line.len() > 1 && line.starts_with(quote) && line.ends_with(quote);
    let slip = match line {
        "" => "is empty",
        _ if line != line.trim() => "begins or ends with white space",
        _ if line.starts_with('\u{feff}') => "begins with a byte order mark",
        _ if is_quoted('"') || is_quoted('\'') => "is in quotes",
        _ if line.contains("://") => "is a URL",
        _ if line.len() < 8 => "has fewer than eight bytes, so it can be guessed",
        _ => return Ok(Secret::new(line)),
    };
    if verbatim {
        return Ok(Secret::verbatim(line));
    }
    Err(format!("the secret {slip}: mend it, or call with `--verbatim` if the partner gave it out so").into())
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
