from typing import final

from typing_extensions import Buffer

from matcher_core.types import BookState, DepthLevel, Event, RestingOrder, SelfTradePrevention, Side, TimeInForce

BUILD_ID: str

@final
class Book:
    def __init__(
        self,
        symbol: int = 0,
        *,
        stp: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
        max_orders: int = ...,
    ) -> None: ...
    def process(self, commands: Buffer) -> bytes: ...
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
        seq: int = 0,
    ) -> tuple[Event, ...]: ...
    def mass_cancel(self, *, owner: int, seq: int = 0) -> tuple[Event, ...]: ...
    def set_state(self, state: BookState, *, seq: int = 0) -> tuple[Event, ...]: ...
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
