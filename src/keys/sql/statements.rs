//! The statements. Both engines read these texts. They avoid conflict errors: in Postgres, an error would abort the
//! caller's transaction.

pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
pub(super) const LIMIT_LOCKS: &str =
    "SELECT set_config('lock_timeout', $1, true) WHERE current_setting('lock_timeout') = '0'";

pub(super) const RECORD: &str = "INSERT INTO tower_sso_credentials (namespace, credential, tenant, applied_at) \
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
/// An end in 1970: owned from here on, accepted only once it is made current.
pub(super) const OWN: &str = "INSERT INTO tower_sso_keys (digest, namespace, tenant, generation, not_after) \
    VALUES ($1, $2, $3, 0, 0) ON CONFLICT DO NOTHING";
/// Of a key under either of its digests: the worst that is true of one.
pub(super) const STATE: &str = "SELECT CAST(MAX(CASE WHEN tenant <> $2 THEN 2 WHEN not_after IS NULL THEN 1 ELSE 0 \
    END) AS BIGINT) FROM tower_sso_keys WHERE digest IN ($1, $3)";
pub(super) const STATE_CURRENT: i64 = 1;
pub(super) const STATE_FOREIGN: i64 = 2;
pub(super) const RETIRE: &str = "UPDATE tower_sso_keys SET not_after = $3 \
    WHERE namespace = $1 AND tenant = $2 AND not_after IS NULL";
/// Previous keys that have ended, and all but the newest three (`Keys::MAX` less the current one).
pub(super) const WIPE: &str = "UPDATE tower_sso_keys SET secret = NULL \
    WHERE namespace = $1 AND tenant = $2 AND secret IS NOT NULL AND not_after IS NOT NULL AND (not_after < $3 \
    OR digest NOT IN (SELECT digest FROM tower_sso_keys WHERE namespace = $1 AND tenant = $2 AND secret IS NOT NULL \
    AND not_after IS NOT NULL ORDER BY not_after DESC, generation DESC LIMIT 3))";
pub(super) const INSTALL: &str = "UPDATE tower_sso_keys SET secret = $4, not_after = NULL, generation = \
    (SELECT COALESCE(MAX(generation), 0) + 1 FROM tower_sso_keys \
    WHERE namespace = $2 AND tenant = $3 AND secret IS NOT NULL) WHERE digest = $1";
pub(super) const REMOVE: &str = "UPDATE tower_sso_keys SET secret = NULL, not_after = $3 \
    WHERE namespace = $1 AND tenant = $2 AND secret IS NOT NULL";
pub(super) const END_PREVIOUS: &str = "UPDATE tower_sso_keys SET secret = NULL, not_after = $3 \
    WHERE namespace = $1 AND tenant = $2 AND secret IS NOT NULL AND not_after IS NOT NULL";
pub(super) const ACTIVE: &str = "SELECT secret, not_after, digest FROM tower_sso_keys \
    WHERE namespace = $1 AND tenant = $2 AND secret IS NOT NULL AND (not_after IS NULL OR not_after >= $3) \
    ORDER BY generation DESC";
/// Ended ones too, as long as their secrets are there.
pub(super) const STORED: &str = "SELECT tenant, secret, not_after, digest FROM tower_sso_keys \
    WHERE namespace = $1 AND secret IS NOT NULL ORDER BY tenant, generation DESC LIMIT $2";
pub(super) const STORED_OF: &str = "SELECT tenant, secret, not_after, digest FROM tower_sso_keys \
    WHERE namespace = $1 AND tenant = $3 AND secret IS NOT NULL ORDER BY generation DESC LIMIT $2";

pub(super) const AUDIT: &str = "INSERT INTO tower_sso_keys_audit (namespace, tenant, made_at, actor, action, digest) \
    VALUES ($1, $2, $3, $4, $5, $6)";
pub(super) const CHANGES: &str = "SELECT made_at, actor, tenant, action, digest FROM tower_sso_keys_audit \
    WHERE namespace = $1 ORDER BY made_at DESC LIMIT $2";
