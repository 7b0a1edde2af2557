# From C records to Python objects and snapshot bytes. Runs with the GIL, outside the hot path.

cdef inline void put(object fields, Py_ssize_t i, object value):
    Py_INCREF(value)
    PyTuple_SET_ITEM(fields, i, value)


cdef object event_object(const event_t *v):
    """The typed event of a record; records.decode_events does the same from bytes."""
    cdef object out
    if v.type == EVENT_ACCEPTED or v.type == EVENT_REPLACED:
        out = fields_of(Accepted, 6) if v.type == EVENT_ACCEPTED else fields_of(Replaced, 7)
        put(out, 0, v.seq)
        put(out, 1, v.order_id)
        put(out, 2, SIDES[v.side])
        put(out, 3, v.price)
        put(out, 4, v.quantity)
        put(out, 5, v.leaves)
        if v.type == EVENT_REPLACED:
            put(out, 6, v.code == 1)
        return out
    if v.type == EVENT_TRADE:
        out = fields_of(Trade, 9)
        put(out, 0, v.seq)
        put(out, 1, v.order_id)
        put(out, 2, v.counter_id)
        put(out, 3, SIDES[v.side])
        put(out, 4, v.price)
        put(out, 5, v.quantity)
        put(out, 6, v.leaves)
        put(out, 7, v.counter_leaves)
        put(out, 8, v.code == TRADE_AUCTION)
        return out
    if v.type == EVENT_CANCELED:
        out = fields_of(Canceled, 6)
        put(out, 0, v.seq)
        put(out, 1, v.order_id)
        put(out, 2, SIDES[v.side])
        put(out, 3, v.price)
        put(out, 4, v.quantity)
        put(out, 5, REASONS[v.code])
        return out
    if v.type == EVENT_REJECTED:
        return Rejected(v.seq, v.order_id, CODES[v.code])
    return records.decode_events(PyBytes_FromStringAndSize(<const char *> v, sizeof(event_t)))[0]      # the rare ones


cdef object order_object(engine_t *e, uint32_t slot):
    cdef const order_t *order = &e.orders[slot]
    cdef const order_cold_t *cold = &e.cold[slot]
    cdef uint32_t index = index_at(e, slot)
    cdef uint8_t place = place_of(index)
    cdef int64_t stop = 0
    if place == PLACE_STOP or place == PLACE_TRAILING:
        stop = level_price(index, e.levels[order.level].key)
    return RestingOrder(
        order.order_id, SIDES[direction_of(e, slot)], price_now(e, slot), open_of(e, slot), cold.owner, cold.group,
        t.Place(place), t.TimeInForce(order.tag_flags & ORDER_TIF), order.open_lots if place == PLACE_BOOK else 0,
        stop if stop > 0 else 0,
        extra_at(e, slot).expire_at if has_extra(e, slot) else 0,
        t.PegKind(extra_at(e, slot).peg if has_extra(e, slot) else PEG_NONE),
    )


cdef struct image_order_t:      # 48 bytes, snapshot.ORDER
    uint64_t order_id
    uint64_t open_lots
    uint64_t owner
    uint64_t group
    int64_t price
    uint8_t side
    uint8_t place
    uint8_t tif
    uint8_t has_details
    uint32_t zero


cdef void image_fill(engine_t *e, book_t *b, image_order_t *rows) noexcept nogil:
    """Write every order, place by place, in priority order. rows must have room for all."""
    cdef uint32_t index, level_slot, slot
    cdef uint64_t n = 0
    cdef image_order_t *row
    for index in range(places(b)):
        level_slot = side_at(b, index).best
        while level_slot != NIL:
            slot = e.levels[level_slot].head
            while slot != NIL:
                row = &rows[n]
                row.order_id = e.orders[slot].order_id
                row.open_lots = e.orders[slot].open_lots
                row.owner = e.cold[slot].owner
                row.group = e.cold[slot].group
                row.price = level_price(index, e.levels[level_slot].key)
                row.side = direction_of(e, slot)
                row.place = place_of(index)
                row.tif = e.orders[slot].tag_flags & ORDER_TIF
                row.has_details = has_extra(e, slot)
                row.zero = 0
                n += 1
                slot = e.orders[slot].next
            level_slot = level_after(e, side_at(b, index), level_slot)


cdef int64_t limit_now(engine_t *e, uint32_t slot) noexcept nogil:
    """DETAIL.limit: the cap of a peg, the limit price of anything else, 0 for none."""
    if has_extra(e, slot) and extra_at(e, slot).peg != PEG_NONE:
        return extra_at(e, slot).limit
    return price_now(e, slot)


cdef tuple detail_row(engine_t *e, uint32_t slot):
    """snapshot.DetailRow of an order, its stamp first."""
    cdef const extra_t *x = extra_at(e, slot)
    return (
        x.stamp, e.orders[slot].order_id, x.stamp, limit_now(e, slot), x.watermark, x.trail_offset, x.reserve, x.display,
        x.expire_at, x.peg_offset, x.op, x.peg,
    )


