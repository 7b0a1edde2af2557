"""Offerings from draft to open: draft -> approved -> deploying -> deployed -> open. A failed deployment goes back to approved."""

from dataclasses import asdict
from typing import Any

from tokenx_api.audit import service as audit
from tokenx_api.auth.models import Actor
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.issuers import service as issuers
from tokenx_api.offerings import queries
from tokenx_api.offerings.errors import SymbolTaken, WrongStatus
from tokenx_api.offerings.models import NewOffering, Offering
from tokenx_api.offerings.rules import may_see, term_errors, terms_of
from tokenx_api.tokenization import service as tokenization
from tokenx_common.errors import Invalid, NotFound
from tokenx_common.ids import new_id


async def create(conn: WriteConn, *, actor: Actor, request: NewOffering) -> Offering:
    """A draft. Raises KybRequired, Invalid, SymbolTaken."""
    issuer_id = await issuers.approved_id(conn, actor)
    terms = terms_of(request)
    if errors := term_errors(terms):
        raise Invalid(f"{errors[0].pointer}: {errors[0].message}", errors=[asdict(error) for error in errors])
    offering_id = new_id("off")
    if not await queries.insert(conn, offering_id=offering_id, issuer_id=issuer_id, terms=terms):
        raise SymbolTaken(f"an offering with the symbol {terms.symbol} exists")
    await _audit(conn, actor.user_id, "offering.created", offering_id)
    return await get(conn, offering_id)


async def get(conn: ReadConn, offering_id: str) -> Offering:
    """Raises NotFound."""
    offering = await queries.select(conn, offering_id)
    if offering is None:
        raise NotFound("offering")
    return offering


async def locked(conn: WriteConn, offering_id: str) -> Offering:
    """The offering, its row held until the transaction ends. Raises NotFound."""
    await queries.lock(conn, offering_id)
    return await get(conn, offering_id)


async def visible(conn: ReadConn, actor: Actor, offering_id: str) -> Offering:
    """The offering, if the actor may see it. Raises NotFound."""
    offering = await get(conn, offering_id)
    if not may_see(actor, offering):
        raise NotFound("offering")
    return offering


async def owned(conn: ReadConn, actor: Actor, offering_id: str) -> Offering:
    """The offering, if the actor issues it. Raises NotFound."""
    offering = await get(conn, offering_id)
    if offering.issuer_id != actor.issuer_id:
        raise NotFound("offering")
    return offering


async def page(conn: ReadConn, *, actor: Actor, before: str | None, limit: int) -> list[Offering]:
    """What the actor may see, newest first."""
    return await queries.select_page(
        conn, all_drafts=actor.is_staff, issuer_id=actor.issuer_id, before=before, limit=limit
    )


async def approve(conn: WriteConn, *, actor: Actor, offering_id: str) -> Offering:
    """Raises NotFound, WrongStatus."""
    offering = await get(conn, offering_id)
    if not await queries.move(conn, offering_id, before="draft", after="approved"):
        raise WrongStatus(f"only a draft can be approved; this one is {offering.status}")
    await _audit(conn, actor.user_id, "offering.approved", offering_id)
    return await get(conn, offering_id)


async def deploy(conn: WriteConn, *, actor: Actor, offering_id: str, chain_id: int) -> Offering:
    """Ask the chain service for the offering's contracts. Raises NotFound, WrongStatus."""
    offering = await get(conn, offering_id)
    if not await queries.start_deployment(conn, offering_id, chain_id=chain_id):
        raise WrongStatus(f"only an approved offering can be deployed; this one is {offering.status}")
    terms = offering.terms
    params = {
        "offering_id": offering_id,
        "name": terms.name,
        "symbol": terms.symbol,
        "blocked_countries": list(terms.blocked_countries),
        "transfer_rules": terms.transfer_rules.model_dump(mode="json", exclude_defaults=True),
    }
    operation_id = await tokenization.request_operation(
        conn, chain_id=chain_id, kind="offering.deploy", params=params, business_ref=f"offering:{offering_id}"
    )
    await _audit(conn, actor.user_id, "offering.deployment_requested", offering_id, operation_id=operation_id)
    return await get(conn, offering_id)


async def open_primary(conn: WriteConn, *, actor: Actor, offering_id: str) -> Offering:
    """Open the primary sale. Raises NotFound, WrongStatus."""
    offering = await owned(conn, actor, offering_id)
    if not await queries.move(conn, offering_id, before="deployed", after="open"):
        raise WrongStatus(f"only a deployed offering can be opened; this one is {offering.status}")
    await _audit(conn, actor.user_id, "offering.opened", offering_id)
    return await get(conn, offering_id)


async def set_token_paused(conn: WriteConn, offering_id: str, *, paused: bool) -> bool:
    """Whether transfers of the token are to be let through from now on, as far as this side knows. False when nothing changed."""
    return await queries.set_paused(conn, offering_id, paused=paused)


async def on_operation_final(conn: WriteConn, offering_id: str, operation_id: str, result: dict[str, Any]) -> None:
    """The token exists. Doing it twice changes nothing."""
    token = str(result["token"]).lower()
    contracts = {name: value for name, value in result.items() if name != "token"}
    if await queries.finish_deployment(conn, offering_id, token=token, contracts=contracts):
        await _audit(conn, "service:chain", "offering.deployed", offering_id, operation_id=operation_id, token=token)


async def on_operation_failed(
    conn: WriteConn, offering_id: str, operation_id: str, error_code: str, error_detail: str
) -> None:
    """Back to approved: it can be deployed again."""
    if await queries.move(conn, offering_id, before="deploying", after="approved"):
        await _audit(conn, "service:chain", "offering.deployment_failed", offering_id, operation_id=operation_id,
                     error_code=error_code, error_detail=error_detail)  # fmt: skip


async def _audit(conn: WriteConn, actor: str, action: str, offering_id: str, **detail: Any) -> None:
    await audit.record(conn, actor=actor, action=action, subject_type="offering", subject_id=offering_id, **detail)
