# Stop and trailing orders. They wait in their own places, keyed by stop price, so that the next to wake is always the best
# level; a book without them never comes here.

cdef void arm(engine_t *e, book_t *b, uint32_t index, uint64_t last_key) noexcept nogil:
    """Move every waiting order up to this key to the end of the armed queue."""
    cdef side_t *s = side_at(b, index)
    cdef uint32_t slot
    while s.best != NIL and e.levels[s.best].key <= last_key and not e.broken:
        slot = e.levels[s.best].head
        place_move(e, b, slot, PLACE_ARMED * 2, 0)


cdef uint64_t trailing_key(const extra_t *x) noexcept nogil:
    """Key of a trailing order: its stop price, or one that no trade reaches while there is none or it is out of range."""
    cdef uint64_t mark = <uint64_t> x.watermark
    if x.side == SELL:
        return stop_key(SELL, mark - x.trail_offset if x.watermark != 0 and mark > x.trail_offset else 0)
    if x.watermark == 0 or mark + x.trail_offset > <uint64_t> INT64_MAX:
        return stop_key(BUY, BEYOND_PRICE)
    return stop_key(BUY, mark + x.trail_offset)


cdef inline bint improves(uint8_t side, int64_t price, int64_t watermark) noexcept nogil:
    return watermark == 0 or (price > watermark if side == SELL else price < watermark)


cdef void ratchet(engine_t *e, book_t *b, uint8_t side, int64_t price) noexcept nogil:
    """Let the trailing orders of one direction follow a trade price. O(trailing orders) when any may have to move, else O(1).

    Moved orders queue again in the order in which they stood.
    """
    cdef side_t *s = side_at(b, index_of(PLACE_TRAILING, side))
    cdef uint32_t level_slot = s.best
    cdef uint32_t first = NIL
    cdef uint32_t last = NIL
    cdef uint32_t slot, following, next_level
    if level_slot == NIL or not improves(side, price, b.more.watermark[side]):
        return
    b.more.watermark[side] = price
    while level_slot != NIL:
        next_level = level_after(e, s, level_slot)
        slot = e.levels[level_slot].head
        while slot != NIL:
            following = e.orders[slot].next
            if improves(side, price, extra_at(e, slot).watermark):
                place_unlink(e, b, slot)
                e.orders[slot].next = NIL           # chained until all are out
                if last == NIL:
                    first = slot
                else:
                    e.orders[last].next = slot
                last = slot
            slot = following
        level_slot = next_level
    while first != NIL and not e.broken:
        following = e.orders[first].next
        extra_at(e, first).watermark = price
        place_link(e, b, first, index_of(PLACE_TRAILING, side), trailing_key(extra_at(e, first)))
        first = following


cdef void watch(engine_t *e, book_t *b, int64_t first, int64_t last) noexcept nogil:
    """What a run of trades from price `first` to price `last` wakes. The run is monotone, so its ends say everything."""
    cdef uint64_t high = <uint64_t> max(first, last)
    cdef uint64_t low = <uint64_t> min(first, last)
    cdef uint8_t side
    arm(e, b, index_of(PLACE_STOP, BUY), stop_key(BUY, high))
    arm(e, b, index_of(PLACE_STOP, SELL), stop_key(SELL, low))
    for side in range(2):
        ratchet(e, b, side, first)
        arm(e, b, index_of(PLACE_TRAILING, side), stop_key(side, <uint64_t> first))
        ratchet(e, b, side, last)
        arm(e, b, index_of(PLACE_TRAILING, side), stop_key(side, <uint64_t> last))


cdef void stop_wait(engine_t *e, book_t *b, uint32_t slot, int64_t stop_price) noexcept nogil:
    """Let a stop that stands nowhere wait, or arm it when the last price has reached it already."""
    cdef uint8_t side = extra_at(e, slot).side
    cdef uint64_t key = stop_key(side, <uint64_t> stop_price)
    if b.state == STATE_TRADING and b.last_price != 0 and key <= stop_key(side, <uint64_t> b.last_price):
        place_link(e, b, slot, PLACE_ARMED * 2, 0)
    else:
        place_link(e, b, slot, index_of(PLACE_STOP, side), key)


cdef void trailing_wait(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    cdef extra_t *x = extra_at(e, slot)
    cdef side_t *s = side_at(b, index_of(PLACE_TRAILING, x.side))
    x.watermark = b.last_price
    if s.best == NIL or x.watermark == 0:
        b.more.watermark[x.side] = x.watermark      # the mark that a price must beat before anybody moves; 0: any price
    elif b.more.watermark[x.side] != 0 and improves(x.side, b.more.watermark[x.side], x.watermark):
        b.more.watermark[x.side] = x.watermark
    place_link(e, b, slot, index_of(PLACE_TRAILING, x.side), trailing_key(x))


cdef void enter_armed(engine_t *e, book_t *b, uint64_t seq) noexcept nogil:
    """Enter the order that was armed first, as a market or limit order under its own id."""
    cdef uint32_t slot = e.levels[side_at(b, PLACE_ARMED * 2).best].head
    cdef extra_t *x = extra_at(e, slot)
    cdef bint may_rest = x.op == OP_LIMIT
    cdef int64_t limit = x.limit
    cdef uint64_t acknowledgement
    cdef taker_t t
    cdef event_t *v
    place_unlink(e, b, slot)
    taker_from(e, b, &t, slot, x.side, limit, seq)
    v = emit(e, b, EVENT_TRIGGERED, t.side, TRIGGER_STOP, seq)
    v.order_id = t.order_id
    v.price = limit
    v.quantity = t.open_lots
    acknowledgement = e.event_count - 1
    x.trail_offset = 0
    x.watermark = 0
    if x.expire_at == 0:
        extra_drop(e, b, slot)
    take(e, b, &t)
    come_to_rest(e, b, slot, &t, acknowledgement, may_rest, index_of(PLACE_BOOK, t.side), limit)
