-- Users, sessions, investors, issuers, wallets.
-- migrate:up
CREATE TABLE api.users (
    user_id       text PRIMARY KEY,
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    display_name  text NOT NULL,
    password_hash text NOT NULL,                                    -- Argon2id
    personas      text[] NOT NULL CHECK (cardinality(personas) > 0 AND personas <@ ARRAY['investor', 'issuer', 'compliance_officer',
                                          'transfer_agent', 'tokenization_agent', 'ats_operator', 'admin']),
    status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE api.sessions (
    token_sha256    bytea PRIMARY KEY CHECK (octet_length(token_sha256) = 32),
    user_id         text NOT NULL REFERENCES api.users,
    csrf_token      text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_used_at    timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL
);
CREATE INDEX sessions_user ON api.sessions (user_id);
CREATE TABLE api.issuers (
    issuer_id     text PRIMARY KEY,
    user_id       text NOT NULL UNIQUE REFERENCES api.users,
    legal_name    text NOT NULL,
    country       text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),      -- ISO 3166-1 alpha-2
    kyb_status    text NOT NULL DEFAULT 'pending' CHECK (kyb_status IN ('pending', 'approved', 'rejected')),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE compliance.kyb (
    kyb_id      text PRIMARY KEY,
    issuer_id   text NOT NULL REFERENCES api.issuers,
    status      text NOT NULL CHECK (status IN ('pending', 'approved', 'rejected')),
    reviewer_id text REFERENCES api.users,
    reason      text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    decided_at  timestamptz
);
CREATE TABLE api.investors (
    investor_id     text PRIMARY KEY,
    user_id         text NOT NULL UNIQUE REFERENCES api.users,
    legal_name      text NOT NULL,
    country         text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),    -- ISO 3166-1 alpha-2
    owner_group     bigint GENERATED ALWAYS AS IDENTITY UNIQUE,      -- beneficial-owner group the book uses for self-trade prevention
    kyc_status      text NOT NULL DEFAULT 'pending' CHECK (kyc_status IN ('pending', 'approved', 'rejected', 'expired')),
    kyc_expires_at  timestamptz,
    kyc_reviewer_id text REFERENCES api.users,
    kyc_reason      text NOT NULL DEFAULT '',
    frozen          boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (kyc_status <> 'approved' OR kyc_expires_at IS NOT NULL)
);
CREATE TABLE api.wallets (
    wallet_id    text PRIMARY KEY,
    chain_id     bigint NOT NULL,
    address      text NOT NULL CHECK (address ~ '^0x[0-9a-f]{40}$'), -- lower case; the screen shows EIP-55
    key_ref      text NOT NULL,                                      -- name of the custodial key inside the chain service
    investor_id  text REFERENCES api.investors,
    issuer_id    text REFERENCES api.issuers,
    identity     text CHECK (identity ~ '^0x[0-9a-f]{40}$'),         -- ONCHAINID, once deployed
    status       text NOT NULL DEFAULT 'created' CHECK (status IN ('created', 'registering', 'registered', 'removed')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (chain_id, address),
    UNIQUE (chain_id, key_ref),
    CHECK ((investor_id IS NULL) <> (issuer_id IS NULL))
);
CREATE UNIQUE INDEX wallets_investor ON api.wallets (investor_id, chain_id) WHERE investor_id IS NOT NULL;

-- migrate:down
DROP TABLE api.wallets;
DROP TABLE api.investors;
DROP TABLE compliance.kyb;
DROP TABLE api.issuers;
DROP TABLE api.sessions;
DROP TABLE api.users;
