"""Command logs for tests: an append-only log with its hash chain, and seeded random traffic."""

import random
from typing import Any

from tokenx_common.canonical import ZERO_HASH, canonical_json, rolling_hash
from tokenx_common.stream import Item


class CommandLog:
    """What the api's sequencer does: the next seq, the canonical body, the rolling hash."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._hash = ZERO_HASH

    @property
    def head(self) -> int:
        return len(self.items)

    def append(self, **body: Any) -> Item:
        text = canonical_json(body)
        self._hash = rolling_hash(self._hash, text)
        item = {"seq": self.head + 1, "body": text, "hash": self._hash.hex()}
        self.items.append(item)
        return item

    def order(self, side: str, price: int, lots: int, *, owner: int = 1, tif: str = "gtc", post_only: bool = False,
              stp: str = "cancel_newest") -> int:  # fmt: skip
        """A new order; its order_id text is 'ord_<n>' and its book id n, which is returned."""
        seq = self.head + 1
        self.append(type="order.new", order_id=f"ord_{seq}", book_order_id=seq, owner=owner, side=side, order_type="limit",
                    tif=tif, price_ticks=price, quantity_lots=lots, post_only=post_only, stp=stp)  # fmt: skip
        return seq

    def cancel(self, book_order_id: int, *, owner: int = 1, reason: str = "user_request") -> None:
        self.append(
            type="order.cancel",
            order_id=f"ord_{book_order_id}",
            book_order_id=book_order_id,
            owner=owner,
            reason=reason,
        )

    def replace(self, book_order_id: int, price: int, lots: int, *, owner: int = 1) -> None:
        self.append(type="order.replace", order_id=f"ord_{book_order_id}", book_order_id=book_order_id, owner=owner,
                    price_ticks=price, quantity_lots=lots)  # fmt: skip

    def state(self, state: str) -> None:
        self.append(type="market.state", state=state)

    def tick(self, at: str = "2026-11-22T16:00:00Z") -> None:
        self.append(type="clock.tick", at=at)


def random_log(seed: int, length: int) -> CommandLog:
    """A log that reaches every kind of execution: crossing prices, few owners (self-trades), stale cancels, halts."""
    rng, log = random.Random(seed), CommandLog()
    entered: list[tuple[int, int]] = []
    while log.head < length:
        add_random(rng, log, entered)
    return log


def add_random(rng: random.Random, log: CommandLog, entered: list[tuple[int, int]]) -> None:
    """One more random command. `entered` is the (book_order_id, owner) of all orders so far and is appended to."""
    dice, owner = rng.random(), rng.randint(1, 6)
    if dice < 0.02:
        log.state(rng.choice(["continuous", "continuous", "continuous", "halted", "cancel_only"]))
    elif dice < 0.03:
        log.tick()
    elif dice < 0.65 or not entered:
        tif = rng.choices(["gtc", "ioc", "fok"], [8, 1, 1])[0]
        post_only = tif == "gtc" and rng.random() < 0.1
        order = log.order(rng.choice(["buy", "sell"]), rng.randint(95, 105), rng.randint(1, 20), owner=owner, tif=tif,
                          post_only=post_only)  # fmt: skip
        entered.append((order, owner))
    else:
        order, their_owner = rng.choice(entered[-40:])
        named = their_owner if rng.random() < 0.95 else owner
        if dice < 0.85:
            log.cancel(order, owner=named, reason=rng.choice(["user_request", "compliance_revoked", "day_end"]))
        else:
            log.replace(order, rng.randint(95, 105), rng.randint(1, 20), owner=named)
