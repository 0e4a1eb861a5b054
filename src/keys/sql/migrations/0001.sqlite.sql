-- tower-sso's key store, schema version 1, for SQLite.

-- Every secret that a tenant ever had.
CREATE TABLE IF NOT EXISTS tower_sso_keys (
    -- SHA-256 over namespace and secret, each preceded by its length: one secret has one owner, for ever.
    digest     BLOB   NOT NULL PRIMARY KEY,
    namespace  TEXT   NOT NULL,
    tenant     TEXT   NOT NULL,
    -- Readable, since a MAC needs the key itself. NULL once it has ended or was removed.
    secret     BLOB,
    -- Grows with each rotation of the tenant: the newest key has the highest.
    generation BIGINT NOT NULL,
    -- The last instant at which the key is accepted, in nanoseconds since 1970. NULL is the current key: it has no end.
    not_after  BIGINT
);

CREATE UNIQUE INDEX IF NOT EXISTS tower_sso_keys_current ON tower_sso_keys (namespace, tenant) WHERE not_after IS NULL;
CREATE INDEX IF NOT EXISTS tower_sso_keys_tenant ON tower_sso_keys (namespace, tenant);

-- Every signed call that was applied: a copy of an old one, at any age, must change nothing.
CREATE TABLE IF NOT EXISTS tower_sso_credentials (
    namespace  TEXT   NOT NULL,
    credential BLOB   NOT NULL,
    tenant     TEXT   NOT NULL,
    -- In nanoseconds since 1970.
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, credential)
);

CREATE TABLE IF NOT EXISTS tower_sso_keys_schema (version BIGINT NOT NULL PRIMARY KEY);
INSERT INTO tower_sso_keys_schema (version) VALUES (1) ON CONFLICT DO NOTHING;
