# From C records to Python objects and snapshot bytes. Runs with the GIL, outside the hot path.

cdef object event_object(const event_t *e):
    """The typed event of a record; records.decode_events does the same from bytes.

    tuple.__new__ makes a NamedTuple without its Python-level constructor, which would take most of the time of a call.
    """
    if e.type == EVENT_ACCEPTED:
        return new_tuple(Accepted, (e.seq, e.order_id, SIDES[e.side], e.price, e.quantity, e.leaves))
    if e.type == EVENT_TRADE:
        return new_tuple(
            Trade,
            (e.seq, e.order_id, e.counter_id, SIDES[e.side], e.price, e.quantity, e.leaves, e.counter_leaves),
        )
    if e.type == EVENT_CANCELED:
        return new_tuple(Canceled, (e.seq, e.order_id, SIDES[e.side], e.price, e.quantity, REASONS[e.code]))
    if e.type == EVENT_REPLACED:
        return new_tuple(Replaced, (e.seq, e.order_id, SIDES[e.side], e.price, e.quantity, e.leaves, e.code == 1))
    if e.type == EVENT_REJECTED:
        return new_tuple(Rejected, (e.seq, e.order_id, CODES[e.code]))
    if e.type == EVENT_MASS_CANCELED:
        return t.MassCanceled(e.seq, e.counter_id, e.quantity)
    return t.StateChanged(e.seq, t.BookState(e.quantity), t.BookState(e.leaves))


cdef object order_object(const book_t *b, uint32_t slot):
    cdef const order_t *order = &b.orders[slot]
    cdef const level_t *level = &b.levels[order.level]
    cdef uint8_t side = <uint8_t> level.side
    cdef const order_cold_t *cold = &b.cold[slot]
    return new_tuple(
        RestingOrder,
        (order.order_id, SIDES[side], price_of(side, level.key), order.open_lots, cold.owner, cold.group),
    )


cdef struct image_order_t:      # 48 bytes, snapshot.ORDER
    uint64_t order_id
    uint64_t open_lots
    uint64_t owner
    uint64_t group
    int64_t price
    uint64_t side               # one byte and seven zero bytes


cdef void image_fill(const book_t *b, image_order_t *rows) noexcept nogil:
    """Write every resting order in priority order. rows must have room for all."""
    cdef uint32_t level_slot, slot
    cdef uint64_t n = 0
    cdef uint8_t side
    for side in range(2):
        level_slot = b.sides[side].best
        while level_slot != NIL:
            slot = b.levels[level_slot].head
            while slot != NIL:
                rows[n].order_id = b.orders[slot].order_id
                rows[n].open_lots = b.orders[slot].open_lots
                rows[n].owner = b.cold[slot].owner
                rows[n].group = b.cold[slot].group
                rows[n].price = price_of(side, b.levels[level_slot].key)
                rows[n].side = side
                n += 1
                slot = b.orders[slot].next
            level_slot = level_from(b, &b.sides[side], b.levels[level_slot].key + 1)


cdef bytes image_body(const book_t *b):
    """A snapshot without its digest."""
    cdef bytes rows = PyBytes_FromStringAndSize(NULL, b.live * sizeof(image_order_t))
    image_fill(b, <image_order_t *> PyBytes_AS_STRING(rows))
    return images.header(b.symbol, b.stp, b.state, b.max_orders, b.live) + rows
