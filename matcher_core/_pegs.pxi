# Pegged orders. While trading each has a price that follows the displayed best prices and rests among the hidden orders; in
# any other state, or while the price it follows is missing, it waits without one.

cdef uint32_t best_limit_level(const engine_t *e, book_t *b, uint8_t side) noexcept nogil:
    """Best displayed level with a price: the market orders of a call, when there are any, stand before it."""
    cdef uint32_t best = b.sides[side].best
    if best != NIL and e.levels[best].key == MARKET_KEY:
        return level_after(e, &b.sides[side], best)
    return best


cdef int64_t best_limit(const engine_t *e, book_t *b, uint8_t side) noexcept nogil:
    """Price of that level, 0 without one."""
    cdef uint32_t level_slot = best_limit_level(e, b, side)
    return price_of(side, e.levels[level_slot].key) if level_slot != NIL else 0


cdef int64_t peg_price(const extra_t *x, uint64_t bid, uint64_t ask) noexcept nogil:
    """Where a peg belongs with these best prices (0: none), or 0 when it has no price now.

    Midpoints are rounded away from the other side, so two of them meet only where the midpoint is a whole tick.
    """
    cdef uint64_t own = bid if x.side == BUY else ask
    cdef uint64_t other = ask if x.side == BUY else bid
    cdef uint64_t price
    cdef uint64_t cap = <uint64_t> x.limit
    if (other if x.peg == PEG_MARKET else own) == 0 or (x.peg == PEG_MIDPOINT and other == 0):
        return 0
    if x.peg == PEG_MIDPOINT:
        price = (bid + ask + x.side) >> 1                    # SELL is 1: rounded up
    else:
        price = other if x.peg == PEG_MARKET else own
        if x.side == SELL:
            price += x.peg_offset
        elif x.peg_offset < price:
            price -= x.peg_offset
        else:
            return 0
    if price > <uint64_t> INT64_MAX:
        return 0
    if cap != 0:
        price = min(price, cap) if x.side == BUY else max(price, cap)
    return <int64_t> price


cdef event_t *emit_repriced(engine_t *e, book_t *b, uint64_t seq, uint32_t slot, int64_t price) noexcept nogil:
    cdef event_t *v = emit(e, b, EVENT_REPRICED, extra_at(e, slot).side, 0, seq)
    v.order_id = e.orders[slot].order_id
    v.price = price
    v.quantity = e.orders[slot].open_lots
    return v


cdef void peg_lose_price(engine_t *e, book_t *b, uint64_t seq, uint32_t slot) noexcept nogil:
    cdef event_t *v
    place_move(e, b, slot, index_of(PLACE_PEG, extra_at(e, slot).side), 0)
    v = emit_repriced(e, b, seq, slot, 0)
    v.leaves = v.quantity


cdef void pegs_lose_prices(engine_t *e, book_t *b, uint64_t seq) noexcept nogil:
    """Trading has stopped: no peg has a price. O(pegs)."""
    cdef uint32_t slot
    if b.more == NULL:
        return
    slot = b.more.pegs.first
    while slot != NIL and not e.broken:
        if place_of(index_at(e, slot)) == PLACE_HIDDEN:
            peg_lose_price(e, b, seq, slot)
        slot = extra_at(e, slot).peg_next
    b.more.peg_bid = 0
    b.more.peg_ask = 0


cdef void peg_follow(engine_t *e, book_t *b, uint64_t seq, uint32_t slot, int64_t bid, int64_t ask) noexcept nogil:
    """Move one peg to where it belongs; it enters there as a new hidden order and may trade at once."""
    cdef extra_t *x = extra_at(e, slot)
    cdef uint32_t hidden = index_of(PLACE_HIDDEN, x.side)
    cdef int64_t price = peg_price(x, <uint64_t> bid, <uint64_t> ask)
    cdef bint priced = index_at(e, slot) == hidden
    cdef taker_t t
    if price == 0:
        if priced:
            peg_lose_price(e, b, seq, slot)
        return
    if priced and e.levels[e.orders[slot].level].key == key_of(x.side, price):
        return
    place_unlink(e, b, slot)
    taker_from(e, b, &t, slot, x.side, price, seq)
    emit_repriced(e, b, seq, slot, price)
    cdef uint64_t acknowledgement = e.event_count - 1
    take(e, b, &t)
    come_to_rest(e, b, slot, &t, acknowledgement, True, hidden, price)


cdef bint pegs_are_stale(engine_t *e, book_t *b) noexcept nogil:
    if b.more.pegs.first == NIL:
        return False
    return b.more.peg_new or best_limit(e, b, BUY) != b.more.peg_bid or best_limit(e, b, SELL) != b.more.peg_ask


cdef void price_pegs(engine_t *e, book_t *b, uint64_t seq) noexcept nogil:
    """One pass over all pegs, by the best prices at its start. O(pegs). Ends early when trading stops."""
    cdef int64_t bid = best_limit(e, b, BUY)
    cdef int64_t ask = best_limit(e, b, SELL)
    cdef uint32_t slot = b.more.pegs.first
    b.more.peg_new = 0
    while slot != NIL and b.state == STATE_TRADING and not e.broken:
        b.more.peg_cursor = extra_at(e, slot).peg_next      # moves on by itself when that order goes meanwhile
        peg_follow(e, b, seq, slot, bid, ask)
        slot = b.more.peg_cursor
    b.more.peg_cursor = NIL
    if b.state == STATE_TRADING:
        b.more.peg_bid = bid
        b.more.peg_ask = ask


cdef void settle(engine_t *e, book_t *b, uint64_t seq) noexcept nogil:
    """What a command set off: armed orders one by one, pegs after the best prices, until nothing moves.

    It ends: an armed order is entered once, and a pass over the pegs changes best prices only by trading.
    """
    while b.state == STATE_TRADING and not e.broken:
        if side_at(b, PLACE_ARMED * 2).best != NIL:
            enter_armed(e, b, seq)
        elif pegs_are_stale(e, b):
            price_pegs(e, b, seq)
        else:
            return
