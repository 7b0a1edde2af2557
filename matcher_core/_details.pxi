# Checks 1xx of commands that are more than a plain order, in the order of their numbers. Plain commands take a shorter way
# with the same answers (refuse_malformed).

cdef enum:
    DETAILS_NONE = 0
    DETAILS_READ = 1
    DETAILS_BROKEN = 2


cdef inline bint is_stop(const details_t *d) noexcept nogil:
    return d.stop_price != 0 or d.trail_offset != 0


cdef inline bint waits_normally(uint8_t tif) noexcept nogil:
    return tif == TIF_GTC or tif == TIF_DAY or tif == TIF_GTD


cdef bint tif_fits(const command_t *c, bint stop) noexcept nogil:
    """Whether a time in force exists and goes with the kind of order."""
    if c.tif > TIF_CLS:
        return False
    if stop:
        return waits_normally(c.tif)
    return c.op == OP_LIMIT or not waits_normally(c.tif)


cdef uint8_t flags_allowed(uint8_t op) noexcept nogil:
    if op == OP_LIMIT:
        return FLAG_POST_ONLY | FLAG_SLIDE | FLAG_HIDDEN | FLAG_DETAILS
    if op == OP_MARKET:
        return FLAG_DETAILS
    if op == OP_REPLACE:
        return FLAG_POST_ONLY | FLAG_SLIDE | FLAG_DETAILS
    if op == OP_MASS_CANCEL:
        return FLAG_ONE_SIDE | FLAG_ALL_OWNERS
    return FLAG_END_OF_DAY if op == OP_CLOCK else 0


cdef bint flags_fit(const command_t *c) noexcept nogil:
    if c.flags & ~flags_allowed(c.op) or (c.flags & FLAG_SLIDE and not c.flags & FLAG_POST_ONLY):
        return False
    return c.op != OP_LIMIT or not c.flags & (FLAG_POST_ONLY | FLAG_HIDDEN) or waits_normally(c.tif)


cdef bint price_fits(const command_t *c, const details_t *d) noexcept nogil:
    if c.op == OP_LIMIT:
        return c.price > 0 or (c.price == 0 and d.peg != PEG_NONE)
    if c.op == OP_REPLACE:
        return c.price > 0
    if c.op == OP_MARKET:
        return c.price == 0 or (c.price > 0 and c.tif != TIF_OPG and c.tif != TIF_CLS)
    if c.op == OP_SET_BANDS:
        return c.price > 0 or (c.price == 0 and c.quantity == 0)
    return True


cdef bint quantity_fits(const command_t *c) noexcept nogil:
    if c.op == OP_LIMIT or c.op == OP_MARKET or c.op == OP_REPLACE:
        return c.quantity != 0
    return c.op != OP_SET_BANDS or (c.quantity <= OFFSET_MAX and c.group <= OFFSET_MAX)


cdef bint state_fits(const command_t *c) noexcept nogil:
    if c.op == OP_SET_STATE:
        return STATE_TRADING <= c.quantity <= STATE_AUCTION
    return c.op != OP_UNCROSS or STATE_TRADING <= c.quantity <= STATE_HALTED


cdef inline bint shows_too_little(uint64_t quantity, uint64_t display) noexcept nogil:
    """Whether an iceberg would have to be refreshed more than 999 times: quantity > 1000 x display, without overflow."""
    return quantity // REFRESH_MAX + (quantity % REFRESH_MAX != 0) > display


