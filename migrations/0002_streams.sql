-- The event protocol: leases with epochs (fencing), consumer cursors moved by compare-and-set, the outbox.
-- migrate:up
CREATE TABLE api.leases (
    resource    text PRIMARY KEY,                       -- e.g. 'matcher', 'chain:31337'
    holder      text NOT NULL,
    epoch       bigint NOT NULL CHECK (epoch > 0),      -- grows with each new holder; an older epoch is refused
    expires_at  timestamptz NOT NULL
);
CREATE TABLE api.stream_cursors (
    consumer    text NOT NULL,                          -- e.g. 'api.executions', 'kyt'
    stream      text NOT NULL,                          -- e.g. 'ev:off_…', 'chain:31337'
    seq         bigint NOT NULL CHECK (seq >= 0),       -- last sequence number whose effect is committed
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, stream)
);
-- Work that must happen after commit, outside the database. kind: workflow_start, workflow_signal, chain_operation, notification.
CREATE TABLE api.outbox (
    outbox_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL,
    dedupe_key      text NOT NULL UNIQUE,
    payload         jsonb NOT NULL,
    correlation_id  text NOT NULL,
    attempts        int NOT NULL DEFAULT 0,
    last_error      text,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    created_at      timestamptz NOT NULL DEFAULT now(),
    sent_at         timestamptz
);
CREATE INDEX outbox_pending ON api.outbox (next_attempt_at, outbox_id) WHERE sent_at IS NULL;
CREATE TABLE api.idempotency_keys (
    principal_id    text NOT NULL,
    route           text NOT NULL,
    key             text NOT NULL,
    body_sha256     bytea NOT NULL,
    response_status int NOT NULL,
    response_body   jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal_id, route, key)
);

-- migrate:down
DROP TABLE api.idempotency_keys;
DROP TABLE api.outbox;
DROP TABLE api.stream_cursors;
DROP TABLE api.leases;
