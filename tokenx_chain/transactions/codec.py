"""Signed bytes read back: what a journaled transaction says, for whoever must replace or explain it after a restart."""

from typing import Any

from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from tokenx_chain.signers.base import UnsignedTransaction


def unsigned_of(raw: bytes) -> UnsignedTransaction:
    """The transaction behind signed EIP-1559 bytes, without its signature."""
    fields: dict[str, Any] = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    to = bytes(fields["to"])
    return UnsignedTransaction(
        chain_id=int(fields["chainId"]),
        nonce=int(fields["nonce"]),
        to="0x" + to.hex() if to else None,
        value=int(fields["value"]),
        data=bytes(fields["data"]),
        gas=int(fields["gas"]),
        max_fee=int(fields["maxFeePerGas"]),
        max_tip=int(fields["maxPriorityFeePerGas"]),
    )
