# Matching. These loops allocate nothing but events, touch no Python object and run without the GIL. A taker costs O(1) per
# order it meets, plus O(1) per price it empties inside the window.

cdef inline void cancel_resting(engine_t *e, book_t *b, uint64_t seq, uint32_t slot, uint16_t reason) noexcept nogil:
    cdef const order_t *order = &e.orders[slot]
    cdef const level_t *level = &e.levels[order.level]
    cdef uint8_t side = side_of(level)
    emit_canceled(e, b, seq, order.order_id, side, price_of(side, level.key), order.open_lots, reason)
    order_remove(e, b, slot)


cdef inline bint same_group(const engine_t *e, const taker_t *t, uint32_t slot) noexcept nogil:
    """Whether self-trade prevention stands between a taker and a resting order."""
    return t.group_tag != 0 and e.orders[slot].tag_flags >> 8 == t.group_tag and e.cold[slot].group == t.group


cdef inline uint64_t trade(
    engine_t *e, book_t *b, taker_t *t, uint64_t lots, const order_t *maker, int64_t price
) noexcept nogil:
    """Write one trade and take it off the taker. Returns the lots."""
    cdef event_t *v = emit(e, b, EVENT_TRADE, t.side, 0, t.seq)
    t.open_lots -= lots
    v.order_id = t.order_id
    v.counter_id = maker.order_id
    v.price = price
    v.quantity = lots
    v.leaves = t.open_lots
    v.counter_leaves = maker.open_lots - lots
    return lots


cdef inline bint match_level(engine_t *e, book_t *b, taker_t *t, side_t *makers) noexcept nogil:
    """Trade with the best level, oldest order first, until the taker is done or the level is gone. True when an order of the
    taker's own group stands first now. What the level loses is taken off its totals once, at the end."""
    cdef level_t *level = &e.levels[makers.best]
    cdef uint8_t side = t.side ^ 1
    cdef int64_t price = price_of(side, level.key)
    cdef uint32_t slot = level.head
    cdef uint64_t wanted = t.open_lots
    cdef uint64_t trades = 0
    cdef uint32_t gone = 0
    cdef bint own = False
    cdef order_t *maker
    while slot != NIL and t.open_lots != 0:
        maker = &e.orders[slot]
        own = same_group(e, t, slot)
        if unlikely(own):
            break
        trades += 1
        if maker.open_lots > t.open_lots:
            maker.open_lots -= trade(e, b, t, t.open_lots, maker, price)
            break
        trade(e, b, t, maker.open_lots, maker, price)
        level.head = maker.next
        order_free(e, b, slot)
        slot = level.head
        gone += 1
    if trades == 0:
        return own
    wanted -= t.open_lots
    level.open_lots -= wanted
    level.orders -= gone
    b.total_lots[side] -= wanted
    count_trades(b, trades, wanted, price)
    if slot == NIL:
        level_drop(e, makers, makers.best)
    else:
        e.orders[slot].prev = NIL
    return own


cdef void match_crossing(engine_t *e, book_t *b, taker_t *t) noexcept nogil:
    cdef side_t *makers = &b.sides[t.side ^ 1]
    if unlikely(b.special != 0):
        match_special(e, b, t)
        return
    while t.open_lots != 0 and makers.best_key <= t.limit_key:
        if likely(not match_level(e, b, t, makers)):
            continue
        if b.stp != STP_CANCEL_NEWEST:
            cancel_resting(e, b, t.seq, e.levels[makers.best].head, REASON_SELF_TRADE)
        if b.stp != STP_CANCEL_OLDEST:
            t.stopped = 1
            return


cdef inline void match(engine_t *e, book_t *b, taker_t *t) noexcept nogil:
    """Trade in priority order until the taker is done, the prices part, or its own group is met."""
    if b.sides[t.side ^ 1].best_key <= t.limit_key or unlikely(b.special != 0):
        match_crossing(e, b, t)


cdef bint fillable(const engine_t *e, const book_t *b, const taker_t *t) noexcept nogil:
    """Whether all of a taker could trade now. O(levels) without a group, else O(orders), up to the quantity wanted."""
    cdef const side_t *makers = &b.sides[t.side ^ 1]
    cdef uint64_t missing = t.open_lots
    cdef uint32_t level_slot = makers.best
    cdef const level_t *level
    cdef uint32_t slot
    while level_slot != NIL:
        level = &e.levels[level_slot]
        if level.key > t.limit_key:
            return False
        if t.group_tag == 0:
            if level.open_lots >= missing:
                return True
            missing -= level.open_lots
        else:
            slot = level.head
            while slot != NIL:
                if not same_group(e, t, slot):
                    if e.orders[slot].open_lots >= missing:
                        return True
                    missing -= e.orders[slot].open_lots
                elif b.stp != STP_CANCEL_OLDEST:
                    return False
                slot = e.orders[slot].next
        level_slot = level_from(e, makers, level.key + 1)
    return False
