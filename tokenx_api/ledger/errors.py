"""Refusals of the ledger."""

from tokenx_common.errors import Conflict


class InsufficientBalance(Conflict):
    """Less is available than the use case needs."""

    code = "ledger.insufficient_balance"
