"""The rulebook: every rule of the book in plain Python, slow on purpose and written to be read.

The compiled book must agree with this one on every event, every refusal and the state hash; the tests drive both with
the same commands. Nothing here reads a clock, draws a random number or depends on the order of a hash table.

The rules in short, and where they are written
  checks.py     Refusals: in one documented order, before any effect.
  effects.py    What each command does. Replace: same price and no more quantity than open shrinks the order where it
                stands; anything else leaves the book and enters again as new.
  matching.py   Priority: best price, displayed before hidden, oldest first; at the resting price. Icebergs, self-trade
                prevention, price bands, and what fill-or-kill and a minimum quantity count.
  stops.py      Stops and trailing stops wait for the last price.
  pegs.py       Pegged orders follow the best displayed prices.
  auctions.py   Calls collect orders; an uncross trades them at one price.
  states.py     States of the book, and leaving it.
  settling.py   What follows of itself after a command.
  data.py       Orders and the places they stand in; no rule lives there.
  tally.py      Statistics and the rolling hash.
  book.py, engine.py, calls.py, images.py   The surface: one book, many books, typed calls, snapshots.
"""

from matcher_core.reference.book import ReferenceBook
from matcher_core.reference.engine import ReferenceEngine

__all__ = ["ReferenceBook", "ReferenceEngine"]
