//! The SQLite file. Keys are stored readable in it: nobody else on this machine is to read them.

use std::error::Error;
use std::fs::{DirBuilder, File};
use std::path::Path;
use std::str::FromStr;

use sqlx::sqlite::SqliteConnectOptions;

use crate::config::DatabaseUrl;

/// A file in `dir`, which is created if need be.
pub(crate) fn file_in(dir: &Path) -> Result<DatabaseUrl, Box<dyn Error>> {
    let mut directory = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
    directory.recursive(true).create(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let path = std::path::absolute(dir)?.join("portal.db");
    let path = path.to_str().ok_or_else(|| format!("{}: the path must be UTF-8", path.display()))?;
    // A URL ends its path at these; the driver decodes them again.
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(DatabaseUrl(format!("sqlite://{path}?mode=rwc")))
}

/// Creates the file before SQLite does, which would let everybody read it. What it writes beside it has the same rights. A
/// file that is there is left as it is, and so is one that the URL does not want to be made.
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
