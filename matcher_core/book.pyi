from collections.abc import Iterable
from typing import final

from typing_extensions import Buffer

from matcher_core.types import (
    BookState,
    BookStatistics,
    DepthLevel,
    Event,
    Indicative,
    PegKind,
    RestingOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

BUILD_ID: str
DEBUG_BUILD: bool

def debug_counters() -> dict[str, int]: ...

@final
class Book:
    def __init__(
        self,
        symbol: int = 0,
        *,
        stp: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
        max_orders: int = ...,
    ) -> None: ...
    def process(self, commands: Buffer) -> memoryview: ...
    def limit(
        self,
        order_id: int,
        side: Side,
        price_ticks: int,
        quantity_lots: int,
        *,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        slide: bool = False,
        hidden: bool = False,
        display_lots: int = 0,
        min_lots: int = 0,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]: ...
    def market(
        self,
        order_id: int,
        side: Side,
        quantity_lots: int,
        *,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = TimeInForce.IOC,
        protection_ticks: int = 0,
        min_lots: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]: ...
    def stop(
        self,
        order_id: int,
        side: Side,
        stop_ticks: int,
        quantity_lots: int,
        *,
        limit_ticks: int = 0,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = TimeInForce.GTC,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]: ...
    def trailing_stop(
        self,
        order_id: int,
        side: Side,
        offset_ticks: int,
        quantity_lots: int,
        *,
        limit_ticks: int = 0,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = TimeInForce.GTC,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]: ...
    def peg(
        self,
        order_id: int,
        side: Side,
        kind: PegKind,
        quantity_lots: int,
        *,
        limit_ticks: int = 0,
        offset_ticks: int = 0,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = TimeInForce.GTC,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]: ...
    def cancel(self, order_id: int, *, owner: int = 0, seq: int = 0) -> tuple[Event, ...]: ...
    def replace(
        self,
        order_id: int,
        price_ticks: int,
        quantity_lots: int,
        *,
        owner: int = 0,
        post_only: bool = False,
        slide: bool = False,
        stop_ticks: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]: ...
    def mass_cancel(self, *, owner: int | None = None, side: Side | None = None, seq: int = 0) -> tuple[Event, ...]: ...
    def set_state(self, state: BookState, *, seq: int = 0) -> tuple[Event, ...]: ...
    def clock(self, now: int, *, end_of_day: bool = False, seq: int = 0) -> tuple[Event, ...]: ...
    def uncross(self, state: BookState = BookState.TRADING, *, seq: int = 0) -> tuple[Event, ...]: ...
    def set_bands(
        self, reference_ticks: int, static_width_ticks: int, dynamic_width_ticks: int = 0, *, seq: int = 0
    ) -> tuple[Event, ...]: ...
    def __len__(self) -> int: ...
    @property
    def symbol(self) -> int: ...
    @property
    def stp(self) -> SelfTradePrevention: ...
    @property
    def max_orders(self) -> int: ...
    @property
    def state(self) -> BookState: ...
    @property
    def rolling_hash(self) -> int: ...
    def statistics(self) -> BookStatistics: ...
    def indicative(self) -> Indicative | None: ...
    @property
    def last_price(self) -> int | None: ...
    @property
    def clock_now(self) -> int: ...
    @property
    def best_bid(self) -> int | None: ...
    @property
    def best_ask(self) -> int | None: ...
    def order(self, order_id: int) -> RestingOrder | None: ...
    def orders(self) -> list[RestingOrder]: ...
    def depth(self, levels: int) -> tuple[list[DepthLevel], list[DepthLevel]]: ...
    def snapshot(self) -> bytes: ...
    def state_hash(self) -> bytes: ...
    @classmethod
    def restore(cls, data: bytes | bytearray | memoryview) -> Book: ...
    def check_invariants(self) -> None: ...
    def memory_bytes(self) -> int: ...

@final
class Engine:
    def __init__(
        self,
        symbols: Iterable[int] = (0,),
        *,
        stp: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
        max_orders: int = ...,
    ) -> None: ...
    def process(self, commands: Buffer) -> memoryview: ...
    def open(self, symbol: int) -> Book: ...
    def book(self, symbol: int) -> Book: ...
    @property
    def symbols(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def snapshot(self) -> bytes: ...
    def state_hash(self) -> bytes: ...
    @classmethod
    def restore(cls, data: bytes | bytearray | memoryview) -> Engine: ...
    def check_invariants(self) -> None: ...
    def memory_bytes(self) -> int: ...
