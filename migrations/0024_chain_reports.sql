-- What the chain service reports about itself, as it is and as it was: signers with their nonces, endpoints, checkpoints, a history to look back on.
-- Also changes of the signing policy, which a second person decides, and dead letters that may come back after they were requeued.
-- migrate:up
CREATE TABLE chain.signers (
    chain_id     bigint NOT NULL,
    address      text NOT NULL,
    key_ref      text NOT NULL,
    backend      text NOT NULL,                           -- local, fireblocks, aws_kms
    epoch        bigint NOT NULL CHECK (epoch > 0),       -- counts the addresses a key_ref has had on this chain: a rotation begins the next
    status       text NOT NULL CHECK (status IN ('active', 'paused', 'draining', 'retired')),
    reason       text,                                    -- why it is paused
    latest_nonce bigint NOT NULL,                         -- transactions mined
    next_nonce   bigint NOT NULL,                         -- what the next intent will get
    in_flight    int NOT NULL,
    queued       int NOT NULL,
    gaps         bigint[] NOT NULL DEFAULT '{}',          -- bound nonces that nothing of ours holds: impossible, so an alarm
    observed_at  timestamptz NOT NULL,
    PRIMARY KEY (chain_id, address)
);
CREATE INDEX signers_key ON chain.signers (chain_id, key_ref, epoch);

CREATE TABLE chain.endpoints (
    chain_id    bigint NOT NULL,
    endpoint    text NOT NULL CHECK (endpoint !~ '[/@?]'), -- host and port: a provider's key may be in the path, and must never get here
    score       numeric(3, 2) NOT NULL CHECK (score BETWEEN 0 AND 1),
    latency_ms  int NOT NULL,
    is_cooling  boolean NOT NULL,                         -- left alone for a while after failures
    observed_at timestamptz NOT NULL,
    PRIMARY KEY (chain_id, endpoint)
);

-- One row a minute and one for each change of status; older ones are pruned by whoever writes.
CREATE TABLE chain.monitoring_history (
    chain_id         bigint NOT NULL,
    observed_at      timestamptz NOT NULL,
    status           text NOT NULL,
    head_number      bigint NOT NULL,
    finalized_number bigint NOT NULL,
    finality_lag_s   int NOT NULL,
    event_seq        bigint NOT NULL,                     -- head of the event stream
    consumed_seq     bigint NOT NULL,                     -- how far this service has taken it in
    checkpoint_block bigint NOT NULL,
    oldest_unmined_s int NOT NULL,
    queued           int NOT NULL,
    in_flight        int NOT NULL,
    nonce_gaps       int NOT NULL,
    paused_signers   int NOT NULL,
    endpoints_up     int NOT NULL,
    PRIMARY KEY (chain_id, observed_at)
);

-- Where the listener was: one row a minute at most, so that somebody who must re-scan knows blocks and numbers that were good. Where it is now
-- stands in chain.streams, moved in one statement with the events that belong to it.
CREATE TABLE chain.checkpoints (
    chain_id     bigint NOT NULL,
    block_number bigint NOT NULL,
    block_hash   text NOT NULL,
    seq          bigint NOT NULL,                         -- head of the event stream at that moment
    epoch        bigint NOT NULL,
    moved_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chain_id, block_number)
);
ALTER TABLE chain.streams ADD COLUMN moved_at timestamptz NOT NULL DEFAULT now();

CREATE TABLE chain.policy_changes (
    change_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_id        bigint,                               -- null: rules for every chain
    rules           jsonb NOT NULL,                       -- to be set, each as a whole
    disabled        text[] NOT NULL,                      -- policy ids to be taken out
    warnings        jsonb NOT NULL,                       -- what of the platform's own work the rules after it would forbid, when it was proposed
    reason          text NOT NULL,
    status          text NOT NULL DEFAULT 'proposed' CHECK (status IN ('proposed', 'approved', 'rejected')),
    proposed_by     text NOT NULL REFERENCES api.users,
    proposed_at     timestamptz NOT NULL DEFAULT now(),
    decided_by      text REFERENCES api.users,
    decided_at      timestamptz,
    decision_reason text,
    before          jsonb,                                -- the rules it replaced, as they were
    version         bigint UNIQUE,                        -- counts approved changes; the chain service compares it with its own
    CONSTRAINT policy_changes_decided CHECK ((status = 'proposed') = (decided_by IS NULL)),
    CONSTRAINT policy_changes_four_eyes CHECK (status <> 'approved' OR decided_by <> proposed_by),
    CONSTRAINT policy_changes_version CHECK ((status = 'approved') = (version IS NOT NULL))
);
ALTER TABLE chain.policies ADD COLUMN change_id bigint REFERENCES chain.policy_changes; -- that set it last; null: set by hand

ALTER TABLE chain.dead_letters
    ADD COLUMN attempts int NOT NULL DEFAULT 1,           -- how often it was set aside; each time two people must agree anew
    ADD COLUMN last_at timestamptz NOT NULL DEFAULT now();

GRANT SELECT, INSERT, UPDATE ON chain.signers, chain.endpoints, chain.policy_changes TO tokenx_api;
GRANT SELECT, INSERT, DELETE ON chain.monitoring_history, chain.checkpoints TO tokenx_api;
GRANT SELECT ON chain.signers, chain.endpoints, chain.monitoring_history, chain.checkpoints, chain.policy_changes TO tokenx_ro;

-- migrate:down
ALTER TABLE chain.dead_letters DROP COLUMN attempts, DROP COLUMN last_at;
ALTER TABLE chain.policies DROP COLUMN change_id;
DROP TABLE chain.policy_changes;
ALTER TABLE chain.streams DROP COLUMN moved_at;
DROP TABLE chain.checkpoints;
DROP TABLE chain.monitoring_history;
DROP TABLE chain.endpoints;
DROP TABLE chain.signers;
