"""SQL of scores, alerts and owner links."""

from datetime import datetime
from typing import LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.surveillance.models import Book, KytAlert, Score, SurveillanceAlert

LOCK_ALERTS: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('alerts:' || $1, 0))"
KYT_HEAD: LiteralString = "SELECT coalesce(max(seq), 0) FROM kyt.alerts"
SURVEILLANCE_HEAD: LiteralString = "SELECT coalesce(max(seq), 0) FROM surveillance.alerts"
KYT_DUPLICATES: LiteralString = (
    "SELECT dedupe_key FROM kyt.alerts WHERE dedupe_key = ANY($1) ORDER BY dedupe_key LIMIT 2000"
)
SURVEILLANCE_DUPLICATES: LiteralString = (
    "SELECT dedupe_key FROM surveillance.alerts WHERE dedupe_key = ANY($1) ORDER BY dedupe_key LIMIT 2000"
)
INSERT_SCORE: LiteralString = """
    INSERT INTO kyt.tx_risk_scores (score_id, chain_id, seq, event_id, tx_hash, token, from_address, to_address, amount, provider, level,
        score, factors, list_version, list_as_of, input_hash, scored_at)
    VALUES ($1, $2, $3, $4, $5, $6, lower($7), lower($8), $9::text::numeric, $10, $11, $12, $13, $14, $15, $16, $17)
    ON CONFLICT (chain_id, event_id, provider) DO NOTHING"""
