# Call auctions: at which price the most would trade, and trading it. Prices are found by walking the two sides from the best
# order inwards until they no longer cross, so the cost is O(levels that cross), not O(book).

cdef struct cursor_t:       # one price of one direction, displayed and hidden orders together
    uint64_t key
    uint64_t lots           # 0: no more levels


cdef struct cross_t:
    int64_t price           # 0: nothing crosses
    uint64_t volume
    uint64_t surplus
    uint8_t surplus_side


cdef uint64_t level_total(engine_t *e, uint32_t level_slot) noexcept nogil:
    """Open quantity of a level, reserves included. O(1) as long as nobody in the engine has an extra_t."""
    cdef uint64_t total = e.levels[level_slot].open_lots
    cdef uint32_t slot
    if e.extra_high != 0:
        slot = e.levels[level_slot].head
        while slot != NIL:
            total += reserve_of(e, slot)
            slot = e.orders[slot].next
    return total


cdef void cursor_from(engine_t *e, book_t *b, uint8_t side, uint64_t key, cursor_t *at) noexcept nogil:
    """The best price at or behind a key."""
    cdef uint32_t shown = level_from(e, &b.sides[side], key)
    cdef uint32_t hidden = level_from(e, side_at(b, index_of(PLACE_HIDDEN, side)), key) if b.more != NULL else NIL
    at.lots = 0
    at.key = UINT64_MAX
    if shown != NIL:
        at.key = e.levels[shown].key
        at.lots = level_total(e, shown)
    if hidden != NIL and e.levels[hidden].key <= at.key:
        at.lots = level_total(e, hidden) + (at.lots if e.levels[hidden].key == at.key else 0)
        at.key = e.levels[hidden].key


cdef inline void cursor_next(engine_t *e, book_t *b, uint8_t side, cursor_t *at) noexcept nogil:
    cursor_from(e, b, side, at.key + 1, at)


cdef uint64_t cumulative(engine_t *e, book_t *b, uint8_t side, uint64_t price) noexcept nogil:
    """What one direction would trade at a price."""
    cdef cursor_t at
    cdef uint64_t total = 0
    cdef uint64_t worst = key_of(side, <int64_t> price)
    cursor_from(e, b, side, 0, &at)
    while at.lots != 0 and at.key <= worst:
        total += at.lots
        cursor_next(e, b, side, &at)
    return total


cdef void widen_to_limits(const engine_t *e, const side_t *s, uint8_t side, uint64_t *low, uint64_t *high) noexcept nogil:
    """Stretch a range of prices over the limit orders of a side."""
    cdef uint32_t first = s.best
    cdef uint32_t last
    cdef uint64_t a, z
    if first != NIL and e.levels[first].key == MARKET_KEY:
        first = level_from(e, s, MARKET_KEY + 1)
    if first == NIL:
        return
    last = level_last(e, s)
    a = <uint64_t> price_of(side, e.levels[first].key)
    z = <uint64_t> price_of(side, e.levels[last].key)
    low[0] = min(low[0], min(a, z))
    high[0] = max(high[0], max(a, z))


cdef inline uint64_t nearest(uint64_t reference, uint64_t low, uint64_t high) noexcept nogil:
    return min(max(reference, low), high) if reference != 0 else (low + high) >> 1


cdef void find_cross(engine_t *e, book_t *b, cross_t *x) noexcept nogil:
    """Price, volume and surplus of an uncross now, by the published rule (reference/auctions.py).

    Buys and sells are paired from the best inwards. What stands at the last pair, and just behind it, decides the price:
    a rest at the last pair is a surplus at every price that trades the whole volume; without one the prices between the
    next buy and the next sell balance exactly; when these two leave no price between them, the smaller of them decides.
    """
    cdef uint64_t low = UINT64_MAX
    cdef uint64_t high = 0
    cdef uint64_t reference = <uint64_t> b.last_price if b.last_price != 0 else b.static_ref
    cdef uint64_t last_buy = 0
    cdef uint64_t last_sell = 0
    cdef uint64_t buy_rest, sell_rest, part, price, next_buy, next_sell, left, right
    cdef uint8_t side
    cdef cursor_t buy, sell
    x.price = 0
    x.volume = 0
    x.surplus = 0
    x.surplus_side = BUY
    for side in range(2):
        widen_to_limits(e, &b.sides[side], side, &low, &high)
        if b.more != NULL:
            widen_to_limits(e, side_at(b, index_of(PLACE_HIDDEN, side)), side, &low, &high)
    if high == 0:
        if reference == 0:
            return
        low = reference
        high = reference
    cursor_from(e, b, BUY, 0, &buy)
    cursor_from(e, b, SELL, 0, &sell)
    buy_rest = buy.lots
    sell_rest = sell.lots
    while buy_rest != 0 and sell_rest != 0 and (buy.key == MARKET_KEY or sell.key <= ~buy.key):
        part = min(buy_rest, sell_rest)
        x.volume += part
        buy_rest -= part
        sell_rest -= part
        last_buy = buy.key
        last_sell = sell.key
        if buy_rest == 0:
            cursor_next(e, b, BUY, &buy)
            buy_rest = buy.lots
        if sell_rest == 0:
            cursor_next(e, b, SELL, &sell)
            sell_rest = sell.lots
    if x.volume == 0:
        return
    if last_sell != MARKET_KEY:
        low = max(low, last_sell)                       # prices that trade the whole volume: low to high
    if last_buy != MARKET_KEY:
        high = min(high, ~last_buy)
    if buy.lots != 0 and buy.key == last_buy:           # a rest at the last pair
        price = high
    elif sell.lots != 0 and sell.key == last_sell:
        price = low
    else:
        next_buy = ~buy.key if buy.lots != 0 else 0
        next_sell = sell.key if sell.lots != 0 else UINT64_MAX
        left = max(low, next_buy + 1)
        right = min(high, next_sell - 1)
        if left <= right:
            price = nearest(reference, left, right)
        elif next_sell > high or (next_buy >= low and buy.lots < sell.lots):
            price = next_buy
        elif next_buy < low or sell.lots < buy.lots:
            price = next_sell
        else:                                           # a tie between next_buy and next_sell and what lies behind them
            cursor_next(e, b, BUY, &buy)
            cursor_next(e, b, SELL, &sell)
            left = max(low, ~buy.key + 1 if buy.lots != 0 else 0)
            right = min(high, sell.key - 1 if sell.lots != 0 else UINT64_MAX)
            price = nearest(reference, left, right)
    x.price = <int64_t> price
    left = cumulative(e, b, BUY, price)
    right = cumulative(e, b, SELL, price)
    x.surplus_side = BUY if left >= right else SELL
    x.surplus = left - right if left >= right else right - left


