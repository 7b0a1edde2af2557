# Entering and replacing orders that are more than a plain limit or market order in continuous trading. The same rules as
# apply_new and apply_replace, with every feature; see reference/.

cdef inline bint in_call(const book_t *b) noexcept nogil:
    return b.state >= STATE_OPENING_AUCTION


cdef void taker_from(engine_t *e, book_t *b, taker_t *t, uint32_t slot, uint8_t side, int64_t price, uint64_t seq) noexcept nogil:
    """An order that stands nowhere, on its way in again with everything that is open of it."""
    t.order_id = e.orders[slot].order_id
    t.open_lots = open_of(e, slot)
    t.limit_key = limit_key_of(side, price)
    t.owner = e.cold[slot].owner
    t.seq = seq
    t.side = side
    t.tif = e.orders[slot].tag_flags & ORDER_TIF
    t.banded = 0
    taker_set_group(b, t, e.cold[slot].group)


cdef bint would_trade(const engine_t *e, book_t *b, uint8_t side, int64_t price) noexcept nogil:
    cdef uint32_t best = best_maker(e, b, 1 - side)
    return best != NIL and e.levels[best].key <= limit_key_of(side, price)


cdef uint16_t keep_passive(const engine_t *e, book_t *b, uint8_t side, uint8_t flags, int64_t *price) noexcept nogil:
    """501: refuse a post-only order that would trade, or slide it to one tick short of trading."""
    cdef uint64_t limit
    if not flags & FLAG_POST_ONLY or not would_trade(e, b, side, price[0]):
        return 0
    limit = <uint64_t> price_of(1 - side, e.levels[best_maker(e, b, 1 - side)].key)
    if not flags & FLAG_SLIDE or (limit <= 1 if side == BUY else limit == <uint64_t> INT64_MAX):
        return REJECT_POST_ONLY_WOULD_TRADE
    price[0] = <int64_t> (limit - 1 if side == BUY else limit + 1)
    return 0


cdef uint64_t level_tradable(engine_t *e, book_t *b, const taker_t *t, uint32_t level_slot, bint *blocked) noexcept nogil:
    """What a taker could trade at one level. An iceberg's reserve is behind every order shown there."""
    cdef uint32_t slot = e.levels[level_slot].head
    cdef uint64_t shown = 0
    cdef uint64_t reserve = 0
    while slot != NIL:
        if not same_group(e, t, slot):
            shown += e.orders[slot].open_lots
            reserve += reserve_of(e, slot)
        elif b.stp != STP_CANCEL_OLDEST:
            blocked[0] = True
            return shown
        slot = e.orders[slot].next
    return shown + reserve


cdef uint64_t tradable(engine_t *e, book_t *b, const taker_t *t) noexcept nogil:
    """How much of an order could trade now, no more than it wants. O(orders met)."""
    cdef uint8_t side = 1 - t.side
    cdef side_t *hidden = side_at(b, index_of(PLACE_HIDDEN, side)) if b.more != NULL else NULL
    cdef uint32_t shown_level, hidden_level
    cdef uint64_t total = 0
    cdef uint64_t key = 0
    cdef bint blocked = False
    while total < t.open_lots and not blocked:
        shown_level = level_from(e, &b.sides[side], key)
        hidden_level = level_from(e, hidden, key) if hidden != NULL else NIL
        if shown_level == NIL and hidden_level == NIL:
            break
        key = min(
            e.levels[shown_level].key if shown_level != NIL else UINT64_MAX,
            e.levels[hidden_level].key if hidden_level != NIL else UINT64_MAX,
        )
        if key > t.limit_key or key > t.cap_key or key < t.floor_key:
            break
        if shown_level != NIL and e.levels[shown_level].key == key:
            total += level_tradable(e, b, t, shown_level, &blocked)
        if not blocked and hidden_level != NIL and e.levels[hidden_level].key == key:
            total += level_tradable(e, b, t, hidden_level, &blocked)
        key += 1
    return min(total, t.open_lots)


