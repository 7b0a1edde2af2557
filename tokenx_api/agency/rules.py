"""Pure decisions about acts: who may, what an act must name, what stands against it here, and what it is on chain."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tokenx_api.agency.models import ActItem, ActKind, ItemAnswer, Leg, Party, Plan, Position, Side
from tokenx_api.auth.models import Persona
from tokenx_api.tokenization.service import OperationKind

_COMPLIANCE: Final[frozenset[Persona]] = frozenset({"compliance_officer", "transfer_agent"})
POWERS: Final[Mapping[ActKind, frozenset[Persona]]] = {
    "mint": frozenset({"transfer_agent", "tokenization_agent"}),
    "burn": frozenset({"transfer_agent", "tokenization_agent"}),
    "transfer": frozenset({"transfer_agent"}),
    "force_transfer": frozenset({"transfer_agent"}),
    "freeze_wallet": _COMPLIANCE,
    "unfreeze_wallet": _COMPLIANCE,
    "freeze_units": _COMPLIANCE,
    "unfreeze_units": _COMPLIANCE,
    "pause": frozenset({"compliance_officer", "transfer_agent", "tokenization_agent"}),
    "unpause": frozenset({"compliance_officer", "transfer_agent", "tokenization_agent"}),
}
"""Who may ask for what. A second person is asked for by the chain service's policy."""
MOVES: Final[frozenset[ActKind]] = frozenset({"transfer", "force_transfer"})
WHOLE_TOKEN: Final[frozenset[ActKind]] = frozenset({"pause", "unpause"})
WALLETS: Final[frozenset[ActKind]] = frozenset({"freeze_wallet", "unfreeze_wallet"})
GIVES_UP: Final[frozenset[ActKind]] = frozenset({"burn", "transfer", "force_transfer"})
"""Acts that take units out of a wallet: those are held here until the chain has answered."""


def shape_errors(kind: ActKind, items: Sequence[ActItem]) -> list[dict[str, str]]:
    """What the act must and must not name, as pointers into the request."""
    if kind in WHOLE_TOKEN:
        return [_error("/items", "not_empty", f"{kind} is about the whole token")] if items else []
    if not items:
        return [_error("/items", "empty", f"{kind} needs at least one item")]
    errors: list[dict[str, str]] = []
    for index, item in enumerate(items):
        errors += _wrong(f"/items/{index}/to_investor_id", item.to_investor_id, wanted=kind in MOVES)
        errors += _wrong(f"/items/{index}/units", item.units, wanted=kind not in WALLETS)
    return errors + _repeated(kind, items)


def _wrong(pointer: str, value: str | None, *, wanted: bool) -> list[dict[str, str]]:
    if wanted == (value is not None):
        return []
    return [_error(pointer, "missing" if wanted else "unexpected", "is needed" if wanted else "has no meaning here")]


def _repeated(kind: ActKind, items: Sequence[ActItem]) -> list[dict[str, str]]:
    """A batch names each wallet once; a forced transfer may name one more often, and a holder's own has one sender."""
    if kind == "force_transfer":
        return []
    if kind == "transfer" and len({item.investor_id for item in items}) > 1:
        return [_error("/items", "several_senders", "one holder at a time: each transfer is by the holder's own key")]
    names = Counter(item.to_investor_id if kind == "transfer" else item.investor_id for item in items)
    return [_error("/items", "repeated", "a wallet is named twice")] if max(names.values()) > 1 else []


def _error(pointer: str, code: str, message: str) -> dict[str, str]:
    return {"pointer": pointer, "code": code, "message": message}


def obstacle(plan: Plan, leg: Leg, position: Position, taken: int) -> ItemAnswer | None:
    """What stands against an item by what is known here, before the chain is asked. taken: units of the same holder in the items before."""
    return _of_parties(plan, leg) or _of_position(plan.kind, leg, position, taken)


def _of_parties(plan: Plan, leg: Leg) -> ItemAnswer | None:
    kind, holder, receiver = plan.kind, leg.holder, leg.receiver
    if receiver is not None and receiver.investor_id == holder.investor_id:
        return _no(leg, "transfer.to_self", "sender", "self_transfer", "sender and receiver are the same")
    if kind == "transfer" and (found := _denied(leg, holder, "sender")):
        return found
    taker = holder if kind == "mint" else receiver
    if taker is not None and (found := _denied(leg, taker, "receiver")):
        return found
    if holder.wallet is None:
        side: Side = "receiver" if kind == "mint" else "sender"
        return _no(leg, "identity.not_verified", side, "identity", "the investor has no wallet on this chain")
    if receiver is not None and receiver.wallet is None:
        return _no(leg, "identity.not_verified", "receiver", "identity", "the receiver has no wallet on this chain")
    if kind == "unfreeze_wallet" and holder.frozen:
        return _no(leg, "investor.frozen", "sender", "freeze", "the whole investor is frozen: unfreeze the investor")
    return None


def _denied(leg: Leg, party: Party, side: Side) -> ItemAnswer | None:
    """An investor who may do nothing. Agents may still take units out of such a wallet."""
    if party.revoked:
        return _no(leg, "investor.revoked", side, "revocation", f"the {side}'s identity check was revoked")
    if party.frozen:
        return _no(leg, "investor.frozen", side, "freeze", f"the {side} is frozen")
    return None


