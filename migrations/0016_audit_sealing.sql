-- The sealer reads events in the order (recorded_xid, event_id) from where the last seal ended; without an index that is a scan each second.
-- migrate:up
CREATE INDEX events_sealing ON audit.events (recorded_xid, event_id);

-- migrate:down
DROP INDEX audit.events_sealing;
