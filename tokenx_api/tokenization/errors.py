"""Refusals of the chain journal."""

from tokenx_common.errors import Conflict


class NonceTaken(Conflict):
    """Another transaction is journaled under this nonce, id or hash: it is bound for ever."""

    code = "chain.nonce_taken"


class StreamConflict(Conflict):
    """prev_seq is not the head of the stream."""

    code = "stream.conflict"


class DuplicateEvent(Conflict):
    """An event_id is in the stream already."""

    code = "stream.duplicate_event"
