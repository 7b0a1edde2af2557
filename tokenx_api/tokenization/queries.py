"""SQL of the chain schema: operations, the journal, contracts and the event stream."""

from datetime import datetime
from typing import Any, LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.tokenization.models import (
    AttemptRecord,
    Checkpoint,
    ContractRecord,
    DeadLetterRecord,
    IntentBody,
    IntentRecord,
    MonitoringRecord,
    OperationRecord,
    RotationBody,
    RotationRecord,
    SignedRecord,
    SignEndedRecord,
    SigningRecord,
    TransactionFilter,
    TxStateRecord,
)

INSERT_OPERATION: LiteralString = """
    INSERT INTO chain.operations (operation_id, chain_id, kind, params, business_ref, correlation_id) VALUES ($1, $2, $3, $4, $5, $6)"""
LOCK_BUSINESS_REF: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
SELECT_LIVE_OPERATION: LiteralString = """
    SELECT operation_id FROM chain.operations WHERE business_ref = $1 AND state <> 'failed' ORDER BY operation_id DESC LIMIT 1"""

INSERT_INTENT: LiteralString = """
    INSERT INTO chain.operations (operation_id, chain_id, kind, params, business_ref, correlation_id, requested_by, idempotency_key, request_sha256)
    VALUES ($1, $2, 'transaction.send', $3, 'intent:' || $1, $4, $5, $6, $7)
    ON CONFLICT (chain_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING operation_id"""
SELECT_INTENT: LiteralString = """
    SELECT operation_id, request_sha256 FROM chain.operations WHERE chain_id = $1 AND idempotency_key = $2"""
INSERT_QUEUED: LiteralString = """
    INSERT INTO chain.transactions (tx_id, operation_id, step, chain_id, from_address, to_address, key_ref, state, active_attempt, epoch)
    VALUES ($1, $2, 'send', $3, $4, $5, $6, 'queued', 0, 0)"""
SELECT_TRANSACTION_VIEWS: LiteralString = """
    SELECT tx_id, operation_id, step, chain_id, key_ref, from_address, to_address, nonce, tx_hash, state, state_reason, active_attempt, block_number,
           block_hash, gas_used, effective_gas_price::text AS effective_gas_price_wei, l1_fee::text AS l1_fee_wei, revert_code, revert_reason,
           policy_id, created_at, updated_at
    FROM chain.transactions
    WHERE ($1::bigint IS NULL OR chain_id = $1) AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR tx_id < $3) AND ($4::text IS NULL OR tx_id = $4)
      AND ($6::text IS NULL OR key_ref = $6) AND ($7::text IS NULL OR from_address = $7) AND ($8::text IS NULL OR operation_id = $8)
      AND (NOT $9 OR state NOT IN ('final', 'reverted', 'cancelled', 'failed_presubmit', 'rejected_policy', 'sign_rejected', 'dead'))
    ORDER BY tx_id DESC LIMIT $5"""
SELECT_ATTEMPT_VIEWS: LiteralString = """
    SELECT attempt, kind, nonce, tx_hash, max_fee_wei::text AS max_fee_wei, max_tip_wei::text AS max_tip_wei, created_at
    FROM chain.tx_attempts WHERE tx_id = $1 ORDER BY attempt LIMIT 1000"""
SELECT_HISTORY: LiteralString = """
    SELECT from_state, to_state, attempt, reason, epoch, at FROM chain.tx_history WHERE tx_id = $1 ORDER BY history_id LIMIT 1000"""
INSERT_APPROVAL: LiteralString = """
    INSERT INTO chain.approvals (subject, user_id, reason) VALUES ($1, $2, $3) ON CONFLICT (subject, user_id) DO NOTHING RETURNING subject"""
SELECT_APPROVERS: LiteralString = (
    "SELECT user_id FROM chain.approvals WHERE subject = $1 ORDER BY created_at, user_id LIMIT 100"
)

UPDATE_OPERATION: LiteralString = """
    UPDATE chain.operations SET state = $2, result = coalesce($3, result), error_code = coalesce($4, error_code),
           error_detail = coalesce($5, error_detail), updated_at = now()
    WHERE operation_id = $1 AND state NOT IN ('final', 'failed')"""
UPSERT_SIGNED: LiteralString = """
    INSERT INTO chain.transactions AS t (tx_id, operation_id, step, chain_id, from_address, to_address, nonce, tx_hash, raw, epoch, key_ref,
        safe_to_rebind, policy_id, policy_amount)
    SELECT r.tx_id, r.operation_id, r.step, $1, r.from_address, r.to_address, r.nonce, r.tx_hash, r.raw, $2, r.key_ref, r.safe_to_rebind,
        r.policy_id, r.policy_amount
    FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::bytea[], $11::text[], $12::boolean[],
        $13::text[], $14::numeric[])
        AS r (tx_id, operation_id, step, from_address, to_address, nonce, tx_hash, raw, key_ref, safe_to_rebind, policy_id, policy_amount)
    ON CONFLICT (tx_id) DO UPDATE SET state = 'signed', state_reason = NULL, active_attempt = 1, nonce = excluded.nonce, tx_hash = excluded.tx_hash,
        raw = excluded.raw, epoch = excluded.epoch, from_address = excluded.from_address, key_ref = excluded.key_ref,
        policy_id = excluded.policy_id, policy_amount = excluded.policy_amount, updated_at = now()
    WHERE t.nonce IS NULL AND t.state IN ('queued', 'paused', 'signing') AND t.operation_id = excluded.operation_id
          AND t.chain_id = excluded.chain_id"""
INSERT_ATTEMPTS: LiteralString = """
    INSERT INTO chain.tx_attempts (tx_id, attempt, kind, chain_id, from_address, nonce, tx_hash, raw, max_fee_wei, max_tip_wei, epoch)
    SELECT r.tx_id, r.attempt, r.kind, $1, r.from_address, r.nonce, r.tx_hash, r.raw, r.max_fee, r.max_tip, $2
    FROM unnest($3::text[], $4::int[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::bytea[], $10::numeric[], $11::numeric[])
        AS r (tx_id, attempt, kind, from_address, nonce, tx_hash, raw, max_fee, max_tip)
    WHERE NOT EXISTS (SELECT 1 FROM chain.tx_attempts o WHERE o.chain_id = $1 AND o.from_address = r.from_address AND o.nonce = r.nonce
                      AND o.tx_id <> r.tx_id)
      AND NOT EXISTS (SELECT 1 FROM chain.sign_jobs j WHERE j.chain_id = $1 AND j.from_address = r.from_address AND j.nonce = r.nonce
                      AND j.tx_id <> r.tx_id AND j.state = 'open')
    ON CONFLICT (tx_id, attempt) DO NOTHING"""
