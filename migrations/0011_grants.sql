-- What each role may do, in one place; tests/db/grants.yaml is the reviewed matrix and a test tries every cell.
-- migrate:up
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA api, chain, compliance, matcher, kyt, surveillance, lms TO tokenx_api;
GRANT DELETE ON api.sessions, api.idempotency_keys, api.outbox TO tokenx_api;
-- Logs and journals are written once.
REVOKE UPDATE ON matcher.commands, matcher.executions, matcher.fills, chain.events, compliance.decisions,
    api.ledger_entries, api.ledger_postings, kyt.tx_risk_scores FROM tokenx_api;
GRANT SELECT ON audit.events, audit.seals TO tokenx_api;
GRANT INSERT ON audit.seals TO tokenx_api;
GRANT EXECUTE ON FUNCTION audit.append(text, text, text, text, text, jsonb) TO tokenx_api;
GRANT SELECT ON ALL TABLES IN SCHEMA api, chain, compliance, audit, matcher, kyt, surveillance, lms TO tokenx_ro;
REVOKE SELECT ON api.users, api.sessions, api.idempotency_keys FROM tokenx_ro;
GRANT SELECT (user_id, email, display_name, personas, status, created_at) ON api.users TO tokenx_ro;

-- migrate:down
REVOKE ALL ON ALL TABLES IN SCHEMA api, chain, compliance, audit, matcher, kyt, surveillance, lms FROM tokenx_api, tokenx_ro;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM tokenx_api;
