-- What a redemption's workflow and statement need to know: why it stopped, who let it pass, its payout and when things happened.
-- migrate:up
ALTER TABLE api.redemptions
    ADD COLUMN status_reason       text NOT NULL DEFAULT '',
    ADD COLUMN decision_id         text REFERENCES compliance.decisions,
    ADD COLUMN payout_operation_id text,               -- the payout under way; null before, and again after one that failed
    ADD COLUMN burned_at           timestamptz,
    ADD COLUMN paid_at             timestamptz;

-- migrate:down
ALTER TABLE api.redemptions
    DROP COLUMN status_reason, DROP COLUMN decision_id, DROP COLUMN payout_operation_id, DROP COLUMN burned_at, DROP COLUMN paid_at;
