# Memory of a book. Everything that allocates is here, and runs between commands or before a command has any effect:
# a command that cannot get its memory is refused whole. Functions return 0, or -1 when memory ran out.

cdef book_t *book_new() noexcept nogil:
    cdef int i
    cdef book_t *b = <book_t *> calloc(1, sizeof(book_t))
    if b == NULL:
        return NULL
    b.order_free = NIL
    b.level_free = NIL
    for i in range(2):
        b.sides[i].best = NIL
        b.sides[i].far_root = NIL
        b.sides[i].credit = CREDIT_MAX
    return b


cdef void book_free(book_t *b) noexcept nogil:
    if b == NULL:
        return
    free(b.sides[0].window.bits0)
    free(b.sides[1].window.bits0)
    free(b.ids.entries)
    free(b.orders)
    free(b.cold)
    free(b.levels)
    free(b.far)
    free(b.events)
    free(b)


cdef int grow_orders(book_t *b) noexcept nogil:
    """Double the order slots. O(capacity), amortised O(1) per order."""
    cdef uint64_t capacity = b.order_capacity * 2 if b.order_capacity else SLOTS_MIN
    cdef void *orders = realloc(b.orders, capacity * sizeof(order_t))
    if orders == NULL:
        return -1
    b.orders = <order_t *> orders
    cdef void *cold = realloc(b.cold, capacity * sizeof(order_cold_t))
    if cold == NULL:
        return -1
    b.cold = <order_cold_t *> cold
    b.order_capacity = capacity
    return 0


cdef int grow_levels(book_t *b) noexcept nogil:
    cdef uint64_t capacity = b.level_capacity * 2 if b.level_capacity else SLOTS_MIN
    cdef void *levels = realloc(b.levels, capacity * sizeof(level_t))
    if levels == NULL:
        return -1
    b.levels = <level_t *> levels
    cdef void *far = realloc(b.far, capacity * sizeof(far_t))
    if far == NULL:
        return -1
    b.far = <far_t *> far
    b.level_capacity = capacity
    return 0


cdef inline int reserve_slots(book_t *b) noexcept nogil:
    """Make sure one more order can rest: an order slot, a level slot and an id entry."""
    if b.order_free == NIL and b.order_high == b.order_capacity and grow_orders(b) < 0:
        return -1
    if b.level_free == NIL and b.level_high == b.level_capacity and grow_levels(b) < 0:
        return -1
    if 2 * (b.live + 1) > b.ids.mask and idmap_grow(&b.ids) < 0:
        return -1
    return 0


cdef inline int reserve_events(book_t *b, uint64_t room) noexcept nogil:
    """Make sure `room` more events can be written."""
    cdef uint64_t needed = b.event_count + room
    if needed <= b.event_capacity:
        return 0
    cdef uint64_t capacity = needed + needed // 2
    cdef void *events = realloc(b.events, capacity * sizeof(event_t))
    if events == NULL:
        return -1
    b.events = <event_t *> events
    b.event_capacity = capacity
    return 0


cdef void release_events(book_t *b) noexcept nogil:
    """Forget the events; give a large buffer back, so that one huge batch does not stay in memory."""
    b.event_count = 0
    if b.event_capacity > EVENTS_KEPT:
        free(b.events)
        b.events = NULL
        b.event_capacity = 0
