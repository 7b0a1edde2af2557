"""The audit trail: record and read rows, seal them into a chain, verify all of it."""

from tokenx_api.audit.service.sealing import MAX_EVENTS_PER_SEAL, seal, verify
from tokenx_api.audit.service.trail import page, record

__all__ = ["MAX_EVENTS_PER_SEAL", "page", "record", "seal", "verify"]
