"""The compliance rules: facts in, verdict out. Pure, no clock: the time is the fact `as_of`.

Every rule of a stage is evaluated, so a client sees all its obstacles at once. A missing fact is a deny: the gate fails closed.
Times are RFC 3339 text of fixed width in UTC, which sorts as it stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tokenx_api.compliance.models import Outcome, Remedy, RuleResult, Side, Stage, Verdict
from tokenx_common.money import format_amount

ENGINE_VERSION: Final = "1"
NO_REMEDY: Final = Remedy("none")
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """A rule's no."""

    reason_code: str
    message: str
    remedy: Remedy = NO_REMEDY
    outcome: Outcome = "deny"


@dataclass(frozen=True)
class Rule:
    """One rule. side: the only side it looks at, None for both. needs: facts without which it must refuse."""

    rule_id: str
    version: int
    source: str
    stages: frozenset[Stage]
    needs: tuple[str, ...]
    check: Callable[[Facts], Refusal | None]
    side: Side | None = None


def decide(stage: Stage, facts: Facts) -> Verdict:
    """What all rules of a stage say about the facts. Deny beats review beats allow; with no rule for the stage it is a deny."""
    results = tuple(_evaluate(rule, facts) for rule in RULES if stage in rule.stages)
    outcomes = {result.outcome for result in results}
    if not results or "deny" in outcomes:
        return Verdict("deny", results)
    return Verdict("review" if "review" in outcomes else "allow", results)


def _evaluate(rule: Rule, facts: Facts) -> RuleResult:
    side = facts.get("side")
    if rule.side is not None and side is not None and side != rule.side:
        return RuleResult(rule.rule_id, rule.version, "not_applicable")
    needed = rule.needs if rule.side is None else ("side", *rule.needs)
    missing = [name for name in needed if facts.get(name) is None]
    refusal = _fact_missing(missing) if missing else rule.check(facts)
    if refusal is None:
        return RuleResult(rule.rule_id, rule.version, "allow")
    return RuleResult(rule.rule_id, rule.version, refusal.outcome, refusal.reason_code, refusal.message, refusal.remedy)


def _fact_missing(names: list[str]) -> Refusal:
    return Refusal("FACT_MISSING", f"cannot decide without {', '.join(names)}", Remedy("support"))


# --- the rules ---------------------------------------------------------------------------------------------------------


def kyc_current(facts: Facts) -> Refusal | None:
    """Identity checked, and not too long ago. Source: 31 CFR 1023.220."""
    if facts["investor.kyc_status"] != "approved":
        return Refusal("KYC_NOT_APPROVED", "your identity check is not approved", Remedy("document", "kyc"))
    expires_at = facts.get("investor.kyc_expires_at")
    if expires_at is None:
        return _fact_missing(["investor.kyc_expires_at"])
    if expires_at <= facts["as_of"]:
        return Refusal("KYC_EXPIRED", f"your identity check expired on {expires_at[:10]}", Remedy("document", "kyc"))
    return None


def account_not_frozen(facts: Facts) -> Refusal | None:
    """No court order or transfer-agent instruction stops the account. Source: ERC-3643 freeze; legal process."""
    if facts["investor.frozen"]:
        return Refusal("ACCOUNT_FROZEN", "the account is frozen", Remedy("support"))
    return None


def wallet_registered(facts: Facts) -> Refusal | None:
    """The investor's wallet is in the on-chain identity registry. Source: ERC-3643 isVerified."""
    if facts["wallet.status"] != "registered":
        return Refusal(
            "WALLET_UNVERIFIED", "the wallet is not in the on-chain identity registry yet", Remedy("support")
        )
    return None


def investor_not_revoked(facts: Facts) -> Refusal | None:
    """KYC was not taken back. Source: 31 CFR 1023.220; ERC-3643 claim revocation."""
    if facts["investor.revoked"]:
        return Refusal("INVESTOR_REVOKED", "the identity check was revoked", Remedy("document", "kyc"))
    return None


def wallet_not_frozen(facts: Facts) -> Refusal | None:
    """No agent has frozen the wallet for this token, whichever side it is on. Source: ERC-3643 setAddressFrozen."""
    if facts["wallet.frozen"]:
        return Refusal("WALLET_FROZEN", "the wallet is frozen for this offering", Remedy("support"))
    return None


def token_not_paused(facts: Facts) -> Refusal | None:
    """No agent has paused the token. Source: ERC-3643 pause."""
    if facts["token.paused"]:
        return Refusal("TOKEN_PAUSED", "all transfers of this offering are paused")
    return None


def jurisdiction_allowed(facts: Facts) -> Refusal | None:
    """The offering may be sold where the buyer lives. Source: offering terms; state and foreign securities law."""
    if facts["investor.country"] in facts["offering.blocked_countries"]:
        return Refusal(
            "JURISDICTION_BLOCKED", f"this offering is not available to residents of {facts['investor.country']}"
        )
    return None


def offering_open(facts: Facts) -> Refusal | None:
    """Primary sale is open. Source: offering terms."""
    if facts["offering.status"] != "open":
        return Refusal(
            "OFFERING_NOT_OPEN", f"the offering is not open for subscription: it is {facts['offering.status']}"
        )
    return None


def market_open(facts: Facts) -> Refusal | None:
    """The venue trades the offering now. Source: 17 CFR 242.301(b), venue rules on halts."""
    if facts["offering.market_state"] != "continuous":
        return Refusal("MARKET_NOT_OPEN", f"trading is not open: the market is {facts['offering.market_state']}")
    return None


