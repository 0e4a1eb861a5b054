use std::future::Future;

use sqlx::{Any, Database, Error, Pool};

/// A database type that [`SqlKeyStore`](super::SqlKeyStore) works on.
///
/// It is implemented for [`sqlx::Any`], which picks the engine by the URL, and with the features of these names for
/// `sqlx::Sqlite` and `sqlx::Postgres`. It cannot be implemented elsewhere.
///
/// ```
/// use tower_sso::keys::sql::{Backend, SqlKeyStore};
///
/// /// An application that runs on either engine.
/// struct App<DB: Backend> {
///     keys: SqlKeyStore<DB>,
/// }
/// ```
pub trait Backend: Statements {}

/// The differences between the two engines.
#[derive(Clone, Copy, Debug)]
pub enum Engine {
    Postgres,
    Sqlite,
}

/// A value for a statement's placeholder.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations, reason = "it may be a secret")]
pub enum Value<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Integer(i64),
}

/// A secret as it is stored, the nanosecond of its end, and its digest. The current key has no end.
pub(super) type SecretRow = (Vec<u8>, Option<i64>, Vec<u8>);
/// The tenant, and its [`SecretRow`].
pub(super) type OwnedRow = (String, Vec<u8>, Option<i64>, Vec<u8>);
/// A digest, the tenant, and the secret as it is stored, which may be readable.
pub(super) type StoredRow = (Vec<u8>, String, Vec<u8>);
/// A digest, whether the secret is encrypted, the nanosecond of its end, and that of its last use.
pub(super) type ListedRow = (Vec<u8>, i64, Option<i64>, Option<i64>);
/// When, who, the tenant, what, and the key's digest.
pub(super) type ChangeRow = (i64, String, String, String, Vec<u8>);

/// The few kinds of statements that the store needs, so that its logic is written once, without a page of bounds.
pub trait Statements: Database {
    /// Which engine is behind the pool.
    fn engine(pool: &Pool<Self>) -> Result<Engine, Error>;

    /// Returns the number of rows that changed.
    fn execute(
        connection: &mut Self::Connection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Returns the first column of the only row.
    fn integer(
        connection: &mut Self::Connection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<i64, Error>> + Send;

    /// Returns all rows.
    fn secrets(
        connection: &mut Self::Connection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<SecretRow>, Error>> + Send;

    /// Returns all rows.
    fn owned(
        connection: &mut Self::Connection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<OwnedRow>, Error>> + Send;

    /// Returns all rows.
    fn stored(
        connection: &mut Self::Connection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<StoredRow>, Error>> + Send;

    /// Returns all rows.
    fn listed(
        connection: &mut Self::Connection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<ListedRow>, Error>> + Send;

    /// Returns all rows.
    fn changes(
        connection: &mut Self::Connection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<ChangeRow>, Error>> + Send;

    /// Returns the only column of all rows.
    fn names(
        connection: &mut Self::Connection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<(String,)>, Error>> + Send;

    /// Runs several statements without values.
    fn script(connection: &mut Self::Connection, sql: &'static str) -> impl Future<Output = Result<(), Error>> + Send;
}

macro_rules! bind {
    ($query:expr, $values:expr) => {
        $values.iter().fold($query, |query, value| match *value {
            Value::Text(text) => query.bind(text),
            Value::Bytes(bytes) => query.bind(bytes),
            Value::Integer(integer) => query.bind(integer),
        })
    };
}

macro_rules! rows {
    ($($name:ident: $row:ty),+) => {
        $(async fn $name(
            connection: &mut Self::Connection,
            sql: &'static str,
            values: &[Value<'_>],
        ) -> Result<Vec<$row>, Error> {
            bind!(sqlx::query_as::<Self, _>(sql), values).fetch_all(connection).await
        })+
    };
}

// A macro, not a blanket implementation: sqlx's bounds for "any database" would fill a page and hide the statements.
macro_rules! backend {
    ($database:ty, $engine:expr) => {
        impl Backend for $database {}

        impl Statements for $database {
            fn engine(pool: &Pool<Self>) -> Result<Engine, Error> {
                $engine(pool)
            }

            async fn execute(
                connection: &mut Self::Connection,
                sql: &'static str,
                values: &[Value<'_>],
            ) -> Result<u64, Error> {
                let query = bind!(sqlx::query::<Self>(sql), values);
                Ok(query.execute(connection).await?.rows_affected())
            }

            async fn integer(
                connection: &mut Self::Connection,
                sql: &'static str,
                values: &[Value<'_>],
            ) -> Result<i64, Error> {
                bind!(sqlx::query_scalar::<Self, i64>(sql), values).fetch_one(connection).await
            }

            rows! {
                secrets: SecretRow, owned: OwnedRow, stored: StoredRow, listed: ListedRow, changes: ChangeRow,
                names: (String,)
            }

            async fn script(connection: &mut Self::Connection, sql: &'static str) -> Result<(), Error> {
                sqlx::raw_sql(sql).execute(connection).await.map(drop)
            }
        }
    };
}

backend!(Any, |pool: &Pool<Any>| match pool.connect_options().database_url.scheme() {
    "postgres" | "postgresql" => Ok(Engine::Postgres),
    "sqlite" => Ok(Engine::Sqlite),
    scheme => Err(Error::Configuration(format!("the key store has no tables for {scheme}").into())),
});
#[cfg(feature = "postgres")]
backend!(sqlx::Postgres, |_| Ok(Engine::Postgres));
#[cfg(feature = "sqlite")]
backend!(sqlx::Sqlite, |_| Ok(Engine::Sqlite));
