# Commands: the checks in their documented order (RejectCode), then the effect. reference.py says the same in Python.
# Every function returns 0 or a reject code; nothing has changed when it is a code.

cdef inline uint16_t refuse_malformed(const book_t *b, const command_t *c) noexcept nogil:
    """1xx"""
    cdef bint enters = c.op == OP_LIMIT or c.op == OP_MARKET
    if c.op < OP_LIMIT or c.op > OP_SET_STATE:
        return REJECT_UNKNOWN_OP
    if c.symbol != b.symbol:
        return REJECT_WRONG_SYMBOL
    if c.reserved != 0:
        return REJECT_RESERVED_NOT_ZERO
    if enters and c.side > SELL:
        return REJECT_BAD_SIDE
    if enters and (c.tif > TIF_FOK or (c.op == OP_MARKET and c.tif == TIF_GTC)):
        return REJECT_BAD_TIME_IN_FORCE
    if c.flags != 0:
        if c.flags != FLAG_POST_ONLY or (c.op != OP_LIMIT and c.op != OP_REPLACE):
            return REJECT_BAD_FLAGS
        if c.op == OP_LIMIT and c.tif != TIF_GTC:
            return REJECT_BAD_FLAGS
    if c.op <= OP_REPLACE and c.order_id == 0:
        return REJECT_BAD_ORDER_ID
    if c.price <= 0 and (c.op == OP_LIMIT or c.op == OP_REPLACE or (c.op == OP_MARKET and c.price < 0)):
        return REJECT_BAD_PRICE
    if c.quantity == 0 and (enters or c.op == OP_REPLACE):
        return REJECT_BAD_QUANTITY
    if c.op == OP_SET_STATE and (c.quantity < STATE_TRADING or c.quantity > STATE_HALTED):
        return REJECT_BAD_STATE
    return 0


cdef inline uint16_t refuse_state(const book_t *b, const command_t *c) noexcept nogil:
    """2xx"""
    if b.state == STATE_TRADING or c.op == OP_SET_STATE:
        return 0
    if b.state == STATE_HALTED:
        return REJECT_HALTED
    return 0 if c.op == OP_CANCEL or c.op == OP_MASS_CANCEL else REJECT_CANCEL_ONLY


cdef inline uint64_t limit_key_of(uint8_t taker_side, int64_t price) noexcept nogil:
    """The worst key of the other side that an order with this limit may trade at; price 0 is no limit."""
    return key_of(1 - taker_side, price) if price != 0 else UINT64_MAX


cdef inline bint crosses(const book_t *b, const taker_t *t) noexcept nogil:
    cdef uint32_t best = b.sides[1 - t.side].best
    return best != NIL and b.levels[best].key <= t.limit_key


cdef inline uint16_t reserve(book_t *b, const taker_t *t, bint may_rest, uint64_t key, uint64_t room) noexcept nogil:
    """All memory an incoming order may need. `room` is what the rest of the batch still needs for events."""
    if crosses(b, t) and reserve_events(b, room + b.sides[1 - t.side].orders) < 0:
        return REJECT_OUT_OF_MEMORY
    if may_rest:
        if reserve_slots(b) < 0:
            return REJECT_OUT_OF_MEMORY
        if not in_window(&b.sides[t.side].window, key):
            widen(b, &b.sides[t.side], key)
    return 0


cdef inline void enter(
    book_t *b, taker_t *t, uint64_t acknowledgement, bint may_rest, int64_t price
) noexcept nogil:
    """Match, then rest or drop what is left, and complete the acknowledgement already written."""
    match(b, t)
    if t.open_lots == 0:
        return
    if may_rest and not t.stopped:
        order_rest(b, t, key_of(t.side, price))
        b.events[acknowledgement].leaves = t.open_lots
        return
    emit_canceled(
        b, t.seq, t.order_id, t.side, price, t.open_lots, REASON_SELF_TRADE if t.stopped else REASON_REMAINDER
    )


cdef inline void taker_set_group(const book_t *b, taker_t *t, uint64_t group) noexcept nogil:
    t.group = group
    t.group_tag = tag_of_group(group) if b.stp != STP_OFF else 0
    t.stopped = 0


