-- Append-only audit trail. Rows enter through audit.append() only; triggers are ENABLE ALWAYS so that a replica role cannot pass them.
-- Each row carries its own leaf hash; a sealer chains blocks of leaves, so business transactions never wait on one chain head.
-- migrate:up
CREATE TABLE audit.events (
    event_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor           text NOT NULL CHECK (actor <> ''),         -- user id, or 'service:<name>'
    action          text NOT NULL CHECK (action <> ''),        -- past tense noun.verb: order.accepted
    subject_type    text NOT NULL,
    subject_id      text NOT NULL,
    correlation_id  text NOT NULL,
    detail          jsonb NOT NULL DEFAULT '{}',
    recorded_xid    xid8 NOT NULL DEFAULT pg_current_xact_id(), -- lets the sealer skip rows of transactions still in flight
    leaf            bytea NOT NULL CHECK (octet_length(leaf) = 32)
);
CREATE INDEX events_subject ON audit.events (subject_type, subject_id, event_id);
CREATE TABLE audit.seals (
    seal_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_ids   bigint[] NOT NULL CHECK (cardinality(event_ids) > 0),
    root        bytea NOT NULL CHECK (octet_length(root) = 32),        -- Merkle root over the leaves in event_ids order
    prev_hash   bytea NOT NULL CHECK (octet_length(prev_hash) = 32),   -- hash of the previous seal; 32 zero bytes for the first
    hash        bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32), -- sha256(prev_hash || root || count as 8 bytes big endian)
    sealed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (prev_hash)
);
CREATE FUNCTION audit.leaf_hash(actor text, action text, subject_type text, subject_id text, correlation_id text, detail jsonb, occurred_at timestamptz)
RETURNS bytea LANGUAGE sql STABLE
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' AS $$
    SELECT sha256(convert_to(jsonb_build_array('tokenx.audit.v1', actor, action, subject_type, subject_id, correlation_id, detail,
                                               to_char(occurred_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text, 'UTF8'))
$$;
CREATE FUNCTION audit.append(p_actor text, p_action text, p_subject_type text, p_subject_id text, p_correlation_id text, p_detail jsonb)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, audit AS $$
DECLARE
    at timestamptz := clock_timestamp();
    new_id bigint;
BEGIN
    INSERT INTO audit.events (occurred_at, actor, action, subject_type, subject_id, correlation_id, detail, leaf)
    VALUES (at, p_actor, p_action, p_subject_type, p_subject_id, p_correlation_id, coalesce(p_detail, '{}'),
            audit.leaf_hash(p_actor, p_action, p_subject_type, p_subject_id, p_correlation_id, coalesce(p_detail, '{}'), at))
    RETURNING event_id INTO new_id;
    RETURN new_id;
END $$;
REVOKE ALL ON FUNCTION audit.append(text, text, text, text, text, jsonb) FROM PUBLIC;
CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is not allowed: the audit trail is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON audit.events FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON audit.events FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER seals_no_change BEFORE UPDATE OR DELETE ON audit.seals FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER seals_no_truncate BEFORE TRUNCATE ON audit.seals FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.events ENABLE ALWAYS TRIGGER events_no_change;
ALTER TABLE audit.events ENABLE ALWAYS TRIGGER events_no_truncate;
ALTER TABLE audit.seals ENABLE ALWAYS TRIGGER seals_no_change;
ALTER TABLE audit.seals ENABLE ALWAYS TRIGGER seals_no_truncate;

-- migrate:down
DROP TABLE audit.seals;
DROP TABLE audit.events;
DROP FUNCTION audit.append(text, text, text, text, text, jsonb);
DROP FUNCTION audit.leaf_hash(text, text, text, text, text, jsonb, timestamptz);
DROP FUNCTION audit.refuse_change();