def _of_position(kind: ActKind, leg: Leg, position: Position, taken: int) -> ItemAnswer | None:
    """Of the holder's books. Units that are sold and on their way to the buyer are not the holder's any more."""
    if kind == "freeze_wallet" and position.wallet_frozen:
        return _no(leg, "wallet.already_frozen", "sender", "freeze", "the wallet is frozen")
    if kind == "unfreeze_wallet" and not position.wallet_frozen:
        return _no(leg, "wallet.not_frozen", "sender", "freeze", "no agent has frozen the wallet")
    if kind not in GIVES_UP:
        return None
    wanted = taken + leg.units
    if wanted > position.balance:
        return _no(leg, "balance.insufficient", "sender", "balance", f"{wanted} units were asked for, {position.balance} are held")  # fmt: skip
    free = position.balance - position.reserved
    if wanted > free:
        detail = f"only {free} of {position.balance} units are free: open orders, redemptions or acts hold the others; cancel those first"
        return _no(leg, "units.reserved", "sender", "reserved_units", detail)
    return None


def by_gate(leg: Leg, side: Side, reason: Mapping[str, Any]) -> ItemAnswer:
    """A refusal of the compliance gate: its reason code, in lower case as all codes here are."""
    return _no(leg, f"compliance.{str(reason['code']).lower()}", side, str(reason["rule_id"]), str(reason["message"]))


def _no(leg: Leg, code: str, side: Side, rule: str, detail: str) -> ItemAnswer:
    return ItemAnswer(index=leg.index, ok=False, code=code, side=side, rule=rule, detail=detail)


def paused_already(plan: Plan, *, token_paused: bool) -> ItemAnswer | None:
    """A pause that was asked for counts, whether or not the chain has answered."""
    if plan.kind == "pause" and token_paused:
        return ItemAnswer(index=0, ok=False, code="token.paused", side="token", rule="pause", detail="it is paused")
    return None


def over_supply(plan: Plan, *, committed: int) -> ItemAnswer | None:
    """Of a mint beyond what the terms allow. committed: issued, or on its way to being issued."""
    left = plan.offering.terms.max_units - committed
    if plan.kind != "mint" or sum(leg.units for leg in plan.legs) <= left:
        return None
    return ItemAnswer(index=0, ok=False, code="offering.full", side="token", rule="max_units", detail=f"only {left} units are left")  # fmt: skip


def operation(plan: Plan, legs: Sequence[Leg]) -> tuple[OperationKind, dict[str, Any]]:
    """(kind, params) for the chain service: the plain form for one item, the batch form for more."""
    token = {"token": plan.token}
    if plan.kind in WHOLE_TOKEN:
        return "token.pause", {**token, "paused": plan.kind == "pause"}
    return _single(plan.kind, token, legs[0]) if len(legs) == 1 else _batch(plan.kind, token, legs)


def _single(kind: ActKind, token: dict[str, Any], leg: Leg) -> tuple[OperationKind, dict[str, Any]]:
    holder, units = address(leg.holder), str(leg.units)
    match kind:
        case "mint":
            return "token.mint", {**token, "to": holder, "units": units}
        case "burn":
            return "token.burn", {**token, "from": holder, "units": units}
        case "transfer":
            return "token.transfer", {**token, "from_key_ref": _key(leg.holder), "to": address(leg.receiver), "units": units}  # fmt: skip
        case "force_transfer":
            return "token.force_transfer", {**token, "from": holder, "to": address(leg.receiver), "units": units}
        case "freeze_wallet" | "unfreeze_wallet":
            return "token.freeze", {**token, "address": holder, "frozen": kind == "freeze_wallet"}
        case _:
            return "token.freeze_units", {**token, "address": holder, "units": units, "frozen": kind == "freeze_units"}


def _batch(kind: ActKind, token: dict[str, Any], legs: Sequence[Leg]) -> tuple[OperationKind, dict[str, Any]]:
    items = [{"address": address(leg.holder), "units": str(leg.units)} for leg in legs]
    match kind:
        case "mint":
            return "token.mint_batch", {**token, "items": items}
        case "burn":
            return "token.burn_batch", {**token, "items": items}
        case "transfer":
            to = [{"address": address(leg.receiver), "units": str(leg.units)} for leg in legs]
            return "token.transfer_batch", {**token, "from_key_ref": _key(legs[0].holder), "items": to}
        case "force_transfer":
            moves = [{"from": address(leg.holder), "to": address(leg.receiver), "units": str(leg.units)} for leg in legs]  # fmt: skip
            return "token.force_transfer_batch", {**token, "moves": moves}
        case "freeze_wallet" | "unfreeze_wallet":
            wallets = [item["address"] for item in items]
            return "token.freeze_batch", {**token, "wallets": wallets, "frozen": kind == "freeze_wallet"}
        case _:
            return "token.freeze_units_batch", {**token, "items": items, "frozen": kind == "freeze_units"}


def address(party: Party | None) -> str:
    """Of a party that was found to have a wallet."""
    assert party is not None, "the kind names a receiver"
    assert party.wallet is not None, "an item without a wallet is refused before"
    return party.wallet.address


def _key(party: Party) -> str:
    assert party.wallet is not None, "an item without a wallet is refused before"
    return party.wallet.key_ref
