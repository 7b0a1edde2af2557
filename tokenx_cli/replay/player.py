"""Sends order messages through POST /v1/orders as a set of traders would, in file order."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tokenx_cli.people import ApiProblem, Person
from tokenx_cli.replay.messages import OrderMessage
from tokenx_common.money import format_amount, parse_amount


@dataclass
class Tally:
    """What happened. `refused` counts compliance reason codes, `problems` every other refusal by code."""

    sent: int = 0
    accepted: int = 0
    canceled: int = 0
    replaced: int = 0
    already_closed: int = 0
    skipped: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    problems: Counter[str] = field(default_factory=Counter[str])
    statuses: Counter[str] = field(default_factory=Counter[str])


class Player:
    """Plays a flow into one offering. Each order of the file belongs to one trader, chosen by a hash of its name, so replays are repeatable.

    anchor: the flow's price level; it is laid over `reference_price` of the offering, distances stay in ticks."""

    def __init__(
        self,
        traders: Sequence[Person],
        offering: dict[str, Any],
        *,
        anchor: int,
        reference_price: str,
        run: str,
        wait_s: int = 0,
    ) -> None:
        self._traders = traders
        self._offering = offering
        self._tick = parse_amount(offering["tick_size_amount"])
        self._lot = int(offering["lot_size_units"])
        self._shift = parse_amount(reference_price) // self._tick - anchor
        self._run = run
        self._wait = {"Prefer": f"wait={wait_s}"} if wait_s else {}
        self._orders: dict[str, str] = {}
        self.tally = Tally()

    async def play(self, messages: Iterable[OrderMessage], *, progress: Callable[[], None] = lambda: None) -> Tally:
        """Send everything; a refusal is counted, never fatal."""
        for message in messages:
            try:
                await self._send(message)
            except ApiProblem as problem:
                self._count(problem)
            progress()
        return self.tally

    def _count(self, problem: ApiProblem) -> None:
        if problem.code == "compliance.denied":
            self.tally.refused.update(problem.reason_codes())
        elif problem.code == "order.not_open":
            self.tally.already_closed += 1
        else:
            self.tally.problems[problem.code] += 1

    async def _send(self, message: OrderMessage) -> None:
        trader = self._trader(message.ref)
        if message.action == "new":
            await self._new(trader, message)
        elif message.ref not in self._orders:
            self.tally.skipped += 1
        elif message.action == "cancel":
            self.tally.sent += 1
            await trader.delete(f"/v1/orders/{self._orders[message.ref]}")
            self.tally.canceled += 1
        else:
            await self._replace(trader, message)

    async def _new(self, trader: Person, message: OrderMessage) -> None:
        self.tally.sent += 1
        body: dict[str, Any] = {
            "client_order_id": f"{self._run}-{message.ref}"[:64],
            "offering_id": self._offering["offering_id"],
            "side": message.side,
            "type": message.order_type,
            "time_in_force": message.time_in_force,
            "quantity": str(message.quantity * self._lot),
        }
        if message.price_ticks is not None:
            body["limit_price"] = self._price(message.price_ticks)
        if message.post_only:
            body["post_only"] = True
        order = await trader.post("/v1/orders", body, headers=self._wait)
        self._orders[message.ref] = order["order_id"]
        self.tally.accepted += 1
        self.tally.statuses[order["status"]] += 1

    async def _replace(self, trader: Person, message: OrderMessage) -> None:
        self.tally.sent += 1
        order_id = self._orders[message.ref]
        order = await trader.get(f"/v1/orders/{order_id}")
        total = int(order["filled_quantity"]) + message.quantity * self._lot
        change: dict[str, Any] = {"quantity": str(total)}
        if message.price_ticks is not None:
            change["limit_price"] = self._price(message.price_ticks)
        await trader.patch(f"/v1/orders/{order_id}", change)
        self.tally.replaced += 1

    def _trader(self, ref: str) -> Person:
        return self._traders[int.from_bytes(sha256(ref.encode()).digest()[:4]) % len(self._traders)]

    def _price(self, ticks: int) -> str:
        return format_amount(max(1, ticks + self._shift) * self._tick)
