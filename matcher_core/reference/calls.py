"""The typed calls of the book: one method for each thing one may ask for, over the one `apply`."""

from matcher_core import records
from matcher_core.records import Command
from matcher_core.types import BookState, CommandFlag, Event, PegKind, Side, TimeInForce

GTC, IOC = TimeInForce.GTC, TimeInForce.IOC


class TypedCalls:
    """Prices are ticks, quantities lots; 0 stands for "none" where a thing may be left out. `seq` is echoed."""

    symbol: int

    def apply(self, c: Command) -> tuple[Event, ...]:
        raise TypeError("TypedCalls is a part of a book, not a book")

    def limit(
        self,
        order_id: int,
        side: Side,
        price_ticks: int,
        quantity_lots: int,
        *,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = GTC,
        post_only: bool = False,
        slide: bool = False,
        hidden: bool = False,
        display_lots: int = 0,
        min_lots: int = 0,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]:
        return self.apply(
            records.limit(
                order_id=order_id,
                side=side,
                price=price_ticks,
                quantity=quantity_lots,
                owner=owner,
                group=group,
                tif=tif,
                flags=_posting(post_only, slide) | (CommandFlag.HIDDEN if hidden else 0),
                symbol=self.symbol,
                seq=seq,
                display_quantity=display_lots,
                min_quantity=min_lots,
                expire_at=expire_at,
            )
        )

    def market(
        self,
        order_id: int,
        side: Side,
        quantity_lots: int,
        *,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = IOC,
        protection_ticks: int = 0,
        min_lots: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]:
        return self.apply(
            records.market(
                order_id=order_id,
                side=side,
                quantity=quantity_lots,
                owner=owner,
                group=group,
                tif=tif,
                protection=protection_ticks,
                symbol=self.symbol,
                seq=seq,
                min_quantity=min_lots,
            )
        )

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
        tif: TimeInForce = GTC,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]:
        """A stop-limit with `limit_ticks`, else a stop that becomes a market order."""
        first = self._stop(order_id, side, limit_ticks, quantity_lots, owner, group, tif, seq)
        return self.apply(records.with_details(first, (0, stop_ticks, 0, 0, 0, expire_at, 0)))

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
        tif: TimeInForce = GTC,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]:
        first = self._stop(order_id, side, limit_ticks, quantity_lots, owner, group, tif, seq)
        return self.apply(records.with_details(first, (0, 0, offset_ticks, 0, 0, expire_at, 0)))

    def _stop(
        self, order_id: int, side: Side, limit: int, quantity: int, owner: int, group: int, tif: TimeInForce, seq: int
    ) -> Command:
        if limit:
            return records.limit(
                order_id=order_id, side=side, price=limit, quantity=quantity,
                owner=owner, group=group, tif=tif, symbol=self.symbol, seq=seq,
            )  # fmt: skip
        return records.market(
            order_id=order_id, side=side, quantity=quantity,
            owner=owner, group=group, tif=tif, symbol=self.symbol, seq=seq,
        )  # fmt: skip

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
        tif: TimeInForce = GTC,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[Event, ...]:
        return self.apply(
            records.limit(
                order_id=order_id,
                side=side,
                price=limit_ticks,
                quantity=quantity_lots,
                owner=owner,
                group=group,
                tif=tif,
                symbol=self.symbol,
                seq=seq,
                peg=kind,
                peg_offset=offset_ticks,
                expire_at=expire_at,
            )
        )

    def cancel(self, order_id: int, *, owner: int = 0, seq: int = 0) -> tuple[Event, ...]:
        return self.apply(records.cancel(order_id=order_id, owner=owner, symbol=self.symbol, seq=seq))

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
    ) -> tuple[Event, ...]:
        return self.apply(
            records.replace(
                order_id=order_id,
                price=price_ticks,
                quantity=quantity_lots,
                owner=owner,
                flags=_posting(post_only, slide),
                symbol=self.symbol,
                seq=seq,
                stop_price=stop_ticks,
            )
        )

    def mass_cancel(self, *, owner: int | None = None, side: Side | None = None, seq: int = 0) -> tuple[Event, ...]:
        """Of one owner, or (None) of every owner; on one side, or (None) on both."""
        return self.apply(records.mass_cancel(owner=owner, side=side, symbol=self.symbol, seq=seq))

    def set_state(self, state: BookState, *, seq: int = 0) -> tuple[Event, ...]:
        return self.apply(records.set_state(state, symbol=self.symbol, seq=seq))

    def clock(self, now: int, *, end_of_day: bool = False, seq: int = 0) -> tuple[Event, ...]:
        return self.apply(records.clock(now, end_of_day=end_of_day, symbol=self.symbol, seq=seq))

    def uncross(self, state: BookState = BookState.TRADING, *, seq: int = 0) -> tuple[Event, ...]:
        return self.apply(records.uncross(state, symbol=self.symbol, seq=seq))

    def set_bands(
        self, reference_ticks: int, static_width_ticks: int, dynamic_width_ticks: int = 0, *, seq: int = 0
    ) -> tuple[Event, ...]:
        return self.apply(
            records.set_bands(
                reference=reference_ticks,
                static_width=static_width_ticks,
                dynamic_width=dynamic_width_ticks,
                symbol=self.symbol,
                seq=seq,
            )
        )


def _posting(post_only: bool, slide: bool) -> int:
    return (CommandFlag.POST_ONLY if post_only else 0) | (CommandFlag.SLIDE if slide else 0)
