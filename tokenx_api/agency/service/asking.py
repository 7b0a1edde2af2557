"""Whether an act would go through: by the books here, then by the contracts, item by item, before anything is sent."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from tokenx_api.agency import queries, rules
from tokenx_api.agency.errors import NotDeployed
from tokenx_api.agency.models import ActItem, ActKind, ItemAnswer, Leg, Party, Plan
from tokenx_api.compliance import service as compliance
from tokenx_api.compliance.models import Question
from tokenx_api.compliance.models import Side as MarketSide
from tokenx_api.context import AppContext
from tokenx_api.db import ReadConn
from tokenx_api.investors import service as investors
from tokenx_api.offerings import service as offerings
from tokenx_api.wallets import service as wallets
from tokenx_common.errors import Invalid

AT_ONCE: Final = 8
"""Questions to the chain service at the same time."""


async def find_plan(conn: ReadConn, *, kind: ActKind, offering_id: str, items: Sequence[ActItem]) -> Plan:
    """The act with everybody it names. Raises NotFound, Invalid, NotDeployed."""
    if errors := rules.shape_errors(kind, items):
        raise Invalid(f"{errors[0]['pointer']}: {errors[0]['message']}", errors=errors)
    offering = await offerings.get(conn, offering_id)
    if offering.chain_id is None or offering.token_address is None:
        raise NotDeployed(f"{offering.terms.symbol} is not deployed on chain")
    names = dict.fromkeys(name for item in items for name in (item.investor_id, item.to_investor_id) if name)
    parties = {name: await _party(conn, name, offering.chain_id) for name in names}
    legs = tuple(
        Leg(index, parties[item.investor_id], parties[item.to_investor_id] if item.to_investor_id else None, int(item.units or 0))
        for index, item in enumerate(items)
    )  # fmt: skip
    return Plan(kind, offering, offering.chain_id, offering.token_address, legs)


async def _party(conn: ReadConn, investor_id: str, chain_id: int) -> Party:
    investor = await investors.get(conn, investor_id)
    wallet = await wallets.investor_wallet(conn, investor_id, chain_id)
    return Party(investor_id, investor.frozen, investor.revoked_at is not None, wallet)


async def by_books(conn: ReadConn, plan: Plan) -> list[ItemAnswer]:
    """What stands against it by what is known here; empty when nothing does."""
    offering_id, taken = plan.offering.offering_id, Counter[str]()
    found = [
        rules.paused_already(plan, token_paused=await queries.select_paused(conn, offering_id)),
        rules.over_supply(plan, committed=await queries.select_committed(conn, offering_id)),
    ]
    for leg in plan.legs:
        holder = leg.holder.investor_id
        position = await queries.select_position(conn, offering_id=offering_id, investor_id=holder)
        found.append(rules.obstacle(plan, leg, position, taken[holder]))
        taken[holder] += leg.units
    return [answer for answer in found if answer is not None]


async def by_gate(conn: ReadConn, plan: Plan, now: datetime) -> list[ItemAnswer]:
    """What the compliance gate says to a holder's own transfer, asked of both sides; agents' other powers pass it, as they pass the contracts'."""
    if plan.kind != "transfer":
        return []
    found: list[ItemAnswer] = []
    for leg in plan.legs:
        sides: tuple[tuple[Party | None, MarketSide], ...] = ((leg.holder, "sell"), (leg.receiver, "buy"))
        for party, side in sides:
            assert party is not None, "a transfer names its receiver"
            question = Question(stage="pre_transfer", subject_type="act", subject_id="preview", investor_id=party.investor_id,
                                offering_id=plan.offering.offering_id, side=side, units=leg.units)  # fmt: skip
            decision = await compliance.preview(conn, question, now=now)
            if not decision.allowed:
                found.append(rules.by_gate(leg, "sender" if side == "sell" else "receiver", decision.reasons[0]))
    return found


async def trial(context: AppContext, plan: Plan) -> list[ItemAnswer]:
    """An answer for each item, one for an act about the whole token. The contracts are asked about the items nothing here stands against, and
    about all together once each alone would go through. Raises DependencyUnavailable."""
    async with context.db.read() as conn:
        refused = {answer.index: answer for answer in reversed(await by_books(conn, plan))}
    turn = asyncio.Semaphore(AT_ONCE)

    async def ask(index: int, legs: Sequence[Leg]) -> ItemAnswer:
        async with turn:
            return await _ask(context, plan, index, legs)

    open_legs = [leg for leg in plan.legs if leg.index not in refused]
    answers = await asyncio.gather(*(ask(leg.index, [leg]) for leg in open_legs))
    found = {**{answer.index: answer for answer in answers}, **refused}
    async with context.db.read() as conn:
        for answer in await by_gate(conn, plan, context.clock.now()):
            found[answer.index] = found[answer.index] if not found[answer.index].ok else answer
    if (not plan.legs and not refused) or (len(plan.legs) > 1 and all(answer.ok for answer in found.values())):
        together = await ask(0, plan.legs)
        found[0] = together if not together.ok else found.get(0, together)
    return [found[index] for index in sorted(found)]


async def _ask(context: AppContext, plan: Plan, index: int, legs: Sequence[Leg]) -> ItemAnswer:
    kind, params = rules.operation(plan, legs)
    body = {"chain_id": plan.chain_id, "kind": kind, "params": params}
    answer: dict[str, Any] = await context.chain.post("/v1/simulate", body)
    if answer["ok"]:
        return ItemAnswer(index=index, ok=True)
    return ItemAnswer(index=index, ok=False, code=answer["reason_code"], side=answer.get("side"), rule=answer.get("rule"),
                      detail=answer["reason"])  # fmt: skip