MARK_SIGNING: LiteralString = """
    INSERT INTO chain.transactions AS t (tx_id, operation_id, step, chain_id, from_address, to_address, key_ref, state, active_attempt, epoch)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'signing', 0, $8)
    ON CONFLICT (tx_id) DO UPDATE SET state = 'signing', state_reason = NULL, key_ref = excluded.key_ref, from_address = excluded.from_address,
        epoch = excluded.epoch, updated_at = now()
    WHERE t.nonce IS NULL AND t.state IN ('queued', 'paused')"""
INSERT_SIGN_JOB: LiteralString = """
    INSERT INTO chain.sign_jobs (job_id, tx_id, attempt, kind, chain_id, from_address, key_ref, nonce, fields, deadline, epoch)
    SELECT $1::text, $2::text, $3, $4, $5, $6, $7, $8, $9, $10, $11
    WHERE NOT EXISTS (SELECT 1 FROM chain.tx_attempts a WHERE a.chain_id = $5 AND a.from_address = $6 AND a.nonce = $8 AND a.tx_id <> $2)
    ON CONFLICT (job_id) DO NOTHING"""
SELECT_SAME_SIGN_JOB: LiteralString = """
    SELECT job_id FROM chain.sign_jobs WHERE job_id = $1 AND tx_id = $2 AND attempt = $3 AND kind = $4 AND chain_id = $5 AND from_address = $6
        AND key_ref = $7 AND nonce = $8 AND fields = $9"""
END_SIGN_JOB: LiteralString = """
    UPDATE chain.sign_jobs SET state = $2, reason = $3, updated_at = now() WHERE job_id = $1 AND chain_id = $4 AND state = 'open'"""
CLOSE_SIGN_JOBS: LiteralString = """
    UPDATE chain.sign_jobs j SET state = 'signed', updated_at = now()
    FROM unnest($2::text[], $3::int[]) AS r (tx_id, attempt)
    WHERE j.tx_id = r.tx_id AND j.attempt = r.attempt AND j.chain_id = $1 AND j.state = 'open'"""
SELECT_SIGN_JOBS: LiteralString = """
    SELECT j.job_id, j.tx_id, t.operation_id, t.step, j.attempt, j.kind, j.from_address, j.key_ref, j.nonce, j.fields, j.deadline, j.state
    FROM chain.sign_jobs j JOIN chain.transactions t USING (tx_id)
    WHERE j.chain_id = $1 AND j.state <> 'signed' AND CASE WHEN j.state = 'open' OR j.kind IN ('bump', 'cancel')
        THEN t.state NOT IN ('final', 'reverted', 'cancelled', 'failed_presubmit', 'rejected_policy', 'sign_rejected', 'dead')
        ELSE NOT EXISTS (SELECT 1 FROM chain.tx_attempts a WHERE a.chain_id = $1 AND a.from_address = j.from_address AND a.nonce = j.nonce)
         AND NOT EXISTS (SELECT 1 FROM chain.sign_jobs o WHERE o.chain_id = $1 AND o.from_address = j.from_address AND o.nonce = j.nonce
                         AND o.state = 'open') END
    ORDER BY j.from_address, j.nonce, j.created_at, j.job_id LIMIT 10000"""
SELECT_LOOSE: LiteralString = """
    SELECT t.operation_id, t.tx_id, t.step, t.from_address, t.to_address, t.nonce, t.tx_hash, '0x' || encode(t.raw, 'hex') AS raw, t.state, t.epoch,
           t.block_number, t.block_hash, t.gas_used, t.revert_reason, t.key_ref, t.safe_to_rebind
    FROM chain.transactions t JOIN chain.operations o USING (operation_id)
    WHERE t.chain_id = $1 AND t.nonce IS NOT NULL AND o.state IN ('final', 'failed')
      AND t.state NOT IN ('final', 'reverted', 'cancelled', 'failed_presubmit', 'rejected_policy', 'sign_rejected', 'dead')
    ORDER BY t.from_address, t.nonce LIMIT 10000"""
SELECT_MISSING_ATTEMPT: LiteralString = """
    SELECT r.tx_id, r.nonce FROM unnest($2::text[], $3::int[], $4::text[], $5::bigint[], $6::text[])
        AS r (tx_id, attempt, from_address, nonce, tx_hash)
    WHERE NOT EXISTS (SELECT 1 FROM chain.tx_attempts a WHERE a.tx_id = r.tx_id AND a.attempt = r.attempt AND a.chain_id = $1
                      AND a.from_address = r.from_address AND a.nonce = r.nonce AND a.tx_hash = r.tx_hash)
    LIMIT 1"""
ACTIVATE_ATTEMPT: LiteralString = """
    UPDATE chain.transactions SET active_attempt = $3, nonce = $4, tx_hash = $5, raw = $6, state_reason = $7, updated_at = now(),
           state = CASE WHEN $7 = 'cancel' THEN 'cancel_requested' ELSE 'signed' END
    WHERE tx_id = $1 AND chain_id = $2 AND active_attempt < $3 AND state IN ('signed', 'broadcast', 'paused', 'mined', 'cancel_requested', 'nonce_lost')"""
UPSERT_INTENT: LiteralString = """
    INSERT INTO chain.transactions AS t (tx_id, operation_id, step, chain_id, from_address, to_address, key_ref, state, state_reason, active_attempt, epoch)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10)
    ON CONFLICT (tx_id) DO UPDATE SET state = excluded.state, state_reason = excluded.state_reason, key_ref = excluded.key_ref,
        from_address = excluded.from_address, epoch = excluded.epoch, updated_at = now()
    WHERE t.nonce IS NULL AND (t.state IN ('queued', 'paused') OR t.state = 'signing' AND excluded.state IN ('signing', 'sign_rejected'))"""
UPDATE_TRANSACTIONS: LiteralString = """
    UPDATE chain.transactions t SET state = r.state, state_reason = r.reason, block_number = r.block_number, block_hash = r.block_hash,
           gas_used = coalesce(r.gas_used, t.gas_used), revert_reason = coalesce(r.revert_reason, t.revert_reason),
           revert_code = coalesce(r.revert_code, t.revert_code), effective_gas_price = coalesce(r.price, t.effective_gas_price),
           l1_fee = coalesce(r.l1_fee, t.l1_fee), updated_at = now()
    FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::numeric[], $11::numeric[])
        AS r (tx_id, state, reason, block_number, block_hash, gas_used, revert_reason, revert_code, price, l1_fee)
    WHERE t.tx_id = r.tx_id AND t.chain_id = $1
      AND (t.state NOT IN ('final', 'reverted', 'cancelled', 'failed_presubmit', 'rejected_policy', 'sign_rejected', 'dead') OR t.state = r.state)"""
UPSERT_CONTRACT: LiteralString = """
    INSERT INTO chain.contracts (chain_id, name, address, detail) VALUES ($1, $2, $3, $4)
    ON CONFLICT (chain_id, name) DO UPDATE SET address = excluded.address, detail = excluded.detail"""
