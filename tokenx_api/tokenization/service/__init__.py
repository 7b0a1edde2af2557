"""Use cases around the chain service: ask it for work, keep its journal, keep its event stream, show it all to staff."""

from tokenx_api.tokenization.service.events import append_events, chain_heads, events_after, stream_head
from tokenx_api.tokenization.service.intents import agree, request_intent, transaction, transaction_page
from tokenx_api.tokenization.service.journal import (
    close_dead_letter,
    contracts,
    dead_letter,
    nonces,
    open_dead_letter,
    open_operations,
    operation,
    policy,
    write_journal,
)
from tokenx_api.tokenization.service.operations import OperationKind, request_operation, request_platform
from tokenx_api.tokenization.service.views import chain_status, dead_letter_page, operation_page, operation_view

__all__ = [
    "OperationKind", "agree", "append_events", "chain_heads", "chain_status", "close_dead_letter", "contracts", "dead_letter", "dead_letter_page",
    "events_after", "nonces", "open_dead_letter", "open_operations", "operation", "operation_page", "operation_view", "policy", "request_intent", "request_operation", "request_platform",
    "stream_head", "transaction", "transaction_page", "write_journal",
]  # fmt: skip
