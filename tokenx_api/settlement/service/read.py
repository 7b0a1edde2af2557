"""Looking at settlements."""

from tokenx_api.db import ReadConn, Record
from tokenx_api.settlement import queries
from tokenx_api.settlement.models import SettlementView
from tokenx_common.clock import rfc3339
from tokenx_common.money import format_amount


async def page(conn: ReadConn, *, investor_id: str | None, status: str | None, before: str | None, limit: int) -> list[SettlementView]:  # fmt: skip
    """Newest first. investor_id None: everybody's, for staff."""
    rows = await queries.select_page(conn, investor_id=investor_id, status=status, before=before, limit=limit)
    return [_view(row) for row in rows]


def _view(row: Record) -> SettlementView:
    return SettlementView(
        settlement_id=row["settlement_id"],
        fill_id=row["fill_id"],
        offering_id=row["offering_id"],
        symbol=row["symbol"],
        buyer_id=row["buyer_id"],
        seller_id=row["seller_id"],
        units=str(row["units"]),
        amount=format_amount(row["amount_minor"]),
        status=row["status"],
        failure_reason=row["failure_reason"],
        attempts=row["attempts"],
        operation_id=row["operation_id"],
        tx_hash=row["tx_hash"],
        created_at=rfc3339(row["created_at"]),
        settled_at=rfc3339(row["settled_at"]) if row["settled_at"] else None,
    )
