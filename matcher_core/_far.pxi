# The sparse part of a side: levels outside the window, in a treap ordered by key. A level's rank is a salted hash of its
# key, so the shape depends on neither the order of insertion nor a random number per operation. All operations are
# O(log far levels) expected and neither recurse nor allocate. The smallest key is kept, so that finding the next best price
# looks here only when it must.

cdef inline uint64_t far_rank(const engine_t *e, uint32_t slot) noexcept nogil:
    cdef uint64_t x = (e.levels[slot].key ^ e.salt) * GOLDEN
    x = (x ^ (x >> 32)) * MIX
    return x ^ (x >> 29)


cdef void far_insert(engine_t *e, side_t *s, uint32_t slot) noexcept nogil:
    cdef uint64_t key = e.levels[slot].key
    cdef uint64_t rank = far_rank(e, slot)
    cdef uint32_t *link = &s.far_root
    cdef uint32_t *below
    cdef uint32_t *above
    cdef uint32_t node
    while link[0] != NIL and far_rank(e, link[0]) >= rank:
        link = &e.far[link[0]].left if key < e.levels[link[0]].key else &e.far[link[0]].right
    node = link[0]                              # split this subtree around the key
    link[0] = slot
    below = &e.far[slot].left
    above = &e.far[slot].right
    while node != NIL:
        if e.levels[node].key < key:
            below[0] = node
            below = &e.far[node].right
            node = below[0]
        else:
            above[0] = node
            above = &e.far[node].left
            node = above[0]
    below[0] = NIL
    above[0] = NIL
    s.far_levels += 1
    if key < s.far_key:
        s.far_key = key


cdef uint64_t far_first_key(const engine_t *e, const side_t *s) noexcept nogil:
    cdef uint32_t node = s.far_root
    if node == NIL:
        return NO_KEY
    while e.far[node].left != NIL:
        node = e.far[node].left
    return e.levels[node].key


cdef void far_remove(engine_t *e, side_t *s, uint32_t slot) noexcept nogil:
    cdef uint64_t key = e.levels[slot].key
    cdef uint32_t *link = &s.far_root
    cdef uint32_t below = e.far[slot].left
    cdef uint32_t above = e.far[slot].right
    while link[0] != slot:
        link = &e.far[link[0]].left if key < e.levels[link[0]].key else &e.far[link[0]].right
    while below != NIL and above != NIL:        # merge the two subtrees into its place
        if far_rank(e, below) >= far_rank(e, above):
            link[0] = below
            link = &e.far[below].right
            below = link[0]
        else:
            link[0] = above
            link = &e.far[above].left
            above = link[0]
    link[0] = below if below != NIL else above
    s.far_levels -= 1
    if key == s.far_key:
        s.far_key = far_first_key(e, s)


cdef uint32_t far_from(const engine_t *e, const side_t *s, uint64_t key) noexcept nogil:
    """The far level with the smallest key at or above `key`, or NIL."""
    cdef uint32_t found = NIL
    cdef uint32_t node = s.far_root
    while node != NIL:
        if e.levels[node].key >= key:
            found = node
            node = e.far[node].left
        else:
            node = e.far[node].right
    return found


cdef uint32_t far_last(const engine_t *e, const side_t *s) noexcept nogil:
    """The far level with the largest key, or NIL."""
    cdef uint32_t node = s.far_root
    while node != NIL and e.far[node].right != NIL:
        node = e.far[node].right
    return node
