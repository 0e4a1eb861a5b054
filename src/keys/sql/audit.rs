//! What an operator sees of the keys: which there are, when they were last used, and who changed them.

use super::backend::{Backend, ChangeRow, ListedRow, Value};
use super::master::MARK;
use super::statements::{AUDIT, CHANGES, CHANGES_OF, LISTED, TENANTS};
use super::store::unusable;
use super::{SqlKeyError, SqlKeyStore};
use crate::clock::UnixTime;
use crate::keys::TenantId;
use crate::text::hex::encode_hex;

/// The longest name of an actor, in bytes.
const LONGEST_ACTOR: usize = 200;

/// A key of a tenant, without its secret.
///
/// ```no_run
/// # use tower_sso::{clock::UnixTime, keys::{TenantId, sql::SqlKeyStore}};
/// # async fn show(keys: SqlKeyStore<sqlx::Any>) -> Result<(), tower_sso::keys::sql::SqlKeyError> {
/// for key in keys.keys_of(&TenantId::from("4321")).await? {
///     let state = if key.not_after.is_none() { "current" } else { "previous" };
///     println!("{} {state}, last used {:?}", key.id, key.last_used.map(UnixTime::as_secs));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredKey {
    /// Names the key in [`Change::key`] too: the first eight hexadecimal digits of its digest.
    pub id: String,
    /// The last instant at which it is accepted. `None` is the current key.
    pub not_after: Option<UnixTime>,
    /// When it last proved a credential, to the minute. `None` if it never did, or if no process notes it
    /// ([`SqlKeyStore::note_last_use`]).
    pub last_used: Option<UnixTime>,
    /// Whether the secret is encrypted.
    pub is_encrypted: bool,
}

/// A change of a tenant's keys, as it was recorded with it in one transaction.
///
/// ```no_run
/// # use tower_sso::keys::sql::{SqlKeyError, SqlKeyStore};
/// # async fn show(keys: SqlKeyStore<sqlx::Any>) -> Result<(), SqlKeyError> {
/// for change in keys.changes(None, 20).await? {
///     println!("{} {} {} {}", change.at.as_secs(), change.who, change.tenant, change.what);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// When.
    pub at: UnixTime,
    /// By whom: the name given to [`SqlKeyStore::acting_as`].
    pub who: String,
    /// Whose keys.
    pub tenant: TenantId,
    /// `created`, `rotated`, `removed`, `previous ended` or `encrypted`.
    pub what: String,
    /// The key, as in [`StoredKey::id`]. `None` if the change concerns all keys of the tenant, or all previous ones.
    pub key: Option<String>,
}

#[derive(Clone, Copy)]
pub(super) enum Action {
    Created,
    Rotated,
    Removed,
    PreviousEnded,
    Encrypted,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Rotated => "rotated",
            Self::Removed => "removed",
            Self::PreviousEnded => "previous ended",
            Self::Encrypted => "encrypted",
        }
    }
}

impl<DB: Backend> SqlKeyStore<DB> {
    /// The tenants that have keys, ended ones included: at most `most` of them, in the database's order, those after
    /// `after`.
    pub async fn tenants(&self, after: Option<&TenantId>, most: u32) -> Result<Vec<TenantId>, SqlKeyError> {
        let name = after.map_or("", TenantId::as_str);
        let is_later = Value::Integer(i64::from(after.is_some()));
        let values = [Value::Text(&self.namespace), Value::Text(name), is_later, Value::Integer(most.into())];
        let names = DB::names(&mut *self.pool.acquire().await?, TENANTS, &values).await?;
        Ok(names.into_iter().map(|(name,)| name.into()).collect())
    }

    /// The tenant's keys that are accepted now, the newest first. Empty for an unknown tenant.
    pub async fn keys_of(&self, tenant: &TenantId) -> Result<Vec<StoredKey>, SqlKeyError> {
        if unusable(tenant).is_some() {
            return Ok(Vec::new());
        }
        let now = Value::Integer(self.clock.now().as_nanos());
        let values = [Value::Text(&self.namespace), Value::Text(tenant.as_str()), now, Value::Bytes(MARK)];
        let rows = DB::listed(&mut *self.pool.acquire().await?, LISTED, &values).await?;
        let key = |(digest, is_encrypted, not_after, used_at): ListedRow| StoredKey {
            id: id(&digest),
            not_after: not_after.map(UnixTime::from_nanos),
            last_used: used_at.map(UnixTime::from_nanos),
            is_encrypted: is_encrypted == 1,
        };
        Ok(rows.into_iter().map(key).collect())
    }

    /// The latest changes of this tenant's keys, or of all tenants', the newest first. They are kept for ever: delete
    /// old rows of `tower_sso_keys_audit` as your own rules say.
    pub async fn changes(&self, tenant: Option<&TenantId>, most: u32) -> Result<Vec<Change>, SqlKeyError> {
        if tenant.is_some_and(|tenant| unusable(tenant).is_some()) {
            return Ok(Vec::new());
        }
        let mut values = vec![Value::Text(&self.namespace), Value::Integer(most.into())];
        values.extend(tenant.map(|tenant| Value::Text(tenant.as_str())));
        let statement = if tenant.is_some() { CHANGES_OF } else { CHANGES };
        let rows = DB::changes(&mut *self.pool.acquire().await?, statement, &values).await?;
        let change = |(at, who, tenant, what, digest): ChangeRow| Change {
            at: UnixTime::from_nanos(at),
            who,
            tenant: tenant.into(),
            what,
            key: Some(digest).filter(|digest| !digest.is_empty()).map(|digest| id(&digest)),
        };
        Ok(rows.into_iter().map(change).collect())
    }

    /// Records a change in its own transaction.
    pub(super) async fn record(
        &self,
        connection: &mut DB::Connection,
        tenant: &str,
        action: Action,
        digest: &[u8],
    ) -> Result<(), sqlx::Error> {
        let values = [
            Value::Text(&self.namespace),
            Value::Text(tenant),
            Value::Integer(self.clock.now().as_nanos()),
            Value::Text(&self.actor),
            Value::Text(action.as_str()),
            Value::Bytes(digest),
        ];
        DB::execute(connection, AUDIT, &values).await.map(drop)
    }
}

pub(super) fn id(digest: &[u8]) -> String {
    encode_hex(digest.get(..4).unwrap_or(digest))
}

/// Postgres refuses NUL, and a terminal may obey other control characters.
pub(super) fn actor(who: &str) -> String {
    let mut name = String::new();
    for letter in who.chars().filter(|letter| !letter.is_control()) {
        if name.len() + letter.len_utf8() > LONGEST_ACTOR {
            break;
        }
        name.push(letter);
    }
    name
}
