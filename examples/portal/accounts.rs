//! Organisations and users in the portal's own database. Only seatmap.pro needs them.

use http::StatusCode;
use sqlx::AnyConnection;
use tower_sso::keys::Secret;

use crate::db::Database;
use crate::passwords::Passwords;
use crate::problem::Problem;
use crate::{random, text};

pub(crate) const EMAIL_TAKEN: Problem = Problem {
    status: StatusCode::CONFLICT,
    code: "email_taken",
    title: "This email address is already registered",
    detail: "The existing user and password are unchanged.",
};
pub(crate) const NOT_OF_THIS_ORGANISATION: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    code: "not_of_this_organization",
    title: "The user belongs to another organisation",
    detail: "A private key signs in users of its own organisation only.",
};

/// Valid on SQLite and Postgres. A user without a password can sign in through the partner only. `portal_unproven_users` lists
/// users that no partner has confirmed: anyone may have registered them.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS portal_organizations (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS portal_users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, organization_id TEXT NOT NULL,
    first_name TEXT NOT NULL, last_name TEXT NOT NULL, password_hash TEXT);
CREATE TABLE IF NOT EXISTS portal_unproven_users (id TEXT PRIMARY KEY);
";

#[derive(Clone)]
pub(crate) struct Accounts {
    database: Database,
    passwords: Passwords,
}

pub(crate) struct NewUser<'a> {
    pub(crate) email: &'a str,
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
}

/// Who vouches for a new user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VouchedBy {
    /// A partner, with its private key.
    Partner,
    /// Open registration.
    Nobody,
}

/// A user and its organisation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user_id: String,
    pub(crate) organization_id: String,
    pub(crate) name: String,
    /// Folded with [`text::fold`].
    organization: String,
    is_proven: bool,
}

impl Accounts {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, passwords: Passwords::new() }
    }

    /// Creates a user with a password, and the organisation unless one with this or a look-alike name exists. Fails if the
    /// email address is taken, and changes nothing then.
    pub(crate) async fn register(
        &self,
        organization: &str,
        user: &NewUser<'_>,
        password: Secret,
        vouched_by: VouchedBy,
    ) -> Result<Account, Problem> {
        let hash = self.passwords.hash(password).await?;
        let organization = text::fold(organization);
        let _turn = self.database.turns.to_write_for(&organization).await?;
        let mut transaction = self.database.pool.begin().await?;
        let organization_id = organization_id(&mut transaction, &organization).await?;
        if !insert(&mut transaction, &organization_id, user, Some(&hash)).await? {
            return Err(EMAIL_TAKEN);
        }
        let account = find(&mut transaction, user.email).await?.ok_or(Problem::UNAVAILABLE)?;
        if vouched_by == VouchedBy::Nobody {
            let query = sqlx::query("INSERT INTO portal_unproven_users (id) VALUES ($1)").bind(&account.user_id);
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(account)
    }

    /// Finds or creates a user that the organisation's partner vouches for.
    ///
    /// If an unproven user has the email address, the partner takes it over: the names and above all the password that a
    /// stranger may have chosen are dropped.
    pub(crate) async fn of_organization(&self, organization: &str, user: &NewUser<'_>) -> Result<Account, Problem> {
        let organization = text::fold(organization);
        let mut connection = self.database.pool.acquire().await?;
        // Fast path: a proven user needs no write, so no turn either.
        if let Some(account) = find(&mut connection, user.email).await?.filter(|account| account.is_proven) {
            return account.of(&organization);
        }
        drop(connection);
        let _turn = self.database.turns.to_write_for(&organization).await?;
        let mut transaction = self.database.pool.begin().await?;
        let organization_id = organization_id(&mut transaction, &organization).await?;
        insert(&mut transaction, &organization_id, user, None).await?;
        let account = find(&mut transaction, user.email).await?.ok_or(Problem::UNAVAILABLE)?;
        let mut account = account.of(&organization)?;
        if !account.is_proven {
            prove(&mut transaction, &account.user_id, user).await?;
            account = find(&mut transaction, user.email).await?.ok_or(Problem::UNAVAILABLE)?;
        }
        transaction.commit().await?;
        Ok(account)
    }
}

impl Account {
    fn of(self, organization: &str) -> Result<Self, Problem> {
        if self.organization == organization { Ok(self) } else { Err(NOT_OF_THIS_ORGANISATION) }
    }
}

async fn organization_id(connection: &mut AnyConnection, name: &str) -> Result<String, sqlx::Error> {
    let query = "INSERT INTO portal_organizations (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    sqlx::query(query).bind(random::id()?).bind(name).execute(&mut *connection).await?;
    let query = sqlx::query_scalar("SELECT id FROM portal_organizations WHERE name = $1");
    query.bind(name).fetch_one(connection).await
}

/// Returns whether the user was inserted. An existing user is unchanged.
async fn insert(
    connection: &mut AnyConnection,
    organization_id: &str,
    user: &NewUser<'_>,
    password_hash: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let query = "INSERT INTO portal_users (id, email, organization_id, first_name, last_name, password_hash) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email) DO NOTHING";
    let query = sqlx::query(query).bind(random::id()?).bind(user.email).bind(organization_id);
    let query = query.bind(user.first_name).bind(user.last_name).bind(password_hash);
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

async fn prove(connection: &mut AnyConnection, id: &str, user: &NewUser<'_>) -> Result<(), sqlx::Error> {
    let query =
        sqlx::query("UPDATE portal_users SET password_hash = NULL, first_name = $2, last_name = $3 WHERE id = $1");
    query.bind(id).bind(user.first_name).bind(user.last_name).execute(&mut *connection).await?;
    let query = sqlx::query("DELETE FROM portal_unproven_users WHERE id = $1").bind(id);
    query.execute(connection).await.map(drop)
}

async fn find(connection: &mut AnyConnection, email: &str) -> Result<Option<Account>, sqlx::Error> {
    let query = "SELECT portal_users.id, organization_id, portal_organizations.name, first_name, last_name, \
                 portal_unproven_users.id FROM portal_users \
                 JOIN portal_organizations ON portal_organizations.id = organization_id \
                 LEFT JOIN portal_unproven_users ON portal_unproven_users.id = portal_users.id WHERE email = $1";
    let row: Option<(String, String, String, String, String, Option<String>)> =
        sqlx::query_as(query).bind(email).fetch_optional(connection).await?;
    Ok(row.map(|(user_id, organization_id, organization, first, last, unproven)| {
        let names = [&*first, &*last].into_iter().filter(|name| !name.trim().is_empty());
        let name = names.collect::<Vec<_>>().join(" ");
        let name = if name.is_empty() { email.to_owned() } else { name };
        Account { user_id, organization_id, name, organization, is_proven: unproven.is_none() }
    }))
}
