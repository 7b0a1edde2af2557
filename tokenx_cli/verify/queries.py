"""SQL of the verifier. Everything runs as tokenx_ro inside one repeatable-read snapshot; each statement returns the rows that break an invariant."""

from typing import LiteralString

ORDERS_WITHOUT_COMMAND: LiteralString = """
    SELECT o.order_id AS what FROM matcher.orders o
    LEFT JOIN matcher.commands c ON c.offering_id = o.offering_id AND c.cmd_seq = o.book_order_id
    WHERE c.cmd_seq IS NULL OR c.body::jsonb ->> 'order_id' <> o.order_id OR c.body::jsonb ->> 'type' <> 'order.new' LIMIT 20"""
COMMANDS_WITHOUT_ORDER: LiteralString = """
    SELECT c.offering_id || ':' || c.cmd_seq AS what FROM matcher.commands c
    LEFT JOIN matcher.orders o ON o.offering_id = c.offering_id AND o.book_order_id = c.cmd_seq
    WHERE c.body::jsonb ->> 'type' = 'order.new' AND o.order_id IS NULL LIMIT 20"""
COMMANDS_NOT_DENSE: LiteralString = """
    SELECT s.offering_id || ': cmd_seq ' || s.cmd_seq || ', ' || count(c.cmd_seq) || ' commands' AS what
    FROM matcher.sequencers s LEFT JOIN matcher.commands c USING (offering_id) GROUP BY s.offering_id, s.cmd_seq
    HAVING count(c.cmd_seq) <> s.cmd_seq OR coalesce(max(c.cmd_seq), 0) <> s.cmd_seq LIMIT 20"""
EXECUTIONS_NOT_DENSE: LiteralString = """
    SELECT s.offering_id || ': exec_seq ' || s.exec_seq || ', ' || count(e.exec_seq) || ' executions' AS what
    FROM matcher.sequencers s LEFT JOIN matcher.executions e USING (offering_id) GROUP BY s.offering_id, s.exec_seq
    HAVING count(e.exec_seq) <> s.exec_seq OR coalesce(max(e.exec_seq), 0) <> s.exec_seq LIMIT 20"""
CHAIN_EVENTS_NOT_DENSE: LiteralString = """
    SELECT 'chain ' || s.chain_id || ': head ' || s.seq || ', ' || count(e.seq) || ' events' AS what
    FROM chain.streams s LEFT JOIN chain.events e USING (chain_id) GROUP BY s.chain_id, s.seq
    HAVING count(e.seq) <> s.seq OR coalesce(max(e.seq), 0) <> s.seq LIMIT 20"""
SEQUENCERS: LiteralString = """
    SELECT s.offering_id, s.cmd_seq, s.cmd_hash, s.exec_seq, s.exec_hash, s.exec_cmd_seq FROM matcher.sequencers s ORDER BY s.offering_id LIMIT 10000"""
COMMANDS: LiteralString = """
    SELECT cmd_seq, body, hash FROM matcher.commands WHERE offering_id = $1 AND cmd_seq > $2 ORDER BY cmd_seq LIMIT $3"""
EXECUTIONS: LiteralString = """
    SELECT exec_seq, cmd_seq, body, hash FROM matcher.executions WHERE offering_id = $1 AND exec_seq > $2 ORDER BY exec_seq LIMIT $3"""
FILLS_NOT_TRADES: LiteralString = """
    SELECT coalesce(f.fill_id, e.offering_id || ':' || e.exec_seq) AS what
    FROM (SELECT offering_id, exec_seq, body::jsonb AS body FROM matcher.executions WHERE body::jsonb ->> 'type' = 'trade') e
    FULL JOIN matcher.fills f USING (offering_id, exec_seq)
    WHERE e.exec_seq IS NULL OR f.fill_id IS NULL OR f.price_ticks <> (e.body ->> 'price_ticks')::bigint
       OR f.quantity_lots <> (e.body ->> 'quantity_lots')::bigint OR f.maker_order_id <> e.body ->> 'maker_order_id'
       OR f.taker_order_id <> e.body ->> 'taker_order_id' LIMIT 20"""
ORDER_QUANTITIES_WRONG: LiteralString = """
    WITH filled AS (SELECT order_id, sum(lots) AS lots FROM (
            SELECT buy_order_id AS order_id, quantity_lots AS lots FROM matcher.fills
            UNION ALL SELECT sell_order_id, quantity_lots FROM matcher.fills) legs GROUP BY order_id)
    SELECT o.order_id || ': ' || o.status || ' quantity ' || o.quantity_lots || ', filled ' || o.filled_lots || ', open ' || o.remaining_lots AS what
    FROM matcher.orders o LEFT JOIN filled f USING (order_id)
    WHERE o.filled_lots <> coalesce(f.lots, 0) OR o.filled_lots + o.remaining_lots > o.quantity_lots
       OR (o.closed_at IS NULL AND o.filled_lots + o.remaining_lots <> o.quantity_lots)
       OR (o.closed_at IS NOT NULL AND o.remaining_lots <> 0) LIMIT 20"""
