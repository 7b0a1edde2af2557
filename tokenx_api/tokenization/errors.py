"""Refusals of the chain journal."""

from tokenx_common.errors import Conflict, Invalid


class NonceTaken(Conflict):
    """Another transaction is journaled under this nonce, id or hash: it is bound for ever."""

    code = "chain.nonce_taken"


class StreamConflict(Conflict):
    """prev_seq is not the head of the stream."""

    code = "stream.conflict"


class DuplicateEvent(Conflict):
    """An event_id is in the stream already."""

    code = "stream.duplicate_event"


class DeadLetterClosed(Conflict):
    """It was requeued or discarded before."""

    code = "dead_letter.closed"


class NotRequeueable(Conflict):
    """There is nothing to do again, or it is asked for again where it came from."""

    code = "dead_letter.not_requeueable"


class StillFailing(Conflict):
    """The event cannot be processed now either."""

    code = "dead_letter.still_failing"


class IntentKeyReused(Conflict):
    """The idempotency key came before with another request."""

    code = "transaction.key_reused"


class RotationUnderWay(Conflict):
    """Another rotation of this key has not ended, or has switched it before."""

    code = "signer.rotation_under_way"


class SecondPersonRequired(Conflict):
    """The same person cannot agree twice."""

    code = "approval.second_person_required"


class PolicyTooWide(Invalid):
    """A rule that allows everything would end denying by default."""

    code = "policy.too_wide"


class PolicyOfAnotherChain(Conflict):
    """A rule of that name belongs to another chain, or to every chain."""

    code = "policy.other_chain"


class PolicyUnknown(Invalid):
    """There is no such rule to take out, or nothing would change."""

    code = "policy.nothing_to_change"


class PolicyChangeDecided(Conflict):
    """It was approved or rejected before."""

    code = "policy_change.decided"


class PolicyMoved(Conflict):
    """Another change was approved in the meantime: look again at what this one would do."""

    code = "policy_change.moved"


class WouldLockOut(Conflict):
    """The platform could not do its own work any more. facts: warnings. Say accept_lock_out to approve it all the same."""

    code = "policy_change.would_lock_out"
