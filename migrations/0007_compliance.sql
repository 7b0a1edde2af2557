-- Rules with versions, per-offering restrictions, and the stored decisions (append-only).
-- migrate:up
CREATE TABLE compliance.rules (
    rule_id        text NOT NULL,
    version        int NOT NULL CHECK (version > 0),
    reason_code    text NOT NULL,
    source         text NOT NULL,                  -- citation of the law or venue rule
    params         jsonb NOT NULL DEFAULT '{}',
    status         text NOT NULL CHECK (status IN ('draft', 'shadow', 'active', 'retired')),
    effective_from timestamptz NOT NULL,
    effective_to   timestamptz,
    PRIMARY KEY (rule_id, version)
);
CREATE TABLE compliance.transfer_restrictions (
    restriction_id text PRIMARY KEY,
    offering_id    text NOT NULL REFERENCES api.offerings,
    investor_id    text REFERENCES api.investors,   -- null: every holder
    kind           text NOT NULL CHECK (kind IN ('lock_up', 'freeze', 'legend')),
    units          bigint CHECK (units > 0),        -- null: the whole holding
    until          timestamptz,
    reason         text NOT NULL,
    created_by     text NOT NULL REFERENCES api.users,
    created_at     timestamptz NOT NULL DEFAULT now(),
    lifted_at      timestamptz
);
CREATE TABLE compliance.decisions (
    decision_id    text PRIMARY KEY,
    stage          text NOT NULL CHECK (stage IN ('onboarding', 'subscription', 'pre_trade', 'pre_transfer', 'settlement', 'payout')),
    subject_type   text NOT NULL,
    subject_id     text NOT NULL,
    outcome        text NOT NULL CHECK (outcome IN ('allow', 'review', 'deny')),
    results        jsonb NOT NULL,                  -- one object per rule: rule_id, version, outcome, reason_code, remedy
    facts          jsonb NOT NULL,
    engine_version text NOT NULL,
    correlation_id text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX decisions_subject ON compliance.decisions (subject_type, subject_id, decision_id);

-- migrate:down
DROP TABLE compliance.decisions;
DROP TABLE compliance.transfer_restrictions;
DROP TABLE compliance.rules;
