-- tower-sso's key store, schema version 2, for SQLite.

-- A tenant has at most four readable keys, whatever number it once had: nothing must read the others.
CREATE INDEX IF NOT EXISTS tower_sso_keys_active ON tower_sso_keys (namespace, tenant, generation)
    WHERE secret IS NOT NULL;
DROP INDEX IF EXISTS tower_sso_keys_tenant;

INSERT INTO tower_sso_keys_schema (version) VALUES (2) ON CONFLICT DO NOTHING;
