"""What may be signed: looked at, changed by one person, approved by another, kept for ever. The chain service applies it and says what a change would stop."""

from typing import Any

from tokenx_api.audit import service as audit
from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.paging import cut, decode_number_cursor
from tokenx_api.tokenization import queries, rules
from tokenx_api.tokenization.errors import (
    PolicyChangeDecided,
    PolicyMoved,
    PolicyOfAnotherChain,
    PolicyTooWide,
    PolicyUnknown,
    SecondPersonRequired,
    WouldLockOut,
)
from tokenx_api.tokenization.models import (
    Policy,
    PolicyChange,
    PolicyChangeBody,
    PolicyChangePage,
    PolicyRule,
    PolicyRuleBody,
    PolicyUseView,
    PolicyView,
    PolicyWarning,
)
from tokenx_api.tokenization.service.journal import policy
from tokenx_common.clock import rfc3339
from tokenx_common.errors import DependencyUnavailable, NotFound, TokenxError
from tokenx_common.http import ServiceClient

_AMOUNTS = ("max_amount", "daily_amount", "approval_above")


async def policy_view(conn: ReadConn, chain: ServiceClient, chain_id: int) -> PolicyView:
    """The rules of a chain, and whether the chain service works by them. Raises DependencyUnavailable only while there are none but the built-in ones."""
    found = await policy(conn, chain_id)
    in_effect: dict[str, Any] | None = None
    try:
        in_effect = await chain.get("/v1/policies", params={"chain_id": chain_id})
    except TokenxError:
        if not found.is_set:
            raise
    shown = found.rules if found.is_set or in_effect is None else [PolicyRule(**rule) for rule in in_effect["built_in"]]
    return PolicyView(
        chain_id=chain_id, is_built_in=not found.is_set, version=found.version, rules=[_as_body(rule) for rule in shown],
        in_effect=in_effect is not None and in_effect["version"] == found.version,
        used=[PolicyUseView(policy_id=use.policy_id, amount=str(use.amount), count=use.count) for use in found.used],
    )  # fmt: skip


async def propose_policy(
    conn: WriteConn, chain: ServiceClient, body: PolicyChangeBody, *, chain_id: int, actor: str
) -> PolicyChange:
    """Write a change down, with what it would stop. It counts once somebody else approves it. Raises PolicyTooWide, PolicyUnknown, PolicyOfAnotherChain,
    DependencyUnavailable: without the chain service nobody can say what it would do."""
    current = await policy(conn, chain_id)
    changed = [_as_rule(rule) for rule in body.rules]
    if body.keep_built_in:
        known = await chain.get("/v1/policies", params={"chain_id": chain_id})
        changed = rules.with_built_in(changed, current=current.rules, built_in=[PolicyRule(**rule) for rule in known["built_in"]])  # fmt: skip
    await _sensible(conn, changed, disabled=body.disable, scope=None if body.every_chain else chain_id)
    warnings = await _warnings(chain, rules.after(current.rules, disabled=body.disable, changed=changed))
    change_id = await queries.insert_policy_change(
        conn, chain_id=None if body.every_chain else chain_id, rules=[_as_body(rule).model_dump() for rule in changed], disabled=body.disable,
        warnings=[warning.model_dump() for warning in warnings], reason=body.reason, proposed_by=actor,
    )  # fmt: skip
    await _audit(conn, change_id, "policy_change.proposed", actor=actor, reason=body.reason)
    return await policy_change(conn, change_id)


async def _sensible(conn: ReadConn, changed: list[PolicyRule], *, disabled: list[str], scope: int | None) -> None:
    wide = rules.too_wide(changed)
    if wide is not None:
        raise PolicyTooWide(f"{wide} would allow every function of every contract: name one or the other")
    names = [rule.policy_id for rule in changed]
    owners = await queries.select_policy_owners(conn, [*names, *disabled])
    missing = [name for name in disabled if not owners.get(name, (None, False))[1]]
    if missing or not (changed or disabled) or len(set(names)) < len(names) or set(names) & set(disabled):
        raise PolicyUnknown(f"name rules to set, each once, or rules in force to take out; not in force: {missing}")
    elsewhere = [name for name, (owner, _) in owners.items() if owner != scope]
    if elsewhere:
        raise PolicyOfAnotherChain(f"{', '.join(elsewhere)}: of another chain, or of every chain")


async def _warnings(chain: ServiceClient, resulting: list[PolicyRule]) -> list[PolicyWarning]:
    answer = await chain.post("/v1/policies:check", {"rules": [rule.model_dump() for rule in resulting]})
    return [PolicyWarning(**row) for row in answer["warnings"]]


async def check_policy_change(conn: ReadConn, chain: ServiceClient, change_id: int, *, chain_id: int) -> tuple[int, list[PolicyWarning]]:  # fmt: skip
    """(version it was looked at under, what it would stop now). Raises NotFound, DependencyUnavailable."""
    change = await policy_change(conn, change_id)
    current = await policy(conn, change.chain_id or chain_id)
    resulting = rules.after(current.rules, disabled=change.disabled, changed=[_as_rule(rule) for rule in change.rules])
    return current.version, await _warnings(chain, resulting)


