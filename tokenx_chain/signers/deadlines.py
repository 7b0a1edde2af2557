"""When a request is too late."""

from tokenx_chain.signers.jobs import AnyRequest, ContractCallRequest, SignJob, SignState
from tokenx_common.clock import Clock


def is_over(request: AnyRequest | ContractCallRequest, clock: Clock) -> bool:
    """Whether the deadline has passed. No deadline: never."""
    return request.deadline is not None and clock.now() >= request.deadline


def expired(job_id: str) -> SignJob:
    """A job that was never handed to the key holder, so there is no signature."""
    return SignJob(job_id, SignState.EXPIRED, reason="the deadline had passed before the key holder was asked")
