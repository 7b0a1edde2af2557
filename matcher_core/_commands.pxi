# Commands: the checks in their documented order (RejectCode), then the effect. reference/ says the same in Python.
# Every function returns 0 or a reject code; nothing has changed when it is a code.

cdef inline uint64_t limit_key_of(uint8_t taker_side, int64_t price) noexcept nogil:
    """The worst key of the other side that an order with this limit may trade at; price 0 is no limit.

    No limit is still below NO_KEY, so that an empty side, whose best key that is, never crosses."""
    return key_of(taker_side ^ 1, price) if likely(price != 0) else NO_KEY - 1


cdef inline bint crosses(const book_t *b, const taker_t *t) noexcept nogil:
    return b.sides[t.side ^ 1].best_key <= t.limit_key


cdef inline uint16_t reserve_place(engine_t *e, book_t *b, uint8_t side, uint64_t key) noexcept nogil:
    """A level for an order that may rest at this key, and the window over it if that is to be had."""
    if reserve_level(e) < 0:
        return REJECT_OUT_OF_MEMORY
    if unlikely(not in_window(&b.sides[side].window, key)):
        widen(e, &b.sides[side], key)
    return 0


cdef inline void acknowledge(engine_t *e, uint64_t acknowledgement, uint64_t leaves) noexcept nogil:
    """Complete an acknowledgement already written, unless it was lost for want of memory."""
    if likely(acknowledgement < e.event_count):
        e.events[acknowledgement].leaves = leaves


cdef inline void drop_rest(engine_t *e, book_t *b, const taker_t *t, int64_t price) noexcept nogil:
    """Say that what is left of a taker does not rest."""
    cdef uint16_t reason = REASON_SELF_TRADE if t.stopped else REASON_REMAINDER
    emit_canceled(e, b, t.seq, t.order_id, t.side, price, t.open_lots, reason)


cdef inline void taker_set_group(const book_t *b, taker_t *t, uint64_t group) noexcept nogil:
    t.group = group
    t.group_tag = tag_of_group(group) if b.stp != STP_OFF else 0
    t.stopped = 0


cdef inline uint16_t apply_new(engine_t *e, book_t *b, const command_t *c) noexcept nogil:
    cdef taker_t t
    cdef bint may_rest = c.tif == TIF_GTC or c.tif == TIF_DAY
    cdef uint64_t key = key_of(c.side, c.price)
    cdef uint64_t acknowledgement = e.event_count
    cdef uint16_t code
    cdef event_t *v
    if unlikely(id_find(e, b, c.order_id) != NIL):
        return REJECT_DUPLICATE_ORDER_ID
    t.order_id = c.order_id
    t.open_lots = c.quantity
    t.limit_key = limit_key_of(c.side, c.price)
    t.owner = c.owner
    t.seq = c.seq
    t.side = c.side
    t.tif = c.tif
    taker_set_group(b, &t, c.group if c.group != 0 else c.owner)
    if may_rest:
        if unlikely(b.live >= b.max_orders):
            return REJECT_BOOK_FULL
        if unlikely(c.quantity > UINT64_MAX - b.total_lots[c.side]):
            return REJECT_SIDE_QUANTITY_TOO_LARGE
        if unlikely(reserve_order(e) < 0 or id_prepare(e, c.order_id) < 0):
            return REJECT_OUT_OF_MEMORY
        code = reserve_place(e, b, c.side, key)
        if unlikely(code != 0):
            return code
    if c.flags & FLAG_POST_ONLY and crosses(b, &t):
        return REJECT_POST_ONLY_WOULD_TRADE
    if c.tif == TIF_FOK and not fillable(e, b, &t):
        return REJECT_FOK_NOT_FILLABLE
    v = emit(e, b, EVENT_ACCEPTED, c.side, 0, c.seq)
    v.order_id = c.order_id
    v.price = c.price
    v.quantity = c.quantity
    b.accepted += 1
    match(e, b, &t)
    if unlikely(t.open_lots == 0):
        return 0
    if may_rest and likely(not t.stopped):
        order_link(e, b, order_new(e, b, &t), (b.index << 4) | t.side, key)
        acknowledge(e, acknowledgement, t.open_lots)
    else:
        drop_rest(e, b, &t, c.price)
    return 0


cdef inline uint16_t find_own(const engine_t *e, const book_t *b, const command_t *c, uint32_t *slot) noexcept nogil:
    """The live order a command names, if it is its owner's."""
    slot[0] = id_find(e, b, c.order_id)
    if slot[0] == NIL:
        return REJECT_UNKNOWN_ORDER
    return 0 if likely(e.cold[slot[0]].owner == c.owner) else REJECT_NOT_OWNER


