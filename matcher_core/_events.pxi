# Events and what is derived from them: the rolling hash and the statistics of a book.

cdef inline void write_head(event_t *v, uint8_t kind, uint8_t side, uint16_t code, uint32_t symbol) noexcept nogil:
    """The first eight bytes in one store: roll() reads them as one word, and a load that spans several young stores has to
    wait until they reach the cache."""
    cdef uint64_t head = kind | <uint32_t> side << 8 | <uint32_t> code << 16 | <uint64_t> symbol << 32
    memcpy(v, &head, sizeof(head))


cdef inline event_t *emit_for(
    engine_t *e, uint32_t symbol, uint8_t kind, uint8_t side, uint16_t code, uint64_t seq
) noexcept nogil:
    """The next event, its common fields filled and the rest zero. Valid until the next one: the buffer may move.

    Without memory for it the engine is broken: the effects go on, the event is lost, and the caller is told to rebuild.
    """
    cdef event_t *v
    if unlikely(e.event_count == e.event_capacity):
        if grow_events(e) < 0:
            e.broken = 1
            return &e.spare
    v = &e.events[e.event_count]
    e.event_count += 1
    write_head(v, kind, side, code, symbol)
    v.seq = seq
    v.order_id = 0
    v.counter_id = 0
    v.price = 0
    v.quantity = 0
    v.leaves = 0
    v.counter_leaves = 0
    return v


cdef inline event_t *emit(
    engine_t *e, const book_t *b, uint8_t kind, uint8_t side, uint16_t code, uint64_t seq
) noexcept nogil:
    return emit_for(e, b.symbol, kind, side, code, seq)


cdef inline void emit_canceled(
    engine_t *e, book_t *b, uint64_t seq, uint64_t order_id, uint8_t side, int64_t price, uint64_t lots, uint16_t reason
) noexcept nogil:
    cdef event_t *v = emit(e, b, EVENT_CANCELED, side, reason, seq)
    v.order_id = order_id
    v.price = price
    v.quantity = lots
    b.canceled += 1


cdef inline void emit_rejected(engine_t *e, book_t *b, const command_t *c, uint16_t code) noexcept nogil:
    cdef event_t *v = emit(e, b, EVENT_REJECTED, 0, code, c.seq)
    v.order_id = c.order_id
    b.rejected += 1


cdef inline void count_trades(book_t *b, uint64_t trades, uint64_t lots, int64_t price) noexcept nogil:
    """Add trades at one price to the statistics."""
    b.trades += trades
    b.traded_lots += lots
    b.last_price = price
    if unlikely(b.open_price == 0):
        b.open_price = price
        b.high_price = price
        b.low_price = price
    b.high_price = price if price > b.high_price else b.high_price
    b.low_price = price if price < b.low_price else b.low_price


# ---- the rolling hash ---------------------------------------------------------------------------------------------------
# h = rotl64(h ^ (sum of word i times ROLL_i), 29) * ROLL_8 over the eight words of each event of a book, in order.
#
# Taken in after a batch, not after each command: an event is full of what had to be fetched from far memory, and hashing it
# at once fills the processor with work that waits for it, so that the next command's fetches start later (30 ns a command on
# a book of 100,000 prices). Later the same work costs 4 to 8 ns.

cdef inline uint64_t rolled(uint64_t h, const event_t *v) noexcept nogil:
    cdef const uint64_t *w = <const uint64_t *> v
    cdef uint64_t x = w[0] * ROLL_0 + w[1] * ROLL_1 + w[2] * ROLL_2 + w[3] * ROLL_3
    x += w[4] * ROLL_4 + w[5] * ROLL_5 + w[6] * ROLL_6 + w[7] * ROLL_7
    x ^= h
    return ((x << 29) | (x >> 35)) * ROLL_8


cdef void roll(engine_t *e, book_t *only) noexcept nogil:
    """Take all events not yet taken into the hashes of their books. `only`: the one book there is, or NULL. A refusal for a
    symbol that no book has counts nowhere."""
    cdef uint64_t i
    cdef uint64_t h
    cdef book_t *b
    if only != NULL:
        h = only.rolling_hash
        for i in range(e.events_rolled, e.event_count):
            if likely(e.events[i].symbol == only.symbol):
                h = rolled(h, &e.events[i])
        only.rolling_hash = h
    else:
        for i in range(e.events_rolled, e.event_count):
            b = book_find(e, e.events[i].symbol)
            if likely(b != NULL):
                b.rolling_hash = rolled(b.rolling_hash, &e.events[i])
    e.events_rolled = e.event_count
