# The dense part of a side: a ladder of level slots over consecutive keys with a three-level bitmap, so that the next
# occupied price is at most three word scans away. It moves and widens as prices move; where it does not reach, the tree
# in _far.pxi takes over, so every price works and a sparse book stays small.

cdef inline bint in_window(const window_t *w, uint64_t key) noexcept nogil:
    return key - w.base < w.width


cdef inline bint window_has(const window_t *w, uint64_t i) noexcept nogil:
    return (w.bits0[i >> 6] >> (i & 63)) & 1


cdef inline void window_set(window_t *w, uint64_t key, uint32_t slot) noexcept nogil:
    cdef uint64_t i = key - w.base
    w.ladder[i] = slot
    w.bits0[i >> 6] |= <uint64_t> 1 << (i & 63)
    w.bits1[i >> 12] |= <uint64_t> 1 << ((i >> 6) & 63)
    w.bits2 |= <uint64_t> 1 << (i >> 12)
    w.levels += 1


cdef inline void window_clear(window_t *w, uint64_t key) noexcept nogil:
    cdef uint64_t i = key - w.base
    w.levels -= 1
    w.bits0[i >> 6] &= ~(<uint64_t> 1 << (i & 63))
    if w.bits0[i >> 6] == 0:
        w.bits1[i >> 12] &= ~(<uint64_t> 1 << ((i >> 6) & 63))
        if w.bits1[i >> 12] == 0:
            w.bits2 &= ~(<uint64_t> 1 << (i >> 12))


cdef inline uint64_t window_next(const window_t *w, uint64_t i) noexcept nogil:
    """First occupied index at or after i, or `width`. i may be `width` or more."""
    if i >= w.width:
        return w.width
    cdef uint64_t word = w.bits0[i >> 6] >> (i & 63)
    if word != 0:
        return i + ctz64(word)
    cdef uint64_t at = (i >> 6) + 1                 # next word of bits0
    if at >= w.width >> 6:
        return w.width
    word = w.bits1[at >> 6] >> (at & 63)
    if word != 0:
        at += ctz64(word)
        return (at << 6) + ctz64(w.bits0[at])
    at = (at >> 6) + 1                              # next word of bits1; bits2 has 64 bits, so at <= 64
    if at >= 64 or w.bits2 >> at == 0:
        return w.width
    at += ctz64(w.bits2 >> at)
    at = (at << 6) + ctz64(w.bits1[at])
    return (at << 6) + ctz64(w.bits0[at])


cdef inline uint64_t window_last(const window_t *w) noexcept nogil:
    """Last occupied index. The window must hold a level."""
    cdef uint64_t at = 63 - clz64(w.bits2)
    at = (at << 6) + 63 - clz64(w.bits1[at])
    return (at << 6) + 63 - clz64(w.bits0[at])


cdef inline uint64_t window_bytes(uint64_t width) noexcept nogil:
    cdef uint64_t words0 = width >> 6
    return (words0 + ((words0 + 63) >> 6)) * sizeof(uint64_t) + width * sizeof(uint32_t)


cdef int window_new(window_t *w, uint64_t base, uint64_t width) noexcept nogil:
    """An empty window in one allocation, cleared: bits0, bits1, ladder."""
    cdef uint64_t words0 = width >> 6
    cdef uint64_t words1 = (words0 + 63) >> 6
    cdef uint64_t *block = <uint64_t *> calloc(1, window_bytes(width))
    if block == NULL:
        return -1
    w.base = base
    w.width = width
    w.levels = 0
    w.bits2 = 0
    w.bits0 = block
    w.bits1 = block + words0
    w.ladder = <uint32_t *> (block + words0 + words1)
    return 0


cdef void window_move(engine_t *e, side_t *s, uint64_t base, uint64_t width) noexcept nogil:
    """Put the window elsewhere. Levels that no longer fit go to the far tree, far levels now inside come from it.

    O(width / 16 + levels moved). Without memory the old window stays, which is slower but just as right.
    """
    cdef window_t fresh
    cdef uint64_t i, key
    cdef uint32_t slot
    if window_new(&fresh, base, width) < 0:
        return
    i = window_next(&s.window, 0)
    while i < s.window.width:
        slot = s.window.ladder[i]
        key = s.window.base + i
        if in_window(&fresh, key):
            window_set(&fresh, key, slot)
        else:
            far_insert(e, s, slot)
        i = window_next(&s.window, i + 1)
    free(s.window.bits0)
    s.window = fresh
    slot = far_from(e, s, base)
    while slot != NIL and in_window(&fresh, e.levels[slot].key):
        key = e.levels[slot].key
        far_remove(e, s, slot)
        window_set(&s.window, key, slot)
        slot = far_from(e, s, key)


cdef void widen(engine_t *e, side_t *s, uint64_t key) noexcept nogil:
    """Try to bring a key that is outside the window inside, by moving or doubling the window.

    The width stays within 32 times the number of levels, 256 times from 256 levels on: two orders far apart do not cost
    megabytes, the windows of many small books stay in the cache, and a wide book still has its levels in the window. Rebuilding is paid from credit that each call earns, so no sequence of orders can
    make it cost more than O(1) a command on average.
    """
    cdef window_t *w = &s.window
    cdef uint64_t low = key
    cdef uint64_t high = key
    cdef uint64_t width = w.width if w.width else WINDOW_MIN
    cdef uint64_t levels = w.levels + s.far_levels
    cdef uint64_t limit = (32 if levels < 256 else 256) * (levels + 16)
    cdef uint64_t span, margin, base, cost
    if s.credit < CREDIT_MAX:
        s.credit += CREDIT_STEP
    if w.levels != 0:
        low = min(key, w.base + window_next(w, 0))
        high = max(key, w.base + window_last(w))
    span = high - low + 1
    while width < 2 * span and width < WINDOW_MAX and 2 * width <= limit:
        width *= 2
    if width < span:
        if s.far_levels <= 2 * w.levels + 64:
            return
        low = key                               # most levels are far: leave the few behind
        span = 1
    cost = (width >> 4) + w.levels + min(s.far_levels, width)
    if cost > s.credit:
        return
    s.credit -= cost
    margin = (width - span) // 2
    base = low - margin if low > margin else 0
    window_move(e, s, min(base, UINT64_MAX - width), width)
