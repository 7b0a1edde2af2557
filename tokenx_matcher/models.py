"""Bodies of the matcher's answers."""

from tokenx_common.wire import WireModel


class BookLevel(WireModel):
    """All orders of one side at one price."""

    price_ticks: int
    quantity_lots: int
    orders: int


class BookView(WireModel):
    """The best levels of both sides, best first, as of exec_seq."""

    offering_id: str
    exec_seq: int
    bids: list[BookLevel]
    asks: list[BookLevel]


class OfferingState(WireModel):
    """Where the matcher stands with one offering. Hashes are hex; book_hash depends on the book's content alone."""

    offering_id: str
    cmd_seq: int
    exec_seq: int
    exec_hash: str
    book_hash: str
    market_state: str
