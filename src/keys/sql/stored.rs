//! The keys that [`explain`](crate::explain) tries.

use super::SqlKeyStore;
use super::backend::{Backend, OwnedRow, Value};
use super::master::{self, Row};
use super::statements::{STORED, STORED_OF};
use super::store::unusable;
use crate::clock::UnixTime;
use crate::keys::{Key, Secret, TenantId};
use crate::store::StoreError;

/// Of this tenant, or of all in the order of their names. Their use is not noted, and an unreadable one is left out: it
/// must not hide the others.
pub(super) async fn keys<DB: Backend>(
    store: &SqlKeyStore<DB>,
    tenant: Option<&TenantId>,
    most: usize,
) -> Result<Vec<Key>, StoreError> {
    if tenant.is_some_and(|tenant| unusable(tenant).is_some()) {
        return Ok(Vec::new());
    }
    let most = Value::Integer(most.try_into().unwrap_or(i64::MAX));
    let mut values = vec![Value::Text(&store.namespace), most];
    values.extend(tenant.map(|tenant| Value::Text(tenant.as_str())));
    let statement = if tenant.is_some() { STORED_OF } else { STORED };
    let rows = DB::owned(&mut *store.pool.acquire().await?, statement, &values).await?;
    let readable = |(tenant, stored, not_after, digest): OwnedRow| {
        let row = Row { namespace: &store.namespace, tenant: &tenant, digest: &digest };
        let secret = master::read(store.master_keys.as_ref(), row, stored).ok()?;
        Some(key(secret, not_after).owned_by(tenant.into()))
    };
    Ok(rows.into_iter().filter_map(readable).collect())
}

/// The current key has no end.
pub(super) fn key(secret: Secret, not_after: Option<i64>) -> Key {
    match not_after {
        None => Key::current(secret),
        Some(not_after) => Key::previous(secret, UnixTime::from_nanos(not_after)),
    }
}
