"""A signer without a process of its own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from tokenx_chain.signers.base import SignedTransaction, UnsignedTransaction
from tokenx_chain.signers.jobs import Capabilities, Context
from tokenx_chain.signers.seed import derive_key


class SeedSigner:
    """The keys of a seed file in this process, where a test needs a signer and not the process that holds its keys."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._accounts: dict[str, LocalAccount] = {}

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(raw_digest=True, typed_data=False, contract_call=False, is_sync=True, deterministic=True, max_inflight=64,
                            webhooks=False)  # fmt: skip

    async def address(self, key_ref: str) -> str:
        return self._account(key_ref).address.lower()

    async def sign_transaction(self, key_ref: str, transaction: UnsignedTransaction, *, attempt_id: str | None = None, intent_id: str = "",
                               policy_context: Context = (), deadline: datetime | None = None) -> SignedTransaction:  # fmt: skip
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": transaction.chain_id,
            "nonce": transaction.nonce,
            "value": transaction.value,
            "data": transaction.data,
            "gas": transaction.gas,
            "maxFeePerGas": transaction.max_fee,
            "maxPriorityFeePerGas": transaction.max_tip,
        }
        if transaction.to is not None:
            fields["to"] = bytes.fromhex(transaction.to.removeprefix("0x"))
        signed = self._account(key_ref).sign_transaction(fields)
        return SignedTransaction(raw=bytes(signed.raw_transaction), tx_hash="0x" + bytes(signed.hash).hex())

    async def sign_message(self, key_ref: str, message: bytes) -> bytes:
        return bytes(self._account(key_ref).sign_message(encode_defunct(primitive=message)).signature)

    async def sign_typed_data(self, key_ref: str, typed_data: Mapping[str, Any]) -> bytes:
        return bytes(self._account(key_ref).sign_typed_data(full_message=dict(typed_data)).signature)

    def _account(self, key_ref: str) -> LocalAccount:
        account = self._accounts.get(key_ref)
        if account is None:
            account = self._accounts[key_ref] = Account.from_key(derive_key(self._seed, key_ref))
        return account
