"""Keys, transactions and messages for tests."""

import hashlib
from typing import Any

from eth_account import Account

from tokenx_chain.signers.base import UnsignedTransaction
from tokenx_chain.signers.jobs import SignRequest
from tokenx_common.ids import uuid7_hex

PASSPHRASE = b"correct horse battery staple"
KEYS = {
    "platform": hashlib.sha256(b"platform of the signer tests").digest(),
    "treasury": hashlib.sha256(b"treasury of the signer tests").digest(),
}
ADDRESSES = {name: str(Account.from_key(key).address).lower() for name, key in KEYS.items()}
RECEIVER = "0x" + "11" * 20


def a_transaction(**changes: Any) -> UnsignedTransaction:
    fields: dict[str, Any] = {
        "chain_id": 31337, "nonce": 5, "to": RECEIVER, "value": 7, "data": b"\x01\x02", "gas": 60_000, "max_fee": 3 * 10**9,
        "max_tip": 10**9,
    }  # fmt: skip
    return UnsignedTransaction(**(fields | changes))


def a_request(transaction: UnsignedTransaction | None = None, **more: Any) -> SignRequest:
    fields: dict[str, Any] = {"job_id": a_job(), "key_ref": "platform", "transaction": transaction or a_transaction()}
    return SignRequest(**(fields | more))


def a_job() -> str:
    return f"att-{uuid7_hex()}"


def typed_data(*, chain_id: int = 31337, units: int = 100) -> dict[str, Any]:
    return {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
            "Fill": [
                {"name": "fill", "type": "bytes32"},
                {"name": "units", "type": "uint256"},
                {"name": "to", "type": "address"},
            ],
        },
        "primaryType": "Fill",
        "domain": {"name": "Settlement", "chainId": chain_id},
        "message": {"fill": "0x" + "22" * 32, "units": units, "to": RECEIVER},
    }
