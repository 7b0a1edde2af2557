-- A transaction's whole life: it may exist before it has a nonce, it may be sent in several attempts, and each change of state is kept.
-- Also who may sign what (policies), second approvals, and intents that others ask for with an idempotency key.
-- migrate:up
ALTER TABLE chain.transactions
    ALTER COLUMN nonce DROP NOT NULL,
    ALTER COLUMN tx_hash DROP NOT NULL,
    ALTER COLUMN raw DROP NOT NULL,
    ADD COLUMN key_ref text,                              -- null in rows from before this migration: those cannot be replaced
    ADD COLUMN state_reason text,                         -- why it is paused, or how it ended
    ADD COLUMN active_attempt int NOT NULL DEFAULT 1,     -- the attempt whose bytes go out; 0 while nothing is signed
    ADD COLUMN revert_code text,
    ADD COLUMN effective_gas_price numeric(78, 0),        -- wei
    ADD COLUMN l1_fee numeric(78, 0),                     -- wei; only rollups have one
    ADD COLUMN safe_to_rebind boolean NOT NULL DEFAULT false,
    ADD COLUMN policy_id text,                            -- the rule that let it pass
    ADD COLUMN policy_amount numeric(78, 0) NOT NULL DEFAULT 0, -- what it counts for under the rule's daily cap
    DROP CONSTRAINT transactions_state_check,
    ADD CONSTRAINT transactions_state_check CHECK (state IN ('queued', 'paused', 'signed', 'broadcast', 'mined', 'final', 'reverted',
        'cancel_requested', 'cancelled', 'nonce_lost', 'failed_presubmit', 'rejected_policy', 'sign_rejected', 'dead')),
    ADD CONSTRAINT transactions_bound CHECK (num_nulls(nonce, tx_hash, raw) IN (0, 3));
DROP INDEX chain.transactions_open;
CREATE INDEX transactions_open ON chain.transactions (chain_id, from_address, nonce)
    WHERE state NOT IN ('final', 'reverted', 'cancelled', 'failed_presubmit', 'rejected_policy', 'sign_rejected', 'dead');
CREATE INDEX transactions_policy ON chain.transactions (chain_id, policy_id, created_at) WHERE policy_id IS NOT NULL;

CREATE TABLE chain.tx_attempts (
    tx_id        text NOT NULL REFERENCES chain.transactions,
    attempt      int NOT NULL CHECK (attempt > 0),
    kind         text NOT NULL CHECK (kind IN ('initial', 'bump', 'cancel', 'rebind')),
    chain_id     bigint NOT NULL,
    from_address text NOT NULL,
    nonce        bigint NOT NULL,
    tx_hash      text NOT NULL,
    raw          bytea NOT NULL,                          -- journaled before broadcast, like the first
    max_fee_wei  numeric(78, 0),                          -- null in attempts from before this migration
    max_tip_wei  numeric(78, 0),
    epoch        bigint NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tx_id, attempt),
    UNIQUE (chain_id, tx_hash)
);
CREATE INDEX tx_attempts_nonce ON chain.tx_attempts (chain_id, from_address, nonce);
INSERT INTO chain.tx_attempts (tx_id, attempt, kind, chain_id, from_address, nonce, tx_hash, raw, epoch, created_at)
    SELECT tx_id, 1, 'initial', chain_id, from_address, nonce, tx_hash, raw, epoch, created_at FROM chain.transactions;

