# Order id to slot. Open addressing with linear probing, at most half full, deletion by shifting back, so there are no
# tombstones and a lookup stays O(1). The multiplicative hash matters: with the id itself as hash, old live orders weld
# runs of dense ids together and a lookup becomes thousands of steps.

cdef inline uint64_t id_tag(uint64_t order_id) noexcept nogil:
    return ((order_id ^ (order_id >> 32)) * GOLDEN) >> 32


cdef inline uint32_t idmap_find(const book_t *b, uint64_t order_id) noexcept nogil:
    """Slot of a live order, or NIL."""
    if b.ids.entries == NULL:
        return NIL
    cdef uint64_t tag = id_tag(order_id)
    cdef uint64_t i = tag >> b.ids.shift
    cdef uint64_t entry
    cdef uint32_t slot
    while True:
        entry = b.ids.entries[i]
        if entry == 0:
            return NIL
        if entry >> 32 == tag:
            slot = <uint32_t> entry - 1
            if b.orders[slot].order_id == order_id:
                return slot
        i = (i + 1) & b.ids.mask


cdef inline void idmap_put(idmap_t *m, uint64_t tag, uint32_t slot) noexcept nogil:
    """Add an entry. The id must not be present and the map must have room."""
    cdef uint64_t i = tag >> m.shift
    while m.entries[i] != 0:
        i = (i + 1) & m.mask
    m.entries[i] = (tag << 32) | (<uint64_t> slot + 1)


cdef inline void idmap_remove(idmap_t *m, uint64_t order_id, uint32_t slot) noexcept nogil:
    """Remove the entry of an id that is present, moving later entries of its run back over the hole."""
    cdef uint64_t tag = id_tag(order_id)
    cdef uint64_t wanted = (tag << 32) | (<uint64_t> slot + 1)
    cdef uint64_t hole = tag >> m.shift
    cdef uint64_t i, entry
    while m.entries[hole] != wanted:
        hole = (hole + 1) & m.mask
    i = hole
    while True:
        i = (i + 1) & m.mask
        entry = m.entries[i]
        if entry == 0:
            break
        if ((i - (entry >> 32 >> m.shift)) & m.mask) >= ((i - hole) & m.mask):
            m.entries[hole] = entry
            hole = i
    m.entries[hole] = 0


cdef int idmap_grow(idmap_t *m) noexcept nogil:
    """Double the map; -1 when memory ran out, with the map as it was."""
    cdef idmap_t bigger
    cdef uint64_t size = 2 * (m.mask + 1) if m.entries != NULL else IDS_MIN
    cdef uint64_t i
    bigger.entries = <uint64_t *> calloc(size, sizeof(uint64_t))
    if bigger.entries == NULL:
        return -1
    bigger.mask = size - 1
    bigger.shift = 32 - <uint32_t> ctz64(size)
    if m.entries != NULL:
        for i in range(m.mask + 1):
            if m.entries[i] != 0:
                idmap_put(&bigger, m.entries[i] >> 32, <uint32_t> m.entries[i] - 1)
        free(m.entries)
    m[0] = bigger
    return 0
