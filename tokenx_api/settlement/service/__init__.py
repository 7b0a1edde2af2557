"""Settlement of fills: batches are instructed on chain; what the chain reports as final moves the ledger."""

from tokenx_api.settlement.service.outcome import (
    on_operation_failed,
    on_operation_final,
    on_settlement_failed,
    on_settlement_final,
)
from tokenx_api.settlement.service.read import page

__all__ = ["on_operation_failed", "on_operation_final", "on_settlement_failed", "on_settlement_final", "page"]