-- Written by a trigger, so that no change of state can leave no trace.
CREATE TABLE chain.tx_history (
    history_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tx_id      text NOT NULL REFERENCES chain.transactions,
    from_state text,                                      -- null: the first
    to_state   text NOT NULL,
    attempt    int NOT NULL,
    reason     text,
    epoch      bigint NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX tx_history_of ON chain.tx_history (tx_id, history_id);
CREATE FUNCTION chain.note_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO chain.tx_history (tx_id, to_state, attempt, reason, epoch)
        VALUES (NEW.tx_id, NEW.state, NEW.active_attempt, NEW.state_reason, NEW.epoch);
    ELSIF (NEW.state, NEW.state_reason, NEW.active_attempt) IS DISTINCT FROM (OLD.state, OLD.state_reason, OLD.active_attempt) THEN
        INSERT INTO chain.tx_history (tx_id, from_state, to_state, attempt, reason, epoch)
        VALUES (NEW.tx_id, OLD.state, NEW.state, NEW.active_attempt, NEW.state_reason, NEW.epoch);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transactions_history AFTER INSERT OR UPDATE ON chain.transactions FOR EACH ROW EXECUTE FUNCTION chain.note_state();

ALTER TABLE chain.operations
    ADD COLUMN requested_by    text,                      -- who asked, where that is known; counts against a second approval by the same person
    ADD COLUMN idempotency_key text,                      -- of an intent that came through POST /v1/transactions
    ADD COLUMN request_sha256  bytea;
CREATE UNIQUE INDEX operations_idempotency ON chain.operations (chain_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- What may be signed. No row for a chain and none for all chains: the built-in rules; any row: only the rows.
CREATE TABLE chain.policies (
    policy_id      text PRIMARY KEY,
    chain_id       bigint,                                -- null: every chain
    kind           text NOT NULL DEFAULT '*',             -- of the operation; this and the next three are patterns with *, | between alternatives
    key_ref        text NOT NULL DEFAULT '*',             -- the signing key's name
    contract       text NOT NULL,                         -- the contract's recorded name or its address, 'coin', 'create' or 'unlisted'
    function       text NOT NULL,                         -- name as in the ABI
    max_amount     numeric(78, 0),                        -- per transaction; of the decoded amount, wei for coins; null: no limit
    daily_amount   numeric(78, 0),
    daily_count    int,
    approval_above numeric(78, 0),                        -- amounts above need a second approval
    is_enabled     boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE chain.approvals (
    subject    text NOT NULL,                             -- 'operation:<id>', 'dead_letter:<id>:<verb>'
    user_id    text NOT NULL REFERENCES api.users,
    reason     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject, user_id)
);
ALTER TABLE chain.monitoring ADD COLUMN detail jsonb NOT NULL DEFAULT '{}';

GRANT SELECT, INSERT ON chain.tx_attempts, chain.tx_history, chain.approvals TO tokenx_api;
GRANT SELECT, INSERT, UPDATE ON chain.policies TO tokenx_api;
GRANT SELECT ON chain.tx_attempts, chain.tx_history, chain.policies, chain.approvals TO tokenx_ro;

-- migrate:down
ALTER TABLE chain.monitoring DROP COLUMN detail;
DROP TABLE chain.approvals;
DROP TABLE chain.policies;
DROP INDEX chain.operations_idempotency;
ALTER TABLE chain.operations DROP COLUMN requested_by, DROP COLUMN idempotency_key, DROP COLUMN request_sha256;
DROP TRIGGER transactions_history ON chain.transactions;
DROP FUNCTION chain.note_state();
DROP TABLE chain.tx_history;
DROP TABLE chain.tx_attempts;
DROP INDEX chain.transactions_policy;
DROP INDEX chain.transactions_open;
-- The way back exists for an empty schema: rows the old shape cannot hold would be lost, so they stop it.
ALTER TABLE chain.transactions
    DROP CONSTRAINT transactions_bound,
    DROP CONSTRAINT transactions_state_check,
    ADD CONSTRAINT transactions_state_check CHECK (state IN ('signed', 'broadcast', 'mined', 'final', 'reverted')),
    DROP COLUMN key_ref, DROP COLUMN state_reason, DROP COLUMN active_attempt, DROP COLUMN revert_code, DROP COLUMN effective_gas_price,
    DROP COLUMN l1_fee, DROP COLUMN safe_to_rebind, DROP COLUMN policy_id, DROP COLUMN policy_amount,
    ALTER COLUMN nonce SET NOT NULL,
    ALTER COLUMN tx_hash SET NOT NULL,
    ALTER COLUMN raw SET NOT NULL;
CREATE INDEX transactions_open ON chain.transactions (chain_id, from_address, nonce) WHERE state NOT IN ('final', 'reverted');