cdef void taker_new(const book_t *b, taker_t *t, const command_t *c, int64_t price) noexcept nogil:
    """A new order on its way in."""
    t.order_id = c.order_id
    t.open_lots = c.quantity
    t.limit_key = limit_key_of(c.side, price)
    t.owner = c.owner
    t.seq = c.seq
    t.side = c.side
    t.tif = c.tif
    t.banded = 0
    taker_set_group(b, t, c.group if c.group != 0 else c.owner)


cdef uint32_t slot_special(engine_t *e, book_t *b, const taker_t *t, const command_t *c, const details_t *d) noexcept nogil:
    """A slot for an order that stands nowhere yet, with its extra_t when it needs one. Both must have been reserved."""
    cdef uint32_t slot = order_new(e, b, t)
    cdef extra_t *x
    if not (is_stop(d) or d.peg or d.display_quantity or d.expire_at):
        return slot
    x = extra_new(e, slot)
    x.side = c.side
    x.op = c.op if is_stop(d) else OP_LIMIT
    x.limit = c.price
    x.trail_offset = d.trail_offset
    x.display = d.display_quantity
    x.expire_at = d.expire_at
    x.peg = d.peg
    x.peg_offset = d.peg_offset
    x.stamp = b.next_stamp
    b.next_stamp += 1
    if x.peg:
        peg_enlist(e, b, slot)
    if x.expire_at:
        timed_enlist(e, b, slot)
    return slot


cdef uint64_t emit_accepted(engine_t *e, book_t *b, const command_t *c, int64_t price, uint64_t waiting) noexcept nogil:
    """Number of the acknowledgement just written."""
    cdef event_t *v = emit(e, b, EVENT_ACCEPTED, c.side, 0, c.seq)
    v.order_id = c.order_id
    v.price = price
    v.quantity = c.quantity
    v.leaves = waiting
    b.accepted += 1
    return e.event_count - 1


cdef void enter_waiting(engine_t *e, book_t *b, const command_t *c, const details_t *d) noexcept nogil:
    """Enter an order that does not trade at once: a stop, a peg, one for the close, or any order of a call."""
    cdef uint64_t key = key_of(c.side, c.price) if c.op == OP_LIMIT else MARKET_KEY
    cdef uint32_t slot
    cdef taker_t t
    taker_new(b, &t, c, c.price)
    slot = slot_special(e, b, &t, c, d)
    emit_accepted(e, b, c, c.price, c.quantity)
    if d.trail_offset != 0:
        trailing_wait(e, b, slot)
    elif d.stop_price != 0:
        stop_wait(e, b, slot, d.stop_price)
    elif d.peg:
        place_link(e, b, slot, index_of(PLACE_PEG, c.side), 0)
        b.more.peg_new = 1
    elif c.tif == TIF_CLS and b.state != STATE_CLOSING_AUCTION:
        place_link(e, b, slot, index_of(PLACE_CLOSE, c.side), key)
    else:
        order_show(e, slot, c.quantity)
        place_link(e, b, slot, index_of(PLACE_HIDDEN if c.flags & FLAG_HIDDEN else PLACE_BOOK, c.side), key)


cdef uint16_t enter_trading(engine_t *e, book_t *b, const command_t *c, const details_t *d) noexcept nogil:
    """Enter an order that may trade at once. 5xx or 0."""
    cdef bint may_rest = c.tif != TIF_IOC and c.tif != TIF_FOK
    cdef uint8_t place = PLACE_HIDDEN if c.flags & FLAG_HIDDEN else PLACE_BOOK
    cdef int64_t price = c.price
    cdef uint64_t acknowledgement
    cdef uint32_t slot
    cdef taker_t t
    cdef uint16_t code = keep_passive(e, b, c.side, c.flags, &price)
    if code != 0:
        return code
    taker_new(b, &t, c, price)
    taker_banded(b, &t)
    if c.tif == TIF_FOK and tradable(e, b, &t) < c.quantity:
        return REJECT_FOK_NOT_FILLABLE
    if d.min_quantity != 0 and tradable(e, b, &t) < d.min_quantity:
        return REJECT_MIN_QUANTITY_NOT_MET
    acknowledgement = emit_accepted(e, b, c, price, 0)
    take(e, b, &t)
    if t.open_lots != 0 and may_rest and not t.stopped:
        slot = slot_special(e, b, &t, c, d)
        come_to_rest(e, b, slot, &t, acknowledgement, True, index_of(place, c.side), price)
        return 0
    if t.open_lots != 0:
        emit_canceled(e, b, c.seq, c.order_id, c.side, price, t.open_lots, remainder_reason(&t))
    if t.banded:
        pegs_lose_prices(e, b, c.seq)
    return 0


