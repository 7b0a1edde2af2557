-- Why a subscription came back from the chain, and a small index for the work that waits: funding, and issuing once the cash is on chain.
-- migrate:up
ALTER TABLE api.subscriptions ADD COLUMN status_reason text NOT NULL DEFAULT '';
CREATE INDEX subscriptions_waiting ON api.subscriptions (subscription_id)
    WHERE status = 'awaiting_funds' OR (status = 'accepted' AND operation_id IS NULL);

-- migrate:down
DROP INDEX api.subscriptions_waiting;
ALTER TABLE api.subscriptions DROP COLUMN status_reason;
