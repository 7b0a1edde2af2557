"""What nodes mean by their answers to signed bytes. Error texts are not portable: one row for each spelling, tried in tests/chain by client."""

from enum import StrEnum
from typing import Final


class Answer(StrEnum):
    """TAKEN: accepted. KNOWN: these bytes are in the pool. NONCE_USED: the nonce is mined, by us or by another: look at the receipts.
    UNDERPRICED: other bytes hold the nonce and offer too much. FEE_LOW: cannot enter a block at today's price. FUNDS: the balance does not cover it.
    NONCE_AHEAD: lower nonces are missing. BUSY: ask again later. NEVER: these bytes can never be mined. UNCLEAR: none of these."""

    TAKEN = "taken"
    KNOWN = "known"
    NONCE_USED = "nonce_used"
    UNDERPRICED = "underpriced"
    FEE_LOW = "fee_low"
    FUNDS = "funds"
    NONCE_AHEAD = "nonce_ahead"
    BUSY = "busy"
    NEVER = "never"
    UNCLEAR = "unclear"


PATTERNS: Final[tuple[tuple[str, Answer], ...]] = (
    # Before the others that share words with them.
    ("replacement transaction underpriced", Answer.UNDERPRICED),
    ("replacement fee too low", Answer.UNDERPRICED),
    ("replacement not allowed", Answer.UNDERPRICED),
    ("replacementnotallowed", Answer.UNDERPRICED),
    ("gas price too low to replace", Answer.UNDERPRICED),
    ("could not replace existing tx", Answer.UNDERPRICED),
    ("another transaction with same nonce", Answer.UNDERPRICED),
    ("already imported", Answer.KNOWN),
    ("already known", Answer.KNOWN),
    ("alreadyknown", Answer.KNOWN),
    ("known transaction", Answer.KNOWN),
    ("already exists", Answer.KNOWN),
    ("already in the pool", Answer.KNOWN),
    ("already in mempool", Answer.KNOWN),
    ("transaction_already_exists", Answer.KNOWN),
    ("duplicate_transaction", Answer.KNOWN),
    ("nonce too low", Answer.NONCE_USED),
    ("nonce is too low", Answer.NONCE_USED),
    ("oldnonce", Answer.NONCE_USED),
    ("old nonce", Answer.NONCE_USED),
    ("nonce has already been used", Answer.NONCE_USED),
    ("nonce too high", Answer.NONCE_AHEAD),
    ("nonce is too high", Answer.NONCE_AHEAD),
    ("nonce gap", Answer.NONCE_AHEAD),
    ("wrong_nonce", Answer.NONCE_AHEAD),
    ("wrong nonce", Answer.NONCE_AHEAD),
    ("insufficient funds", Answer.FUNDS),
    ("insufficientfunds", Answer.FUNDS),
    ("insufficient balance", Answer.FUNDS),
    ("insufficient_payer_balance", Answer.FUNDS),
    ("insufficient sender balance", Answer.FUNDS),
    ("overdraft", Answer.FUNDS),
    ("upfront cost exceeds account balance", Answer.FUNDS),
    ("less than block base fee", Answer.FEE_LOW),
    ("less than the block base fee", Answer.FEE_LOW),
    ("below base fee", Answer.FEE_LOW),
    ("feecap less than", Answer.FEE_LOW),
    ("maxfeepergas", Answer.FEE_LOW),
    ("transaction underpriced", Answer.FEE_LOW),
    ("gas tip cap", Answer.FEE_LOW),
    ("tip too low", Answer.FEE_LOW),
    ("gas price too low", Answer.FEE_LOW),
    ("gas price below", Answer.FEE_LOW),
    ("below configured minimum gas price", Answer.FEE_LOW),
    ("feetoolow", Answer.FEE_LOW),
    ("fee too low", Answer.FEE_LOW),
    ("insufficient_tx_fee", Answer.FEE_LOW),
    ("txpool is full", Answer.BUSY),
    ("pool is full", Answer.BUSY),
    ("mempool is full", Answer.BUSY),
    ("account limit exceeded", Answer.BUSY),
    ("too many requests", Answer.BUSY),
    ("rate limit", Answer.BUSY),
    ("rate-limit", Answer.BUSY),
    ("limit exceeded", Answer.BUSY),
    ("internal error", Answer.BUSY),
    ("intrinsic gas too low", Answer.NEVER),
    ("intrinsic gas too high", Answer.NEVER),
    ("exceeds block gas limit", Answer.NEVER),
    ("gas limit too high", Answer.NEVER),
    ("gas limit reached", Answer.NEVER),
    ("transaction gas limit too high", Answer.NEVER),
    ("exceeds transaction gas limit", Answer.NEVER),
    ("oversized data", Answer.NEVER),
    ("transaction size limit", Answer.NEVER),
    ("max initcode size exceeded", Answer.NEVER),
    ("invalid chain id", Answer.NEVER),
    ("invalid sender", Answer.NEVER),
    ("transaction type not supported", Answer.NEVER),
)


def read_answer(message: str | None) -> Answer:
    """The meaning of a node's error text; None: no error."""
    if message is None:
        return Answer.TAKEN
    text = message.lower()
    return next((meaning for pattern, meaning in PATTERNS if pattern in text), Answer.UNCLEAR)
