"""Investors: profile, KYC decisions, freezing, revocation, recovery. A KYC approval also brings the wallet into the on-chain identity registry."""

from tokenx_api.investors.service.freezing import set_frozen
from tokenx_api.investors.service.kyc import approve_kyc, reject_kyc
from tokenx_api.investors.service.outcomes import on_operation_failed, on_operation_final
from tokenx_api.investors.service.profiles import create, get, locked, own_id, page, require_active
from tokenx_api.investors.service.recovery import recover
from tokenx_api.investors.service.revocation import revoke

__all__ = [
    "approve_kyc", "create", "get", "locked", "on_operation_failed", "on_operation_final", "own_id", "page", "recover", "reject_kyc",
    "require_active", "revoke", "set_frozen",
]  # fmt: skip
