"""Use cases around the chain service: ask it for work, keep its journal, keep its event stream, show it all to staff."""

from tokenx_api.tokenization.service.events import append_events, chain_heads, events_after, stream_head
from tokenx_api.tokenization.service.intents import agree, agree_once, request_intent, transaction, transaction_page
from tokenx_api.tokenization.service.journal import (
    DeadLetter,
    business_ref_of,
    close_dead_letter,
    contracts,
    dead_letter,
    nonces,
    open_dead_letter,
    open_operations,
    operation,
    policy,
    results,
    sign_jobs,
    waiting_transaction,
    write_journal,
)
from tokenx_api.tokenization.service.operations import (
    OperationKind,
    repeat_intent,
    request_operation,
    request_platform,
    rerun_operation,
)
from tokenx_api.tokenization.service.policies import (
    approve_policy_change,
    check_policy_change,
    policy_change_page,
    policy_view,
    propose_policy,
    put_in_effect,
    reject_policy_change,
)
from tokenx_api.tokenization.service.reports import checkpoints, endpoints, signer_page, status_history
from tokenx_api.tokenization.service.rotations import journaled_rotations, request_rotation, rotations
from tokenx_api.tokenization.service.staff import cancel, simulate, speed_up
from tokenx_api.tokenization.service.views import chain_status, dead_letter_page, operation_page, operation_view

__all__ = [
    "DeadLetter", "OperationKind", "agree", "agree_once", "append_events", "approve_policy_change", "business_ref_of", "cancel", "chain_heads", "chain_status",
    "check_policy_change", "checkpoints", "close_dead_letter", "contracts", "dead_letter", "dead_letter_page", "endpoints", "events_after", "journaled_rotations",
    "nonces", "open_dead_letter", "open_operations", "operation", "operation_page", "operation_view", "policy", "policy_change_page",
    "policy_view", "propose_policy", "put_in_effect", "reject_policy_change", "repeat_intent", "request_intent", "request_operation",
    "request_platform", "request_rotation", "rerun_operation", "results", "rotations", "sign_jobs", "signer_page", "simulate", "speed_up", "status_history", "stream_head", "transaction",
    "transaction_page", "waiting_transaction", "write_journal",
]  # fmt: skip