cdef inline uint16_t remainder_reason(const taker_t *t) noexcept nogil:
    if t.stopped:
        return REASON_SELF_TRADE
    return REASON_PRICE_BAND if t.banded else REASON_REMAINDER


cdef void come_to_rest(
    engine_t *e, book_t *b, uint32_t slot, const taker_t *t, uint64_t acknowledgement, bint may_rest, uint32_t index,
    int64_t price
) noexcept nogil:
    """Rest or drop what matching left of an order that has a slot, and complete its acknowledgement."""
    if t.open_lots != 0 and may_rest and not t.stopped:
        order_show(e, slot, t.open_lots)
        place_link(e, b, slot, index, key_of(t.side, price))
        acknowledge(e, acknowledgement, t.open_lots)
    else:
        if t.open_lots != 0:
            emit_canceled(e, b, t.seq, t.order_id, t.side, price, t.open_lots, remainder_reason(t))
        drop(e, b, slot)
    if t.banded:
        pegs_lose_prices(e, b, t.seq)


cdef int reserve_special(engine_t *e, book_t *b, uint64_t order_id) noexcept nogil:
    """Memory for one more order of any kind. -1 without."""
    if reserve_order(e) < 0 or id_prepare(e, order_id) < 0 or reserve_level(e) < 0 or more_new(b) < 0:
        return -1
    return reserve_extra(e)


cdef uint16_t apply_enter(engine_t *e, book_t *b, const command_t *c, const details_t *d) noexcept nogil:
    """3xx to 5xx and the effects of a new order of any kind."""
    cdef bint may_rest = c.tif != TIF_IOC and c.tif != TIF_FOK
    if id_find(e, b, c.order_id) != NIL:
        return REJECT_DUPLICATE_ORDER_ID
    if may_rest and b.live >= b.max_orders:
        return REJECT_BOOK_FULL
    if may_rest and c.quantity > UINT64_MAX - b.total_lots[c.side]:
        return REJECT_SIDE_QUANTITY_TOO_LARGE
    if may_rest and reserve_special(e, b, c.order_id) < 0:
        return REJECT_OUT_OF_MEMORY
    if is_stop(d) or d.peg or c.tif == TIF_CLS or in_call(b):
        enter_waiting(e, b, c, d)
        return 0
    return enter_trading(e, b, c, d)


# ---- replace ----

cdef uint16_t refuse_replace(engine_t *e, book_t *b, const command_t *c, const details_t *d, uint32_t slot) noexcept nogil:
    """504 and 505"""
    cdef uint32_t index = index_at(e, slot)
    cdef uint8_t place = place_of(index)
    cdef uint64_t key = e.levels[e.orders[slot].level].key
    if place == PLACE_ARMED or place == PLACE_TRAILING or (d.stop_price != 0 and place != PLACE_STOP):
        return REJECT_NOT_REPLACEABLE
    if place == PLACE_STOP and extra_at(e, slot).op == OP_MARKET:
        return REJECT_NOT_REPLACEABLE
    if (place == PLACE_BOOK or place == PLACE_CLOSE) and key == MARKET_KEY:
        return REJECT_NOT_REPLACEABLE
    if has_extra(e, slot) and extra_at(e, slot).display != 0 and shows_too_little(c.quantity, extra_at(e, slot).display):
        return REJECT_DISPLAY_TOO_SMALL
    return 0


cdef uint64_t emit_replaced(engine_t *e, book_t *b, const command_t *c, uint8_t side, int64_t price, bint kept, uint64_t waiting) noexcept nogil:
    cdef event_t *v = emit(e, b, EVENT_REPLACED, side, kept, c.seq)
    v.order_id = c.order_id
    v.price = price
    v.quantity = c.quantity
    v.leaves = waiting
    return e.event_count - 1


