-- What an offering's token refuses by rules of its own: holder caps, balance cap, countries, lock-up, volume window, exchange limits.
-- As the issuer stated them; the chain service binds the modules. Offerings of before have none.
-- migrate:up
ALTER TABLE api.offerings ADD COLUMN transfer_rules jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(transfer_rules) = 'object');

-- migrate:down
ALTER TABLE api.offerings DROP COLUMN transfer_rules;
