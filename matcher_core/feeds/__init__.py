"""Readers of recorded order flow, one file each: NASDAQ ITCH 5.0, Databento market by order, LOBSTER messages.

A recording tells what one venue's book did. A reader turns it into the commands that make ours do the same: an add
becomes a limit order, a delete a cancel, a change a replace, and an execution an immediate-or-cancel order from the other
side, at the recorded price and quantity. If our rules are the venue's, the same makers are filled; that is counted.
"""