INSERT_ROTATION_OPERATION: LiteralString = """
    INSERT INTO chain.operations (operation_id, chain_id, kind, params, business_ref, correlation_id, requested_by, idempotency_key, request_sha256)
    VALUES ($1, $2, 'signer.rotate', $3, 'signer:' || $4, $5, $6, $7, $8)
    ON CONFLICT (chain_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING operation_id"""
INSERT_ROTATION: LiteralString = """
    INSERT INTO chain.rotations (operation_id, chain_id, name, old_key, new_key, old_address, new_address, from_epoch, force)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
UPDATE_ROTATION: LiteralString = """
    UPDATE chain.rotations SET phase = $3, detail = $4, switched_at = coalesce(switched_at, CASE WHEN $5 THEN now() END),
           ended_at = coalesce(ended_at, CASE WHEN $6 THEN now() END)
    WHERE operation_id = $1 AND chain_id = $2 AND ended_at IS NULL"""
END_ROTATION: LiteralString = """
    UPDATE chain.rotations SET ended_at = now(), detail = $2, phase = CASE WHEN switched_at IS NULL THEN 'aborted' ELSE phase END
    WHERE operation_id = $1 AND ended_at IS NULL"""
SELECT_ROTATIONS: LiteralString = """
    SELECT r.operation_id, r.chain_id, r.name, r.old_key, r.new_key, r.old_address, r.new_address, r.from_epoch, r.force, r.phase, r.detail,
           r.requested_at, r.switched_at, r.ended_at, o.idempotency_key
    FROM chain.rotations r JOIN chain.operations o USING (operation_id)
    WHERE r.chain_id = $1 AND ($2::text IS NULL OR r.name = $2) ORDER BY r.operation_id DESC LIMIT $3"""
INSERT_DEAD_LETTER: LiteralString = """
    INSERT INTO chain.dead_letters AS l (kind, ref_id, payload, error) VALUES ($1, $2, $3, $4)
    ON CONFLICT (ref_id) DO UPDATE SET status = 'open', attempts = l.attempts + 1, last_at = now(), error = excluded.error, payload = excluded.payload
    WHERE l.status = 'requeued'"""
UPSERT_MONITORING: LiteralString = """
    INSERT INTO chain.monitoring (chain_id, status, head_number, head_hash, finalized_number, observed_at, detail)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (chain_id) DO UPDATE SET detail = excluded.detail, status = excluded.status, head_number = excluded.head_number, head_hash = excluded.head_hash,
           finalized_number = excluded.finalized_number, observed_at = excluded.observed_at
    WHERE chain.monitoring.observed_at < excluded.observed_at"""
UPSERT_SIGNERS: LiteralString = """
    INSERT INTO chain.signers AS s (chain_id, address, key_ref, backend, epoch, status, reason, latest_nonce, next_nonce, in_flight, queued, gaps, observed_at)
    SELECT $1, r.address, r.key_ref, r.backend,
           coalesce(r.epoch, 1 + coalesce((SELECT max(o.epoch) FROM chain.signers o
                                           WHERE o.chain_id = $1 AND o.key_ref = r.key_ref AND o.address <> r.address), 0)),
           r.status, r.reason, r.latest_nonce, r.next_nonce, r.in_flight, r.queued,
           ARRAY(SELECT jsonb_array_elements_text(r.gaps)::bigint), $2
    FROM jsonb_to_recordset($3) AS r (address text, key_ref text, backend text, status text, reason text, latest_nonce bigint, next_nonce bigint,
                                      in_flight int, queued int, gaps jsonb, epoch bigint)
    ON CONFLICT (chain_id, address) DO UPDATE SET key_ref = excluded.key_ref, backend = excluded.backend, reason = excluded.reason,
           latest_nonce = excluded.latest_nonce, next_nonce = excluded.next_nonce, in_flight = excluded.in_flight, queued = excluded.queued,
           gaps = excluded.gaps, observed_at = excluded.observed_at,
           status = CASE WHEN s.status IN ('draining', 'retired') THEN s.status ELSE excluded.status END
    WHERE s.observed_at < excluded.observed_at"""
SET_EPOCHS: LiteralString = """
    UPDATE chain.signers s SET epoch = r.epoch FROM jsonb_to_recordset($2) AS r (address text, epoch bigint)
    WHERE s.chain_id = $1 AND s.address = r.address AND s.epoch <> r.epoch"""
RETIRE_SIGNERS: LiteralString = """
    UPDATE chain.signers o SET status = CASE WHEN o.in_flight + o.queued > 0 THEN 'draining' ELSE 'retired' END
    WHERE o.chain_id = $1 AND o.status <> 'retired'
      AND EXISTS (SELECT 1 FROM chain.signers n WHERE n.chain_id = o.chain_id AND n.key_ref = o.key_ref AND n.epoch > o.epoch)"""
UPSERT_ENDPOINTS: LiteralString = """
    INSERT INTO chain.endpoints AS e (chain_id, endpoint, score, latency_ms, is_cooling, observed_at)
    SELECT $1, r.endpoint, r.score, r.latency_ms, r.is_cooling, $2
    FROM jsonb_to_recordset($3) AS r (endpoint text, score numeric, latency_ms int, is_cooling boolean)
    ON CONFLICT (chain_id, endpoint) DO UPDATE SET score = excluded.score, latency_ms = excluded.latency_ms, is_cooling = excluded.is_cooling,
           observed_at = excluded.observed_at
    WHERE e.observed_at < excluded.observed_at"""
INSERT_HISTORY: LiteralString = """
    INSERT INTO chain.monitoring_history (chain_id, observed_at, status, head_number, finalized_number, finality_lag_s, oldest_unmined_s, queued, in_flight,
           nonce_gaps, paused_signers, endpoints_up, event_seq, checkpoint_block, consumed_seq)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce(s.seq, 0), coalesce(s.block_number, 0), $13
    FROM (SELECT $1::bigint AS chain_id) c LEFT JOIN chain.streams s USING (chain_id)
    WHERE NOT EXISTS (SELECT 1 FROM (SELECT h.observed_at, h.status FROM chain.monitoring_history h WHERE h.chain_id = $1
                                     ORDER BY h.observed_at DESC LIMIT 1) last
                      WHERE last.observed_at >= $2 OR (last.status = $3 AND last.observed_at > $2::timestamptz - interval '1 minute'))
    RETURNING true"""
PRUNE_HISTORY: LiteralString = """
    DELETE FROM chain.monitoring_history WHERE chain_id = $1 AND observed_at < $2::timestamptz - make_interval(days => $3)"""
SELECT_POLICY_VERSION: LiteralString = "SELECT coalesce(max(version), 0) FROM chain.policy_changes"

SELECT_OPERATION: LiteralString = """
    SELECT operation_id, chain_id, kind, params, business_ref, state, correlation_id, result,
           (SELECT count(*) FROM chain.approvals a WHERE a.subject = 'operation:' || o.operation_id) AS approvals
    FROM chain.operations o WHERE operation_id = $1"""
SELECT_BUSINESS_REF: LiteralString = """
    SELECT o.business_ref FROM chain.tx_attempts a JOIN chain.transactions t USING (tx_id) JOIN chain.operations o USING (operation_id)
    WHERE a.chain_id = $1 AND a.tx_hash = $2"""
SELECT_RESULTS: LiteralString = """
    SELECT result FROM chain.operations WHERE business_ref = $1 AND kind = $2 AND state = 'final' ORDER BY created_at, operation_id LIMIT 1000"""
SELECT_WAITING: LiteralString = """
    SELECT t.tx_id FROM chain.transactions t JOIN chain.operations o USING (operation_id)
    WHERE t.operation_id = $1 AND t.nonce IS NULL AND t.state IN ('queued', 'paused') AND o.state IN ('queued', 'running') ORDER BY t.tx_id LIMIT 1"""
SELECT_OPERATIONS: LiteralString = """
    SELECT operation_id, chain_id, kind, params, business_ref, state, correlation_id, result,
           (SELECT count(*) FROM chain.approvals a WHERE a.subject = 'operation:' || o.operation_id) AS approvals
    FROM chain.operations o WHERE chain_id = $1 AND state = ANY($2) ORDER BY created_at, operation_id LIMIT 5000"""
SELECT_TRANSACTIONS: LiteralString = """
    SELECT operation_id, tx_id, step, from_address, to_address, nonce, tx_hash, '0x' || encode(raw, 'hex') AS raw, state, epoch,
           block_number, block_hash, gas_used, revert_reason, key_ref, safe_to_rebind
    FROM chain.transactions WHERE operation_id = ANY($1) AND nonce IS NOT NULL ORDER BY from_address, nonce LIMIT 50000"""
SELECT_ATTEMPTS: LiteralString = """
    SELECT tx_id, attempt, kind, nonce, tx_hash, '0x' || encode(raw, 'hex') AS raw, max_fee_wei AS max_fee, max_tip_wei AS max_tip
    FROM chain.tx_attempts WHERE tx_id = ANY($1) ORDER BY tx_id, attempt LIMIT 100000"""
SELECT_CONTRACTS: LiteralString = (
    "SELECT name, address, detail FROM chain.contracts WHERE chain_id = $1 ORDER BY name LIMIT 5000"
)
SELECT_NONCES: LiteralString = """
    SELECT from_address, max(nonce) AS nonce
    FROM (SELECT from_address, nonce FROM chain.tx_attempts WHERE chain_id = $1
          UNION ALL SELECT from_address, nonce FROM chain.sign_jobs WHERE chain_id = $1 AND state = 'open') bound
    GROUP BY from_address ORDER BY from_address LIMIT 100000"""

SELECT_POLICIES: LiteralString = """
    SELECT policy_id, kind, key_ref, contract, function, max_amount, daily_amount, daily_count, approval_above FROM chain.policies
    WHERE is_enabled AND (chain_id IS NULL OR chain_id = $1) ORDER BY policy_id LIMIT 1000"""
SELECT_POLICY_OWNERS: LiteralString = """
    SELECT policy_id, chain_id, is_enabled FROM chain.policies WHERE policy_id = ANY($1) ORDER BY policy_id LIMIT 1000"""
UPSERT_POLICIES: LiteralString = """
    INSERT INTO chain.policies AS p (policy_id, chain_id, kind, key_ref, contract, function, max_amount, daily_amount, daily_count, approval_above, change_id)
    SELECT r.policy_id, $1, r.kind, r.key_ref, r.contract, r.function, r.max_amount, r.daily_amount, r.daily_count, r.approval_above, $2
    FROM jsonb_to_recordset($3) AS r (policy_id text, kind text, key_ref text, contract text, function text, max_amount numeric, daily_amount numeric,
                                      daily_count int, approval_above numeric)
    ON CONFLICT (policy_id) DO UPDATE SET kind = excluded.kind, key_ref = excluded.key_ref, contract = excluded.contract, function = excluded.function,
        max_amount = excluded.max_amount, daily_amount = excluded.daily_amount, daily_count = excluded.daily_count,
        approval_above = excluded.approval_above, change_id = excluded.change_id, is_enabled = true"""
DISABLE_POLICIES: LiteralString = """
    UPDATE chain.policies SET is_enabled = false, change_id = $2 WHERE policy_id = ANY($1) AND is_enabled"""
INSERT_POLICY_CHANGE: LiteralString = """
    INSERT INTO chain.policy_changes (chain_id, rules, disabled, warnings, reason, proposed_by) VALUES ($1, $2, $3, $4, $5, $6) RETURNING change_id"""
SELECT_POLICY_CHANGES: LiteralString = """
    SELECT change_id, chain_id, rules, disabled, warnings, reason, status, proposed_by, proposed_at, decided_by, decided_at, decision_reason, before, version
    FROM chain.policy_changes
    WHERE ($1::text IS NULL OR status = $1) AND ($2::bigint IS NULL OR change_id < $2) AND ($3::bigint IS NULL OR change_id = $3)
    ORDER BY change_id DESC LIMIT $4"""
LOCK_POLICY: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('chain.policies', 0))"
DECIDE_POLICY_CHANGE: LiteralString = """
    UPDATE chain.policy_changes SET status = $2, decided_by = $3, decided_at = now(), decision_reason = $4, before = $5, warnings = coalesce($6, warnings),
           version = CASE WHEN $2 = 'approved' THEN 1 + (SELECT coalesce(max(c.version), 0) FROM chain.policy_changes c) END
    WHERE change_id = $1 AND status = 'proposed' RETURNING change_id"""
SELECT_POLICY_IS_SET: LiteralString = (
    "SELECT EXISTS (SELECT 1 FROM chain.policies WHERE chain_id IS NULL OR chain_id = $1)"
)
SELECT_POLICY_USE: LiteralString = """
    SELECT policy_id, sum(policy_amount) AS amount, count(*) AS count
    FROM (SELECT chain_id, policy_id, policy_amount, created_at FROM chain.transactions
          UNION ALL SELECT chain_id, fields ->> 'policy_id', (fields ->> 'policy_amount')::numeric, created_at FROM chain.sign_jobs
          WHERE state = 'open' AND kind = 'initial') passed
    WHERE chain_id = $1 AND policy_id IS NOT NULL AND created_at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    GROUP BY policy_id ORDER BY policy_id LIMIT 1000"""

SELECT_STREAM: LiteralString = "SELECT seq, epoch, block_number, block_hash FROM chain.streams WHERE chain_id = $1"
SELECT_STREAMS: LiteralString = "SELECT chain_id, seq FROM chain.streams ORDER BY chain_id LIMIT 100"
OPEN_STREAM: LiteralString = "INSERT INTO chain.streams (chain_id) VALUES ($1) ON CONFLICT (chain_id) DO NOTHING"
ADVANCE_STREAM: LiteralString = """
    UPDATE chain.streams SET seq = $3, epoch = $4, block_number = $5, block_hash = $6, moved_at = now() WHERE chain_id = $1 AND seq = $2 RETURNING seq"""
INSERT_CHECKPOINT: LiteralString = """
    INSERT INTO chain.checkpoints (chain_id, block_number, block_hash, seq, epoch)
    SELECT s.chain_id, s.block_number, s.block_hash, s.seq, s.epoch FROM chain.streams s
    WHERE s.chain_id = $1 AND s.block_hash <> ''
      AND NOT EXISTS (SELECT 1 FROM chain.checkpoints c WHERE c.chain_id = $1 AND (c.moved_at > now() - interval '1 minute' OR c.block_number >= s.block_number))
    RETURNING true"""
PRUNE_CHECKPOINTS: LiteralString = (
    "DELETE FROM chain.checkpoints WHERE chain_id = $1 AND moved_at < now() - make_interval(days => $2)"
)
INSERT_EVENTS: LiteralString = """
    INSERT INTO chain.events (chain_id, seq, event_id, type, body)
    SELECT $1, item.seq, item.event_id, item.type, item.body
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::jsonb[]) AS item (seq, event_id, type, body)"""
SELECT_EVENTS: LiteralString = """
    SELECT body FROM chain.events WHERE chain_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"""

SELECT_OPERATION_VIEWS: LiteralString = """
    SELECT o.operation_id, o.chain_id, o.kind, o.business_ref, o.state, o.error_code, o.error_detail, o.correlation_id, o.created_at,
           o.updated_at, ARRAY(SELECT t.tx_hash FROM chain.transactions t WHERE t.operation_id = o.operation_id AND t.tx_hash IS NOT NULL
                                             ORDER BY t.nonce) AS tx_hashes
    FROM chain.operations o
    WHERE ($1::text IS NULL OR o.state = $1) AND ($2::text IS NULL OR o.operation_id < $2) AND ($4::text IS NULL OR o.operation_id = $4)
    ORDER BY o.operation_id DESC LIMIT $3"""
SELECT_DEAD_LETTERS: LiteralString = """
    SELECT dead_letter_id, kind, ref_id, payload, error, status, attempts, created_at, last_at FROM chain.dead_letters
    WHERE ($1::text IS NULL OR status = $1) AND ($2::bigint IS NULL OR dead_letter_id < $2) ORDER BY dead_letter_id DESC LIMIT $3"""
LOCK_DEAD_LETTER: LiteralString = """
    SELECT kind, ref_id, payload, status, attempts FROM chain.dead_letters WHERE dead_letter_id = $1 FOR UPDATE"""
CLOSE_DEAD_LETTER: LiteralString = "UPDATE chain.dead_letters SET status = $2 WHERE dead_letter_id = $1"
SELECT_SIGNERS: LiteralString = """
    SELECT chain_id, key_ref, address, backend, epoch, status, reason, latest_nonce, next_nonce, greatest(0, next_nonce - latest_nonce) AS nonce_lag,
           in_flight, queued, gaps, observed_at
    FROM chain.signers WHERE chain_id = $1 AND ($2::text IS NULL OR (key_ref, address) > ($2, $3)) AND ($4::text IS NULL OR status = $4)
    ORDER BY key_ref, address LIMIT $5"""
SELECT_ENDPOINTS: LiteralString = """
    SELECT e.chain_id, e.endpoint, e.score::text AS score, e.latency_ms, e.is_cooling, e.observed_at
    FROM chain.endpoints e JOIN chain.monitoring m USING (chain_id)
    WHERE e.chain_id = $1 AND e.observed_at >= m.observed_at - interval '1 minute' ORDER BY e.score DESC, e.endpoint LIMIT 100"""
SELECT_PLACES: LiteralString = """
    SELECT chain_id, block_number, block_hash, seq, epoch, moved_at FROM chain.streams ORDER BY chain_id LIMIT 100"""
SELECT_CHECKPOINTS: LiteralString = """
    SELECT chain_id, block_number, block_hash, seq, epoch, moved_at FROM chain.checkpoints
    WHERE chain_id = $1 ORDER BY block_number DESC LIMIT 100"""
SELECT_STATUS_HISTORY: LiteralString = """
    SELECT chain_id, observed_at, status, head_number, finalized_number, finality_lag_s, event_seq, consumed_seq,
           greatest(0, event_seq - consumed_seq) AS seq_lag, checkpoint_block, oldest_unmined_s, queued, in_flight, nonce_gaps, paused_signers, endpoints_up
    FROM chain.monitoring_history WHERE chain_id = $1 AND ($2::timestamptz IS NULL OR observed_at < $2) ORDER BY observed_at DESC LIMIT $3"""
SELECT_STATUS: LiteralString = """
    SELECT m.status, m.head_number, m.finalized_number, m.observed_at,
           (SELECT count(*) FROM chain.operations WHERE chain_id = $1 AND state IN ('queued', 'running')) AS open_operations,
           (SELECT count(*) FROM chain.dead_letters WHERE status = 'open') AS dead_letters,
           (SELECT count(*) FROM chain.events WHERE chain_id = $1 AND type = 'transfer.final') AS final_transfers,
           (SELECT count(*) FROM kyt.tx_risk_scores WHERE chain_id = $1 AND event_id LIKE 'transfer.final:%') AS scored_transfers,
           (SELECT o.state FROM chain.operations o WHERE o.business_ref = $2 AND o.state <> 'failed' LIMIT 1) AS platform_state
    FROM (SELECT $1::bigint AS chain_id) c LEFT JOIN chain.monitoring m USING (chain_id)"""


async def insert_operation(
    conn: WriteConn,
    *,
    operation_id: str,
    chain_id: int,
    kind: str,
    params: dict[str, Any],
    business_ref: str,
    correlation_id: str,
) -> None:
    await conn.execute(INSERT_OPERATION, operation_id, chain_id, kind, params, business_ref, correlation_id)


async def lock_business_ref(conn: WriteConn, business_ref: str) -> None:
    """Held until the transaction ends: nobody else asks for an operation of this reference meanwhile."""
    await conn.execute(LOCK_BUSINESS_REF, business_ref)


async def select_live_operation(conn: ReadConn, business_ref: str) -> str | None:
    """The newest operation of the reference that has not failed."""
    return await conn.fetchval(SELECT_LIVE_OPERATION, business_ref)


async def insert_intent(conn: WriteConn, body: IntentBody, request_sha256: bytes) -> bool:
    """With its transaction, which waits for a nonce. False: the key is there already."""
    inserted = await conn.fetchval(
        INSERT_INTENT,
        body.operation_id, body.chain_id, body.params, body.correlation_id, body.requested_by, body.idempotency_key, request_sha256,
    )  # fmt: skip
    if inserted is None:
        return False
    await conn.execute(
        INSERT_QUEUED,
        f"{body.operation_id}:send", body.operation_id, body.chain_id, body.from_address, body.to_address, body.key_ref,
    )  # fmt: skip
    return True


async def select_intent(conn: ReadConn, *, chain_id: int, idempotency_key: str) -> Record | None:
    return await conn.fetchrow(SELECT_INTENT, chain_id, idempotency_key)


async def select_transaction_views(
    conn: ReadConn,
    which: TransactionFilter,
    *,
    before: str | None = None,
    tx_id: str | None = None,
    limit: int = 1,
) -> list[Record]:
    """Newest first; before: the last tx_id of the previous page. None: no such filter."""
    return await conn.fetch(
        SELECT_TRANSACTION_VIEWS,
        which.chain_id, which.state, before, tx_id, limit, which.key_ref, which.from_address, which.operation_id, which.is_open,
    )  # fmt: skip


async def select_attempt_views(conn: ReadConn, tx_id: str) -> list[Record]:
    """In order."""
    return await conn.fetch(SELECT_ATTEMPT_VIEWS, tx_id)


async def select_history(conn: ReadConn, tx_id: str) -> list[Record]:
    """In order."""
    return await conn.fetch(SELECT_HISTORY, tx_id)


async def insert_approval(conn: WriteConn, *, subject: str, user_id: str, reason: str) -> bool:
    """False: this person has agreed before."""
    return await conn.fetchval(INSERT_APPROVAL, subject, user_id, reason) is not None


async def select_approvers(conn: ReadConn, subject: str) -> list[str]:
    """Who agreed, first to last."""
    return [row["user_id"] for row in await conn.fetch(SELECT_APPROVERS, subject)]


async def update_operation(conn: WriteConn, record: OperationRecord) -> None:
    """A final or failed operation stays as it is."""
    await conn.execute(
        UPDATE_OPERATION, record.operation_id, record.state, record.result, record.error_code, record.error_detail
    )


async def upsert_signed(conn: WriteConn, *, chain_id: int, epoch: int, records: list[SignedRecord]) -> None:
    """Bind intents to nonces. One that has a nonce keeps it. Raises asyncpg.UniqueViolationError for a nonce or hash of another one."""
    await conn.execute(
        UPSERT_SIGNED, chain_id, epoch, [r.tx_id for r in records], [r.operation_id for r in records], [r.step for r in records],
        [r.from_address for r in records], [r.to_address for r in records], [r.nonce for r in records], [r.tx_hash for r in records],
        [bytes.fromhex(r.raw[2:]) for r in records], [r.key_ref for r in records], [r.safe_to_rebind for r in records],
        [r.policy_id for r in records], [r.policy_amount for r in records],
    )  # fmt: skip


async def insert_attempts(conn: WriteConn, *, chain_id: int, epoch: int, records: list[AttemptRecord]) -> None:
    """Leaves out what is there, and what another intent's nonce forbids. Raises asyncpg.UniqueViolationError for a hash of another one."""
    await conn.execute(
        INSERT_ATTEMPTS, chain_id, epoch, [r.tx_id for r in records], [r.attempt for r in records], [r.kind for r in records],
        [r.from_address for r in records], [r.nonce for r in records], [r.tx_hash for r in records],
        [bytes.fromhex(r.raw[2:]) for r in records], [r.max_fee for r in records], [r.max_tip for r in records],
    )  # fmt: skip


