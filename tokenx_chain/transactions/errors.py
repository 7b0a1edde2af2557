"""How an intent ends without doing what it was for. Each is proof, never a guess."""


class IntentRefused(Exception):
    """Nothing was signed and nothing will be: the intent is over. code is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class NonceLost(Exception):
    """Another transaction with this nonce is final: the key is used by someone else."""


class IntentCancelled(Exception):
    """The transaction that took its place under its nonce is final, or it was taken from the queue before anything was signed."""
