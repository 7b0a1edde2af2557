# A taker's way through the book when the book is more than plain: price bands around it, waiting orders behind it.

cdef uint32_t best_maker(const engine_t *e, book_t *b, uint8_t side) noexcept nogil:
    """The level to trade with first: at one price displayed orders come before hidden ones."""
    cdef uint32_t shown = b.sides[side].best
    cdef uint32_t hidden
    if b.more == NULL:
        return shown
    hidden = side_at(b, index_of(PLACE_HIDDEN, side)).best
    if hidden == NIL or (shown != NIL and e.levels[shown].key <= e.levels[hidden].key):
        return shown
    return hidden


cdef void match_special(engine_t *e, book_t *b, taker_t *t) noexcept nogil:
    """match() for any book: hidden orders, icebergs, every mode of self-trade prevention. Notes the run of trades."""
    cdef uint64_t part
    cdef int64_t price = 0
    cdef uint32_t level_slot, slot
    t.first_price = 0
    while t.open_lots != 0 and not e.broken:
        level_slot = best_maker(e, b, t.side ^ 1)
        if level_slot == NIL or e.levels[level_slot].key > t.limit_key:
            break
        slot = e.levels[level_slot].head
        if same_group(e, t, slot):
            if not prevent(e, b, t, slot):
                break
            continue
        price = price_of(t.side ^ 1, e.levels[level_slot].key)
        part = min(t.open_lots, e.orders[slot].open_lots)
        if t.first_price == 0:
            t.first_price = price
        count_trades(b, 1, part, price)
        pair(e, b, t, slot, part, price, EVENT_TRADE)


cdef bint prevent(engine_t *e, book_t *b, taker_t *t, uint32_t slot) noexcept nogil:
    """What happens when a taker meets an order of its own group. Whether it goes on."""
    if b.stp == STP_DECREMENT:
        pair(
            e, b, t, slot, min(t.open_lots, e.orders[slot].open_lots),
            price_of(t.side ^ 1, e.levels[e.orders[slot].level].key), EVENT_DECREMENTED,
        )
        return True
    if b.stp != STP_CANCEL_NEWEST:
        cancel_any(e, b, t.seq, slot, REASON_SELF_TRADE)
    if b.stp == STP_CANCEL_OLDEST:
        return True
    t.stopped = 1
    return False


cdef void pair(
    engine_t *e, book_t *b, taker_t *t, uint32_t slot, uint64_t lots, int64_t price, uint8_t kind
) noexcept nogil:
    """Take the same quantity, no more than shown, off a taker and a maker, by trading or by decrementing."""
    cdef event_t *v = emit(e, b, kind, t.side, 0, t.seq)
    t.open_lots -= lots
    v.order_id = t.order_id
    v.counter_id = e.orders[slot].order_id
    v.price = price
    v.quantity = lots
    v.leaves = t.open_lots
    v.counter_leaves = open_of(e, slot) - lots
    if lots < e.orders[slot].open_lots:
        order_reduce(e, b, slot, lots)
    elif reserve_of(e, slot) != 0:
        refresh(e, b, slot, t.seq, price)
    else:
        place_remove(e, b, slot)


cdef void refresh(engine_t *e, book_t *b, uint32_t slot, uint64_t seq, int64_t price) noexcept nogil:
    """Show the next part of an iceberg, last in the queue of its price."""
    cdef uint32_t index = index_at(e, slot)
    cdef uint64_t key = e.levels[e.orders[slot].level].key
    cdef event_t *v = emit(e, b, EVENT_REFRESHED, index & 1, 0, seq)
    v.order_id = e.orders[slot].order_id
    v.price = price
    v.leaves = reserve_of(e, slot)
    v.quantity = min(v.leaves, extra_at(e, slot).display)
    place_unlink(e, b, slot)
    order_show(e, slot, reserve_of(e, slot))
    place_link(e, b, slot, index, key)


cdef void cancel_any(engine_t *e, book_t *b, uint64_t seq, uint32_t slot, uint16_t reason) noexcept nogil:
    """Cancel an order wherever it is."""
    emit_canceled(e, b, seq, e.orders[slot].order_id, direction_of(e, slot), price_now(e, slot), open_of(e, slot), reason)
    place_remove(e, b, slot)


cdef void band_prices(const book_t *b, uint64_t *low, uint64_t *high) noexcept nogil:
    """The prices at which a trade may be made now, both included."""
    cdef uint64_t last = <uint64_t> b.last_price
    low[0] = 0
    high[0] = <uint64_t> INT64_MAX
    if b.static_width != 0:
        low[0] = b.static_ref - b.static_width if b.static_ref > b.static_width else 0
        high[0] = min(high[0], b.static_ref + b.static_width)
    if b.dynamic_width != 0 and last != 0:
        low[0] = max(low[0], last - b.dynamic_width if last > b.dynamic_width else 0)
        high[0] = min(high[0], last + b.dynamic_width)


cdef void taker_banded(const book_t *b, taker_t *t) noexcept nogil:
    """Keys of the other side between which a taker may trade."""
    cdef uint64_t low = 0
    cdef uint64_t high = 0
    t.floor_key = 0
    t.cap_key = UINT64_MAX
    if b.static_width != 0 or b.dynamic_width != 0:
        band_prices(b, &low, &high)
        t.floor_key = low if t.side == BUY else ~high
        t.cap_key = high if t.side == BUY else ~low


cdef void band_hit(engine_t *e, book_t *b, taker_t *t, uint64_t key) noexcept nogil:
    """The next trade would be outside a price band: the market goes into a call."""
    cdef uint64_t price = <uint64_t> price_of(1 - t.side, key)
    cdef uint64_t low = b.static_ref - b.static_width if b.static_ref > b.static_width else 0
    cdef bint outside_static = b.static_width != 0 and (price < low or price > b.static_ref + b.static_width)
    cdef event_t *v = emit(e, b, EVENT_BAND_HIT, t.side, BAND_STATIC if outside_static else BAND_DYNAMIC, t.seq)
    v.order_id = t.order_id
    v.price = <int64_t> price
    v.quantity = t.open_lots
    t.banded = 1
    state_note(e, b, t.seq, STATE_AUCTION)


cdef bint band_stops(engine_t *e, book_t *b, taker_t *t, uint64_t limit_key) noexcept nogil:
    """Whether a band stands between a taker and the order it would trade with next."""
    cdef uint32_t level_slot = best_maker(e, b, 1 - t.side)
    cdef uint64_t key
    if level_slot == NIL:
        return False
    key = e.levels[level_slot].key
    if key > limit_key or (t.floor_key <= key <= t.cap_key):
        return False
    band_hit(e, b, t, key)
    return True


cdef void take(engine_t *e, book_t *b, taker_t *t) noexcept nogil:
    """Match a taker within the price bands, and arm what its run of trades wakes."""
    cdef uint64_t limit_key = t.limit_key
    taker_banded(b, t)
    t.first_price = 0
    if band_stops(e, b, t, limit_key):
        return
    t.limit_key = min(limit_key, t.cap_key)
    match(e, b, t)
    t.limit_key = limit_key
    if b.more != NULL and t.first_price != 0:
        watch(e, b, t.first_price, b.last_price)
    if t.open_lots != 0 and not t.stopped:
        band_stops(e, b, t, limit_key)