async def select_missing_attempt(conn: ReadConn, *, chain_id: int, records: list[AttemptRecord]) -> Record | None:
    """The first of these attempts that is not journaled exactly so."""
    return await conn.fetchrow(
        SELECT_MISSING_ATTEMPT, chain_id, [r.tx_id for r in records], [r.attempt for r in records],
        [r.from_address for r in records], [r.nonce for r in records], [r.tx_hash for r in records],
    )  # fmt: skip


async def insert_sign_job(conn: WriteConn, *, chain_id: int, epoch: int, record: SigningRecord) -> bool:
    """False: it is there with other content, or the nonce is another intent's. Raises asyncpg.UniqueViolationError for one that is being signed."""
    if record.kind in ("initial", "fill"):
        await conn.execute(
            MARK_SIGNING,
            record.tx_id, record.operation_id, record.step, chain_id, record.from_address, record.fields.to, record.key_ref, epoch,
        )  # fmt: skip
    fields = record.fields.model_dump(mode="json")
    named = (
        record.job_id,
        record.tx_id,
        record.attempt,
        record.kind,
        chain_id,
        record.from_address,
        record.key_ref,
        record.nonce,
        fields,
    )
    await conn.execute(INSERT_SIGN_JOB, *named, record.deadline, epoch)
    return await conn.fetchval(SELECT_SAME_SIGN_JOB, *named) is not None