pub(super) const CHANGES_OF: &str = "SELECT made_at, actor, tenant, action, digest FROM tower_sso_keys_audit \
    WHERE namespace = $1 AND tenant = $3 ORDER BY made_at DESC LIMIT $2";
/// `$3` is 0 for the first page: a tenant's name may be empty.
pub(super) const TENANTS: &str = "SELECT DISTINCT tenant FROM tower_sso_keys WHERE namespace = $1 \
    AND secret IS NOT NULL AND (CAST($3 AS BIGINT) = 0 OR tenant > $2) ORDER BY tenant LIMIT $4";
pub(super) const LISTED: &str = "SELECT keys.digest, \
    CAST(CASE WHEN substr(keys.secret, 1, 8) = $4 THEN 1 ELSE 0 END AS BIGINT), keys.not_after, used.used_at \
    FROM tower_sso_keys keys LEFT JOIN tower_sso_keys_use used ON used.digest = keys.digest \
    WHERE keys.namespace = $1 AND keys.tenant = $2 AND keys.secret IS NOT NULL \
    AND (keys.not_after IS NULL OR keys.not_after >= $3) ORDER BY keys.generation DESC";
pub(super) const USED: &str = "INSERT INTO tower_sso_keys_use (digest, used_at) VALUES ($1, $2) \
    ON CONFLICT (digest) DO UPDATE SET used_at = excluded.used_at \
    WHERE excluded.used_at > tower_sso_keys_use.used_at";

pub(super) const ENCRYPTED: &str = "SELECT COUNT(*) FROM tower_sso_keys \
    WHERE namespace = $1 AND secret IS NOT NULL AND substr(secret, 1, 8) = $2";
pub(super) const ENCRYPTED_UNDER: &str = "SELECT COUNT(*) FROM tower_sso_keys \
    WHERE namespace = $1 AND secret IS NOT NULL AND substr(secret, 1, 16) = $2";
/// Those that are readable or encrypted under another master key, a batch at a time.
pub(super) const TO_ENCRYPT: &str = "SELECT digest, tenant, secret FROM tower_sso_keys \
    WHERE namespace = $1 AND secret IS NOT NULL AND substr(secret, 1, 16) <> $2 AND digest > $3 \
    ORDER BY digest LIMIT 500";
/// All that are there, a batch at a time.
pub(super) const ALL: &str = "SELECT digest, tenant, secret FROM tower_sso_keys \
    WHERE namespace = $1 AND secret IS NOT NULL AND digest > $2 ORDER BY digest LIMIT 500";
/// Unless it has changed since it was read.
pub(super) const REPLACE: &str = "UPDATE tower_sso_keys SET secret = $2 WHERE digest = $1 AND secret = $3";

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;
    use crate::keys::sql::SqlKeyStore;

    /// A lookup that reads the digests of all keys a tenant ever had reveals by timing that the tenant exists.
    #[tokio::test]
    async fn what_runs_for_a_tenant_does_not_read_its_old_keys() {
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        SqlKeyStore::new(pool.clone(), "n").migrate().await.unwrap();
        for statement in [ACTIVE, WIPE, INSTALL, REMOVE, RETIRE, END_PREVIOUS, LISTED, CHANGES_OF, STORED, STORED_OF] {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"))).fetch_all(&pool).await;
            for step in plan.unwrap().iter().map(|step| step.get::<String, _>("detail")) {
                let reads_few =
                    ["tower_sso_keys_active", "tower_sso_keys_current", "tower_sso_keys_audit_", "autoindex"];
                let touches_table = step.starts_with("SEARCH") || step.starts_with("SCAN");
                assert!(!touches_table || reads_few.iter().any(|index| step.contains(index)), "{statement}\n{step}");
                assert!(!step.contains("TEMP B-TREE") || statement != ACTIVE, "{statement}\n{step}");
            }
        }
    }
}
