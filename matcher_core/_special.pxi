# Where a book leaves the plain way. Plain orders pay one predictable branch for each of these.

cdef void match_special(engine_t *e, book_t *b, taker_t *t) noexcept nogil:
    """match() for a book with SPECIAL_ bits: hidden orders, icebergs, price bands. No book has them yet."""
    expect(b.special == 0)


cdef void settle(engine_t *e, book_t *b) noexcept nogil:
    """What follows from a command once its own effects are done. Called while b.more is not NULL; no book has it yet."""
    expect(b.more == NULL)