async def end_sign_job(conn: WriteConn, *, chain_id: int, record: SignEndedRecord) -> None:
    """One that has ended stays as it is."""
    await conn.execute(END_SIGN_JOB, record.job_id, record.state, record.reason, chain_id)


async def close_sign_jobs(conn: WriteConn, *, chain_id: int, records: list[AttemptRecord]) -> None:
    """Their signatures are journaled."""
    await conn.execute(CLOSE_SIGN_JOBS, chain_id, [r.tx_id for r in records], [r.attempt for r in records])


async def select_sign_jobs(conn: ReadConn, chain_id: int) -> list[Record]:
    """Open ones, gaps left by refused ones, and refused replacements of transactions that go on. By sender and nonce."""
    return await conn.fetch(SELECT_SIGN_JOBS, chain_id)


async def select_loose(conn: ReadConn, chain_id: int) -> list[Record]:
    """Transactions under way whose operation is closed. By sender and nonce."""
    return await conn.fetch(SELECT_LOOSE, chain_id)


async def activate_attempt(conn: WriteConn, *, chain_id: int, record: AttemptRecord) -> None:
    """These bytes go out from now on."""
    await conn.execute(
        ACTIVATE_ATTEMPT,
        record.tx_id, chain_id, record.attempt, record.nonce, record.tx_hash, bytes.fromhex(record.raw[2:]), record.kind,
    )  # fmt: skip


