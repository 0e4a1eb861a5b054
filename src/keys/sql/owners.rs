//! Notes whose the public keys are that earlier releases stored under the digest of their text.

use super::backend::{Backend, StoredRow, Value};
use super::master::{self, Row};
use super::statements::{ALL, OWN};
use super::transaction::digest;
use super::{SqlKeyError, SqlKeyStore};
use crate::keys::identity::identity;

/// Of two tenants that have one key already, the first keeps it from the other's next rotation on. A key that nobody
/// can decrypt is left out.
pub(super) async fn all<DB: Backend>(store: &SqlKeyStore<DB>) -> Result<(), SqlKeyError> {
    let namespace = Value::Text(&store.namespace);
    let mut connection = store.pool.acquire().await?;
    let mut last = Vec::new();
    loop {
        let rows = DB::stored(&mut connection, ALL, &[namespace, Value::Bytes(&last)]).await?;
        let Some((digest, ..)) = rows.last() else { return Ok(()) };
        last.clone_from(digest);
        for row in rows {
            if let Some((digest, tenant)) = owner(store, row) {
                let values = [Value::Bytes(&digest), namespace, Value::Text(&tenant)];
                DB::execute(&mut connection, OWN, &values).await?;
            }
        }
    }
}

/// The digest under which the key is to be found, if the row has another.
fn owner<DB: Backend>(
    store: &SqlKeyStore<DB>,
    (stored_under, tenant, stored): StoredRow,
) -> Option<([u8; 32], String)> {
    let row = Row { namespace: &store.namespace, tenant: &tenant, digest: &stored_under };
    let secret = master::read(store.master_keys.as_ref(), row, stored).ok()?;
    let digest = digest(store.namespace.as_bytes(), &identity(secret.expose()));
    (digest[..] != *stored_under).then_some((digest, tenant))
}
