# Matching. These loops allocate nothing, touch no Python object and run without the GIL; room for the events of a command
# was reserved before it began. A taker costs O(1) per order it meets, plus O(1) per price it empties inside the window.

cdef inline event_t *emit(book_t *b, uint8_t kind, uint8_t side, uint16_t code, uint64_t seq) noexcept nogil:
    """The next event, its common fields filled and the rest zero."""
    cdef event_t *e = &b.events[b.event_count]
    expect(b.event_count < b.event_capacity)
    b.event_count += 1
    e.type = kind
    e.side = side
    e.code = code
    e.symbol = b.symbol
    e.seq = seq
    e.order_id = 0
    e.counter_id = 0
    e.price = 0
    e.quantity = 0
    e.leaves = 0
    e.counter_leaves = 0
    return e


cdef inline void emit_canceled(
    book_t *b, uint64_t seq, uint64_t order_id, uint8_t side, int64_t price, uint64_t lots, uint16_t reason
) noexcept nogil:
    cdef event_t *e = emit(b, EVENT_CANCELED, side, reason, seq)
    e.order_id = order_id
    e.price = price
    e.quantity = lots


cdef inline void cancel_resting(book_t *b, uint64_t seq, uint32_t slot, uint16_t reason) noexcept nogil:
    cdef order_t *order = &b.orders[slot]
    cdef level_t *level = &b.levels[order.level]
    cdef uint8_t side = <uint8_t> level.side
    emit_canceled(b, seq, order.order_id, side, price_of(side, level.key), order.open_lots, reason)
    order_remove(b, slot)


cdef inline bint same_group(const book_t *b, const taker_t *t, uint32_t slot) noexcept nogil:
    """Whether self-trade prevention stands between a taker and a resting order."""
    return t.group_tag != 0 and b.orders[slot].group_tag == t.group_tag and b.cold[slot].group == t.group


cdef inline void trade(book_t *b, taker_t *t, const level_t *level, uint32_t slot) noexcept nogil:
    """Trade a taker with the first order of the best level."""
    cdef order_t *maker = &b.orders[slot]
    cdef uint64_t lots = maker.open_lots if maker.open_lots < t.open_lots else t.open_lots
    cdef event_t *e = emit(b, EVENT_TRADE, t.side, 0, t.seq)
    t.open_lots -= lots
    e.order_id = t.order_id
    e.counter_id = maker.order_id
    e.price = price_of(<uint8_t> level.side, level.key)
    e.quantity = lots
    e.leaves = t.open_lots
    e.counter_leaves = maker.open_lots - lots
    if lots == maker.open_lots:
        order_remove(b, slot)
    else:
        order_reduce(b, slot, lots)


cdef void match(book_t *b, taker_t *t) noexcept nogil:
    """Trade in priority order until the taker is done, the prices part, or its own group is met."""
    cdef side_t *makers = &b.sides[1 - t.side]
    cdef const level_t *level
    cdef uint32_t slot
    while t.open_lots != 0 and makers.best != NIL:
        level = &b.levels[makers.best]
        if level.key > t.limit_key:
            return
        slot = level.head
        if not same_group(b, t, slot):
            trade(b, t, level, slot)
            continue
        if b.stp != STP_CANCEL_NEWEST:
            cancel_resting(b, t.seq, slot, REASON_SELF_TRADE)
        if b.stp != STP_CANCEL_OLDEST:
            t.stopped = 1
            return


cdef bint fillable(const book_t *b, const taker_t *t) noexcept nogil:
    """Whether all of a taker could trade now. O(levels) without a group, else O(orders), up to the quantity wanted."""
    cdef const side_t *makers = &b.sides[1 - t.side]
    cdef uint64_t missing = t.open_lots
    cdef uint32_t level_slot = makers.best
    cdef const level_t *level
    cdef uint32_t slot
    while level_slot != NIL:
        level = &b.levels[level_slot]
        if level.key > t.limit_key:
            return False
        if t.group_tag == 0:
            if level.open_lots >= missing:
                return True
            missing -= level.open_lots
        else:
            slot = level.head
            while slot != NIL:
                if not same_group(b, t, slot):
                    if b.orders[slot].open_lots >= missing:
                        return True
                    missing -= b.orders[slot].open_lots
                elif b.stp != STP_CANCEL_OLDEST:
                    return False
                slot = b.orders[slot].next
        level_slot = level_from(b, makers, level.key + 1)
    return False