def units_unrestricted(facts: Facts) -> Refusal | None:
    """Lock-ups and partial freezes leave enough to sell. Restrictions add up, whole-holding ones take everything. Source: offering terms."""
    active = [item for item in facts["holding.restrictions"] if _restricts(item, facts["as_of"])]
    if not active:
        return None
    available = facts["holding.available_units"]
    free = max(0, available - sum(available if item["units"] is None else item["units"] for item in active))
    if facts["units"] <= free:
        return None
    ends = [item["until"] for item in active if item["kind"] == "lock_up"]
    if ends and free == 0 and all(ends) and len(ends) == len(active):
        return Refusal("LOCKUP", f"these units are locked up until {max(ends)[:10]}", Remedy("earliest_at", max(ends)))
    code = "LOCKUP" if ends else "UNITS_FROZEN"
    return Refusal(code, f"only {free} of {available} units are free to sell", Remedy("max_quantity", str(free)))


def _restricts(restriction: Mapping[str, Any], as_of: str) -> bool:
    return restriction["kind"] in ("lock_up", "freeze") and (
        restriction["until"] is None or restriction["until"] > as_of
    )


def inventory_covers(facts: Facts) -> Refusal | None:
    """No short sale: settled units less open sells cover the order. Source: Regulation SHO, 17 CFR 242.200; 17 CFR 240.15c3-5."""
    available = facts["holding.available_units"]
    if facts["units"] > available:
        return Refusal(
            "INSUFFICIENT_QUANTITY",
            f"only {available} units are available to sell",
            Remedy("max_quantity", str(available)),
        )
    return None


def buying_power_covers(facts: Facts) -> Refusal | None:
    """Cash less what is held for open orders covers the order at its worst price. Source: 17 CFR 240.15c3-5(c)(1)(i)."""
    available = facts["cash.available_minor"]
    if facts["notional_minor"] > available:
        return Refusal(
            "INSUFFICIENT_FUNDS",
            f"the order needs {format_amount(facts['notional_minor'])}, available is {format_amount(available)}",
            Remedy("max_amount", format_amount(available)),
        )
    return None


def price_in_collar(facts: Facts) -> Refusal | None:
    """The price is near the last trade, else near the primary price. Source: 17 CFR 240.15c3-5(c)(1)(ii), erroneous orders."""
    low, high = collar(facts["offering.reference_price_minor"], collar_bps=facts["offering.collar_bps"])
    if low <= facts["price_minor"] <= high:
        return None
    allowed = f"{format_amount(low)}-{format_amount(high)}"
    return Refusal("COLLAR", f"the price must be between {format_amount(low)} and {format_amount(high)}", Remedy("price_range", allowed))  # fmt: skip


def collar(reference_minor: int, *, collar_bps: int) -> tuple[int, int]:
    """Lowest and highest acceptable price, minor units, both included; rounded towards the reference."""
    low = -(-reference_minor * (10_000 - collar_bps) // 10_000)
    return max(1, low), reference_minor * (10_000 + collar_bps) // 10_000


_EVERY: Final[frozenset[Stage]] = frozenset({"subscription", "pre_trade", "settlement", "pre_transfer"})
_TRADE: Final[frozenset[Stage]] = frozenset({"pre_trade"})
_GIVE_UP: Final[frozenset[Stage]] = frozenset({"pre_trade", "pre_transfer"})
_MOVE: Final[frozenset[Stage]] = frozenset({"pre_trade", "settlement", "pre_transfer"})

RULES: Final = (
    Rule("R26_investor_not_revoked", 1, "31 CFR 1023.220; ERC-3643 claim revocation", _EVERY, ("investor.revoked",), investor_not_revoked),
    Rule("R01_kyc_current", 1, "31 CFR 1023.220", _EVERY, ("investor.kyc_status", "as_of"), kyc_current),
    Rule("R21_account_frozen", 1, "ERC-3643 freeze; legal process", _EVERY, ("investor.frozen",), account_not_frozen),
    Rule("R27_wallet_not_frozen", 1, "ERC-3643 setAddressFrozen", _EVERY, ("wallet.frozen",), wallet_not_frozen),
    Rule("R28_token_not_paused", 1, "ERC-3643 pause", _MOVE, ("token.paused",), token_not_paused),
    Rule("R22_wallet_registered", 1, "ERC-3643 isVerified", _EVERY, ("wallet.status",), wallet_registered),
    Rule("R19_jurisdiction", 1, "offering terms; state and foreign securities law", _EVERY,
         ("investor.country", "offering.blocked_countries"), jurisdiction_allowed, side="buy"),
    Rule("V01_offering_open", 1, "offering terms", frozenset({"subscription"}), ("offering.status",), offering_open),
    Rule("V02_market_open", 1, "17 CFR 242.301(b); venue rules", _TRADE, ("offering.market_state",), market_open),
    Rule("R20_units_unrestricted", 1, "offering terms; transfer-agent instruction", _GIVE_UP,
         ("holding.restrictions", "holding.available_units", "units", "as_of"), units_unrestricted, side="sell"),
    Rule("R23_inventory", 1, "17 CFR 242.200; 17 CFR 240.15c3-5", _GIVE_UP, ("holding.available_units", "units"), inventory_covers, side="sell"),
    Rule("R24_buying_power", 1, "17 CFR 240.15c3-5(c)(1)(i)", _TRADE, ("cash.available_minor", "notional_minor"), buying_power_covers, side="buy"),
    Rule("R25_price_collar", 1, "17 CFR 240.15c3-5(c)(1)(ii)", _TRADE,
         ("offering.reference_price_minor", "offering.collar_bps", "price_minor"), price_in_collar),
)  # fmt: skip
"""In the order in which reasons are shown. migrations/0012_rules.sql and 0023_agent_acts.sql record the same ids and versions; a test compares."""
