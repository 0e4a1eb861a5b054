//! The SQLite file. Without master keys it holds keys in plain text, so only its owner may read it.

use std::error::Error;
use std::fs::{DirBuilder, File};
use std::path::Path;
use std::str::FromStr;

use sqlx::sqlite::SqliteConnectOptions;

use crate::config::DatabaseUrl;

/// A database file in `dir`. Creates the directory if necessary.
pub(crate) fn file_in(dir: &Path) -> Result<DatabaseUrl, Box<dyn Error>> {
    let mut directory = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
    directory.recursive(true).create(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let path = std::path::absolute(dir)?.join("portal.db");
    let path = path.to_str().ok_or_else(|| format!("{}: the path must be UTF-8", path.display()))?;
    // `?` and `#` would end the URL's path. The driver decodes the escapes.
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(DatabaseUrl(format!("sqlite://{path}?mode=rwc")))
}

/// Creates the file with mode 0600. SQLite would create it world-readable, and gives its WAL files the same mode. Does
/// nothing if the file exists or the URL does not create it.
pub(super) fn make_private(url: &DatabaseUrl) -> Result<(), Box<dyn Error>> {
    if !url.0.contains("mode=rwc") {
        return Ok(());
    }
    let path = SqliteConnectOptions::from_str(&url.0)?.get_filename().to_owned();
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path).map_err(|error| format!("`database_url`: {}: {error}", path.display()))?;
    Ok(())
}