cdef uint16_t refuse_details(const command_t *c, const details_t *d) noexcept nogil:
    """111 to 116 of an order to be entered or replaced."""
    cdef bint stop = is_stop(d)
    if c.op == OP_REPLACE:
        if d.peg or d.trail_offset or d.display_quantity or d.min_quantity or d.expire_at or d.peg_offset:
            return REJECT_BAD_DETAILS
        return REJECT_BAD_STOP if d.stop_price < 0 else 0
    if d.stop_price < 0 or (d.stop_price != 0 and d.trail_offset != 0) or d.trail_offset > OFFSET_MAX:
        return REJECT_BAD_STOP
    if stop and c.flags & (FLAG_POST_ONLY | FLAG_SLIDE | FLAG_HIDDEN):
        return REJECT_BAD_STOP
    if d.display_quantity != 0:
        if c.op == OP_MARKET or stop or d.peg != PEG_NONE or c.flags & FLAG_HIDDEN or not waits_normally(c.tif):
            return REJECT_BAD_DISPLAY
        if shows_too_little(c.quantity, d.display_quantity):
            return REJECT_BAD_DISPLAY
    if d.min_quantity != 0:
        if d.min_quantity > c.quantity or c.tif == TIF_FOK or c.tif == TIF_OPG or c.tif == TIF_CLS:
            return REJECT_BAD_MIN_QUANTITY
        if c.flags & FLAG_POST_ONLY or stop or d.peg != PEG_NONE:
            return REJECT_BAD_MIN_QUANTITY
    if d.peg != PEG_NONE:
        if d.peg > PEG_MARKET or c.op == OP_MARKET or stop or not waits_normally(c.tif):
            return REJECT_BAD_PEG
        if c.flags & (FLAG_POST_ONLY | FLAG_SLIDE | FLAG_HIDDEN) or d.peg_offset > OFFSET_MAX:
            return REJECT_BAD_PEG
        if (d.peg == PEG_MIDPOINT and d.peg_offset != 0) or (d.peg == PEG_MARKET and d.peg_offset == 0):
            return REJECT_BAD_PEG
    elif d.peg_offset != 0:
        return REJECT_BAD_PEG
    return REJECT_BAD_EXPIRY if (c.tif == TIF_GTD) != (d.expire_at != 0) else 0


cdef uint16_t refuse_form(const book_t *b, const command_t *c, const details_t *d, uint8_t found) noexcept nogil:
    """1xx, for every kind of command. `d` is all zero unless its record was read."""
    cdef bint enters = c.op == OP_LIMIT or c.op == OP_MARKET
    if c.op < OP_LIMIT or c.op > OP_SET_BANDS:
        return REJECT_UNKNOWN_OP
    if c.symbol != b.symbol:
        return REJECT_WRONG_SYMBOL
    if c.reserved != 0:
        return REJECT_RESERVED_NOT_ZERO
    if c.side > SELL and (enters or (c.op == OP_MASS_CANCEL and c.flags & FLAG_ONE_SIDE)):
        return REJECT_BAD_SIDE
    if enters and not tif_fits(c, is_stop(d)):
        return REJECT_BAD_TIME_IN_FORCE
    if not flags_fit(c):
        return REJECT_BAD_FLAGS
    if c.order_id == 0 and OP_LIMIT <= c.op <= OP_REPLACE:
        return REJECT_BAD_ORDER_ID
    if not price_fits(c, d):
        return REJECT_BAD_PRICE
    if not quantity_fits(c):
        return REJECT_BAD_QUANTITY
    if not state_fits(c):
        return REJECT_BAD_STATE
    if found == DETAILS_BROKEN:
        return REJECT_BAD_DETAILS
    return refuse_details(c, d) if enters or c.op == OP_REPLACE else 0


cdef uint16_t refuse_now(const book_t *b, const command_t *c, const details_t *d) noexcept nogil:
    """2xx"""
    if c.op == OP_UNCROSS:
        return REJECT_NOT_AN_AUCTION if b.state == STATE_TRADING else 0
    if c.op == OP_SET_STATE:
        return REJECT_UNCROSS_FIRST if c.quantity == STATE_TRADING and b.call_pending else 0
    if c.op == OP_CLOCK:
        return REJECT_CLOCK_BACKWARDS if c.quantity < b.clock else 0
    if c.op == OP_SET_BANDS:
        return 0
    if b.state == STATE_HALTED:
        return REJECT_HALTED
    if b.state == STATE_CANCEL_ONLY and c.op != OP_CANCEL and c.op != OP_MASS_CANCEL:
        return REJECT_CANCEL_ONLY
    if c.op != OP_LIMIT and c.op != OP_MARKET and c.op != OP_REPLACE:
        return 0
    if in_call(b):
        if c.flags & FLAG_POST_ONLY:
            return REJECT_NOT_IN_AUCTION
        if c.op != OP_REPLACE and (c.tif == TIF_IOC or c.tif == TIF_FOK or d.min_quantity != 0):
            return REJECT_NOT_IN_AUCTION
    if c.op == OP_REPLACE:
        return 0
    if c.tif == TIF_OPG and b.state != STATE_OPENING_AUCTION:
        return REJECT_ONLY_IN_OPENING_AUCTION
    return REJECT_ALREADY_EXPIRED if c.tif == TIF_GTD and d.expire_at <= b.clock else 0