async def upsert_intent(conn: WriteConn, *, chain_id: int, epoch: int, record: IntentRecord) -> None:
    """A transaction without a nonce. One that has a nonce, or has ended, stays as it is."""
    await conn.execute(
        UPSERT_INTENT,
        record.tx_id, record.operation_id, record.step, chain_id, record.from_address, record.to_address, record.key_ref, record.state,
        record.reason, epoch,
    )  # fmt: skip


async def update_transactions(conn: WriteConn, *, chain_id: int, records: list[TxStateRecord]) -> None:
    """Each transaction at most once. One that has ended stays as it is."""
    await conn.execute(
        UPDATE_TRANSACTIONS, chain_id, [r.tx_id for r in records], [r.state for r in records], [r.reason for r in records],
        [r.block_number for r in records], [r.block_hash for r in records], [r.gas_used for r in records],
        [r.revert_reason for r in records], [r.revert_code for r in records], [r.effective_gas_price for r in records],
        [r.l1_fee for r in records],
    )  # fmt: skip


async def upsert_contract(conn: WriteConn, *, chain_id: int, record: ContractRecord) -> None:
    await conn.execute(UPSERT_CONTRACT, chain_id, record.name, record.address, record.detail)


async def insert_rotation(conn: WriteConn, body: RotationBody, request_sha256: bytes) -> bool:
    """False: its key came before. Raises asyncpg.UniqueViolationError while another one of the name has not ended."""
    params = body.model_dump(
        include={"name", "old_key", "new_key", "old_address", "new_address", "from_epoch", "not_after", "force"}
    )
    inserted = await conn.fetchval(
        INSERT_ROTATION_OPERATION,
        body.operation_id, body.chain_id, params, body.name, body.correlation_id, body.requested_by, body.idempotency_key, request_sha256,
    )  # fmt: skip
    if inserted is None:
        return False
    await conn.execute(
        INSERT_ROTATION,
        body.operation_id, body.chain_id, body.name, body.old_key, body.new_key, body.old_address, body.new_address, body.from_epoch, body.force,
    )  # fmt: skip
    return True


