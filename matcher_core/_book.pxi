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
        self, order_id, side, price_ticks, quantity_lots, *, owner=0, group=0, tif=0, bint post_only=False, seq=0
    ):
        """Enter a limit order and return its events. A refusal is a Rejected event, not an exception."""
        cdef command_t c
        command_init(&c, OP_LIMIT, order_id, owner, seq)
        c.side = whole(side)
        c.tif = whole(tif)
        c.flags = FLAG_POST_ONLY if post_only else 0
        c.group = whole(group)
        c.price = whole(price_ticks)
        c.quantity = whole(quantity_lots)
        return self._one(&c)

    def market(self, order_id, side, quantity_lots, *, owner=0, group=0, tif=1, protection_ticks=0, seq=0):
        """Enter a market order (IOC or FOK). protection_ticks is the worst acceptable price, 0 for none."""
        cdef command_t c
        command_init(&c, OP_MARKET, order_id, owner, seq)
        c.side = whole(side)
        c.tif = whole(tif)
        c.group = whole(group)
        c.price = whole(protection_ticks)
        c.quantity = whole(quantity_lots)
        return self._one(&c)

    def cancel(self, order_id, *, owner=0, seq=0):
        """Cancel a resting order of this owner."""
        cdef command_t c
        command_init(&c, OP_CANCEL, order_id, owner, seq)
        return self._one(&c)

    def replace(self, order_id, price_ticks, quantity_lots, *, owner=0, bint post_only=False, seq=0):
        """Give a resting order of this owner a new price and a new open quantity."""
        cdef command_t c
        command_init(&c, OP_REPLACE, order_id, owner, seq)
        c.flags = FLAG_POST_ONLY if post_only else 0
        c.price = whole(price_ticks)
        c.quantity = whole(quantity_lots)
        return self._one(&c)

    def mass_cancel(self, *, owner, seq=0):
        """Cancel every resting order of an owner. O(resting orders)."""
        cdef command_t c
        command_init(&c, OP_MASS_CANCEL, 0, owner, seq)
        return self._one(&c)

    def set_state(self, state, *, seq=0):
        """Open, restrict to cancels, or halt the book."""
        cdef command_t c
        command_init(&c, OP_SET_STATE, 0, 0, seq)
        c.quantity = whole(state)
        return self._one(&c)

    cdef tuple _one(self, command_t *c):
        """One command and its events as objects. Runs with the GIL: releasing it costs more than an order does."""
        cdef engine_t *e = self._engine._enter("book")
        cdef book_t *b = self._book(e)
        cdef uint64_t i
        try:
            c.symbol = b.symbol
            self._engine._take_events(EVENTS_MIN)
            apply(e, b, c)
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
        """Resting orders."""
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
        """(accepted, rejected, canceled, trades, traded lots modulo 2^64, first, highest, lowest, last trade price or 0)"""
        cdef engine_t *e = self._engine._enter("book")
        cdef const book_t *b = self._book(e)
        try:
            prices = (b.open_price, b.high_price, b.low_price, b.last_price)
            return (b.accepted, b.rejected, b.canceled, b.trades, b.traded_lots, *prices)
        finally:
            self._engine._leave()

    @property
    def best_bid(self):
        """Highest price of a resting buy order in ticks, None when there is none."""
        return self._best(BUY)

    @property
    def best_ask(self):
        """Lowest price of a resting sell order in ticks, None when there is none."""
        return self._best(SELL)

    cdef object _best(self, uint8_t side):
        cdef engine_t *e = self._engine._enter("book")
        cdef const side_t *s = &self._book(e).sides[side]
        try:
            return None if s.best == NIL else price_of(side, s.best_key)
        finally:
            self._engine._leave()

    def order(self, order_id):
        """The resting order with this id, or None. O(1)."""
        cdef uint64_t wanted = whole(order_id)
        cdef engine_t *e = self._engine._enter("book")
        cdef uint32_t slot
        try:
            slot = id_find(e, self._book(e), wanted)
            return None if slot == NIL else order_object(e, slot)
        finally:
            self._engine._leave()

    def orders(self):
        """Every resting order: bids before asks, best price first, oldest first."""
        cdef engine_t *e = self._engine._enter("book")
        cdef book_t *b = self._book(e)
        cdef list out = []
        cdef uint32_t level_slot, slot
        try:
            for side in range(2):
                level_slot = b.sides[side].best
                while level_slot != NIL:
                    slot = e.levels[level_slot].head
                    while slot != NIL:
                        out.append(order_object(e, slot))
                        slot = e.orders[slot].next
                    level_slot = level_from(e, &b.sides[side], e.levels[level_slot].key + 1)
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
        """The whole book as bytes (layout in snapshot.py), equal for equal books whatever their history."""
        return images.seal(book_body(self))

    def state_hash(self):
        """blake2b-256 of the book: its settings and every resting order in priority order. 32 bytes."""
        return images.digest(book_body(self))

    @classmethod
    def restore(cls, data):
        """The book a snapshot describes. Bytes that `snapshot` cannot have written raise ValueError."""
        image = images.parse(data)
        cdef Book book = cls(image.symbol, stp=image.stp, max_orders=image.max_orders)
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
        out.append(t.DepthLevel(price_of(side, level.key), level.open_lots, level.orders))
        slot = level_from(e, &b.sides[side], level.key + 1)
    return out
