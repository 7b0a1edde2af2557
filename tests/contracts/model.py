"""What every rule should say and count, worked out from scratch in Python: the oracle for random histories.

It keeps plain lists and sums them up each time, where the contracts keep running counters. Times in unix seconds."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

DAY: Final = 86_400
UNLIMITED: Final = 2**96 - 1
EVERYBODY: Final = "0x" + "00" * 20
ALLOWED: Final = ""


@dataclass
class Rules:
    """The settings in force."""

    holder_cap: int
    country_caps: dict[int, int]
    max_balance: int
    lock_days: int
    window_s: int
    window_units: int
    exchange: str
    exchange_limits: tuple[int, int, int, int]  # day and month of one investor, day and month of all
    allowed: set[int]
    blocked: set[int]


@dataclass
class Sent:
    """One movement between two identities."""

    at: int
    piece: int
    sender: str
    exchange: bool
    units: int
    forgotten: bool = False


@dataclass
class Model:
    """One token with all rules bound, since it had no supply."""

    rules: Rules
    now: int = 0
    registry: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    balance: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    frozen_units: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    frozen: set[str] = field(default_factory=set[str])
    booked_under: dict[str, str] = field(default_factory=dict[str, str])
    remembered: dict[str, str] = field(default_factory=dict[str, str])
    country: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    free: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    lots: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict[str, list[tuple[int, int]]](list))  # fmt: skip
    sent: list[Sent] = field(default_factory=list[Sent])

    # --- what the contracts are asked ---

    def units_of(self, holder: str) -> int:
        return sum(self.balance[w] for w, h in self.booked_under.items() if h == holder)

    def holders(self) -> set[str]:
        return {h for w, h in self.booked_under.items() if self.balance[w] > 0}

    def holders_in(self, country: int) -> int:
        return sum(self.country[h] == country for h in self.holders())

    def free_units_of(self, holder: str) -> int:
        return self.free[holder] + sum(units for day, units in self.lots[holder] if self._ended(day))

    def volume_of(self, holder: str) -> int:
        return sum(s.units for s in self._live(holder))

    def usage_of(self, holder: str) -> tuple[int, int]:
        """What a holder, or everybody, sent to the exchange today and this month."""
        now = datetime.fromtimestamp(self.now, UTC)
        theirs = [s for s in self.sent if s.exchange and holder in (s.sender, EVERYBODY)]
        days = [(datetime.fromtimestamp(s.at, UTC), s.units) for s in theirs]
        month = [(d, u) for d, u in days if (d.year, d.month) == (now.year, now.month)]
        return sum(u for d, u in month if d.day == now.day), sum(u for _, u in month)

    # --- what each rule says; sender None: a mint ---

    def reasons(self, sender: str | None, to: str, units: int) -> dict[str, str]:
        books = self._book_reason(sender, to)
        return {
            "HolderCap": books or self._holder_cap(sender, to, units),
            "CountryHolderCap": books or self._country_cap(sender, to, units),
            "MaxBalance": books or self._max_balance(sender, to, units),
            "LockUp": books or self._lock_up(sender, to, units),
            "VolumeWindow": self._volume(sender, to, units),
            "ExchangeLimit": self._exchange(sender, to, units),
            "CountryAllow": ALLOWED if self._country_in_registry(to) in self.rules.allowed else "COUNTRY_NOT_ALLOWED",
            "CountryBlock": "COUNTRY_BLOCKED" if self._country_in_registry(to) in self.rules.blocked else ALLOWED,
        }

    def passes(self, sender: str | None, to: str, units: int) -> bool:
        """Whether the token as a whole lets a mint or a transfer pass."""
        if sender is not None:
            available = self.balance[sender] - self.frozen_units[sender]
            if units > available or {sender, to} & self.frozen:
                return False
        return units > 0 and to in self.registry and not any(self.reasons(sender, to, units).values())

    def _book_reason(self, sender: str | None, to: str) -> str:
        stale = any(w is not None and self._stale(w) for w in (sender, to))
        return "BOOK_STALE" if stale else ALLOWED

    def _stale(self, wallet: str) -> bool:
        return self.balance[wallet] > 0 and self.booked_under.get(wallet) != self._holder(wallet)

    def _parties(self, sender: str | None, to: str) -> tuple[str | None, str]:
        return (None if sender is None else self._holder(sender)), self._holder(to)

    def _holder_cap(self, sender: str | None, to: str, units: int) -> str:
        giver, taker = self._parties(sender, to)
        if units == 0 or giver == taker:
            return ALLOWED
        after = (self.holders() | {taker}) - self._leaving(giver, units)
        return ALLOWED if taker in self.holders() or len(after) <= self.rules.holder_cap else "HOLDER_CAP"

    def _country_cap(self, sender: str | None, to: str, units: int) -> str:
        giver, taker = self._parties(sender, to)
        country = self._country_in_registry(to)
        cap = self.rules.country_caps.get(country)
        if units == 0 or giver == taker or cap is None:
            return ALLOWED
        there = {h for h in self.holders() if self.country[h] == country}
        if taker in there:
            return ALLOWED
        return ALLOWED if len((there - self._leaving(giver, units)) | {taker}) <= cap else "COUNTRY_HOLDER_CAP"

    def _leaving(self, giver: str | None, units: int) -> set[str]:
        return {giver} if giver is not None and self.units_of(giver) == units else set()

    def _max_balance(self, sender: str | None, to: str, units: int) -> str:
        giver, taker = self._parties(sender, to)
        if units == 0 or giver == taker or self.units_of(taker) + units <= self.rules.max_balance:
            return ALLOWED
        return "MAX_BALANCE"

    def _lock_up(self, sender: str | None, to: str, units: int) -> str:
        giver, taker = self._parties(sender, to)
        if giver is None or giver == taker or units <= self.free_units_of(giver):
            return ALLOWED
        return "LOCKED_UP"

    def _volume(self, sender: str | None, to: str, units: int) -> str:
        if sender is None or self._recalled(sender) == self._recalled(to):
            return ALLOWED
        return ALLOWED if self.volume_of(self._recalled(sender)) + units <= self.rules.window_units else "VOLUME_WINDOW"

    def _exchange(self, sender: str | None, to: str, units: int) -> str:
        if sender is None or to != self.rules.exchange or self._recalled(sender) == self._recalled(to):
            return ALLOWED
        used = (*self.usage_of(self._recalled(sender)), *self.usage_of(EVERYBODY))
        codes = ("EXCHANGE_DAY_LIMIT", "EXCHANGE_MONTH_LIMIT", "EXCHANGE_DAY_TOTAL", "EXCHANGE_MONTH_TOTAL")
        for code, before, limit in zip(codes, used, self.rules.exchange_limits, strict=True):
            if limit != UNLIMITED and before + units > limit:
                return code
        return ALLOWED

    # --- what happens ---

    def moved(self, sender: str, to: str, units: int, *, forced: bool = False) -> None:
        if forced:
            self._unfreeze_for(sender, units)
        giver, taker = self._refresh(sender), self._refresh(to)
        self.balance[sender] -= units
        self.balance[to] += units
        if giver != taker:
            self._consume(giver, units)
            self._acquire(taker, units)
        self._count_volume(self._remember(sender), self._remember(to), to, units)

    def minted(self, to: str, units: int) -> None:
        taker = self._refresh(to)
        self.balance[to] += units
        self._acquire(taker, units)
        self._remember(to)

    def burned(self, holder: str, units: int) -> None:
        self._unfreeze_for(holder, units)
        giver = self._refresh(holder)
        self.balance[holder] -= units
        self._consume(giver, units)

    def recovered(self, lost: str, new: str, identity: str) -> None:
        held, frozen_units = self.balance[lost], self.frozen_units[lost]
        self.registry[new] = (identity, self.registry[lost][1])
        self.moved(lost, new, held, forced=True)
        self.frozen_units[new] += frozen_units
        if lost in self.frozen:
            self.frozen.add(new)
        del self.registry[lost]

    def synced(self, wallet: str) -> None:
        self._refresh(wallet)

    def _unfreeze_for(self, wallet: str, units: int) -> None:
        available = self.balance[wallet] - self.frozen_units[wallet]
        self.frozen_units[wallet] -= max(0, units - available)

    def _refresh(self, wallet: str) -> str:
        holder, before = self._holder(wallet), self.booked_under.get(wallet)
        if wallet in self.registry:
            self.country[holder] = self.registry[wallet][1]
        if before is not None and before != holder and self.balance[wallet] > 0:
            self._carry_over(before, holder, self.balance[wallet])
        self.booked_under[wallet] = holder
        return holder

    def _holder(self, wallet: str) -> str:
        if wallet in self.registry:
            return self.registry[wallet][0]
        return self.booked_under.get(wallet, wallet)

    def _country_in_registry(self, wallet: str) -> int:
        return self.registry[wallet][1] if wallet in self.registry else 0

    # lots

    def _ended(self, day: int) -> bool:
        return day + self.rules.lock_days <= self.now // DAY

    def _lot_day(self) -> int:
        step, today = -(-self.rules.lock_days // 60), self.now // DAY
        return today if step < 2 else today - today % step + step - 1

    def _settle_lots(self, holder: str) -> None:
        ended = 0
        while self.lots[holder] and self._ended(self.lots[holder][0][0]):
            ended += self.lots[holder].pop(0)[1]
        self.free[holder] += ended

    def _acquire(self, holder: str, units: int) -> None:
        self._settle_lots(holder)
        self._put(holder, self._lot_day(), units)

    def _put(self, holder: str, day: int, units: int) -> None:
        lots = self.lots[holder]
        if lots and lots[-1][0] >= day:
            lots[-1] = (lots[-1][0], lots[-1][1] + units)
        else:
            lots.append((day, units))
        assert len(lots) <= 64, "the model does not merge full queues"

    def _consume(self, holder: str, units: int) -> tuple[int, list[tuple[int, int]]]:
        """Takes the oldest units; what was free, and the lots taken."""
        self._settle_lots(holder)
        from_free = min(units, self.free[holder])
        self.free[holder] -= from_free
        rest, taken = units - from_free, list[tuple[int, int]]()
        while rest > 0:
            day, there = self.lots[holder].pop(0)
            taken.append((day, min(rest, there)))
            if there > rest:
                self.lots[holder].insert(0, (day, there - rest))
            rest -= min(rest, there)
        return from_free, taken

    def _carry_over(self, giver: str, taker: str, units: int) -> None:
        from_free, taken = self._consume(giver, units)
        self._settle_lots(taker)
        self.free[taker] += from_free
        merged = defaultdict[int, int](int)
        for day, lot in (*self.lots[taker], *taken):
            merged[day] += lot
        self.lots[taker] = sorted(merged.items())

    # volumes

    def _recalled(self, wallet: str) -> str:
        return self.registry[wallet][0] if wallet in self.registry else self.remembered.get(wallet, wallet)

    def _remember(self, wallet: str) -> str:
        if wallet in self.registry:
            self.remembered[wallet] = self.registry[wallet][0]
        return self._recalled(wallet)

    def _piece_s(self) -> int:
        return -(-self.rules.window_s // 24)

    def _live(self, holder: str) -> list[Sent]:
        span = self.rules.window_s + self._piece_s()
        return [s for s in self.sent if s.sender == holder and s.piece + span > self.now and not s.forgotten]

    def _count_volume(self, giver: str, taker: str, to: str, units: int) -> None:
        if giver == taker:
            return
        # What has left the window when something new is counted stays out, should the window become longer.
        live = self._live(giver)
        for old in self.sent:
            old.forgotten |= old.sender == giver and all(old is not s for s in live)
        # A piece begun under a longer setting takes what comes until it is over.
        piece = max([self.now - self.now % self._piece_s(), *(s.piece for s in live)])
        self.sent.append(Sent(self.now, piece, giver, to == self.rules.exchange, units))
