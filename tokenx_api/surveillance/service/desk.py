"""The alert desk: lists, assignment, closing with four eyes."""

from datetime import datetime
from typing import Any, Final, Literal, overload

from tokenx_api.audit import service as audit
from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.paging import cut, decode_cursor, decode_number_cursor
from tokenx_api.surveillance import queries, rules
from tokenx_api.surveillance.errors import FourEyes, IllegalMove, NotAnOfficer
from tokenx_api.surveillance.models import (
    Book,
    KytAlertPage,
    KytAlertView,
    Outcome,
    ScorePage,
    ScoreView,
    Status,
    SurveillanceAlertPage,
    SurveillanceAlertView,
)
from tokenx_common.clock import rfc3339
from tokenx_common.errors import Invalid, NotFound

_VIEWS: Final[dict[Book, Any]] = {"kyt": KytAlertView, "surveillance": SurveillanceAlertView}
_PAGES: Final[dict[Book, Any]] = {"kyt": KytAlertPage, "surveillance": SurveillanceAlertPage}


@overload
async def alert_page(
    conn: ReadConn, book: Literal["kyt"], *, status: Status | None, cursor: str | None, limit: int
) -> KytAlertPage: ...
@overload
async def alert_page(
    conn: ReadConn, book: Literal["surveillance"], *, status: Status | None, cursor: str | None, limit: int
) -> SurveillanceAlertPage: ...
async def alert_page(
    conn: ReadConn, book: Book, *, status: Status | None, cursor: str | None, limit: int
) -> KytAlertPage | SurveillanceAlertPage:
    """Newest first."""
    rows = await queries.select_alerts(conn, book, status=status, before=decode_number_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: str(row["seq"]))
    return _PAGES[book](data=[_view(book, row) for row in page], next_cursor=next_cursor)


async def assign(conn: WriteConn, book: Book, *, actor: str, alert_id: str, assignee: str | None) -> Any:
    """The alert, now the assignee's (the actor's when None). Any: the book's view. Raises NotFound, IllegalMove, NotAnOfficer."""
    found = await _locked(conn, book, alert_id)
    if not rules.may_move(found["status"], "assigned"):
        raise IllegalMove(f"the alert is {found['status']}", status_now=found["status"])
    chosen = assignee or actor
    if not await queries.is_officer(conn, chosen):
        raise NotAnOfficer("alerts are assigned to active compliance officers", assignee=chosen)
    await queries.assign_alert(conn, book, alert_id=alert_id, assignee=chosen)
    await _record(conn, book, actor=actor, alert_id=alert_id, action="alert.assigned", assignee=chosen)
    return await _get(conn, book, alert_id)


async def close(conn: WriteConn, book: Book, *, actor: str, alert_id: str, outcome: Outcome, reason: str) -> Any:
    """The closed alert. Any: the book's view. Raises NotFound, IllegalMove, FourEyes."""
    found = await _locked(conn, book, alert_id)
    refusal = rules.close_refusal(
        severity=found["severity"], status=found["status"], assigned_to=found["assigned_to"], closer=actor
    )
    if refusal == "illegal_move":
        raise IllegalMove(f"an alert that is {found['status']} and {found['severity']} cannot be closed")
    if refusal == "four_eyes":
        raise FourEyes("a high or severe alert is closed by someone else than its assignee")
    await queries.close_alert(conn, book, alert_id=alert_id, outcome=outcome, closer=actor, reason=reason)
    await _record(conn, book, actor=actor, alert_id=alert_id, action="alert.closed", outcome=outcome)
    return await _get(conn, book, alert_id)


async def score_page(conn: ReadConn, *, address: str | None, cursor: str | None, limit: int) -> ScorePage:
    """Newest first; address: either side of the transfer."""
    rows = await queries.select_scores(
        conn, address=address.lower() if address else None, before=_score_key(cursor), limit=limit + 1
    )
    page, next_cursor = cut(rows, limit, lambda row: f"{rfc3339(row['scored_at'])}|{row['score_id']}")
    return ScorePage(data=[ScoreView(**_plain(row)) for row in page], next_cursor=next_cursor)


def _score_key(cursor: str | None) -> tuple[datetime, str] | None:
    key = decode_cursor(cursor)
    if key is None:
        return None
    scored_at, _, score_id = key.partition("|")
    try:
        return datetime.fromisoformat(scored_at), score_id
    except ValueError:
        raise Invalid("the cursor is not one of ours") from None


async def _locked(conn: WriteConn, book: Book, alert_id: str) -> Record:
    found = await queries.lock_alert(conn, book, alert_id)
    if found is None:
        raise NotFound("alert")
    return found


async def _get(conn: ReadConn, book: Book, alert_id: str) -> Any:
    return _view(book, (await queries.select_alerts(conn, book, alert_id=alert_id))[0])


def _view(book: Book, row: Record) -> Any:
    return _VIEWS[book](**_plain(row))


def _plain(row: Record) -> dict[str, Any]:
    return {key: rfc3339(value) if isinstance(value, datetime) else value for key, value in row.items()}


async def _record(conn: WriteConn, book: Book, *, actor: str, alert_id: str, action: str, **detail: str) -> None:
    await audit.record(conn, actor=actor, action=action, subject_type=f"{book}_alert", subject_id=alert_id, **detail)
