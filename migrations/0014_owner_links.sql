-- Declared links between beneficial owners: surveillance treats linked owners as one when it looks for wash trades and rings.
-- migrate:up
CREATE TABLE compliance.owner_links (
    owner_a        bigint NOT NULL REFERENCES api.investors (owner_group),
    owner_b        bigint NOT NULL REFERENCES api.investors (owner_group),
    confidence_pct int NOT NULL CHECK (confidence_pct BETWEEN 1 AND 100),
    basis          text NOT NULL CHECK (basis <> ''),       -- what the link rests on: shared bank account, device, director
    created_by     text NOT NULL REFERENCES api.users,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_a, owner_b),
    CHECK (owner_a < owner_b)                               -- one row a pair
);
CREATE INDEX scores_from ON kyt.tx_risk_scores (from_address, scored_at);
GRANT SELECT, INSERT, UPDATE ON compliance.owner_links TO tokenx_api;
GRANT SELECT ON compliance.owner_links TO tokenx_ro;

-- migrate:down
DROP INDEX kyt.scores_from;
DROP TABLE compliance.owner_links;
