"""The signing policy over HTTP: what counts now, what a change would stop, and the word that it has changed. Changes are made in the api."""

from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from tokenx_chain.policy.defaults import DEFAULT_RULES
from tokenx_chain.policy.needs import warnings
from tokenx_chain.policy.rules import Rule
from tokenx_chain.runtime import runtime_of
from tokenx_common.service_auth import require_service
from tokenx_common.wire import WireModel

router = APIRouter(dependencies=[Depends(require_service("api", "cli"))], tags=["policies"])


class PolicyRule(WireModel):
    """Allows what fits its four patterns (with *, | between alternatives), up to its limits in base units; null: no limit."""

    policy_id: str = Field(min_length=1, max_length=100)
    kind: str = "*"
    key_ref: str = "*"
    contract: str = "*"
    function: str = "*"
    max_amount: int | None = None
    daily_amount: int | None = None
    daily_count: int | None = None
    approval_above: int | None = None


class PolicyUse(WireModel):
    policy_id: str
    amount: int
    count: int


class PolicyInEffect(WireModel):
    """What decides before every signature on a chain now, the built-in rules, and what each rule has let pass today (UTC)."""

    version: int
    rules: list[PolicyRule]
    built_in: list[PolicyRule]
    used: list[PolicyUse]


class ProposedRules(WireModel):
    rules: list[PolicyRule] = Field(max_length=1000)


class PolicyWarning(WireModel):
    """effect 'denied': the platform's operations of this kind would fail; 'needs_approval': each would wait for two people."""

    kind: str
    key_ref: str
    contract: str
    function: str
    effect: Literal["denied", "needs_approval"]


class PolicyWarnings(WireModel):
    warnings: list[PolicyWarning]


class Reload(WireModel):
    chain_id: int = Field(gt=0)


class Reloaded(WireModel):
    """The version that is in effect from now on."""

    version: int


@router.get("/v1/policies", summary="What may be signed on a chain now")
async def policy_in_effect(request: Request, chain_id: int) -> PolicyInEffect:
    gate = runtime_of(request, chain_id).gate
    used = [PolicyUse(policy_id=name, amount=use.amount, count=use.count) for name, use in sorted(gate.used.items())]
    return PolicyInEffect(version=gate.version, rules=_shown(gate.rules), built_in=_shown(DEFAULT_RULES), used=used)


def _shown(rules: tuple[Rule, ...]) -> list[PolicyRule]:
    return [PolicyRule(**asdict(rule)) for rule in rules]


@router.post("/v1/policies:check", summary="What of the platform's own work these rules would stop")
async def check_policy(body: ProposedRules) -> PolicyWarnings:
    rules = [Rule(**rule.model_dump()) for rule in body.rules]
    found = warnings(rules, usual=DEFAULT_RULES)
    return PolicyWarnings(warnings=[PolicyWarning(**asdict(one)) for one in found])


@router.post("/v1/policies:reload", summary="Take over changed rules at once")
async def reload_policy(request: Request, body: Reload) -> Reloaded:
    return Reloaded(version=await runtime_of(request, body.chain_id).reload_policy())
