-- Offerings, primary subscriptions, payments, redemptions.
-- migrate:up
CREATE TABLE api.offerings (
    offering_id      text PRIMARY KEY,
    issuer_id        text NOT NULL REFERENCES api.issuers,
    symbol           text NOT NULL UNIQUE CHECK (symbol ~ '^[A-Z][A-Z0-9]{1,9}$'),
    name             text NOT NULL,
    exemption        text NOT NULL CHECK (exemption IN ('reg_d_506b', 'reg_d_506c', 'reg_s', 'reg_a_t2', 'reg_cf', 'rule_144a', 'registered')),
    currency         text NOT NULL DEFAULT 'USD' CHECK (currency = 'USD'),
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor > 0),      -- primary price of one unit, cents
    max_units        bigint NOT NULL CHECK (max_units > 0),
    tick_size_minor  bigint NOT NULL CHECK (tick_size_minor > 0),       -- cents per price tick
    lot_size_units   bigint NOT NULL CHECK (lot_size_units > 0),        -- units per lot
    collar_bps       int NOT NULL DEFAULT 1000 CHECK (collar_bps BETWEEN 1 AND 10000), -- price collar around the reference price
    blocked_countries text[] NOT NULL DEFAULT '{}',                     -- ISO 3166-1 alpha-2
    status           text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'approved', 'deploying', 'deployed', 'open', 'closed')),
    market_state     text NOT NULL DEFAULT 'closed' CHECK (market_state IN ('closed', 'continuous', 'halted', 'cancel_only')),
    chain_id         bigint,
    token_address    text CHECK (token_address ~ '^0x[0-9a-f]{40}$'),
    contracts        jsonb NOT NULL DEFAULT '{}',                       -- the other addresses of the ERC-3643 suite
    created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE api.subscriptions (
    subscription_id text PRIMARY KEY,
    offering_id     text NOT NULL REFERENCES api.offerings,
    investor_id     text NOT NULL REFERENCES api.investors,
    units           bigint NOT NULL CHECK (units > 0),
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    status          text NOT NULL DEFAULT 'awaiting_funds'
                    CHECK (status IN ('awaiting_funds', 'funded', 'accepted', 'issued', 'rejected', 'cancelled')),
    decision_id     text,
    operation_id    text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX subscriptions_offering ON api.subscriptions (offering_id, subscription_id);
CREATE INDEX subscriptions_investor ON api.subscriptions (investor_id, subscription_id);
CREATE TABLE api.payments (
    payment_id      text PRIMARY KEY,
    investor_id     text NOT NULL REFERENCES api.investors,
    direction       text NOT NULL CHECK (direction IN ('deposit', 'payout')),
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    currency        text NOT NULL DEFAULT 'USD',
    provider        text NOT NULL,                    -- PAYMENT_BACKEND that handles it
    provider_ref    text UNIQUE,
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'settled', 'failed')),
    operation_id    text,                             -- on-chain cash leg
    created_at      timestamptz NOT NULL DEFAULT now(),
    settled_at      timestamptz
);
CREATE INDEX payments_investor ON api.payments (investor_id, payment_id);
CREATE TABLE api.redemptions (
    redemption_id   text PRIMARY KEY,
    offering_id     text NOT NULL REFERENCES api.offerings,
    investor_id     text NOT NULL REFERENCES api.investors,
    units           bigint NOT NULL CHECK (units > 0),
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    status          text NOT NULL DEFAULT 'requested'
                    CHECK (status IN ('requested', 'awaiting_approval', 'approved', 'burning', 'burned', 'paid', 'closed', 'rejected', 'failed')),
    workflow_id     text NOT NULL UNIQUE,             -- 'redemption:<redemption_id>'
    approver_id     text REFERENCES api.users,
    operation_id    text,
    payment_id      text REFERENCES api.payments,
    statement       jsonb,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX redemptions_investor ON api.redemptions (investor_id, redemption_id);

-- migrate:down
DROP TABLE api.redemptions;
DROP TABLE api.payments;
DROP TABLE api.subscriptions;
DROP TABLE api.offerings;