cdef void auction_take(engine_t *e, book_t *b, uint32_t slot, uint64_t lots) noexcept nogil:
    """Take traded quantity from an order where it stands; an iceberg then shows what it would show if it were new."""
    cdef uint64_t open_lots = open_of(e, slot)
    cdef level_t *level = &e.levels[e.orders[slot].level]
    cdef uint64_t shown = e.orders[slot].open_lots
    if lots == open_lots:
        place_remove(e, b, slot)
        return
    b.total_lots[level.home & 1] -= lots
    order_show(e, slot, open_lots - lots)
    level.open_lots = level.open_lots - shown + e.orders[slot].open_lots


cdef bint auction_pair(engine_t *e, book_t *b, uint64_t seq, int64_t price, uint64_t *left) noexcept nogil:
    """Trade the first buy with the first sell. Two orders of one group take the quantity off each other instead: false."""
    cdef uint32_t buy = e.levels[best_maker(e, b, BUY)].head
    cdef uint32_t sell = e.levels[best_maker(e, b, SELL)].head
    cdef uint64_t lots = min(left[0], min(open_of(e, buy), open_of(e, sell)))
    cdef bint own = b.stp != STP_OFF and e.cold[buy].group != 0 and e.cold[buy].group == e.cold[sell].group
    cdef event_t *v = emit(e, b, EVENT_DECREMENTED if own else EVENT_TRADE, BUY, 0 if own else TRADE_AUCTION, seq)
    v.order_id = e.orders[buy].order_id
    v.counter_id = e.orders[sell].order_id
    v.price = price
    v.quantity = lots
    v.leaves = open_of(e, buy) - lots
    v.counter_leaves = open_of(e, sell) - lots
    auction_take(e, b, buy, lots)
    auction_take(e, b, sell, lots)
    left[0] -= lots
    if own:
        return False
    b.trades += 1
    b.traded_lots += lots
    return True


cdef void cancel_call_orders(engine_t *e, book_t *b, uint64_t seq) noexcept nogil:
    """Drop what is left of orders that were for this auction only. O(resting orders)."""
    cdef side_t *s
    cdef uint32_t level_slot, next_level, slot, following
    cdef uint8_t side, tif
    for side in range(2):
        s = &b.sides[side]
        level_slot = s.best
        while level_slot != NIL:
            next_level = level_after(e, s, level_slot)
            slot = e.levels[level_slot].head
            while slot != NIL:
                following = e.orders[slot].next
                tif = e.orders[slot].tag_flags & ORDER_TIF
                if tif == TIF_OPG or tif == TIF_CLS:
                    cancel_any(e, b, seq, slot, REASON_REMAINDER)
                slot = following
            level_slot = next_level


cdef void apply_uncross(engine_t *e, book_t *b, const command_t *c) noexcept nogil:
    cdef cross_t x
    cdef uint64_t left
    cdef bint traded = False
    cdef event_t *v
    find_cross(e, b, &x)
    v = emit(e, b, EVENT_UNCROSSED, x.surplus_side, 0, c.seq)
    v.price = x.price
    v.quantity = x.volume
    v.leaves = x.surplus
    left = x.volume
    while left != 0:
        traded |= auction_pair(e, b, c.seq, x.price, &left)
    cancel_call_orders(e, b, c.seq)
    b.call_pending = 0
    if traded:
        count_trades(b, 0, 0, x.price)
        if b.static_width != 0:
            b.static_ref = <uint64_t> x.price
    state_enter(e, b, c.seq, <uint8_t> c.quantity)
