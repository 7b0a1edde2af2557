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


cdef object order_object(const engine_t *e, uint32_t slot):
    cdef const order_t *order = &e.orders[slot]
    cdef const level_t *level = &e.levels[order.level]
    cdef uint8_t side = side_of(level)
    cdef const order_cold_t *cold = &e.cold[slot]
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


cdef void image_fill(const engine_t *e, const book_t *b, image_order_t *rows) noexcept nogil:
    """Write every resting order in priority order. rows must have room for all."""
    cdef uint32_t level_slot, slot
    cdef uint64_t n = 0
    cdef uint8_t side
    for side in range(2):
        level_slot = b.sides[side].best
        while level_slot != NIL:
            slot = e.levels[level_slot].head
            while slot != NIL:
                rows[n].order_id = e.orders[slot].order_id
                rows[n].open_lots = e.orders[slot].open_lots
                rows[n].owner = e.cold[slot].owner
                rows[n].group = e.cold[slot].group
                rows[n].price = price_of(side, e.levels[level_slot].key)
                rows[n].side = side
                n += 1
                slot = e.orders[slot].next
            level_slot = level_from(e, &b.sides[side], e.levels[level_slot].key + 1)


cdef bytes image_body(const engine_t *e, const book_t *b):
    """A book's snapshot without its digest."""
    cdef bytes rows = PyBytes_FromStringAndSize(NULL, b.live * sizeof(image_order_t))
    image_fill(e, b, <image_order_t *> PyBytes_AS_STRING(rows))
    return images.header(b.symbol, b.stp, b.state, b.max_orders, b.live) + rows


cdef int image_restore(engine_t *e, book_t *b, image) except -1:
    """Fill a new book from a checked snapshot.BookImage."""
    cdef command_t c
    b.stp = image.stp
    b.max_orders = image.max_orders
    b.state = image.state
    for order in image.orders:
        memset(&c, 0, sizeof(c))
        c.order_id = order.order_id
        c.side = order.side
        c.price = order.price_ticks
        c.quantity = order.open_lots
        c.owner = order.owner
        c.group = order.group
        if rest_again(e, b, &c) < 0:
            raise MemoryError("no memory for the orders of a snapshot")
    return 0


cdef int rest_again(engine_t *e, book_t *b, const command_t *c) noexcept nogil:
    """Put an order of a snapshot last at its price. Snapshots list orders by priority, and nothing in them crosses."""
    cdef taker_t t
    cdef uint64_t key = key_of(c.side, c.price)
    t.order_id = c.order_id
    t.open_lots = c.quantity
    t.owner = c.owner
    t.group = c.group
    t.tif = c.tif
    if reserve_order(e) < 0 or id_prepare(e, c.order_id) < 0 or reserve_place(e, b, c.side, key) != 0:
        return -1
    order_link(e, b, order_new(e, b, &t), (b.index << 4) | c.side, key)
    return 0
