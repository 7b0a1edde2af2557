"""Refusals of redemptions."""

from tokenx_common.errors import Conflict, PermissionDenied


class WrongStatus(Conflict):
    """The redemption is past it, or not there yet."""

    code = "redemption.wrong_status"


class OwnAccount(PermissionDenied):
    """Nobody decides about their own redemption."""

    code = "redemption.own_account"


class NotRedeemable(Conflict):
    """The offering has no deployed token to burn."""

    code = "redemption.not_redeemable"


class NoStatement(Conflict):
    """There is a statement once the redemption is closed."""

    code = "redemption.no_statement"