cdef list detail_rows(engine_t *e, book_t *b):
    """The rows of all special orders by stamp. O(orders) when there are any."""
    cdef list rows = []
    cdef uint32_t index, level_slot, slot
    if e.extra_high == 0:
        return rows
    for index in range(places(b)):
        level_slot = side_at(b, index).best
        while level_slot != NIL:
            slot = e.levels[level_slot].head
            while slot != NIL:
                if has_extra(e, slot):
                    rows.append(detail_row(e, slot))
                slot = e.orders[slot].next
            level_slot = level_after(e, side_at(b, index), level_slot)
    rows.sort()
    return rows


cdef bytes image_body(engine_t *e, book_t *b):
    """A snapshot of one book without its digest."""
    cdef bytes rows = PyBytes_FromStringAndSize(NULL, b.live * sizeof(image_order_t))
    cdef list details = detail_rows(e, b)
    image_fill(e, b, <image_order_t *> PyBytes_AS_STRING(rows))
    header = images.Header(
        b.symbol, b.stp, b.state, b.call_pending, b.max_orders, b.live, len(details), b.clock, b.next_stamp, b.last_price,
        b.static_ref, b.static_width, b.dynamic_width, b.more.peg_bid if b.more != NULL else 0,
        b.more.peg_ask if b.more != NULL else 0, b.rolling_hash, b.accepted, b.rejected, b.canceled, b.trades,
        b.traded_lots, b.open_price, b.high_price, b.low_price,
    )
    return header.pack() + rows + images.detail_rows(row[1:] for row in details)


cdef uint64_t image_key(uint8_t place, uint8_t side, int64_t price) noexcept:
    """Where a row of a snapshot stands in its place."""
    if place == PLACE_PEG or place == PLACE_ARMED:
        return 0
    if place == PLACE_STOP or place == PLACE_TRAILING:
        return stop_key(side, <uint64_t> price)
    return key_of(side, price) if price != 0 else MARKET_KEY


cdef int image_order(engine_t *e, book_t *b, row, detail) except -1:
    """Put an order where a snapshot has it. A peg or timed order still has to be listed."""
    cdef taker_t t
    cdef uint32_t slot
    cdef extra_t *x
    t.order_id = row.order_id
    t.open_lots = row.shown_lots
    t.owner = row.owner
    t.group = row.group
    t.side = row.side
    t.tif = row.tif
    if reserve_order(e) < 0 or id_prepare(e, t.order_id) < 0 or more_for(e, b, row.place, detail is not None) < 0:
        raise MemoryError("no memory for the orders of a snapshot")
    slot = order_new(e, b, &t)
    if detail is not None:
        x = extra_new(e, slot)
        x.side = row.side
        x.op = detail.op
        x.peg = detail.peg
        x.stamp = detail.stamp
        x.limit = detail.limit
        x.watermark = detail.watermark
        x.trail_offset = detail.trail_offset
        x.reserve = detail.reserve
        x.display = detail.display
        x.expire_at = detail.expire_at
        x.peg_offset = detail.peg_offset
    place_link(e, b, slot, index_of(row.place, row.side), image_key(row.place, row.side, row.price))
    if e.broken:
        raise MemoryError("no memory for the orders of a snapshot")
    return 0


cdef int more_for(engine_t *e, book_t *b, uint8_t place, bint special) except? -1:
    if place == PLACE_BOOK and not special:
        return 0
    return -1 if more_new(b) < 0 or reserve_extra(e) < 0 else 0


cdef int image_restore(engine_t *e, book_t *b, image) except -1:
    """Fill an empty book from a checked snapshot."""
    cdef uint32_t slot
    header = image.header
    details = {row.order_id: row for row in image.details}
    for row in image.orders:
        image_order(e, b, row, details.get(row.order_id))
    for row in image.details:                   # by stamp, which is the order of both lists
        slot = id_find(e, b, row.order_id)
        if row.peg != PEG_NONE:
            peg_enlist(e, b, slot)
        if row.expire_at != 0:
            timed_enlist(e, b, slot)
    b.stp = header.stp
    b.state = header.state
    b.call_pending = header.call_pending
    b.max_orders = header.max_orders
    b.clock = header.clock
    b.next_stamp = header.next_stamp
    b.last_price = header.last_price
    b.static_ref = header.static_reference
    b.static_width = header.static_width
    b.dynamic_width = header.dynamic_width
    if (header.peg_bid or header.peg_ask) and more_new(b) < 0:
        raise MemoryError("no memory for a book")
    if b.more != NULL:
        b.more.peg_bid = header.peg_bid
        b.more.peg_ask = header.peg_ask
    b.rolling_hash = header.rolling_hash
    b.accepted = header.accepted
    b.rejected = header.rejected
    b.canceled = header.canceled
    b.trades = header.trades
    b.traded_lots = header.traded_lots
    b.open_price = header.open_price
    b.high_price = header.high_price
    b.low_price = header.low_price
    special_note(b)
    return 0
