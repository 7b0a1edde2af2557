-- A settlement that failed is tried again, but not at once: the cause (gas, a frozen party, a node) needs time to pass.
-- migrate:up
ALTER TABLE api.settlements ADD COLUMN next_attempt_at timestamptz NOT NULL DEFAULT now();

-- migrate:down
ALTER TABLE api.settlements DROP COLUMN next_attempt_at;
