-- Double-entry ledger. An entry's postings sum to zero per asset (deferred trigger); postings never change.
-- asset is a currency code in minor units ('USD', cents) or an offering id in units.
-- owner is 'investor:<id>', 'issuer:<id>', 'clearing:<offering>', 'issuance:<offering>' or 'bank:<currency>'.
-- migrate:up
CREATE TABLE api.ledger_accounts (
    account_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner       text NOT NULL,
    asset       text NOT NULL,
    balance     bigint NOT NULL DEFAULT 0,
    reserved    bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),  -- held for open orders, subscriptions and redemptions
    UNIQUE (owner, asset),
    CHECK (owner LIKE 'issuance:%' OR owner LIKE 'bank:%' OR (balance >= 0 AND reserved <= balance))
);
CREATE TABLE api.ledger_entries (
    entry_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL,                -- deposit, issue, trade, settle, unwind, redeem, payout
    ref         text NOT NULL,                -- business id this entry belongs to
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, ref)                        -- the effect of one business event is posted once
);
CREATE TABLE api.ledger_postings (
    entry_id    bigint NOT NULL REFERENCES api.ledger_entries,
    account_id  bigint NOT NULL REFERENCES api.ledger_accounts,
    amount      bigint NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (entry_id, account_id)
);
CREATE INDEX postings_account ON api.ledger_postings (account_id, entry_id);
CREATE FUNCTION api.check_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM api.ledger_postings p JOIN api.ledger_accounts a USING (account_id)
               WHERE p.entry_id = NEW.entry_id GROUP BY a.asset HAVING sum(p.amount) <> 0) THEN
        RAISE EXCEPTION 'ledger entry % does not sum to zero', NEW.entry_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER postings_sum_to_zero AFTER INSERT ON api.ledger_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION api.check_entry_balances();
CREATE TABLE api.reservations (
    ref         text NOT NULL,                -- order, subscription or redemption id
    account_id  bigint NOT NULL REFERENCES api.ledger_accounts,
    amount      bigint NOT NULL CHECK (amount >= 0),   -- what is still held; zero when the order is closed
    PRIMARY KEY (ref, account_id)
);

-- migrate:down
DROP TABLE api.reservations;
DROP TABLE api.ledger_postings;
DROP TABLE api.ledger_entries;
DROP TABLE api.ledger_accounts;
DROP FUNCTION api.check_entry_balances();
