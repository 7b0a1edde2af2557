-- What the chain service journals through the api: operations, transactions with nonce and signed bytes, events, contracts, health.
-- migrate:up
CREATE TABLE chain.operations (
    operation_id   text PRIMARY KEY,
    chain_id       bigint NOT NULL,
    kind           text NOT NULL,                     -- offering.deploy, investor.register, token.mint, settlement.batch, …
    params         jsonb NOT NULL,
    business_ref   text NOT NULL,                     -- what waits for it, e.g. 'subscription:sub_…'
    state          text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'final', 'failed')),
    result         jsonb,
    error_code     text,
    error_detail   text,
    correlation_id text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX operations_open ON chain.operations (chain_id, created_at) WHERE state IN ('queued', 'running');
CREATE TABLE chain.transactions (
    tx_id          text PRIMARY KEY,                  -- '<operation_id>:<step>'
    operation_id   text NOT NULL REFERENCES chain.operations,
    step           text NOT NULL,
    chain_id       bigint NOT NULL,
    from_address   text NOT NULL,
    to_address     text,                              -- null: contract creation
    nonce          bigint NOT NULL,
    tx_hash        text NOT NULL,
    raw            bytea NOT NULL,                    -- signed bytes, journaled before broadcast
    state          text NOT NULL DEFAULT 'signed' CHECK (state IN ('signed', 'broadcast', 'mined', 'final', 'reverted')),
    epoch          bigint NOT NULL,
    block_number   bigint,
    block_hash     text,
    gas_used       bigint,
    revert_reason  text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (chain_id, from_address, nonce),           -- one nonce, one intent
    UNIQUE (chain_id, tx_hash)
);
CREATE INDEX transactions_operation ON chain.transactions (operation_id);
CREATE INDEX transactions_open ON chain.transactions (chain_id, from_address, nonce) WHERE state NOT IN ('final', 'reverted');
CREATE TABLE chain.dead_letters (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL,                     -- operation, event
    ref_id         text NOT NULL UNIQUE,
    payload        jsonb NOT NULL,
    error          text NOT NULL,
    status         text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'requeued', 'discarded')),
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE chain.monitoring (
    chain_id         bigint PRIMARY KEY,
    status           text NOT NULL CHECK (status IN ('ok', 'degraded', 'down', 'halted')),
    head_number      bigint NOT NULL,
    head_hash        text NOT NULL,
    finalized_number bigint NOT NULL,
    observed_at      timestamptz NOT NULL
);
CREATE TABLE chain.contracts (
    chain_id  bigint NOT NULL,
    name      text NOT NULL,                          -- e.g. 'TREXFactory', 'Settlement', 'StableCoin', 'token:<offering_id>'
    address   text NOT NULL,
    detail    jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (chain_id, name)
);
CREATE TABLE chain.streams (
    chain_id     bigint PRIMARY KEY,
    seq          bigint NOT NULL DEFAULT 0,           -- head of the event stream, moved by compare-and-set
    epoch        bigint NOT NULL DEFAULT 0,
    block_number bigint NOT NULL DEFAULT 0,           -- checkpoint: every block up to here is fully published as final
    block_hash   text NOT NULL DEFAULT ''
);
CREATE TABLE chain.events (
    chain_id     bigint NOT NULL REFERENCES chain.streams,
    seq          bigint NOT NULL CHECK (seq > 0),
    event_id     text NOT NULL,                       -- '<type>:<block_hash>:<log_index>' or '<type>:<operation_id>'
    type         text NOT NULL,                       -- transfer.seen, transfer.final, transfer.reverted, settlement.final, operation.final, operation.failed
    body         jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chain_id, seq),
    UNIQUE (chain_id, event_id)
);
-- The register: final on-chain balances, moved only by transfer.final.
CREATE TABLE api.token_balances (
    chain_id     bigint NOT NULL,
    token        text NOT NULL,                       -- contract address, lower case
    address      text NOT NULL,
    amount       numeric(78, 0) NOT NULL CHECK (amount >= 0), -- base units
    last_seq     bigint NOT NULL,                     -- chain event that moved it last
    PRIMARY KEY (chain_id, token, address)
);

-- migrate:down
DROP TABLE api.token_balances;
DROP TABLE chain.events;
DROP TABLE chain.streams;
DROP TABLE chain.contracts;
DROP TABLE chain.monitoring;
DROP TABLE chain.dead_letters;
DROP TABLE chain.transactions;
DROP TABLE chain.operations;