ENTRIES_NOT_ZERO: LiteralString = """
    SELECT 'entry ' || p.entry_id || ' ' || a.asset || ': ' || sum(p.amount) AS what FROM api.ledger_postings p JOIN api.ledger_accounts a USING (account_id)
    GROUP BY p.entry_id, a.asset HAVING sum(p.amount) <> 0 LIMIT 20"""
BALANCES_NOT_POSTINGS: LiteralString = """
    SELECT a.owner || ' ' || a.asset || ': balance ' || a.balance || ', postings ' || coalesce(sum(p.amount), 0) AS what
    FROM api.ledger_accounts a LEFT JOIN api.ledger_postings p USING (account_id)
    GROUP BY a.account_id HAVING a.balance <> coalesce(sum(p.amount), 0) LIMIT 20"""
RESERVED_NOT_RESERVATIONS: LiteralString = """
    SELECT a.owner || ' ' || a.asset || ': reserved ' || a.reserved || ', held ' || coalesce(sum(r.amount), 0) AS what
    FROM api.ledger_accounts a LEFT JOIN api.reservations r USING (account_id)
    GROUP BY a.account_id HAVING a.reserved <> coalesce(sum(r.amount), 0) LIMIT 20"""
RESERVATIONS_NOT_OPEN_ORDERS: LiteralString = """
    SELECT o.order_id || ': ' || o.status || ' holds ' || coalesce(r.amount, 0) || ', needs ' || CASE WHEN o.side = 'sell'
               THEN o.remaining_lots * f.lot_size_units ELSE o.remaining_lots * f.lot_size_units * o.price_ticks * f.tick_size_minor END AS what
    FROM matcher.orders o JOIN api.offerings f USING (offering_id)
    LEFT JOIN (SELECT ref, sum(amount) AS amount FROM api.reservations GROUP BY ref) r ON r.ref = o.order_id
    WHERE o.status <> 'pending_replace' AND coalesce(r.amount, 0) <> CASE WHEN o.side = 'sell'
               THEN o.remaining_lots * f.lot_size_units ELSE o.remaining_lots * f.lot_size_units * o.price_ticks * f.tick_size_minor END LIMIT 20"""
NEGATIVE_BALANCES: LiteralString = """
    SELECT owner || ' ' || asset AS what FROM api.ledger_accounts
    WHERE reserved < 0 OR (owner NOT LIKE 'issuance:%' AND owner NOT LIKE 'bank:%' AND (balance < 0 OR reserved > balance)) LIMIT 20"""
FILLS_WITHOUT_SETTLEMENT: LiteralString = """
    SELECT f.fill_id AS what FROM matcher.fills f LEFT JOIN api.settlements s USING (fill_id) WHERE s.settlement_id IS NULL LIMIT 20"""
UNITS_NOT_ON_CHAIN: LiteralString = """
    WITH register AS (
        SELECT o.offering_id, w.investor_id, coalesce(b.amount, 0) AS units FROM api.offerings o
        JOIN api.wallets w ON w.chain_id = o.chain_id AND w.investor_id IS NOT NULL
        LEFT JOIN api.token_balances b ON b.chain_id = o.chain_id AND b.token = o.token_address AND b.address = w.address
        WHERE o.token_address IS NOT NULL),
    flight AS (
        SELECT offering_id, investor_id, sum(units) AS units FROM (
            SELECT offering_id, seller_id AS investor_id, units FROM api.settlements WHERE status IN ('pending', 'instructed')) s
        GROUP BY offering_id, investor_id),
    redeeming AS (
        SELECT offering_id, investor_id, sum(units) AS units FROM api.redemptions WHERE status IN ('burning', 'burned') GROUP BY offering_id, investor_id)
    SELECT r.offering_id || ' ' || r.investor_id || ': ledger ' || coalesce(a.balance, 0) || ', in flight ' || coalesce(f.units, 0)
           || ', on chain ' || r.units AS what
    FROM register r
    LEFT JOIN api.ledger_accounts a ON a.owner = 'investor:' || r.investor_id AND a.asset = r.offering_id
    LEFT JOIN flight f ON f.offering_id = r.offering_id AND f.investor_id = r.investor_id
    LEFT JOIN redeeming d ON d.offering_id = r.offering_id AND d.investor_id = r.investor_id
    WHERE coalesce(a.balance, 0) + coalesce(f.units, 0) <> r.units AND d.units IS NULL
      AND NOT EXISTS (SELECT 1 FROM api.subscriptions s WHERE s.offering_id = r.offering_id AND s.investor_id = r.investor_id AND s.status = 'accepted')
    LIMIT 20"""
