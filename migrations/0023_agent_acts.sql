-- What agents of a token do with other people's units, what is frozen or paused because of it, and investors whose KYC was revoked.
-- Additions only, so the version before this one keeps working meanwhile.
-- migrate:up
CREATE TABLE api.agent_acts (
    act_id        text PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('mint', 'burn', 'transfer', 'force_transfer', 'freeze_wallet', 'unfreeze_wallet', 'freeze_units',
                                                'unfreeze_units', 'pause', 'unpause')),
    offering_id   text NOT NULL REFERENCES api.offerings,
    items         jsonb NOT NULL,                             -- [{investor_id, to_investor_id, units}], members that do not apply are null
    units_total   bigint NOT NULL DEFAULT 0 CHECK (units_total >= 0),
    reason        text NOT NULL,
    requested_by  text NOT NULL REFERENCES api.users,
    operation_id  text NOT NULL,
    status        text NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'final', 'failed')),
    error_code    text,
    error_detail  text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX agent_acts_offering ON api.agent_acts (offering_id, act_id);
CREATE TABLE api.holding_freezes (                            -- what of a holding an agent has frozen: here from the request, on chain soon after
    offering_id   text NOT NULL REFERENCES api.offerings,
    investor_id   text NOT NULL REFERENCES api.investors,
    wallet_frozen boolean NOT NULL DEFAULT false,
    units         bigint NOT NULL DEFAULT 0 CHECK (units >= 0),
    PRIMARY KEY (offering_id, investor_id)
);
ALTER TABLE api.offerings ADD COLUMN token_paused boolean NOT NULL DEFAULT false;
ALTER TABLE api.investors
    ADD COLUMN revoked_at              timestamptz,           -- null: not revoked, or registered again since
    ADD COLUMN revocation_operation_id text,                  -- the revocation under way on chain
    ADD COLUMN claim_serial            int NOT NULL DEFAULT 1; -- of the KYC claim: one more with each registration after a revocation
ALTER TABLE api.wallets DROP CONSTRAINT wallets_status_check,
    ADD CONSTRAINT wallets_status_check CHECK (status IN ('created', 'registering', 'registered', 'recovering', 'removed'));
INSERT INTO compliance.rules (rule_id, version, reason_code, source, status, effective_from) VALUES
    ('R26_investor_not_revoked', 1, 'INVESTOR_REVOKED', '31 CFR 1023.220; ERC-3643 claim revocation', 'active', '2026-11-22T00:00:00Z'),
    ('R27_wallet_not_frozen',    1, 'WALLET_FROZEN',    'ERC-3643 setAddressFrozen',                  'active', '2026-11-22T00:00:00Z'),
    ('R28_token_not_paused',     1, 'TOKEN_PAUSED',     'ERC-3643 pause',                             'active', '2026-11-22T00:00:00Z');
GRANT SELECT, INSERT, UPDATE ON api.agent_acts, api.holding_freezes TO tokenx_api;
GRANT SELECT ON api.agent_acts, api.holding_freezes TO tokenx_ro;

-- migrate:down
DELETE FROM compliance.rules WHERE rule_id IN ('R26_investor_not_revoked', 'R27_wallet_not_frozen', 'R28_token_not_paused');
ALTER TABLE api.wallets DROP CONSTRAINT wallets_status_check,
    ADD CONSTRAINT wallets_status_check CHECK (status IN ('created', 'registering', 'registered', 'removed'));
ALTER TABLE api.investors DROP COLUMN revoked_at, DROP COLUMN revocation_operation_id, DROP COLUMN claim_serial;
ALTER TABLE api.offerings DROP COLUMN token_paused;
DROP TABLE api.holding_freezes;
DROP TABLE api.agent_acts;
