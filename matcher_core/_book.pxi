# The Python face of one book.

@cython.final
cdef class Book:
    """One order book: price-time priority, integer prices and quantities, deterministic.

    symbol is the u32 that commands must carry. stp says what gives way when an owner group would trade with itself.
    max_orders is how many orders may rest; the next one is refused with BOOK_FULL. Memory grows with what rests.

    A book may be used from several threads, one at a time: a call while another thread is inside raises RuntimeError.
    Different books run in parallel, unless they are views of one engine (Engine.book), which is then what is in use.
    """

    def __cinit__(self, symbol=0, *, stp=t.SelfTradePrevention.CANCEL_NEWEST, max_orders=t.DEFAULT_MAX_ORDERS):
        if isinstance(symbol, Place):
            self._engine = (<Place> symbol).engine
            self._index = (<Place> symbol).index
            return
        cdef uint32_t checked = whole(symbol)
        self._engine = Engine((), stp=stp, max_orders=max_orders)
        if open_book(self._engine._e, checked, False) < 0:
            raise MemoryError("no memory for a book")

    # ---- commands ------------------------------------------------------------------------------------------------

    def process(self, commands):
        """Apply packed 64-byte commands in order; return their packed 64-byte events as a memoryview. See Engine.process;
        every command must carry this book's symbol."""
        return self._engine._process(commands, self._index, "book")

    def limit(
        self, order_id, side, price_ticks, quantity_lots, *, owner=0, group=0, tif=0, bint post_only=False,
        bint slide=False, bint hidden=False, display_lots=0, min_lots=0, expire_at=0, seq=0
    ):
        """Enter a limit order and return its events. A refusal is a Rejected event, not an exception.

        slide: a post-only order that would trade steps back to one tick short of it. hidden: never displayed. display_lots
        makes an iceberg that shows so much at a time. min_lots must trade at once or the order is refused. expire_at is
        for tif GTD, in the unit of clock().
        """
        cdef command_t c
        cdef details_t d
        command_init(&c, OP_LIMIT, order_id, owner, seq)
        c.side = whole(side)
        c.tif = whole(tif)
        c.flags = (FLAG_POST_ONLY if post_only else 0) | (FLAG_SLIDE if slide else 0) | (FLAG_HIDDEN if hidden else 0)
        c.group = whole(group)
        c.price = whole(price_ticks)
        c.quantity = whole(quantity_lots)
        if display_lots == 0 and min_lots == 0 and expire_at == 0:
            return self._one(&c, NULL)
        details_init(&d, expire_at)
        d.display_quantity = whole(display_lots)
        d.min_quantity = whole(min_lots)
        return self._one(&c, &d)

    def market(
        self, order_id, side, quantity_lots, *, owner=0, group=0, tif=1, protection_ticks=0, min_lots=0, seq=0
    ):
        """Enter a market order (IOC, FOK, or OPG and CLS for an auction). protection_ticks is the worst acceptable price, 0
        for none. min_lots must trade at once or the order is refused."""
        cdef command_t c
        cdef details_t d
        command_init(&c, OP_MARKET, order_id, owner, seq)
        c.side = whole(side)
        c.tif = whole(tif)
        c.group = whole(group)
        c.price = whole(protection_ticks)
        c.quantity = whole(quantity_lots)
        if min_lots == 0:
            return self._one(&c, NULL)
        details_init(&d, 0)
        d.min_quantity = whole(min_lots)
        return self._one(&c, &d)

    def stop(
        self, order_id, side, stop_ticks, quantity_lots, *, limit_ticks=0, owner=0, group=0, tif=0, expire_at=0, seq=0
    ):
        """Enter a stop order: with limit_ticks it becomes a limit order when the last price reaches stop_ticks, else a market
        order."""
        cdef command_t c
        cdef details_t d
        details_init(&d, expire_at)
        d.stop_price = whole(stop_ticks)
        waiting_init(&c, OP_LIMIT if limit_ticks else OP_MARKET, order_id, side, quantity_lots, owner, group, tif, seq)
        c.price = whole(limit_ticks)
        return self._one(&c, &d)

    def trailing_stop(
        self, order_id, side, offset_ticks, quantity_lots, *, limit_ticks=0, owner=0, group=0, tif=0, expire_at=0, seq=0
    ):
        """Enter a stop order whose stop price follows the last price at a distance of offset_ticks, in its favour only."""
        cdef command_t c
        cdef details_t d
        details_init(&d, expire_at)
        d.trail_offset = whole(offset_ticks)
        waiting_init(&c, OP_LIMIT if limit_ticks else OP_MARKET, order_id, side, quantity_lots, owner, group, tif, seq)
        c.price = whole(limit_ticks)
        return self._one(&c, &d)

    def peg(
        self, order_id, side, kind, quantity_lots, *, limit_ticks=0, offset_ticks=0, owner=0, group=0, tif=0, expire_at=0,
        seq=0
    ):
        """Enter a hidden order whose price follows the displayed best prices (PegKind), never beyond limit_ticks (0: no cap)."""
        cdef command_t c
        cdef details_t d
        details_init(&d, expire_at)
        d.peg = whole(kind)
        d.peg_offset = whole(offset_ticks)
        waiting_init(&c, OP_LIMIT, order_id, side, quantity_lots, owner, group, tif, seq)
        c.price = whole(limit_ticks)
        return self._one(&c, &d)

    def cancel(self, order_id, *, owner=0, seq=0):
        """Cancel a live order of this owner."""
        cdef command_t c
        command_init(&c, OP_CANCEL, order_id, owner, seq)
        return self._one(&c, NULL)

    def replace(
        self, order_id, price_ticks, quantity_lots, *, owner=0, bint post_only=False, bint slide=False, stop_ticks=0, seq=0
    ):
        """Give a live order of this owner a new price (limit or cap where it only waits) and a new open quantity.

        stop_ticks: a new stop price for a stop-limit order that still waits, 0 to leave it."""
        cdef command_t c
        cdef details_t d
        command_init(&c, OP_REPLACE, order_id, owner, seq)
        c.flags = (FLAG_POST_ONLY if post_only else 0) | (FLAG_SLIDE if slide else 0)
        c.price = whole(price_ticks)
        c.quantity = whole(quantity_lots)
        if stop_ticks == 0:
            return self._one(&c, NULL)
        details_init(&d, 0)
        d.stop_price = whole(stop_ticks)
        return self._one(&c, &d)

    def mass_cancel(self, *, owner=None, side=None, seq=0):
        """Cancel every live order of an owner (None: of everybody), of one side or both. O(orders)."""
        cdef command_t c
        command_init(&c, OP_MASS_CANCEL, 0, 0 if owner is None else owner, seq)
        c.flags = (FLAG_ALL_OWNERS if owner is None else 0) | (FLAG_ONE_SIDE if side is not None else 0)
        c.side = 0 if side is None else whole(side)
        return self._one(&c, NULL)

    def set_state(self, state, *, seq=0):
        """Open, restrict to cancels or halt the book, or begin a call."""
        cdef command_t c
        command_init(&c, OP_SET_STATE, 0, 0, seq)
        c.quantity = whole(state)
        return self._one(&c, NULL)

    def clock(self, now, *, bint end_of_day=False, seq=0):
        """Tell the book the time, in whatever unit its orders expire in. end_of_day expires DAY, OPG and CLS orders too."""
        cdef command_t c
        command_init(&c, OP_CLOCK, 0, 0, seq)
        c.flags = FLAG_END_OF_DAY if end_of_day else 0
        c.quantity = whole(now)
        return self._one(&c, NULL)

    def uncross(self, state=t.BookState.TRADING, *, seq=0):
        """End a call: trade what crosses at the auction price, then go into `state`."""
        cdef command_t c
        command_init(&c, OP_UNCROSS, 0, 0, seq)
        c.quantity = whole(state)
        return self._one(&c, NULL)

    def set_bands(self, reference_ticks, static_width_ticks, dynamic_width_ticks=0, *, seq=0):
        """Set the price bands: trades may be made within static_width_ticks of the reference and within dynamic_width_ticks of
        the last price. 0: no such band. The trade that would leave a band starts a call."""
        cdef command_t c
        command_init(&c, OP_SET_BANDS, 0, 0, seq)
        c.price = whole(reference_ticks)
        c.quantity = whole(static_width_ticks)
        c.group = whole(dynamic_width_ticks)
        return self._one(&c, NULL)

    cdef tuple _one(self, command_t *c, const details_t *d):
        """One command, with its details or NULL, and its events as objects. Runs with the GIL: releasing it costs more than an order does."""
        cdef engine_t *e = self._engine._enter("book")
        cdef book_t *b = self._book(e)
        cdef uint64_t i
        try:
            c.symbol = b.symbol
            if d != NULL:
                c.flags |= FLAG_DETAILS
            self._engine._take_events(EVENTS_MIN)
            apply(e, b, c, d if d != NULL else &NO_DETAILS, DETAILS_READ if d != NULL else DETAILS_NONE)
            roll(e, b)
            if e.event_count == 1:
                events = (event_object(e.events),)
            else:
                events = tuple([event_object(&e.events[i]) for i in range(e.event_count)])
            self._engine._give_events("book")
            return events
        finally:
            self._engine._leave()

    cdef book_t *_book(self, engine_t *e) noexcept:
        return &e.books[self._index]

    # ---- queries -------------------------------------------------------------------------------------------------

    def __len__(self):
        """Live orders, waiting ones included."""
        return self._book(self._engine._e).live

    def __repr__(self):
        cdef book_t *b = self._book(self._engine._e)
        return f"<Book symbol={b.symbol} state={self.state.name} orders={b.live}>"

    @property
    def symbol(self):
        return self._book(self._engine._e).symbol

    @property
    def stp(self):
        return t.SelfTradePrevention(self._book(self._engine._e).stp)

    @property
    def max_orders(self):
        return self._book(self._engine._e).max_orders

    @property
    def state(self):
        return t.BookState(self._book(self._engine._e).state)

    @property
    def rolling_hash(self):
        """A u64 over every event of the book so far, in order: equal streams have equal hashes."""
        cdef engine_t *e = self._engine._enter("book")
        try:
            return self._book(e).rolling_hash
        finally:
            self._engine._leave()

    def statistics(self):
        """What has happened in the book so far, as BookStatistics."""
        cdef engine_t *e = self._engine._enter("book")
        cdef const book_t *b = self._book(e)
        try:
            return t.BookStatistics(
                b.accepted, b.rejected, b.canceled, b.trades, b.traded_lots, b.open_price, b.high_price, b.low_price,
                b.last_price,
            )
        finally:
            self._engine._leave()

    @property
    def last_price(self):
        """Price of the last trade in ticks, None before the first."""
        cdef engine_t *e = self._engine._enter("book")
        try:
            return self._book(e).last_price or None
        finally:
            self._engine._leave()

    @property
    def clock_now(self):
        """The time of the last clock command, 0 before the first."""
        cdef engine_t *e = self._engine._enter("book")
        try:
            return self._book(e).clock
        finally:
            self._engine._leave()

    def indicative(self):
        """What an uncross would do now, as Indicative, or None when nothing would trade. O(levels that cross)."""
        cdef engine_t *e = self._engine._enter("book")
        cdef cross_t x
        try:
            find_cross(e, self._book(e), &x)
            return None if x.volume == 0 else t.Indicative(x.price, x.volume, SIDES[x.surplus_side], x.surplus)
        finally:
            self._engine._leave()

    @property
    def best_bid(self):
        """Highest displayed price of a buy order in ticks, None when there is none."""
        return self._best(BUY)

    @property
    def best_ask(self):
        """Lowest displayed price of a sell order in ticks, None when there is none."""
        return self._best(SELL)

    cdef object _best(self, uint8_t side):
        cdef engine_t *e = self._engine._enter("book")
        try:
            return best_limit(e, self._book(e), side) or None
        finally:
            self._engine._leave()

    def order(self, order_id):
        """The live order with this id, or None. O(1)."""
        cdef uint64_t wanted = whole(order_id)
        cdef engine_t *e = self._engine._enter("book")
        cdef uint32_t slot
        try:
            slot = id_find(e, self._book(e), wanted)
            return None if slot == NIL else order_object(e, slot)
        finally:
            self._engine._leave()

    def orders(self):
        """Every live order: place by place, in each buys before sells, in priority order."""
        cdef engine_t *e = self._engine._enter("book")
        cdef book_t *b = self._book(e)
        cdef list out = []
        cdef uint32_t index, level_slot, slot
        try:
            for index in range(places(b)):
                level_slot = side_at(b, index).best
                while level_slot != NIL:
                    slot = e.levels[level_slot].head
                    while slot != NIL:
                        out.append(order_object(e, slot))
                        slot = e.orders[slot].next
                    level_slot = level_after(e, side_at(b, index), level_slot)
            return out
        finally:
            self._engine._leave()

    def depth(self, Py_ssize_t levels):
        """The best `levels` prices of each side, bids then asks, as lists of DepthLevel. O(levels)."""
        if levels < 0:
            raise ValueError(f"levels must not be negative, was {levels}")
        cdef engine_t *e = self._engine._enter("book")
        try:
            return depth_list(e, self._book(e), BUY, levels), depth_list(e, self._book(e), SELL, levels)
        finally:
            self._engine._leave()

    # ---- whole state ---------------------------------------------------------------------------------------------

    def snapshot(self):
        """The whole book as bytes (layout in snapshot.py), equal for books that took the same commands."""
        return images.seal(book_body(self))

    def state_hash(self):
        """blake2b-256 of all that snapshot() says: settings, orders in priority order, statistics, rolling hash. 32 bytes."""
        return images.digest(book_body(self))

    @classmethod
    def restore(cls, data):
        """The book a snapshot describes. Bytes that `snapshot` cannot have written raise ValueError."""
        image = images.parse(data)
        cdef Book book = cls(image.header.symbol, stp=image.header.stp, max_orders=image.header.max_orders)
        image_restore(book._engine._e, book._book(book._engine._e), image)
        return book

    def check_invariants(self):
        """Raise AssertionError when the parts of the book, or of the engine it lives in, disagree. O(everything); for tests."""
        self._engine.check_invariants()

    def memory_bytes(self):
        """What the book holds from the allocator now, in bytes. In a shared engine: its own windows, not its share of orders."""
        cdef engine_t *e = self._engine._e
        if e.book_of == NULL:
            return self._engine.memory_bytes()
        return sizeof(book_t) + book_bytes(self._book(e))


cdef bytes book_body(Book book):
    cdef engine_t *e = book._engine._enter("book")
    try:
        return image_body(e, book._book(e))
    finally:
        book._engine._leave()


cdef list depth_list(const engine_t *e, const book_t *b, uint8_t side, Py_ssize_t levels):
    cdef list out = []
    cdef uint32_t slot = b.sides[side].best
    cdef const level_t *level
    while slot != NIL and len(out) < levels:
        level = &e.levels[slot]
        out.append(t.DepthLevel(level_price(side, level.key), level.open_lots, level.orders))
        slot = level_from(e, &b.sides[side], level.key + 1)
    return out
