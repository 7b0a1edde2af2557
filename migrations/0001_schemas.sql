-- One schema per service, as the founding text lists them; public holds only the migration version table.
-- migrate:up
CREATE SCHEMA api;
CREATE SCHEMA chain;
CREATE SCHEMA compliance;
CREATE SCHEMA audit;
CREATE SCHEMA matcher;
CREATE SCHEMA kyt;
CREATE SCHEMA surveillance;
CREATE SCHEMA lms;
GRANT USAGE ON SCHEMA api, chain, compliance, audit, matcher, kyt, surveillance, lms TO tokenx_api, tokenx_ro;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- migrate:down
DROP SCHEMA lms CASCADE;
DROP SCHEMA surveillance CASCADE;
DROP SCHEMA kyt CASCADE;
DROP SCHEMA matcher CASCADE;
DROP SCHEMA audit CASCADE;
DROP SCHEMA compliance CASCADE;
DROP SCHEMA chain CASCADE;
DROP SCHEMA api CASCADE;