async def update_rotation(conn: WriteConn, *, chain_id: int, record: RotationRecord) -> None:
    """One that has ended stays as it is. Raises asyncpg.UniqueViolationError when another one has switched from the same epoch."""
    await conn.execute(
        UPDATE_ROTATION, record.operation_id, chain_id, record.phase, record.detail, record.is_switched, record.is_ended
    )


async def end_rotation(conn: WriteConn, operation_id: str, *, detail: str) -> None:
    """Its operation has failed, wherever it was."""
    await conn.execute(END_ROTATION, operation_id, detail)


async def select_rotations(conn: ReadConn, *, chain_id: int, name: str | None, limit: int) -> list[Record]:
    """Newest first, with the key they were asked for under."""
    return await conn.fetch(SELECT_ROTATIONS, chain_id, name, limit)


async def insert_dead_letter(conn: WriteConn, record: DeadLetterRecord) -> None:
    """Once per ref_id."""
    await conn.execute(INSERT_DEAD_LETTER, record.kind, record.ref_id, record.payload, record.error)


async def upsert_monitoring(conn: WriteConn, *, chain_id: int, record: MonitoringRecord) -> None:
    """An older observation never replaces a newer one."""
    await conn.execute(
        UPSERT_MONITORING,
        chain_id, record.status, record.head_number, record.head_hash, record.finalized_number, record.observed_at, record.detail,
    )  # fmt: skip


async def upsert_reports(conn: WriteConn, *, chain_id: int, record: MonitoringRecord) -> None:
    """Signers and endpoints as they are now. An older observation never replaces a newer one. An address whose key has a newer one drains, then
    is retired."""
    if record.signers:
        signers = [signer.model_dump() for signer in record.signers]
        await conn.execute(UPSERT_SIGNERS, chain_id, record.observed_at, signers)
        await conn.execute(SET_EPOCHS, chain_id, [signer for signer in signers if signer["epoch"] is not None])
        await conn.execute(RETIRE_SIGNERS, chain_id)
    if record.endpoints:
        endpoints = [endpoint.model_dump() for endpoint in record.endpoints]
        await conn.execute(UPSERT_ENDPOINTS, chain_id, record.observed_at, endpoints)


async def insert_history(conn: WriteConn, *, chain_id: int, record: MonitoringRecord, consumed_seq: int) -> bool:
    """Whether there was something to keep: a minute has passed, or the status has changed."""
    kept = await conn.fetchval(
        INSERT_HISTORY,
        chain_id, record.observed_at, record.status, record.head_number, record.finalized_number, record.finality_lag_s, record.oldest_unmined_s,
        sum(signer.queued for signer in record.signers), sum(signer.in_flight for signer in record.signers),
        sum(len(signer.gaps) for signer in record.signers), sum(signer.status == "paused" for signer in record.signers),
        sum(not endpoint.is_cooling for endpoint in record.endpoints), consumed_seq,
    )  # fmt: skip
    return bool(kept)


async def prune_history(conn: WriteConn, *, chain_id: int, now: datetime, days: int) -> None:
    """Forget what is older."""
    await conn.execute(PRUNE_HISTORY, chain_id, now, days)


async def select_policy_version(conn: ReadConn) -> int:
    """How many changes were approved."""
    return await conn.fetchval(SELECT_POLICY_VERSION)


async def select_signers(
    conn: ReadConn, *, chain_id: int, status: str | None, after: tuple[str, str] | None, limit: int
) -> list[Record]:
    """By key and address; after: those of the last row of the previous page."""
    key_ref, address = after or (None, None)
    return await conn.fetch(SELECT_SIGNERS, chain_id, key_ref, address, status, limit)


async def select_endpoints(conn: ReadConn, chain_id: int) -> list[Record]:
    """Those of the last report, best first."""
    return await conn.fetch(SELECT_ENDPOINTS, chain_id)


async def select_places(conn: ReadConn) -> list[Record]:
    """Where each chain's listener is."""
    return await conn.fetch(SELECT_PLACES)


async def select_checkpoints(conn: ReadConn, chain_id: int) -> list[Record]:
    """Where it was, newest first."""
    return await conn.fetch(SELECT_CHECKPOINTS, chain_id)


async def keep_checkpoint(conn: WriteConn, *, chain_id: int, days: int) -> None:
    """Note where the stream stands, at most once a minute, and forget what is older than `days`."""
    if await conn.fetchval(INSERT_CHECKPOINT, chain_id):
        await conn.execute(PRUNE_CHECKPOINTS, chain_id, days)


async def select_status_history(conn: ReadConn, *, chain_id: int, before: datetime | None, limit: int) -> list[Record]:
    """Newest first."""
    return await conn.fetch(SELECT_STATUS_HISTORY, chain_id, before, limit)


async def select_operation(conn: ReadConn, operation_id: str) -> Record | None:
    return await conn.fetchrow(SELECT_OPERATION, operation_id)


async def select_business_ref(conn: ReadConn, *, chain_id: int, tx_hash: str) -> str | None:
    """What waits for the operation that sent a transaction, in whichever attempt."""
    return await conn.fetchval(SELECT_BUSINESS_REF, chain_id, tx_hash)