INSERT_KYT_ALERT: LiteralString = """
    INSERT INTO kyt.alerts (alert_id, seq, dedupe_key, kind, severity, title, score_id, facts, raised_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
INSERT_SURVEILLANCE_ALERT: LiteralString = """
    INSERT INTO surveillance.alerts (alert_id, seq, dedupe_key, detector, detector_version, severity, offering_id, from_seq, to_seq,
        subjects, metrics, fill_ids, title, replay_hash, raised_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"""

SELECT_KYT_ALERTS: LiteralString = """
    SELECT alert_id, seq, kind, severity, status, outcome, title, score_id, facts, assigned_to, closed_by, close_reason, raised_at, updated_at
    FROM kyt.alerts
    WHERE ($1::text IS NULL OR status = $1) AND ($2::bigint IS NULL OR seq < $2) AND ($4::text IS NULL OR alert_id = $4)
    ORDER BY seq DESC LIMIT $3"""
SELECT_SURVEILLANCE_ALERTS: LiteralString = """
    SELECT alert_id, seq, detector, detector_version, severity, status, outcome, offering_id, from_seq, to_seq, subjects, metrics, fill_ids,
           title, encode(replay_hash, 'hex') AS replay_hash, assigned_to, closed_by, close_reason, raised_at, updated_at
    FROM surveillance.alerts
    WHERE ($1::text IS NULL OR status = $1) AND ($2::bigint IS NULL OR seq < $2) AND ($4::text IS NULL OR alert_id = $4)
    ORDER BY seq DESC LIMIT $3"""
LOCK_KYT_ALERT: LiteralString = "SELECT severity, status, assigned_to FROM kyt.alerts WHERE alert_id = $1 FOR UPDATE"
LOCK_SURVEILLANCE_ALERT: LiteralString = (
    "SELECT severity, status, assigned_to FROM surveillance.alerts WHERE alert_id = $1 FOR UPDATE"
)
ASSIGN_KYT_ALERT: LiteralString = (
    "UPDATE kyt.alerts SET status = 'assigned', assigned_to = $2, updated_at = now() WHERE alert_id = $1"
)
ASSIGN_SURVEILLANCE_ALERT: LiteralString = (
    "UPDATE surveillance.alerts SET status = 'assigned', assigned_to = $2, updated_at = now() WHERE alert_id = $1"
)
CLOSE_KYT_ALERT: LiteralString = """
    UPDATE kyt.alerts SET status = 'closed', outcome = $2, closed_by = $3, close_reason = $4, updated_at = now() WHERE alert_id = $1"""
CLOSE_SURVEILLANCE_ALERT: LiteralString = """
    UPDATE surveillance.alerts SET status = 'closed', outcome = $2, closed_by = $3, close_reason = $4, updated_at = now() WHERE alert_id = $1"""
SELECT_IS_OFFICER: LiteralString = (
    "SELECT 1 FROM api.users WHERE user_id = $1 AND status = 'active' AND 'compliance_officer' = ANY(personas)"
)

SELECT_SCORES: LiteralString = """
    SELECT score_id, chain_id, seq, event_id, tx_hash, token, from_address, to_address, amount::text AS amount, provider, level, score, factors,
           list_version, list_as_of::text AS list_as_of, scored_at
    FROM kyt.tx_risk_scores
    WHERE ($1::text IS NULL OR from_address = $1 OR to_address = $1) AND ($2::timestamptz IS NULL OR (scored_at, score_id) < ($2, $3::text))
    ORDER BY scored_at DESC, score_id DESC LIMIT $4"""

SELECT_OWNER_GROUP: LiteralString = "SELECT owner_group FROM api.investors WHERE investor_id = $1"
UPSERT_OWNER_LINK: LiteralString = """
    INSERT INTO compliance.owner_links (owner_a, owner_b, confidence_pct, basis, created_by) VALUES (least($1::bigint, $2::bigint), greatest($1::bigint, $2::bigint), $3, $4, $5)
    ON CONFLICT (owner_a, owner_b) DO UPDATE SET confidence_pct = excluded.confidence_pct, basis = excluded.basis, updated_at = now()"""
SELECT_OWNER_LINKS: LiteralString = """
    SELECT a.investor_id AS investor_a, b.investor_id AS investor_b, l.confidence_pct, l.basis, l.created_by, l.created_at,
           l.owner_a || ',' || l.owner_b AS key
    FROM compliance.owner_links l JOIN api.investors a ON a.owner_group = l.owner_a JOIN api.investors b ON b.owner_group = l.owner_b
    WHERE ($1::bigint IS NULL OR (l.owner_a, l.owner_b) < ($1, $2::bigint)) ORDER BY l.owner_a DESC, l.owner_b DESC LIMIT $3"""
SELECT_REFERENCE_LINKS: LiteralString = """
    SELECT owner_a AS a, owner_b AS b, confidence_pct, basis FROM compliance.owner_links
    UNION ALL
    SELECT a.owner_group, b.owner_group, 60, 'same legal name' FROM api.investors a
    JOIN api.investors b ON lower(b.legal_name) = lower(a.legal_name) AND a.owner_group < b.owner_group
    WHERE NOT EXISTS (SELECT 1 FROM compliance.owner_links l WHERE l.owner_a = a.owner_group AND l.owner_b = b.owner_group)
    ORDER BY 1, 2 LIMIT 100000"""
SELECT_OWNERS: LiteralString = "SELECT owner_group, investor_id FROM api.investors ORDER BY owner_group LIMIT 1000000"
SELECT_OFFERINGS: LiteralString = """
    SELECT offering_id, symbol, token_address, max_units::text AS max_units, market_state FROM api.offerings ORDER BY offering_id LIMIT 100000"""


async def lock_alerts(conn: WriteConn, book: Book) -> None:
    """One report at a time per alert table, until the transaction ends."""
    await conn.execute(LOCK_ALERTS, book)


async def select_head(conn: ReadConn, book: Book) -> int:
    """Last seq of the table's stream; 0 when it is empty."""
    return await conn.fetchval(KYT_HEAD if book == "kyt" else SURVEILLANCE_HEAD)


async def select_duplicates(conn: ReadConn, book: Book, dedupe_keys: list[str]) -> list[str]:
    """Which of the keys were raised before."""
    sql = KYT_DUPLICATES if book == "kyt" else SURVEILLANCE_DUPLICATES
    return [row["dedupe_key"] for row in await conn.fetch(sql, dedupe_keys)]


async def insert_scores(conn: WriteConn, scores: list[Score]) -> None:
    """One score per event and provider; a second one is dropped."""
    rows = [
        (s.score_id, s.chain_id, s.seq, s.event_id, s.tx_hash, s.token, s.from_address, s.to_address, s.amount, s.provider, s.level, s.score,
         s.factors, s.list_version, s.list_as_of, bytes.fromhex(s.input_hash), s.scored_at)
        for s in scores
    ]  # fmt: skip
    await conn.executemany(INSERT_SCORE, rows)


async def insert_kyt_alerts(conn: WriteConn, alerts: list[KytAlert]) -> None:
    rows = [
        (a.alert_id, a.seq, a.dedupe_key, a.kind, a.severity, a.title, a.score_id, a.facts, a.raised_at) for a in alerts
    ]
    await conn.executemany(INSERT_KYT_ALERT, rows)


async def insert_surveillance_alerts(conn: WriteConn, alerts: list[SurveillanceAlert]) -> None:
    rows = [
        (a.alert_id, a.seq, a.dedupe_key, a.detector, a.detector_version, a.severity, a.offering_id, a.from_seq, a.to_seq, a.subjects,
         a.metrics, a.fill_ids, a.title, bytes.fromhex(a.replay_hash), a.raised_at)
        for a in alerts
    ]  # fmt: skip
    await conn.executemany(INSERT_SURVEILLANCE_ALERT, rows)


async def select_alerts(
    conn: ReadConn,
    book: Book,
    *,
    status: str | None = None,
    before: int | None = None,
    limit: int = 1,
    alert_id: str | None = None,
) -> list[Record]:
    """Newest first. None: no such filter."""
    sql = SELECT_KYT_ALERTS if book == "kyt" else SELECT_SURVEILLANCE_ALERTS
    return await conn.fetch(sql, status, before, limit, alert_id)


async def lock_alert(conn: WriteConn, book: Book, alert_id: str) -> Record | None:
    """severity, status, assigned_to; takes the row lock."""
    return await conn.fetchrow(LOCK_KYT_ALERT if book == "kyt" else LOCK_SURVEILLANCE_ALERT, alert_id)


async def assign_alert(conn: WriteConn, book: Book, *, alert_id: str, assignee: str) -> None:
    await conn.execute(ASSIGN_KYT_ALERT if book == "kyt" else ASSIGN_SURVEILLANCE_ALERT, alert_id, assignee)


async def close_alert(conn: WriteConn, book: Book, *, alert_id: str, outcome: str, closer: str, reason: str) -> None:
    sql = CLOSE_KYT_ALERT if book == "kyt" else CLOSE_SURVEILLANCE_ALERT
    await conn.execute(sql, alert_id, outcome, closer, reason)


async def is_officer(conn: ReadConn, user_id: str) -> bool:
    return await conn.fetchval(SELECT_IS_OFFICER, user_id) is not None


async def select_scores(
    conn: ReadConn, *, address: str | None, before: tuple[datetime, str] | None, limit: int
) -> list[Record]:
    """Newest first; before: (scored_at, score_id) of the last row of the page before."""
    scored_at, score_id = before or (None, None)
    return await conn.fetch(SELECT_SCORES, address, scored_at, score_id, limit)


async def select_owner_group(conn: ReadConn, investor_id: str) -> int | None:
    return await conn.fetchval(SELECT_OWNER_GROUP, investor_id)


async def upsert_owner_link(
    conn: WriteConn, *, owners: tuple[int, int], confidence_pct: int, basis: str, actor: str
) -> None:
    await conn.execute(UPSERT_OWNER_LINK, owners[0], owners[1], confidence_pct, basis, actor)


async def select_owner_links(conn: ReadConn, *, before: tuple[int, int] | None, limit: int) -> list[Record]:
    """Newest owners first; before: the key of the last row of the page before."""
    a, b = before or (None, None)
    return await conn.fetch(SELECT_OWNER_LINKS, a, b, limit)


async def select_reference_links(conn: ReadConn) -> list[Record]:
    """Declared links, and accounts that carry the same legal name."""
    return await conn.fetch(SELECT_REFERENCE_LINKS)


async def select_owners(conn: ReadConn) -> dict[str, str]:
    """Investor id by owner group."""
    return {str(row["owner_group"]): row["investor_id"] for row in await conn.fetch(SELECT_OWNERS)}


async def select_offerings(conn: ReadConn) -> list[Record]:
    return await conn.fetch(SELECT_OFFERINGS)
