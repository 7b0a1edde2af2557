"""Refusals of orders."""

from tokenx_api.orders.models import Order
from tokenx_common.errors import Conflict, Invalid, NotFound


class InvalidOrder(Invalid):
    """Well-formed, but the offering's grid or the order type does not allow it. errors: [{pointer, code, message}]."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(f"{errors[0]['pointer']}: {errors[0]['message']}", errors=errors)


class ClientOrderIdReused(Invalid):
    """Another order of this investor has this client_order_id and a different body."""

    code = "order.client_order_id_reused"


class OrderNotFound(NotFound):
    """No such order, or somebody else's."""

    def __init__(self) -> None:
        super().__init__("order")


class OrderNotOpen(Conflict):
    """The order is closed. facts: order_status."""

    code = "order.not_open"

    def __init__(self, order: Order) -> None:
        super().__init__(f"the order is {order.status}", order_status=order.status)


class OrderBusy(Conflict):
    """A change of the order is under way; look again in a moment."""

    code = "order.change_pending"


class ProfileRequired(Conflict):
    """The user holds the investor persona but has no investor profile yet."""

    code = "investor.profile_required"


class MarketMissing(Conflict):
    """Trading of the offering was never started."""

    code = "market.not_started"


class ExecutionLogBroken(Conflict):
    """What the matcher reports does not continue the log the database holds. A human must look; nothing was ingested."""

    code = "execution.log_broken"
    status = 500