async def approve_policy_change(
    conn: WriteConn, change_id: int, *, actor: str, reason: str, seen: tuple[int, list[PolicyWarning]], accept_lock_out: bool, chain_id: int
) -> PolicyChange:  # fmt: skip
    """Make it count. seen: what check_policy_change said. Raises SecondPersonRequired, WouldLockOut, PolicyMoved, PolicyChangeDecided."""
    version, warnings = seen
    await queries.lock_policy(conn)
    change = await policy_change(conn, change_id)
    current = await policy(conn, change.chain_id or chain_id)
    if change.status == "proposed" and change.proposed_by == actor:
        raise SecondPersonRequired("you have proposed it: somebody else must approve it")
    if current.version != version:
        raise PolicyMoved("another change was approved meanwhile: look again at what this one would do")
    denied = [warning.model_dump() for warning in warnings if warning.effect == "denied"]
    if denied and not accept_lock_out:
        raise WouldLockOut(f"{len(denied)} things the platform does itself would be denied", warnings=denied)
    await _decide(conn, change, "approved", actor=actor, reason=reason, before=_replaced(change, current), warnings=warnings)  # fmt: skip
    await queries.apply_policy_change(
        conn, change_id=change_id, chain_id=change.chain_id, rules=[rule.model_dump() for rule in change.rules], disabled=change.disabled
    )  # fmt: skip
    return await policy_change(conn, change_id)


async def reject_policy_change(conn: WriteConn, change_id: int, *, actor: str, reason: str) -> PolicyChange:
    """It will never count. Also for the one who proposed it. Raises PolicyChangeDecided, NotFound."""
    await _decide(conn, await policy_change(conn, change_id), "rejected", actor=actor, reason=reason)
    return await policy_change(conn, change_id)


async def _decide(conn: WriteConn, change: PolicyChange, status: str, *, actor: str, reason: str, before: list[dict[str, Any]] | None = None,
                  warnings: list[PolicyWarning] | None = None) -> None:  # fmt: skip
    told = None if warnings is None else [warning.model_dump() for warning in warnings]
    decided = await queries.decide_policy_change(
        conn, change_id=change.change_id, status=status, actor=actor, reason=reason, before=before, warnings=told
    )
    if not decided:
        raise PolicyChangeDecided(f"it was {change.status} before")
    await _audit(conn, change.change_id, f"policy_change.{status}", actor=actor, reason=reason)


def _replaced(change: PolicyChange, current: Policy) -> list[dict[str, Any]]:
    touched = {rule.policy_id for rule in change.rules} | set(change.disabled)
    return [_as_body(rule).model_dump() for rule in current.rules if rule.policy_id in touched]


async def put_in_effect(chain: ServiceClient, change: PolicyChange, *, chain_id: int) -> PolicyChange:
    """Tell the chain service. Should it be away, it finds out by its next write."""
    try:
        answer = await chain.post("/v1/policies:reload", {"chain_id": change.chain_id or chain_id})
    except (DependencyUnavailable, NotFound):
        return change.model_copy(update={"in_effect": False})
    return change.model_copy(update={"in_effect": answer["version"] >= (change.version or 0)})


async def policy_change(conn: ReadConn, change_id: int) -> PolicyChange:
    """One change. Raises NotFound."""
    found = await queries.select_policy_changes(conn, change_id=change_id)
    if not found:
        raise NotFound("policy_change")
    return _as_change(found[0])


async def policy_change_page(conn: ReadConn, *, status: str | None, cursor: str | None, limit: int) -> PolicyChangePage:
    """Newest first."""
    found = await queries.select_policy_changes(conn, status=status, before=decode_number_cursor(cursor), limit=limit + 1)  # fmt: skip
    page, next_cursor = cut(found, limit, lambda row: str(row["change_id"]))
    return PolicyChangePage(data=[_as_change(row) for row in page], next_cursor=next_cursor)


def _as_change(row: Record) -> PolicyChange:
    times = {key: rfc3339(value) for key, value in row.items() if key.endswith("_at") and value is not None}
    return PolicyChange.model_validate(dict(row) | times)


def _as_body(rule: PolicyRule) -> PolicyRuleBody:
    """As people see it: amounts as text."""
    members: dict[str, Any] = rule.model_dump()
    return PolicyRuleBody.model_validate(
        members | {name: None if members[name] is None else str(members[name]) for name in _AMOUNTS}
    )


def _as_rule(body: PolicyRuleBody) -> PolicyRule:
    members: dict[str, Any] = body.model_dump()
    return PolicyRule.model_validate(
        members | {name: None if members[name] is None else int(members[name]) for name in _AMOUNTS}
    )


async def _audit(conn: WriteConn, change_id: int, action: str, *, actor: str, reason: str) -> None:
    await audit.record(conn, actor=actor, action=action, subject_type="policy_change", subject_id=str(change_id), reason=reason)  # fmt: skip
