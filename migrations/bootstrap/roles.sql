-- Database roles, created once per cluster by a superuser before the first migration.
-- psql variables: api_password, migrator_password, ro_password.
-- Why four: only the api service may write, it must not be able to change the schema or the audit trail, and people who look must not be able to write.
SELECT 'CREATE ROLE tokenx_owner NOLOGIN' WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tokenx_owner') \gexec
SELECT 'CREATE ROLE tokenx_migrator LOGIN' WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tokenx_migrator') \gexec
SELECT 'CREATE ROLE tokenx_api LOGIN' WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tokenx_api') \gexec
SELECT 'CREATE ROLE tokenx_ro LOGIN' WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tokenx_ro') \gexec
ALTER ROLE tokenx_migrator PASSWORD :'migrator_password';
ALTER ROLE tokenx_api PASSWORD :'api_password';
ALTER ROLE tokenx_ro PASSWORD :'ro_password';
GRANT tokenx_owner TO tokenx_migrator;
ALTER ROLE tokenx_migrator SET role = 'tokenx_owner';
ALTER ROLE tokenx_ro SET default_transaction_read_only = on;