cdef inline uint16_t apply_cancel(engine_t *e, book_t *b, const command_t *c) noexcept nogil:
    cdef uint32_t slot = NIL
    cdef uint16_t code = find_own(e, b, c, &slot)
    if code == 0:
        cancel_resting(e, b, c.seq, slot, REASON_USER)
    return code


cdef inline uint16_t apply_replace(engine_t *e, book_t *b, const command_t *c) noexcept nogil:
    cdef taker_t t
    cdef uint32_t slot = NIL
    cdef uint16_t code = find_own(e, b, c, &slot)
    cdef uint64_t key, open_lots
    cdef uint64_t acknowledgement = e.event_count
    cdef const level_t *level
    cdef event_t *v
    cdef bint keeps
    if code != 0:
        return code
    level = &e.levels[e.orders[slot].level]
    t.side = side_of(level)
    open_lots = e.orders[slot].open_lots
    if c.quantity > UINT64_MAX - (b.total_lots[t.side] - open_lots):
        return REJECT_SIDE_QUANTITY_TOO_LARGE
    key = key_of(t.side, c.price)
    t.order_id = c.order_id
    t.open_lots = c.quantity
    t.limit_key = limit_key_of(t.side, c.price)
    t.seq = c.seq
    taker_set_group(b, &t, e.cold[slot].group)
    keeps = key == level.key and c.quantity <= open_lots
    if not keeps:
        code = reserve_place(e, b, t.side, key)
        if code != 0:
            return code
    if c.flags & FLAG_POST_ONLY and crosses(b, &t):
        return REJECT_POST_ONLY_WOULD_TRADE
    v = emit(e, b, EVENT_REPLACED, t.side, keeps, c.seq)
    v.order_id = c.order_id
    v.price = c.price
    v.quantity = c.quantity
    if keeps:
        v.leaves = c.quantity
        order_reduce(e, b, slot, open_lots - c.quantity)
        return 0
    order_unlink(e, b, slot)                    # it keeps its slot and its id: nothing looks for them while it matches
    match(e, b, &t)
    if t.open_lots != 0 and not t.stopped:
        e.orders[slot].open_lots = t.open_lots
        order_link(e, b, slot, (b.index << 4) | t.side, key)
        acknowledge(e, acknowledgement, t.open_lots)
        return 0
    order_free(e, b, slot)
    if t.open_lots != 0:
        drop_rest(e, b, &t, c.price)
    return 0


cdef uint16_t apply_checked(engine_t *e, book_t *b, const command_t *c, const details_t *d, uint8_t found) noexcept nogil:
    """Any command, every check in its order; what is plain in a plain book then takes the plain way."""
    cdef uint16_t code = refuse_form(b, c, d, found)
    if code == 0:
        code = refuse_now(b, c, d)
    if code != 0:
        return code
    if b.special == 0 and c.op <= OP_REPLACE and c.flags & ~FLAG_POST_ONLY == 0 and c.tif <= TIF_DAY:
        if c.op == OP_REPLACE:
            return apply_replace(e, b, c)
        return apply_cancel(e, b, c) if c.op == OP_CANCEL else apply_new(e, b, c)
    return apply_any(e, b, c, d)


cdef inline void apply(
    engine_t *e, book_t *b, const command_t *c, const details_t *d, uint8_t found
) noexcept nogil:
    """One command: its events, or one rejection and no effect.

    A well-formed plain limit order, cancel or replace in a plain book is seen by one test each; all else, and all that a check
    might refuse, takes the way where the checks stand in their documented order.
    """
    cdef uint32_t head = 0
    cdef bint fit = (c.reserved == 0) & (c.order_id != 0) & (b.special == 0) & (c.symbol == b.symbol)
    cdef uint16_t code
    memcpy(&head, c, sizeof(head))              # op, side, tif, flags from the lowest byte up
    if head & 0xFFFFFEFFU == OP_LIMIT and likely(fit & (c.price > 0) & (c.quantity != 0)):
        code = apply_new(e, b, c)
    elif head & 0xFF0000FFU == OP_CANCEL and likely(fit):
        code = apply_cancel(e, b, c)
    elif head & 0xFF0000FFU == OP_REPLACE and likely(fit & (c.price > 0) & (c.quantity != 0)):
        code = apply_replace(e, b, c)
    else:
        code = apply_checked(e, b, c, d, found)
    if unlikely(code != 0):
        emit_rejected(e, b, c, code)
    if unlikely(b.more != NULL):
        settle(e, b, c.seq)
