"""HTTP routes of compliance: the rules in force, what was decided and why, and restrictions on holdings."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, Field

from tokenx_api.auth.models import Actor
from tokenx_api.compliance import service
from tokenx_api.deps import ComplianceActor, Read, Write, require
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_cursor
from tokenx_common.clock import rfc3339
from tokenx_common.wire import Page, UnitsString, WireModel

router = APIRouter(prefix="/v1/compliance", tags=["compliance"])

Keeper = Annotated[Actor, Depends(require("compliance_officer", "transfer_agent"))]
"""Who may restrict holdings."""


class RuleView(WireModel):
    rule_id: str
    version: int
    reason_code: str
    source: str
    status: str
    effective_from: str


class DecisionView(WireModel):
    """A stored decision with every rule's result and the facts it rested on."""

    decision_id: str
    stage: str
    subject_type: str
    subject_id: str
    outcome: Literal["allow", "review", "deny"]
    results: list[dict[str, Any]]
    facts: dict[str, Any]
    engine_version: str
    created_at: str


class RestrictionRequest(WireModel):
    """investor_id null: every holder. units null: the whole holding. until null: for good, which a lock-up may not be."""

    offering_id: str = Field(min_length=1, max_length=64)
    investor_id: str | None = Field(default=None, max_length=64)
    kind: Literal["lock_up", "freeze", "legend"]
    units: UnitsString | None = None
    until: AwareDatetime | None = None
    reason: str = Field(min_length=3, max_length=500)


class RestrictionView(WireModel):
    restriction_id: str
    offering_id: str
    investor_id: str | None
    kind: str
    units: str | None
    until: str | None
    reason: str
    created_at: str
    lifted_at: str | None


@router.get("/rules")
async def list_rules(_actor: ComplianceActor, conn: Read) -> Page[RuleView]:
    """Every version of every rule."""
    rows = await service.recorded_rules(conn)
    return Page(
        data=[RuleView.model_validate({**row, "effective_from": rfc3339(row["effective_from"])}) for row in rows]
    )


@router.get("/decisions")
async def list_decisions(_actor: ComplianceActor, conn: Read, subject_id: Annotated[str | None, Query(max_length=64)] = None,
                         limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[DecisionView]:  # fmt: skip
    """Newest first, of one order, subscription or settlement, or of everything."""
    found = await service.decisions(conn, subject_id=subject_id, before=decode_cursor(cursor), limit=limit + 1)
    rows, next_cursor = cut(found, limit, lambda row: row["decision_id"])
    return Page(data=[_decision(row) for row in rows], next_cursor=next_cursor)


@router.get("/decisions/{decision_id}")
async def get_decision(decision_id: Annotated[str, Path(max_length=64)], _actor: ComplianceActor, conn: Read) -> DecisionView:  # fmt: skip
    """Why something was allowed or refused."""
    return _decision(await service.decision(conn, decision_id))


@router.post("/restrictions", status_code=201)
async def restrict(body: RestrictionRequest, actor: Keeper, conn: Write) -> RestrictionView:
    """Lock up or freeze units of a holding, from now on."""
    row = await service.restrict(
        conn, actor=actor, offering_id=body.offering_id, investor_id=body.investor_id, kind=body.kind,
        units=int(body.units) if body.units else None, until=body.until, reason=body.reason,
    )  # fmt: skip
    return _restriction(row)


@router.get("/restrictions")
async def list_restrictions(_actor: Keeper, conn: Read, offering_id: Annotated[str | None, Query(max_length=64)] = None,
                            limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[RestrictionView]:  # fmt: skip
    """Newest first, lifted ones included."""
    found = await service.restrictions(conn, offering_id=offering_id, before=decode_cursor(cursor), limit=limit + 1)
    rows, next_cursor = cut(found, limit, lambda row: row["restriction_id"])
    return Page(data=[_restriction(row) for row in rows], next_cursor=next_cursor)


@router.post("/restrictions/{restriction_id}:lift")
async def lift(restriction_id: Annotated[str, Path(max_length=64)], actor: Keeper, conn: Write) -> RestrictionView:
    """End a restriction before its time."""
    return _restriction(await service.lift(conn, actor=actor, restriction_id=restriction_id))


def _decision(row: dict[str, Any]) -> DecisionView:
    return DecisionView.model_validate({**row, "created_at": rfc3339(row["created_at"])})


def _restriction(row: dict[str, Any]) -> RestrictionView:
    units: int | None = row["units"]
    changed: dict[str, Any] = {
        "units": None if units is None else str(units),
        "until": _time(row["until"]),
        "created_at": rfc3339(row["created_at"]),
        "lifted_at": _time(row["lifted_at"]),
    }
    return RestrictionView.model_validate({**row, **changed})


def _time(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None
