# The Python face of an engine: the memory of events, batches, books.

@cython.final
cdef class EventBuffer:
    """Event memory that Python may look at through the buffer protocol. It lives as long as any view of it.

    The engine writes into it only while nobody looks: process() takes a new one when views of the last are alive.
    """

    def __dealloc__(self):
        events_free(self.data)

    def __getbuffer__(self, Py_buffer *view, int flags):
        if not self.open:
            raise BufferError("look at events through the view that process returned")
        if flags & PyBUF_WRITABLE == PyBUF_WRITABLE:
            raise BufferError("events are read-only")
        PyBuffer_FillInfo(view, self, self.data, self.size, 1, flags)
        add(&self.exports, 1)

    def __releasebuffer__(self, Py_buffer *view):
        add(&self.exports, -1)


@cython.final
cdef class Engine:
    """Many order books in one arena, one command stream for all of them.

    symbols are opened in the order given, each 0 to 2^20 - 1. stp and max_orders (per book) hold for every book opened. A
    command goes to the book of its symbol; one that no book has is refused with WRONG_SYMBOL. Books share nothing but
    memory: each answers as a Book of its own would.

    An engine may be used from several threads, one at a time: a call while another thread is inside raises RuntimeError.
    Different engines run in parallel.
    """

    def __cinit__(self, symbols=(0,), *, stp=t.SelfTradePrevention.CANCEL_NEWEST, max_orders=t.DEFAULT_MAX_ORDERS):
        cdef uint8_t checked_stp = t.SelfTradePrevention(stp)
        if not 0 < max_orders <= t.MAX_ORDERS_CEILING:
            raise ValueError(f"max_orders must be 1 to {t.MAX_ORDERS_CEILING}, was {max_orders}")
        self._out = EventBuffer.__new__(EventBuffer)
        self._e = engine_new(checked_stp, whole(max_orders), int.from_bytes(os.urandom(8), "little"))
        if self._e == NULL:
            raise MemoryError("no memory for an engine")
        for symbol in symbols:
            self.open(symbol)

    def __dealloc__(self):
        engine_free(self._e)

    def process(self, commands):
        """Apply packed 64-byte commands in order; return their packed 64-byte events (see records.py) as a memoryview.

        commands is any contiguous buffer. The GIL is released while the batch runs. Malformed records become rejections;
        a length that is not a multiple of 64 raises ValueError and has no effect. The view may be kept: the next call
        then writes elsewhere; when it is dropped, a warm engine allocates nothing. Without memory for the events of
        commands that already had their effect MemoryError, and every later call raises RuntimeError: such an engine must
        be rebuilt from its commands.
        """
        return self._process(commands, -1, "engine")

    def open(self, symbol):
        """Open an empty book and return it. ValueError when the symbol is open already or not below 2^20."""
        cdef engine_t *e = self._enter("engine")
        cdef uint32_t checked
        try:
            if not 0 <= whole(symbol) < SYMBOLS_MAX:
                raise ValueError(f"an engine's symbol must be 0 to {SYMBOLS_MAX - 1}, was {symbol}")
            checked = symbol
            if book_find(e, checked) != NULL:
                raise ValueError(f"symbol {symbol} is open already")
            if open_book(e, checked, True) < 0:
                raise MemoryError("no memory for a book")
            return book_view(self, <uint32_t> e.book_count - 1)
        finally:
            self._leave()

    def book(self, symbol):
        """The open book of a symbol, sharing this engine's memory. KeyError when there is none."""
        cdef engine_t *e = self._enter("engine")
        cdef const book_t *b
        try:
            b = book_find(e, symbol) if 0 <= whole(symbol) < SYMBOLS_MAX else NULL
            if b == NULL:
                raise KeyError(symbol)
            return book_view(self, b.index)
        finally:
            self._leave()

    @property
    def symbols(self):
        """Of the open books, in the order they were opened."""
        cdef engine_t *e = self._enter("engine")
        cdef uint64_t i
        try:
            return tuple([e.books[i].symbol for i in range(e.book_count)])
        finally:
            self._leave()

    def __len__(self):
        """Live orders of all books, waiting ones included."""
        return self._e.live

    def __repr__(self):
        return f"<Engine books={self._e.book_count} orders={self._e.live}>"

    # ---- whole state ---------------------------------------------------------------------------------------------

    def snapshot(self):
        """All books as bytes, in the order opened (layout in snapshot.py)."""
        return images.seal(engine_body(self))

    def state_hash(self):
        """blake2b-256 of all books, their settings and every resting order. 32 bytes."""
        return images.digest(engine_body(self))

    @classmethod
    def restore(cls, data):
        """The engine a snapshot describes. Bytes that `snapshot` cannot have written raise ValueError."""
        cdef Engine engine = cls(())
        for image in images.parse_engine(data):
            engine._e.stp = image.header.stp
            engine._e.max_orders = image.header.max_orders
            if open_book(engine._e, image.header.symbol, True) < 0:
                raise MemoryError("no memory for a book")
            image_restore(engine._e, &engine._e.books[engine._e.book_count - 1], image)
        return engine

    def check_invariants(self):
        """Raise AssertionError when the parts of the engine disagree. O(everything); for tests."""
        cdef engine_t *e = self._enter("engine")
        try:
            check_engine(e)
        finally:
            self._leave()

    def memory_bytes(self):
        """What the engine holds from the allocator now, in bytes, without event buffers that only views hold."""
        return engine_bytes(self._e) + self._out.capacity * sizeof(event_t)

    # ---- one call at a time ----------------------------------------------------------------------------------------

    cdef engine_t *_enter(self, str who) except NULL:
        """Keep others out. Every call on the engine or one of its books does; _leave lets them in again."""
        if swap(&self._e.busy, 1) != 0:
            raise RuntimeError(f"the {who} is in use by another thread")
        if unlikely(self._e.broken):
            self._leave()
            raise RuntimeError(f"the {who} lost events for want of memory: rebuild it from its commands")
        return self._e

    cdef void _leave(self) noexcept:
        swap(&self._e.busy, 0)

    cdef int _take_events(self, uint64_t expected) except -1:
        """Hand the event memory to the engine, fresh when views of the last events are alive or it was too large for long."""
        cdef EventBuffer out = self._out
        if unlikely(out.exports != 0 or self._quiet >= QUIET_CALLS):
            out = self._out = EventBuffer.__new__(EventBuffer)
            self._quiet = 0
        self._e.events = out.data
        self._e.event_capacity = out.capacity
        self._e.event_count = 0
        self._e.events_rolled = 0
        out.data = NULL
        out.capacity = 0
        while unlikely(self._e.event_capacity < expected):
            if grow_events(self._e) < 0:
                self._give_events("")
                raise MemoryError(f"no memory for {expected} events")
        return 0

    cdef int _give_events(self, str who) except -1:
        """Take the event memory back from the engine."""
        cdef engine_t *e = self._e
        cdef EventBuffer out = self._out
        out.data = e.events
        out.capacity = e.event_capacity
        out.size = <Py_ssize_t> (e.event_count * sizeof(event_t))
        e.events = NULL
        e.event_capacity = 0
        if out.capacity > EVENTS_KEPT and 4 * e.event_count < out.capacity:
            self._quiet += 1
        else:
            self._quiet = 0
        e.event_count = 0
        if unlikely(e.broken):
            raise MemoryError(f"no memory for events: rebuild the {who} from its commands")
        return 0

    cdef object _process(self, object commands, int64_t index, str who):
        """process() for all books, or for the one with this index."""
        cdef Py_buffer view
        cdef engine_t *e
        cdef uint64_t count
        PyObject_GetBuffer(commands, &view, PyBUF_SIMPLE)
        try:
            if view.len % <Py_ssize_t> sizeof(command_t):
                raise ValueError(f"commands must be a multiple of {sizeof(command_t)} bytes, was {view.len}")
            count = <uint64_t> view.len // sizeof(command_t)
            e = self._enter(who)
            try:
                self._take_events(count)
                with nogil:
                    run(e, &e.books[index] if index >= 0 else NULL, <const uint8_t *> view.buf, count)
                    roll(e, &e.books[index] if index >= 0 else (e.books if e.book_count == 1 else NULL))
                self._give_events(who)
                self._out.open = True
                try:
                    return PyMemoryView_FromObject(self._out)
                finally:
                    self._out.open = False
            finally:
                self._leave()
        finally:
            PyBuffer_Release(&view)


@cython.final
@cython.internal
cdef class Place:
    """Which book of which engine a Book is to be a view of."""

    cdef Engine engine
    cdef uint32_t index


cdef Book book_view(Engine engine, uint32_t index):
    cdef Place place = Place.__new__(Place)
    place.engine = engine
    place.index = index
    return Book.__new__(Book, place)


cdef bytes engine_body(Engine engine):
    """An engine's snapshot without its digest."""
    cdef engine_t *e = engine._enter("engine")
    cdef uint64_t i
    try:
        bodies = [image_body(e, &e.books[i]) for i in range(e.book_count)]
    finally:
        engine._leave()
    return images.engine_body(bodies)
