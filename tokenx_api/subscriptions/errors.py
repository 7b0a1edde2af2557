"""Refusals of the subscription domain."""

from tokenx_common.errors import Conflict


class OfferingFull(Conflict):
    """Fewer units are left than were asked for."""

    code = "subscription.offering_full"


class WrongStatus(Conflict):
    """The subscription is not in the status this step starts from."""

    code = "subscription.wrong_status"
