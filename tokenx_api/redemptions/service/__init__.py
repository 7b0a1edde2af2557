"""Redemptions: requested -> awaiting_approval -> approved -> burning -> burned -> paid -> closed; or rejected, or failed.

The workflow drives, the rows decide: every step looks at the status under the row lock and does its part at most once."""

from tokenx_api.redemptions.service.outcomes import on_operation_failed, on_operation_final
from tokenx_api.redemptions.service.requests import approve, page, reject, request, statement, visible
from tokenx_api.redemptions.service.steps import get, take_step

__all__ = [
    "approve", "get", "on_operation_failed", "on_operation_final", "page", "reject", "request", "statement", "take_step", "visible",
]  # fmt: skip
