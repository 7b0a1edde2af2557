-- Keys that were replaced, and those being replaced: which key a name stands for is what its last switch says.
-- Additions only, so the version before this one keeps working meanwhile.
-- migrate:up
CREATE TABLE chain.rotations (
    operation_id text PRIMARY KEY REFERENCES chain.operations,
    chain_id     bigint NOT NULL,
    name         text NOT NULL,                           -- ats-submitter; its keys are ats-submitter, ats-submitter@2, …
    old_key      text NOT NULL,
    new_key      text NOT NULL,
    old_address  text NOT NULL,
    new_address  text NOT NULL,
    from_epoch   bigint NOT NULL CHECK (from_epoch > 0),  -- of the old key; the new one has the next
    force        boolean NOT NULL,                        -- cancel what waits for a nonce of the old key
    phase        text NOT NULL DEFAULT 'requested' CHECK (phase IN ('requested', 'discover', 'prove', 'grant', 'verify', 'switch', 'drain', 'recheck',
                                                                    'revoke', 'confirm', 'done', 'aborting', 'aborted')),
    detail       text NOT NULL DEFAULT '',                -- why it was given up
    requested_at timestamptz NOT NULL DEFAULT now(),
    switched_at  timestamptz,                             -- from here on the name stands for new_key, for ever or until the next switch
    ended_at     timestamptz
);
CREATE UNIQUE INDEX rotations_switched ON chain.rotations (chain_id, name, from_epoch) WHERE switched_at IS NOT NULL;
CREATE UNIQUE INDEX rotations_open ON chain.rotations (chain_id, name) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON chain.rotations TO tokenx_api;
GRANT SELECT ON chain.rotations TO tokenx_ro;

-- migrate:down
DROP TABLE chain.rotations;
