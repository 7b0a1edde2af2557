"""Opening, halting and resuming a market. A state is a command like any other, so it takes effect at one place in the log."""

from typing import Final

from tokenx_api.audit import service as audit
from tokenx_api.db import WriteConn
from tokenx_api.orders import queries
from tokenx_api.orders.models import MarketStateName, Sequenced
from tokenx_api.orders.service import sequence
from tokenx_common.errors import Conflict, NotFound
from tokenx_common.events import MarketState

_TRADABLE: Final = frozenset({"deployed", "open", "closed"})


class WrongMarketState(Conflict):
    """The market is not in a state from which this may be done. facts: market_state."""

    code = "market.wrong_state"


async def send_market_state(conn: WriteConn, offering_id: str, state: MarketStateName) -> Sequenced:
    """Set the offering's market state and append the command; announce it after the commit. Raises MarketMissing before trading was ever started."""
    await queries.set_market_state(conn, offering_id, state)
    return await sequence.append(conn, offering_id, MarketState(state=state))


async def start_trading(conn: WriteConn, offering_id: str, *, actor: str) -> Sequenced:
    """Open the secondary market. Raises NotFound, WrongMarketState unless the token is deployed and the market closed."""
    market = await queries.lock_market(conn, offering_id)
    if market is None:
        raise NotFound("offering")
    if market["market_state"] != "closed" or market["status"] not in _TRADABLE or market["token_address"] is None:
        raise WrongMarketState(f"cannot start: the offering is {market['status']}, its market {market['market_state']}",
                               market_state=market["market_state"])  # fmt: skip
    await queries.create_sequencer(conn, offering_id)
    await audit.record(conn, actor=actor, action="market.started", subject_type="offering", subject_id=offering_id)
    return await send_market_state(conn, offering_id, "continuous")


async def halt(conn: WriteConn, offering_id: str, *, actor: str, reason: str) -> Sequenced:
    """Stop matching; resting orders stay and may be canceled. Raises NotFound, WrongMarketState unless trading is continuous."""
    await _require(conn, offering_id, "continuous")
    await audit.record(conn, actor=actor, action="market.halted", subject_type="offering", subject_id=offering_id, reason=reason)  # fmt: skip
    return await send_market_state(conn, offering_id, "halted")


async def resume(conn: WriteConn, offering_id: str, *, actor: str) -> Sequenced:
    """Go on after a halt. Raises NotFound, WrongMarketState unless the market is halted."""
    await _require(conn, offering_id, "halted", "cancel_only")
    await audit.record(conn, actor=actor, action="market.resumed", subject_type="offering", subject_id=offering_id)
    return await send_market_state(conn, offering_id, "continuous")


async def _require(conn: WriteConn, offering_id: str, *states: str) -> None:
    market = await queries.lock_market(conn, offering_id)
    if market is None:
        raise NotFound("offering")
    if market["market_state"] not in states:
        raise WrongMarketState(f"the market is {market['market_state']}", market_state=market["market_state"])