cdef inline uint16_t apply_new(book_t *b, const command_t *c, uint64_t room) noexcept nogil:
    cdef taker_t t
    cdef bint may_rest = c.tif == TIF_GTC
    cdef uint64_t key = key_of(c.side, c.price)
    cdef uint16_t code
    cdef event_t *e
    if idmap_find(b, c.order_id) != NIL:
        return REJECT_DUPLICATE_ORDER_ID
    if may_rest and b.live >= b.max_orders:
        return REJECT_BOOK_FULL
    if may_rest and c.quantity > UINT64_MAX - b.sides[c.side].open_lots:
        return REJECT_SIDE_QUANTITY_TOO_LARGE
    t.order_id = c.order_id
    t.open_lots = c.quantity
    t.limit_key = limit_key_of(c.side, c.price)
    t.owner = c.owner
    t.seq = c.seq
    t.side = c.side
    taker_set_group(b, &t, c.group if c.group != 0 else c.owner)
    code = reserve(b, &t, may_rest, key, room)
    if code != 0:
        return code
    if c.flags & FLAG_POST_ONLY and crosses(b, &t):
        return REJECT_POST_ONLY_WOULD_TRADE
    if c.tif == TIF_FOK and not fillable(b, &t):
        return REJECT_FOK_NOT_FILLABLE
    e = emit(b, EVENT_ACCEPTED, c.side, 0, c.seq)
    e.order_id = c.order_id
    e.price = c.price
    e.quantity = c.quantity
    enter(b, &t, b.event_count - 1, may_rest, c.price)
    return 0


cdef inline uint16_t find_own(const book_t *b, const command_t *c, uint32_t *slot) noexcept nogil:
    """The live order a command names, if it is its owner's."""
    slot[0] = idmap_find(b, c.order_id)
    if slot[0] == NIL:
        return REJECT_UNKNOWN_ORDER
    return 0 if b.cold[slot[0]].owner == c.owner else REJECT_NOT_OWNER


cdef inline uint16_t apply_cancel(book_t *b, const command_t *c) noexcept nogil:
    cdef uint32_t slot = NIL
    cdef uint16_t code = find_own(b, c, &slot)
    if code == 0:
        cancel_resting(b, c.seq, slot, REASON_USER)
    return code


cdef inline uint16_t apply_replace(book_t *b, const command_t *c, uint64_t room) noexcept nogil:
    cdef taker_t t
    cdef uint32_t slot = NIL
    cdef uint16_t code = find_own(b, c, &slot)
    cdef uint64_t key, open_lots
    cdef event_t *e
    cdef bint keeps
    if code != 0:
        return code
    t.side = <uint8_t> b.levels[b.orders[slot].level].side
    open_lots = b.orders[slot].open_lots
    if c.quantity > UINT64_MAX - (b.sides[t.side].open_lots - open_lots):
        return REJECT_SIDE_QUANTITY_TOO_LARGE
    key = key_of(t.side, c.price)
    t.order_id = c.order_id
    t.open_lots = c.quantity
    t.limit_key = limit_key_of(t.side, c.price)
    t.owner = c.owner
    t.seq = c.seq
    taker_set_group(b, &t, b.cold[slot].group)
    keeps = key == b.levels[b.orders[slot].level].key and c.quantity <= open_lots
    if not keeps:
        code = reserve(b, &t, True, key, room)
        if code != 0:
            return code
    if c.flags & FLAG_POST_ONLY and crosses(b, &t):
        return REJECT_POST_ONLY_WOULD_TRADE
    e = emit(b, EVENT_REPLACED, t.side, keeps, c.seq)
    e.order_id = c.order_id
    e.price = c.price
    e.quantity = c.quantity
    if keeps:
        e.leaves = c.quantity
        order_reduce(b, slot, open_lots - c.quantity)
        return 0
    order_remove(b, slot)
    enter(b, &t, b.event_count - 1, True, c.price)
    return 0


cdef uint16_t apply_mass_cancel(book_t *b, const command_t *c, uint64_t room) noexcept nogil:
    """Every order of one owner, in priority order, bids first. O(resting orders)."""
    cdef uint32_t level_slot, slot, following
    cdef int side
    cdef uint64_t key
    cdef uint64_t count = 0
    cdef event_t *e
    if reserve_events(b, room + b.live) < 0:
        return REJECT_OUT_OF_MEMORY
    for side in range(2):
        level_slot = b.sides[side].best
        while level_slot != NIL:
            key = b.levels[level_slot].key
            slot = b.levels[level_slot].head
            while slot != NIL:
                following = b.orders[slot].next
                if b.cold[slot].owner == c.owner:
                    cancel_resting(b, c.seq, slot, REASON_MASS_CANCEL)
                    count += 1
                slot = following
            level_slot = level_from(b, &b.sides[side], key + 1)
    e = emit(b, EVENT_MASS_CANCELED, 0, 0, c.seq)
    e.counter_id = c.owner
    e.quantity = count
    return 0


