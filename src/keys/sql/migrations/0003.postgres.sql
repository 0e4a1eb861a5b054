-- tower-sso's key store, schema version 3, for PostgreSQL.

-- From this version on, tower_sso_keys.secret may be encrypted: it then begins with the eight bytes 00 "sealed" 01.

-- When a key last proved a credential, to the minute. A table of its own, so that noting it waits for no rotation.
CREATE TABLE IF NOT EXISTS tower_sso_keys_use (
    digest  BYTEA NOT NULL PRIMARY KEY,
    -- In nanoseconds since 1970.
    used_at BIGINT NOT NULL
);

-- Every change of a key: who, when, what. Never the secret.
CREATE TABLE IF NOT EXISTS tower_sso_keys_audit (
    namespace TEXT   NOT NULL,
    tenant    TEXT   NOT NULL,
    -- In nanoseconds since 1970.
    made_at   BIGINT NOT NULL,
    actor     TEXT   NOT NULL,
    action    TEXT   NOT NULL,
    -- Of the key; empty if the change concerns all keys of the tenant.
    digest    BYTEA NOT NULL
);

CREATE INDEX IF NOT EXISTS tower_sso_keys_audit_tenant ON tower_sso_keys_audit (namespace, tenant, made_at);
CREATE INDEX IF NOT EXISTS tower_sso_keys_audit_time ON tower_sso_keys_audit (namespace, made_at);

INSERT INTO tower_sso_keys_schema (version) VALUES (3) ON CONFLICT DO NOTHING;