SUPPLY_NOT_REGISTER: LiteralString = """
    SELECT o.symbol || ': issued ' || coalesce(-i.balance, 0) || ', on chain ' || coalesce(sum(b.amount), 0) AS what FROM api.offerings o
    LEFT JOIN api.ledger_accounts i ON i.owner = 'issuance:' || o.offering_id AND i.asset = o.offering_id
    LEFT JOIN api.token_balances b ON b.chain_id = o.chain_id AND b.token = o.token_address
    WHERE o.token_address IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM api.subscriptions s WHERE s.offering_id = o.offering_id AND s.status = 'accepted')
      AND NOT EXISTS (SELECT 1 FROM api.redemptions r WHERE r.offering_id = o.offering_id AND r.status IN ('burning', 'burned'))
    GROUP BY o.offering_id, i.balance HAVING coalesce(-i.balance, 0) <> coalesce(sum(b.amount), 0) LIMIT 20"""
AUDIT_LEAVES_CHANGED: LiteralString = """
    SELECT 'audit event ' || event_id AS what FROM audit.events
    WHERE leaf <> audit.leaf_hash(actor, action, subject_type, subject_id, correlation_id, detail, occurred_at) LIMIT 20"""
AUDIT_SEALS: LiteralString = """
    SELECT s.seal_id, s.event_ids, s.root, s.prev_hash, s.hash,
           ARRAY(SELECT e.leaf FROM unnest(s.event_ids) WITH ORDINALITY AS sealed (event_id, position)
                 LEFT JOIN audit.events e USING (event_id) ORDER BY position) AS leaves
    FROM audit.seals s WHERE s.seal_id > $1 ORDER BY s.seal_id LIMIT $2"""
AUDIT_SEALED_TWICE: LiteralString = """
    SELECT 'audit event ' || event_id || ' is in ' || count(*) || ' seals' AS what FROM audit.seals, unnest(event_ids) AS event_id
    GROUP BY event_id HAVING count(*) > 1 LIMIT 20"""
ORDERS_WITHOUT_AUDIT: LiteralString = """
    SELECT o.order_id AS what FROM matcher.orders o
    WHERE NOT EXISTS (SELECT 1 FROM audit.events e WHERE e.subject_type = 'order' AND e.subject_id = o.order_id) LIMIT 20"""
NONCES_NOT_DENSE: LiteralString = """
    SELECT 'chain ' || chain_id || ' ' || from_address || ': nonces ' || min(nonce) || '..' || max(nonce) || ', ' || count(DISTINCT nonce) || ' used' AS what
    FROM (SELECT chain_id, from_address, nonce FROM chain.tx_attempts
          UNION ALL SELECT chain_id, from_address, nonce FROM chain.sign_jobs WHERE state = 'open') bound
    GROUP BY chain_id, from_address HAVING count(DISTINCT nonce) <> max(nonce) - min(nonce) + 1 LIMIT 20"""
SETTLED_NOT_ONCE: LiteralString = """
    SELECT s.settlement_id || ': ' || count(e.seq) || ' final events' AS what FROM api.settlements s
    LEFT JOIN chain.events e ON e.type = 'settlement.final' AND e.body -> 'payload' ->> 'settlement_id' = s.settlement_id
    WHERE s.status = 'settled' GROUP BY s.settlement_id HAVING count(e.seq) <> 1 LIMIT 20"""
FINAL_NOT_SETTLED: LiteralString = """
    SELECT e.body -> 'payload' ->> 'settlement_id' AS what FROM chain.events e
    JOIN api.stream_cursors c ON c.stream = 'chain:' || e.chain_id AND c.consumer = 'api.chain'
    LEFT JOIN api.settlements s ON s.settlement_id = e.body -> 'payload' ->> 'settlement_id'
    WHERE e.type = 'settlement.final' AND e.seq <= c.seq AND s.status IS DISTINCT FROM 'settled' LIMIT 20"""
HALT_COMMANDS: LiteralString = """
    SELECT cmd_seq, body FROM matcher.commands WHERE offering_id = $1 AND body::jsonb ->> 'type' = 'market.state' ORDER BY cmd_seq LIMIT 10000"""
TRADES_IN_RANGE: LiteralString = """
    SELECT offering_id || ':' || exec_seq AS what FROM matcher.executions
    WHERE offering_id = $1 AND cmd_seq > $2 AND cmd_seq < $3 AND body::jsonb ->> 'type' = 'trade' ORDER BY exec_seq LIMIT 20"""
