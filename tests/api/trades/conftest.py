"""The market fixtures of tests/api/orders."""

from tests.api.orders.conftest import quiet, venue

__all__ = ["quiet", "venue"]
