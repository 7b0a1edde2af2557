"""Use cases of agents: ask whether an act would go through, ask for it, withdraw it, and follow what the chain says."""

from tokenx_api.agency.service.asking import find_plan, trial
from tokenx_api.agency.service.outcomes import on_operation_failed, on_operation_final, on_transfer_final
from tokenx_api.agency.service.read import get, page, view
from tokenx_api.agency.service.request import request, withdraw

__all__ = [
    "find_plan", "get", "on_operation_failed", "on_operation_final", "on_transfer_final", "page", "request", "trial", "view", "withdraw",
]  # fmt: skip
