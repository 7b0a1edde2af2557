"""Refusals of the payment domain."""

from tokenx_common.errors import Conflict


class NoWallet(Conflict):
    """Cash is mirrored on chain, so an investor needs a wallet before it can pay in."""

    code = "payment.no_wallet"


class MintNotFailed(Conflict):
    """Only a deposit whose on-chain cash failed to appear is minted again."""

    code = "payment.mint_not_failed"
