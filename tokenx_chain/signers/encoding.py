"""Bytes of EIP-1559 transactions and the digests of everything we sign. Our own encoder: eth-account spends nine tenths of its time on
checks of dictionaries that our types make needless."""

from collections.abc import Mapping
from typing import Any, Final, cast

from eth_abi.exceptions import EncodingError
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak
from eth_utils.exceptions import ValidationError

from tokenx_chain.signers.base import UnsignedTransaction
from tokenx_chain.signers.errors import SignerRefused

_TYPE_2: Final = b"\x02"
_WORD: Final = 2**256
_UINT64: Final = 2**64
_NOT_TYPED_DATA: Final = (
    ValidationError,
    EncodingError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What eth-account raises for data of the wrong shape: it looks before it leaps only in places."""


def transaction_digest(transaction: UnsignedTransaction) -> bytes:
    """What is signed. Raises SignerRefused for fields that do not fit."""
    return keccak(_TYPE_2 + _list(_fields(transaction)))


def signed_bytes(transaction: UnsignedTransaction, *, r: int, s: int, y_parity: int) -> bytes:
    """What goes out."""
    return _TYPE_2 + _list(_fields(transaction) + [_item(_int(number)) for number in (y_parity, r, s)])


def message_digest(message: bytes) -> bytes:
    """EIP-191, version 0x45."""
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)


def typed_data_digest(typed_data: Mapping[str, Any]) -> bytes:
    """EIP-712. Raises SignerRefused for data that is not."""
    try:
        signable = encode_typed_data(full_message=dict(typed_data))
    except _NOT_TYPED_DATA as error:
        raise SignerRefused(f"not EIP-712 data: {type(error).__name__}") from error
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def typed_data_chain(typed_data: Mapping[str, Any]) -> int | None:
    """The chain id of the domain; None when the data is bound to no chain."""
    domain = typed_data.get("domain")
    found = cast(Mapping[str, object], domain).get("chainId") if isinstance(domain, Mapping) else None
    if found is None:
        return None
    try:
        return int(str(found), 0)
    except ValueError as error:
        raise SignerRefused("domain.chainId is not a number") from error


def _fields(transaction: UnsignedTransaction) -> list[bytes]:
    t = transaction
    if not (0 < t.chain_id < _UINT64 and 0 <= t.nonce < _UINT64 - 1 and 0 < t.gas < _UINT64):
        raise SignerRefused("chain_id, nonce and gas must fit 64 bits and be in range")
    if not (0 <= t.max_tip <= t.max_fee < _WORD and 0 <= t.value < _WORD):
        raise SignerRefused("value and fees must fit 256 bits, and the tip must not exceed the fee")
    numbers = [_item(_int(n)) for n in (t.chain_id, t.nonce, t.max_tip, t.max_fee, t.gas)]
    return [*numbers, _item(_address(t.to)), _item(_int(t.value)), _item(t.data), _list([])]


def _address(text: str | None) -> bytes:
    """20 bytes, or none for a contract creation."""
    if text is None:
        return b""
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise SignerRefused("to is not hexadecimal") from error
    if len(raw) != 20:
        raise SignerRefused(f"to must be 20 bytes, was {len(raw)}")
    return raw


def _int(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _item(raw: bytes) -> bytes:
    return raw if len(raw) == 1 and raw[0] < 0x80 else _head(0x80, len(raw)) + raw


def _list(items: list[bytes]) -> bytes:
    body = b"".join(items)
    return _head(0xC0, len(body)) + body


def _head(base: int, length: int) -> bytes:
    """RLP's length prefix."""
    if length < 56:
        return bytes([base + length])
    size = _int(length)
    return bytes([base + 55 + len(size)]) + size
