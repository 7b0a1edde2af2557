# Commands that are not about one order: states, the clock, price bands, mass cancels.

cdef void special_note(book_t *b) noexcept nogil:
    """Say whether, and why, the book is more than plain: the short ways through apply() and match() are for plain books."""
    b.special = 0
    if b.state != STATE_TRADING:
        b.special |= SPECIAL_STATE
    if b.static_width != 0 or b.dynamic_width != 0:
        b.special |= SPECIAL_BANDS
    if b.more != NULL:
        b.special |= SPECIAL_PLACES
    if b.stp == STP_DECREMENT:
        b.special |= SPECIAL_DECREMENT


cdef void state_note(engine_t *e, book_t *b, uint64_t seq, uint8_t state) noexcept nogil:
    """Change the state, and nothing else."""
    cdef event_t *v = emit(e, b, EVENT_STATE_CHANGED, 0, 0, seq)
    v.quantity = state
    v.leaves = b.state
    b.state = state
    if in_call(b):
        b.call_pending = 1
    special_note(b)


cdef void join_closing(engine_t *e, book_t *b, uint64_t seq) noexcept nogil:
    """Orders for the close enter the book: the closing auction has begun."""
    cdef side_t *s
    cdef uint32_t slot
    cdef uint8_t side
    cdef event_t *v
    for side in range(2):
        s = side_at(b, index_of(PLACE_CLOSE, side))
        while s.best != NIL and not e.broken:
            slot = e.levels[s.best].head
            v = emit(e, b, EVENT_TRIGGERED, side, TRIGGER_CLOSE, seq)
            v.order_id = e.orders[slot].order_id
            v.price = level_price(index_at(e, slot), e.levels[s.best].key)
            v.quantity = open_of(e, slot)
            v.leaves = v.quantity
            place_move(e, b, slot, index_of(PLACE_BOOK, side), e.levels[s.best].key)


cdef void state_enter(engine_t *e, book_t *b, uint64_t seq, uint8_t state) noexcept nogil:
    """Change the state, with everything a change sets off but settle."""
    cdef uint8_t old = b.state
    state_note(e, b, seq, state)
    if b.more == NULL:
        return
    if old == STATE_TRADING and state != STATE_TRADING:
        pegs_lose_prices(e, b, seq)
    if state == STATE_CLOSING_AUCTION:
        join_closing(e, b, seq)
    if state == STATE_TRADING and b.last_price != 0:
        watch(e, b, b.last_price, b.last_price)


cdef void apply_bands(engine_t *e, book_t *b, const command_t *c) noexcept nogil:
    cdef event_t *v = emit(e, b, EVENT_BANDS_SET, 0, 0, c.seq)
    v.price = c.price
    v.quantity = c.quantity
    v.leaves = c.group
    b.static_ref = <uint64_t> c.price
    b.static_width = c.quantity
    b.dynamic_width = c.group
    special_note(b)


cdef bint ends_with_day(const engine_t *e, uint32_t slot) noexcept nogil:
    cdef uint8_t tif = e.orders[slot].tag_flags & ORDER_TIF
    return tif == TIF_DAY or tif == TIF_OPG or tif == TIF_CLS


cdef uint64_t sweep_place(engine_t *e, book_t *b, const command_t *c, uint32_t index, uint16_t reason) noexcept nogil:
    """Cancel the orders of one side of one place that a mass cancel, or the end of the day, is about. How many."""
    cdef side_t *s = side_at(b, index)
    cdef uint32_t level_slot = s.best
    cdef uint32_t next_level, slot, following
    cdef uint64_t count = 0
    cdef bint goes
    while level_slot != NIL:
        next_level = level_after(e, s, level_slot)
        slot = e.levels[level_slot].head
        while slot != NIL:
            following = e.orders[slot].next
            if reason == REASON_EXPIRED:
                goes = ends_with_day(e, slot)
            else:
                goes = c.flags & FLAG_ALL_OWNERS != 0 or e.cold[slot].owner == c.owner
                if c.flags & FLAG_ONE_SIDE and direction_of(e, slot) != c.side:
                    goes = False
            if goes:
                cancel_any(e, b, c.seq, slot, reason)
                count += 1
            slot = following
        level_slot = next_level
    return count


cdef uint64_t sweep(engine_t *e, book_t *b, const command_t *c, uint16_t reason) noexcept nogil:
    """All places, in their order. O(orders)."""
    cdef uint32_t index
    cdef uint64_t count = 0
    for index in range(PLACE_ARMED * 2 + 1 if b.more != NULL else 2):
        count += sweep_place(e, b, c, index, reason)
    return count


cdef void apply_mass_cancel(engine_t *e, book_t *b, const command_t *c) noexcept nogil:
    cdef uint64_t count = sweep(e, b, c, REASON_MASS_CANCEL)
    cdef event_t *v = emit(e, b, EVENT_MASS_CANCELED, c.side if c.flags & FLAG_ONE_SIDE else 0, 0, c.seq)
    v.counter_id = 0 if c.flags & FLAG_ALL_OWNERS else c.owner
    v.quantity = count


cdef uint64_t expire_timed(engine_t *e, book_t *b, const command_t *c) noexcept nogil:
    """Cancel orders whose time has come, in order of entry. O(1) until the first of them is due, then O(timed orders)."""
    cdef uint32_t slot, following
    cdef uint64_t count = 0
    cdef uint64_t earliest = 0
    if b.more == NULL or b.more.next_expiry == 0 or c.quantity < b.more.next_expiry:
        return 0
    slot = b.more.timed.first
    while slot != NIL:
        following = extra_at(e, slot).timed_next
        if extra_at(e, slot).expire_at <= c.quantity:
            cancel_any(e, b, c.seq, slot, REASON_EXPIRED)
            count += 1
        elif earliest == 0 or extra_at(e, slot).expire_at < earliest:
            earliest = extra_at(e, slot).expire_at
        slot = following
    b.more.next_expiry = earliest
    return count


cdef void apply_clock(engine_t *e, book_t *b, const command_t *c) noexcept nogil:
    cdef uint64_t count = expire_timed(e, b, c)
    cdef event_t *v
    b.clock = c.quantity
    if c.flags & FLAG_END_OF_DAY:
        count += sweep(e, b, c, REASON_EXPIRED)
    v = emit(e, b, EVENT_CLOCK_SET, 0, 0, c.seq)
    v.quantity = c.quantity
    v.leaves = count


cdef uint16_t apply_cancel_any(engine_t *e, book_t *b, const command_t *c) noexcept nogil:
    cdef uint32_t slot = NIL
    cdef uint16_t code = find_own(e, b, c, &slot)
    if code == 0:
        cancel_any(e, b, c.seq, slot, REASON_USER)
    return code


cdef uint16_t apply_any(engine_t *e, book_t *b, const command_t *c, const details_t *d) noexcept nogil:
    """A command that passed 1xx and 2xx, with every feature."""
    if c.op == OP_LIMIT or c.op == OP_MARKET:
        return apply_enter(e, b, c, d)
    if c.op == OP_REPLACE:
        return apply_replace_any(e, b, c, d)
    if c.op == OP_CANCEL:
        return apply_cancel_any(e, b, c)
    if c.op == OP_MASS_CANCEL:
        apply_mass_cancel(e, b, c)
    elif c.op == OP_SET_STATE:
        state_enter(e, b, c.seq, <uint8_t> c.quantity)
    elif c.op == OP_CLOCK:
        apply_clock(e, b, c)
    elif c.op == OP_UNCROSS:
        apply_uncross(e, b, c)
    else:
        apply_bands(e, b, c)
    return 0