cdef uint16_t apply_state(book_t *b, const command_t *c) noexcept nogil:
    cdef event_t *e = emit(b, EVENT_STATE_CHANGED, 0, 0, c.seq)
    e.quantity = c.quantity
    e.leaves = b.state
    b.state = <uint8_t> c.quantity
    return 0


cdef void apply(book_t *b, const command_t *c, uint64_t room) noexcept nogil:
    """One command: its events, or one rejection and no effect."""
    cdef uint16_t code = refuse_malformed(b, c)
    cdef event_t *e
    if code == 0:
        code = refuse_state(b, c)
    if code == 0:
        if c.op == OP_LIMIT or c.op == OP_MARKET:
            code = apply_new(b, c, room)
        elif c.op == OP_CANCEL:
            code = apply_cancel(b, c)
        elif c.op == OP_REPLACE:
            code = apply_replace(b, c, room)
        elif c.op == OP_MASS_CANCEL:
            code = apply_mass_cancel(b, c, room)
        else:
            code = apply_state(b, c)
    if code != 0:
        e = emit(b, EVENT_REJECTED, 0, code, c.seq)
        e.order_id = c.order_id


cdef inline void prefetch_ahead(const book_t *b, const uint8_t *commands, uint64_t i, uint64_t count) noexcept nogil:
    """Bring the memory of coming commands closer, one step of the chain id -> order -> level at a time.

    Hints only: what is read here may be stale when the command runs, so it serves as an address and nothing else. An id
    entry found means an old order, none a new one. Steps for neighbours in the queue were tried and gained nothing.
    """
    cdef command_t c
    cdef uint64_t entry, place
    cdef const window_t *w
    prefetch(commands + (i + PREFETCH_COMMANDS) * sizeof(command_t))
    if i + PREFETCH_IDS < count:
        memcpy(&c, commands + (i + PREFETCH_IDS) * sizeof(command_t), sizeof(command_t))
        prefetch(&b.ids.entries[id_tag(c.order_id) >> b.ids.shift])
    if i + PREFETCH_ORDERS < count:
        memcpy(&c, commands + (i + PREFETCH_ORDERS) * sizeof(command_t), sizeof(command_t))
        entry = b.ids.entries[id_tag(c.order_id) >> b.ids.shift]
        w = &b.sides[c.side & 1].window
        place = key_of(c.side & 1, c.price) - w.base
        if entry != 0:
            prefetch(&b.orders[<uint32_t> entry - 1])
            prefetch(&b.cold[<uint32_t> entry - 1])
        elif place < w.width:
            prefetch(&w.bits0[place >> 6])
            prefetch(&w.ladder[place])
    if i + PREFETCH_LEVELS < count:
        memcpy(&c, commands + (i + PREFETCH_LEVELS) * sizeof(command_t), sizeof(command_t))
        entry = b.ids.entries[id_tag(c.order_id) >> b.ids.shift]
        w = &b.sides[c.side & 1].window
        place = key_of(c.side & 1, c.price) - w.base
        if entry != 0:
            prefetch(&b.levels[b.orders[<uint32_t> entry - 1].level])
        elif place < w.width:
            prefetch(&b.levels[w.ladder[place]])


cdef void run(book_t *b, const uint8_t *commands, uint64_t count) noexcept nogil:
    """Apply packed commands in order. EVENTS_PER_COMMAND events for each must have been reserved.

    Each record is copied before it is checked, so a caller that changes its buffer meanwhile cannot slip past a check.
    """
    cdef command_t c
    cdef uint64_t i
    for i in range(count):
        if b.live > PREFETCH_FROM:
            prefetch_ahead(b, commands, i, count)
        memcpy(&c, commands + i * sizeof(command_t), sizeof(command_t))
        apply(b, &c, EVENTS_PER_COMMAND * (count - i))
