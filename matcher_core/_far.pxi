# The sparse part of a side: levels outside the window, in a treap ordered by key. A level's rank is a salted hash of its
# key, so the shape depends on neither the order of insertion nor a random number per operation. All operations are
# O(log far levels) expected and neither recurse nor allocate.

cdef inline uint64_t far_rank(const book_t *b, uint32_t slot) noexcept nogil:
    cdef uint64_t x = (b.levels[slot].key ^ b.salt) * GOLDEN
    x = (x ^ (x >> 32)) * MIX
    return x ^ (x >> 29)


cdef void far_insert(book_t *b, side_t *s, uint32_t slot) noexcept nogil:
    cdef uint64_t key = b.levels[slot].key
    cdef uint64_t rank = far_rank(b, slot)
    cdef uint32_t *link = &s.far_root
    cdef uint32_t *below
    cdef uint32_t *above
    cdef uint32_t node
    while link[0] != NIL and far_rank(b, link[0]) >= rank:
        link = &b.far[link[0]].left if key < b.levels[link[0]].key else &b.far[link[0]].right
    node = link[0]                              # split this subtree around the key
    link[0] = slot
    below = &b.far[slot].left
    above = &b.far[slot].right
    while node != NIL:
        if b.levels[node].key < key:
            below[0] = node
            below = &b.far[node].right
            node = below[0]
        else:
            above[0] = node
            above = &b.far[node].left
            node = above[0]
    below[0] = NIL
    above[0] = NIL
    s.far_levels += 1


cdef void far_remove(book_t *b, side_t *s, uint32_t slot) noexcept nogil:
    cdef uint64_t key = b.levels[slot].key
    cdef uint32_t *link = &s.far_root
    cdef uint32_t below = b.far[slot].left
    cdef uint32_t above = b.far[slot].right
    while link[0] != slot:
        link = &b.far[link[0]].left if key < b.levels[link[0]].key else &b.far[link[0]].right
    while below != NIL and above != NIL:        # merge the two subtrees into its place
        if far_rank(b, below) >= far_rank(b, above):
            link[0] = below
            link = &b.far[below].right
            below = link[0]
        else:
            link[0] = above
            link = &b.far[above].left
            above = link[0]
    link[0] = below if below != NIL else above
    s.far_levels -= 1


cdef uint32_t far_from(const book_t *b, const side_t *s, uint64_t key) noexcept nogil:
    """The far level with the smallest key at or above `key`, or NIL."""
    cdef uint32_t found = NIL
    cdef uint32_t node = s.far_root
    while node != NIL:
        if b.levels[node].key >= key:
            found = node
            node = b.far[node].left
        else:
            node = b.far[node].right
    return found
