-- Signatures that take as long as people take. What was asked for, under which name and for which nonce, is durable before the key holder hears of
-- it: after a crash the same bytes are asked for again under the same name, and no other intent is ever given that nonce meanwhile.
-- Backends that sign at once leave no rows here.
-- migrate:up
ALTER TABLE chain.transactions
    DROP CONSTRAINT transactions_state_check,
    ADD CONSTRAINT transactions_state_check CHECK (state IN ('queued', 'paused', 'signing', 'signed', 'broadcast', 'mined', 'final', 'reverted',
        'cancel_requested', 'cancelled', 'nonce_lost', 'failed_presubmit', 'rejected_policy', 'sign_rejected', 'dead'));

CREATE TABLE chain.sign_jobs (
    job_id       text PRIMARY KEY,                       -- '<tx_id>:<attempt>', what the key holder knows it by
    tx_id        text NOT NULL REFERENCES chain.transactions,
    attempt      int NOT NULL CHECK (attempt > 0),
    kind         text NOT NULL CHECK (kind IN ('initial', 'bump', 'cancel', 'rebind', 'fill')), -- fill: a transfer of nothing that closes a gap
    chain_id     bigint NOT NULL,
    from_address text NOT NULL,
    key_ref      text NOT NULL,
    nonce        bigint NOT NULL,
    fields       jsonb NOT NULL,                         -- to, value, data, gas, max_fee, max_tip, and what the transaction's row needs later
    deadline     timestamptz,                            -- after which it must not be signed any more; null: never
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'signed', 'released', 'unused')),
        -- released: the key holder proved that there is no signature, so the nonce may serve another; unused: signed too late to matter
    reason       text,
    epoch        bigint NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
-- One nonce, one intent, also while it is being signed.
CREATE UNIQUE INDEX sign_jobs_nonce ON chain.sign_jobs (chain_id, from_address, nonce)
    WHERE state = 'open' AND kind IN ('initial', 'rebind', 'fill');
CREATE INDEX sign_jobs_tx ON chain.sign_jobs (tx_id);
CREATE INDEX sign_jobs_unsigned ON chain.sign_jobs (chain_id, from_address, nonce) WHERE state <> 'signed';

GRANT SELECT, INSERT, UPDATE ON chain.sign_jobs TO tokenx_api;
GRANT SELECT ON chain.sign_jobs TO tokenx_ro;

-- migrate:down
DROP TABLE chain.sign_jobs;
-- The way back exists for an empty schema: a row that is being signed stops it.
ALTER TABLE chain.transactions
    DROP CONSTRAINT transactions_state_check,
    ADD CONSTRAINT transactions_state_check CHECK (state IN ('queued', 'paused', 'signed', 'broadcast', 'mined', 'final', 'reverted',
        'cancel_requested', 'cancelled', 'nonce_lost', 'failed_presubmit', 'rejected_policy', 'sign_rejected', 'dead'));
