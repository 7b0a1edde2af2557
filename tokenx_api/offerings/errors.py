"""Refusals of the offering domain."""

from tokenx_common.errors import Conflict


class SymbolTaken(Conflict):
    """Another offering has this symbol."""

    code = "offering.symbol_taken"


class WrongStatus(Conflict):
    """The offering is not in the status this step starts from."""

    code = "offering.wrong_status"
