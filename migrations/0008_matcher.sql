-- The command log (the sequencer), the execution log, and their projections: orders and fills.
-- migrate:up
CREATE TABLE matcher.sequencers (
    offering_id   text PRIMARY KEY REFERENCES api.offerings,
    cmd_seq       bigint NOT NULL DEFAULT 0,          -- last command number handed out; the row lock makes it dense
    cmd_hash      bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    exec_seq      bigint NOT NULL DEFAULT 0,          -- cursor: last execution ingested, moved by compare-and-set
    exec_cmd_seq  bigint NOT NULL DEFAULT 0,          -- command that caused it
    exec_hash     bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    epoch         bigint NOT NULL DEFAULT 0           -- matcher epoch that reported it
);
CREATE TABLE matcher.commands (
    offering_id text NOT NULL REFERENCES matcher.sequencers,
    cmd_seq     bigint NOT NULL CHECK (cmd_seq > 0),
    body        text NOT NULL,                        -- canonical JSON, exactly the bytes the hash covers
    hash        bytea NOT NULL CHECK (octet_length(hash) = 32), -- sha256(previous hash || body)
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (offering_id, cmd_seq)
);
CREATE TABLE matcher.executions (
    offering_id text NOT NULL REFERENCES matcher.sequencers,
    exec_seq    bigint NOT NULL CHECK (exec_seq > 0),
    cmd_seq     bigint NOT NULL,
    body        text NOT NULL,                        -- canonical JSON, exactly the bytes the hash covers
    hash        bytea NOT NULL CHECK (octet_length(hash) = 32), -- sha256(previous hash || body)
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (offering_id, exec_seq),
    FOREIGN KEY (offering_id, cmd_seq) REFERENCES matcher.commands
);
CREATE TABLE matcher.orders (
    order_id         text PRIMARY KEY,
    offering_id      text NOT NULL REFERENCES matcher.sequencers,
    investor_id      text NOT NULL REFERENCES api.investors,
    client_order_id  text NOT NULL CHECK (client_order_id ~ '^[A-Za-z0-9._:-]{1,64}$'),
    body_sha256      bytea NOT NULL,                  -- same client_order_id with another body is refused
    book_order_id    bigint NOT NULL,                 -- the engine's id: cmd_seq of the accepting command
    side             text NOT NULL CHECK (side IN ('buy', 'sell')),
    type             text NOT NULL CHECK (type IN ('limit', 'market')),
    time_in_force    text NOT NULL CHECK (time_in_force IN ('gtc', 'day', 'ioc', 'fok')),
    post_only        boolean NOT NULL DEFAULT false,
    quantity_lots    bigint NOT NULL CHECK (quantity_lots > 0),
    price_ticks      bigint NOT NULL CHECK (price_ticks > 0), -- limit, or protection price of a market order
    filled_lots      bigint NOT NULL DEFAULT 0 CHECK (filled_lots >= 0),
    remaining_lots   bigint NOT NULL CHECK (remaining_lots >= 0), -- open quantity; zero once closed
    filled_notional_minor bigint NOT NULL DEFAULT 0,
    status           text NOT NULL DEFAULT 'pending_new' CHECK (status IN ('pending_new', 'new', 'partially_filled', 'filled',
                       'pending_cancel', 'canceled', 'pending_replace', 'rejected', 'expired', 'suspended')),
    status_reason    text NOT NULL DEFAULT '',
    decision_id      text NOT NULL REFERENCES compliance.decisions,
    revision         int NOT NULL DEFAULT 1,
    last_exec_seq    bigint NOT NULL DEFAULT 0,
    correlation_id   text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    closed_at        timestamptz,
    UNIQUE (investor_id, client_order_id),
    UNIQUE (offering_id, book_order_id),
    CHECK (filled_lots + remaining_lots <= quantity_lots),
    CHECK ((status IN ('filled', 'canceled', 'rejected', 'expired')) = (closed_at IS NOT NULL))
);
CREATE INDEX orders_investor ON matcher.orders (investor_id, order_id);
CREATE INDEX orders_open ON matcher.orders (offering_id, side, price_ticks) WHERE closed_at IS NULL;
CREATE TABLE matcher.fills (
    fill_id         text PRIMARY KEY,                 -- '<offering_id>:<exec_seq>'
    offering_id     text NOT NULL,
    exec_seq        bigint NOT NULL,
    cmd_seq         bigint NOT NULL,
    maker_order_id  text NOT NULL REFERENCES matcher.orders,
    taker_order_id  text NOT NULL REFERENCES matcher.orders,
    buy_order_id    text NOT NULL REFERENCES matcher.orders,
    sell_order_id   text NOT NULL REFERENCES matcher.orders,
    price_ticks     bigint NOT NULL CHECK (price_ticks > 0),
    quantity_lots   bigint NOT NULL CHECK (quantity_lots > 0),
    notional_minor  bigint NOT NULL CHECK (notional_minor > 0),
    executed_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (offering_id, exec_seq),
    FOREIGN KEY (offering_id, exec_seq) REFERENCES matcher.executions
);
CREATE INDEX fills_maker ON matcher.fills (maker_order_id);
CREATE INDEX fills_taker ON matcher.fills (taker_order_id);
-- Delivery versus payment of one fill. In flight from the trade until the chain event is final.
CREATE TABLE api.settlements (
    settlement_id   text PRIMARY KEY,
    fill_id         text NOT NULL UNIQUE REFERENCES matcher.fills,
    offering_id     text NOT NULL REFERENCES api.offerings,
    buyer_id        text NOT NULL REFERENCES api.investors,
    seller_id       text NOT NULL REFERENCES api.investors,
    units           bigint NOT NULL CHECK (units > 0),
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'instructed', 'settled', 'failed')),
    operation_id    text,                             -- chain operation of the batch it went in
    attempts        int NOT NULL DEFAULT 0,
    failure_reason  text,
    tx_hash         text,
    decision_id     text REFERENCES compliance.decisions,
    created_at      timestamptz NOT NULL DEFAULT now(),
    settled_at      timestamptz
);
CREATE INDEX settlements_pending ON api.settlements (created_at, settlement_id) WHERE status = 'pending';
CREATE INDEX settlements_operation ON api.settlements (operation_id) WHERE status = 'instructed';

-- migrate:down
DROP TABLE api.settlements;
DROP TABLE matcher.fills;
DROP TABLE matcher.orders;
DROP TABLE matcher.executions;
DROP TABLE matcher.commands;
DROP TABLE matcher.sequencers;