async def select_results(conn: ReadConn, *, business_ref: str, kind: str) -> list[dict[str, Any]]:
    """Of the final operations of a kind, oldest first."""
    return [row["result"] or {} for row in await conn.fetch(SELECT_RESULTS, business_ref, kind)]


async def select_waiting(conn: ReadConn, operation_id: str) -> str | None:
    """The operation's transaction that nothing was signed for yet."""
    return await conn.fetchval(SELECT_WAITING, operation_id)


async def select_operations(conn: ReadConn, *, chain_id: int, states: list[str]) -> list[Record]:
    """Oldest first."""
    return await conn.fetch(SELECT_OPERATIONS, chain_id, states)


async def select_transactions(conn: ReadConn, operation_ids: list[str]) -> list[Record]:
    """By sender and nonce."""
    return await conn.fetch(SELECT_TRANSACTIONS, operation_ids)


async def select_attempts(conn: ReadConn, tx_ids: list[str]) -> list[Record]:
    """In the order they were made."""
    return await conn.fetch(SELECT_ATTEMPTS, tx_ids)


async def select_contracts(conn: ReadConn, chain_id: int) -> list[Record]:
    return await conn.fetch(SELECT_CONTRACTS, chain_id)


async def select_nonces(conn: ReadConn, chain_id: int) -> dict[str, int]:
    """Highest journaled nonce by address."""
    return {row["from_address"]: row["nonce"] for row in await conn.fetch(SELECT_NONCES, chain_id)}


async def select_policies(conn: ReadConn, chain_id: int) -> list[Record]:
    """Enabled rules of a chain."""
    return await conn.fetch(SELECT_POLICIES, chain_id)


async def select_policy_owners(conn: ReadConn, policy_ids: list[str]) -> dict[str, tuple[int | None, bool]]:
    """(chain, whether it is enabled) of the rules that exist, by name. Chain None: every chain."""
    rows = await conn.fetch(SELECT_POLICY_OWNERS, policy_ids)
    return {row["policy_id"]: (row["chain_id"], row["is_enabled"]) for row in rows}


async def apply_policy_change(
    conn: WriteConn, *, change_id: int, chain_id: int | None, rules: list[dict[str, Any]], disabled: list[str]
) -> None:
    """Set rules as a whole and take others out."""
    await conn.execute(DISABLE_POLICIES, disabled, change_id)
    await conn.execute(UPSERT_POLICIES, chain_id, change_id, rules)


async def insert_policy_change(
    conn: WriteConn, *, chain_id: int | None, rules: list[dict[str, Any]], disabled: list[str], warnings: list[dict[str, Any]], reason: str,
    proposed_by: str,
) -> int:  # fmt: skip
    return await conn.fetchval(INSERT_POLICY_CHANGE, chain_id, rules, disabled, warnings, reason, proposed_by)


async def select_policy_changes(
    conn: ReadConn,
    *,
    status: str | None = None,
    before: int | None = None,
    change_id: int | None = None,
    limit: int = 1,
) -> list[Record]:
    """Newest first; before: the last change_id of the previous page."""
    return await conn.fetch(SELECT_POLICY_CHANGES, status, before, change_id, limit)


async def lock_policy(conn: WriteConn) -> None:
    """Held until the transaction ends: changes are decided one at a time."""
    await conn.execute(LOCK_POLICY)


async def decide_policy_change(
    conn: WriteConn, *, change_id: int, status: str, actor: str, reason: str, before: list[dict[str, Any]] | None,
    warnings: list[dict[str, Any]] | None,
) -> bool:  # fmt: skip
    """False: it was decided before. Raises asyncpg.CheckViolationError when the one who proposed it approves."""
    decided = await conn.fetchval(DECIDE_POLICY_CHANGE, change_id, status, actor, reason, before, warnings)
    return decided is not None


async def select_policy_is_set(conn: ReadConn, chain_id: int) -> bool:
    """Whether anybody has ever set a rule for the chain, enabled or not."""
    return await conn.fetchval(SELECT_POLICY_IS_SET, chain_id)


async def select_policy_use(conn: ReadConn, chain_id: int) -> list[Record]:
    """What each rule let pass since midnight UTC."""
    return await conn.fetch(SELECT_POLICY_USE, chain_id)


async def select_stream(conn: ReadConn, chain_id: int) -> Record | None:
    return await conn.fetchrow(SELECT_STREAM, chain_id)


async def select_streams(conn: ReadConn) -> list[Record]:
    return await conn.fetch(SELECT_STREAMS)


async def advance_stream(
    conn: WriteConn, *, chain_id: int, prev_seq: int, seq: int, epoch: int, checkpoint: Checkpoint
) -> bool:
    """Move the head by compare-and-set; takes the row lock. False: prev_seq is not the head."""
    await conn.execute(OPEN_STREAM, chain_id)
    moved = await conn.fetchval(
        ADVANCE_STREAM, chain_id, prev_seq, seq, epoch, checkpoint.block_number, checkpoint.block_hash
    )
    return moved is not None


async def insert_events(conn: WriteConn, *, chain_id: int, bodies: list[dict[str, Any]]) -> None:
    """Raises asyncpg.UniqueViolationError when an event_id is in the stream already."""
    await conn.execute(
        INSERT_EVENTS,
        chain_id, [body["seq"] for body in bodies], [body["event_id"] for body in bodies], [body["type"] for body in bodies], bodies,
    )  # fmt: skip


async def select_events(conn: ReadConn, *, chain_id: int, after: int, limit: int) -> list[dict[str, Any]]:
    """Event bodies in order, dense from after + 1."""
    return [row["body"] for row in await conn.fetch(SELECT_EVENTS, chain_id, after, limit)]


async def select_operation_views(
    conn: ReadConn,
    *,
    state: str | None = None,
    before: str | None = None,
    limit: int = 1,
    operation_id: str | None = None,
) -> list[Record]:
    """Newest first; before: the last operation_id of the previous page. None: no such filter."""
    return await conn.fetch(SELECT_OPERATION_VIEWS, state, before, limit, operation_id)


async def select_dead_letters(conn: ReadConn, *, status: str | None, before: int | None, limit: int) -> list[Record]:
    """Newest first; before: the last dead_letter_id of the previous page."""
    return await conn.fetch(SELECT_DEAD_LETTERS, status, before, limit)


async def lock_dead_letter(conn: WriteConn, dead_letter_id: int) -> Record | None:
    """Takes the row lock."""
    return await conn.fetchrow(LOCK_DEAD_LETTER, dead_letter_id)


async def close_dead_letter(conn: WriteConn, *, dead_letter_id: int, status: str) -> None:
    await conn.execute(CLOSE_DEAD_LETTER, dead_letter_id, status)


async def select_status(conn: ReadConn, *, chain_id: int, business_ref: str) -> Record:
    row = await conn.fetchrow(SELECT_STATUS, chain_id, business_ref)
    assert row is not None, "the subselect always has a row"
    return row