cdef void replace_waiting(engine_t *e, book_t *b, const command_t *c, const details_t *d, uint32_t slot) noexcept nogil:
    """Replace an order that does not trade on entering: it waits elsewhere, follows a peg, or the book is in a call."""
    cdef uint32_t index = index_at(e, slot)
    cdef uint8_t side = direction_of(e, slot)
    cdef bint special = has_extra(e, slot)
    cdef bint stop = place_of(index) == PLACE_STOP
    cdef bint peg = special and extra_at(e, slot).peg != PEG_NONE
    cdef uint64_t open_lots = open_of(e, slot)
    cdef uint64_t key = e.levels[e.orders[slot].level].key
    cdef int64_t stop_price = level_price(index, key) if stop else 0
    cdef bint keeps
    if stop or peg:
        keeps = c.price == extra_at(e, slot).limit and (d.stop_price == 0 or d.stop_price == stop_price)
    else:
        keeps = key_of(side, c.price) == key
    keeps = keeps and c.quantity <= open_lots
    emit_replaced(e, b, c, side, c.price, keeps, c.quantity)
    if keeps:
        if c.quantity < open_lots:
            order_shrink(e, b, slot, open_lots - c.quantity)
        return
    place_unlink(e, b, slot)
    order_show(e, slot, c.quantity)
    if special:
        restamp(e, b, slot)
    if stop:
        extra_at(e, slot).limit = c.price
        stop_wait(e, b, slot, d.stop_price if d.stop_price != 0 else stop_price)
    elif peg:
        extra_at(e, slot).limit = c.price
        place_link(e, b, slot, index_of(PLACE_PEG, side), 0)
        b.more.peg_new = 1
    else:
        place_link(e, b, slot, index, key_of(side, c.price))


cdef uint16_t replace_trading(engine_t *e, book_t *b, const command_t *c, uint32_t slot) noexcept nogil:
    """Replace an order that rests in the book while it trades. 501 or 0."""
    cdef uint32_t index = index_at(e, slot)
    cdef uint8_t side = <uint8_t> (index & 1)
    cdef uint64_t open_lots = open_of(e, slot)
    cdef int64_t price = c.price
    cdef uint64_t acknowledgement
    cdef taker_t t
    cdef uint16_t code = keep_passive(e, b, side, c.flags, &price)
    if code != 0:
        return code
    if key_of(side, price) == e.levels[e.orders[slot].level].key and c.quantity <= open_lots:
        emit_replaced(e, b, c, side, price, True, c.quantity)
        if c.quantity < open_lots:
            order_shrink(e, b, slot, open_lots - c.quantity)
        return 0
    place_unlink(e, b, slot)
    order_show(e, slot, c.quantity)
    taker_from(e, b, &t, slot, side, price, c.seq)
    acknowledgement = emit_replaced(e, b, c, side, price, False, 0)
    take(e, b, &t)
    if has_extra(e, slot) and t.open_lots != 0 and not t.stopped:
        restamp(e, b, slot)
    come_to_rest(e, b, slot, &t, acknowledgement, True, index, price)
    return 0


cdef uint16_t apply_replace_any(engine_t *e, book_t *b, const command_t *c, const details_t *d) noexcept nogil:
    """3xx to 5xx and the effects of replacing an order of any kind."""
    cdef uint32_t slot = NIL
    cdef uint8_t place
    cdef uint16_t code = find_own(e, b, c, &slot)
    if code != 0:
        return code
    if c.quantity > UINT64_MAX - (b.total_lots[direction_of(e, slot)] - open_of(e, slot)):
        return REJECT_SIDE_QUANTITY_TOO_LARGE
    if reserve_level(e) < 0:
        return REJECT_OUT_OF_MEMORY
    code = refuse_replace(e, b, c, d, slot)
    if code != 0:
        return code
    place = place_of(index_at(e, slot))
    if in_call(b) or place > PLACE_HIDDEN or (has_extra(e, slot) and extra_at(e, slot).peg != PEG_NONE):
        replace_waiting(e, b, c, d, slot)
        return 0
    return replace_trading(e, b, c, slot)
