# The C interface, declared for callers in include/matcher_core.h. No Python object and no interpreter is needed: these
# functions reach only nogil code. An engine belongs to one thread at a time; the caller sees to that.

cdef public engine_t *mc_engine_new(
    const uint32_t *symbols, uint64_t count, uint8_t stp, uint64_t max_orders
) noexcept nogil:
    """NULL: no memory, a symbol twice or not below 2^20, or a setting that is out of range."""
    cdef engine_t *e
    cdef uint64_t i
    if stp > STP_DECREMENT or max_orders == 0 or max_orders > SLOTS_MAX:
        return NULL
    e = engine_new(stp, max_orders, 0)
    if e == NULL:
        return NULL
    e.salt = <uint64_t> <size_t> e * GOLDEN
    for i in range(count):
        if mc_open(e, symbols[i]) < 0:
            engine_free(e)
            return NULL
    return e


cdef public void mc_engine_free(engine_t *e) noexcept nogil:
    engine_free(e)


cdef public int mc_open(engine_t *e, uint32_t symbol) noexcept nogil:
    if symbol >= SYMBOLS_MAX or book_find(e, symbol) != NULL:
        return -1
    return open_book(e, symbol, True)


cdef inline bint plain_at(const engine_t *e, const command_t *c) noexcept nogil:
    """Whether one command can be applied where it stands, without the copy that guards against callers who change their
    buffer meanwhile: a copy waits for what the caller has just written. From C that is the caller's promise."""
    return <size_t> c % 8 == 0 and c.flags & FLAG_DETAILS == 0 and book_find(e, c.symbol) != NULL


cdef public int64_t mc_process(engine_t *e, const command_t *commands, uint64_t count) noexcept nogil:
    if unlikely(e.broken):
        return -1
    if e.event_count >= EVENTS_TO_ROLL:
        roll(e, e.books if e.book_count == 1 else NULL)
        e.event_count = 0
        e.events_rolled = 0
    e.events_first = e.event_count
    if count == 1 and likely(e.book_count != 0 and plain_at(e, commands)):
        apply(e, book_find(e, commands.symbol), commands, &NO_DETAILS, DETAILS_NONE)
    else:
        run(e, NULL, <const uint8_t *> commands, count)
    return -1 if unlikely(e.broken) else <int64_t> (e.event_count - e.events_first)


cdef public const event_t *mc_events(const engine_t *e) noexcept nogil:
    return &e.events[e.events_first]


cdef public int mc_best(engine_t *e, uint32_t symbol, uint8_t side, int64_t *price, uint64_t *lots) noexcept nogil:
    cdef book_t *b = book_find(e, symbol)
    cdef uint32_t slot
    if b == NULL or side > SELL:
        return -1
    slot = best_limit_level(e, b, side)
    if slot == NIL:
        return 0
    price[0] = level_price(side, e.levels[slot].key)
    lots[0] = e.levels[slot].open_lots
    return 1


cdef public int64_t mc_depth(
    const engine_t *e, uint32_t symbol, uint8_t side, depth_row_t *rows, uint64_t room
) noexcept nogil:
    cdef const book_t *b = book_find(e, symbol)
    cdef const level_t *level
    cdef uint32_t slot
    cdef uint64_t n = 0
    if b == NULL or side > SELL:
        return -1
    slot = b.sides[side].best
    while slot != NIL and n < room:
        level = &e.levels[slot]
        rows[n].price = level_price(side, level.key)
        rows[n].lots = level.open_lots
        rows[n].orders = level.orders
        n += 1
        slot = level_from(e, &b.sides[side], level.key + 1)
    return <int64_t> n


cdef public int64_t mc_lots_at(
    const engine_t *e, uint32_t symbol, uint8_t side, int64_t price, uint64_t *lots
) noexcept nogil:
    cdef const book_t *b = book_find(e, symbol)
    cdef uint32_t slot
    if b == NULL or side > SELL or price <= 0:
        return -1
    slot = level_find(e, &b.sides[side], key_of(side, price))
    lots[0] = e.levels[slot].open_lots if slot != NIL else 0
    return e.levels[slot].orders if slot != NIL else 0


cdef public int mc_order(engine_t *e, uint32_t symbol, uint64_t order_id, order_row_t *row) noexcept nogil:
    cdef const book_t *b = book_find(e, symbol)
    cdef uint32_t slot
    if b == NULL:
        return -1
    slot = id_find(e, b, order_id)
    if slot == NIL:
        return 0
    row.order_id = order_id
    row.open_lots = open_of(e, slot)
    row.owner = e.cold[slot].owner
    row.group = e.cold[slot].group
    row.price = price_now(e, slot)
    row.side = direction_of(e, slot)
    row.place = place_of(index_at(e, slot))
    return 1


cdef public int mc_state(const engine_t *e, uint32_t symbol) noexcept nogil:
    cdef const book_t *b = book_find(e, symbol)
    return -1 if b == NULL else b.state


cdef public int mc_indicative(
    engine_t *e, uint32_t symbol, int64_t *price, uint64_t *volume, uint64_t *surplus, uint8_t *surplus_side
) noexcept nogil:
    cdef book_t *b = book_find(e, symbol)
    cdef cross_t x
    if b == NULL:
        return -1
    find_cross(e, b, &x)
    price[0] = x.price
    volume[0] = x.volume
    surplus[0] = x.surplus
    surplus_side[0] = x.surplus_side
    return x.volume != 0


cdef public uint64_t mc_live(const engine_t *e) noexcept nogil:
    return e.live


cdef public uint64_t mc_rolling_hash(engine_t *e, uint32_t symbol) noexcept nogil:
    cdef const book_t *b = book_find(e, symbol)
    roll(e, e.books if e.book_count == 1 else NULL)
    return 0 if b == NULL else b.rolling_hash


cdef public const char *mc_build_id() noexcept nogil:
    return BUILD_ID_TEXT
