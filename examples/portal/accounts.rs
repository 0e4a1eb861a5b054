//! Organisations and their users, where the application keeps them itself: seatmap.pro's.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use http::StatusCode;
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;
use tokio::sync::Semaphore;
use tower_sso::keys::Secret;
use tower_sso::sign::generate_fernet_key;

use crate::db::Database;
use crate::problem::Problem;

pub(crate) const EMAIL_TAKEN: Problem = Problem {
    status: StatusCode::CONFLICT,
    code: "email_taken",
    title: "There is a user with this email address already",
    detail: "Nothing was changed, the password least of all.",
};
pub(crate) const NOT_OF_THIS_ORGANISATION: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    code: "not_of_this_organization",
    title: "The user is not one of this organisation’s",
    detail: "A private key opens the accounts of its own organisation.",
};

/// Both engines read this. Without a password, the partner alone signs the user in.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS portal_organizations (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS portal_users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, organization_id TEXT NOT NULL,
    first_name TEXT NOT NULL, last_name TEXT NOT NULL, password_hash TEXT);
";

/// Each takes 19 MiB and a core for a moment, so there are not many at once.
const HASHES_AT_ONCE: usize = 2;

#[derive(Clone)]
pub(crate) struct Accounts {
    database: Database,
    hashing: Arc<Semaphore>,
}

/// What is to become a user.
pub(crate) struct NewUser<'a> {
    pub(crate) email: &'a str,
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
}

/// A user, and the organisation to which it belongs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user_id: String,
    pub(crate) organization_id: String,
    pub(crate) name: String,
}

impl Accounts {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)) }
    }

    /// Makes a user with a password, and the organisation if there is none of this name. One that exists is left as it is.
    pub(crate) async fn register(
        &self,
        organization: &str,
        user: &NewUser<'_>,
        password: Secret,
    ) -> Result<Account, Problem> {
        let hash = self.hash(password).await?;
        let mut transaction = self.database.pool.begin().await?;
        let organization_id = organization_id(&mut transaction, organization).await?;
        if !insert(&mut transaction, &organization_id, user, Some(&hash)).await? {
            return Err(EMAIL_TAKEN);
        }
        let (account, _) = find(&mut transaction, user.email).await?;
        transaction.commit().await?;
        Ok(account)
    }

    /// The user of this organisation, who is made if nobody has this email address yet.
    pub(crate) async fn of_organization(&self, organization: &str, user: &NewUser<'_>) -> Result<Account, Problem> {
        let mut transaction = self.database.pool.begin().await?;
        let organization_id = organization_id(&mut transaction, organization).await?;
        insert(&mut transaction, &organization_id, user, None).await?;
        let (account, owner) = find(&mut transaction, user.email).await?;
        if owner != organization_id {
            return Err(NOT_OF_THIS_ORGANISATION);
        }
        transaction.commit().await?;
        Ok(account)
    }

    /// Off the threads that answer requests: it is meant to be slow.
    async fn hash(&self, password: Secret) -> Result<String, Problem> {
        let _turn = self.hashing.acquire().await.map_err(|_| Problem::UNAVAILABLE)?;
        let hashed = tokio::task::spawn_blocking(move || {
            Argon2::default().hash_password(password.expose()).map(|hash| hash.to_string())
        });
        let hashed = hashed.await.ok().and_then(Result::ok);
        hashed.ok_or_else(|| {
            tracing::error!("a password was not hashed");
            Problem::UNAVAILABLE
        })
    }
}

async fn organization_id(connection: &mut AnyConnection, name: &str) -> Result<String, sqlx::Error> {
    let query = "INSERT INTO portal_organizations (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    sqlx::query(query).bind(new_id()).bind(name).execute(&mut *connection).await?;
    let query = sqlx::query_scalar("SELECT id FROM portal_organizations WHERE name = $1");
    query.bind(name).fetch_one(connection).await
}

/// Whether it was made: a user who exists is left as it is.
async fn insert(
    connection: &mut AnyConnection,
    organization_id: &str,
    user: &NewUser<'_>,
    password_hash: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let query = "INSERT INTO portal_users (id, email, organization_id, first_name, last_name, password_hash) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email) DO NOTHING";
    let query = sqlx::query(query).bind(new_id()).bind(user.email).bind(organization_id);
    let query = query.bind(user.first_name).bind(user.last_name).bind(password_hash);
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

/// The user, and the organisation that it belongs to.
async fn find(connection: &mut AnyConnection, email: &str) -> Result<(Account, String), sqlx::Error> {
    let query = sqlx::query_as("SELECT id, organization_id, first_name, last_name FROM portal_users WHERE email = $1");
    let (user_id, owner, first, last): (String, String, String, String) =
        query.bind(email).fetch_one(connection).await?;
    let name = [&*first, &*last].into_iter().filter(|name| !name.trim().is_empty()).collect::<Vec<_>>().join(" ");
    let name = if name.is_empty() { email.to_owned() } else { name };
    Ok((Account { user_id, organization_id: owner.clone(), name }, owner))
}

fn new_id() -> String {
    Sha256::digest(generate_fernet_key().expose()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
