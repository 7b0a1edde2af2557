"""Our encoder and assembler against eth-account, which is the oracle here."""

import random
from typing import Any, cast

import pytest
from coincurve import PrivateKey
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signers.builders import ADDRESSES, KEYS, a_transaction, typed_data
from tokenx_chain.signers.assembler import assemble_message, assemble_transaction
from tokenx_chain.signers.base import UnsignedTransaction
from tokenx_chain.signers.curve import ORDER, address_of, from_der, low_s
from tokenx_chain.signers.encoding import message_digest, transaction_digest, typed_data_chain, typed_data_digest
from tokenx_chain.signers.errors import BadAnswer, SignerRefused, WrongSignature
from tokenx_chain.signers.jobs import Signature

words = st.integers(min_value=0, max_value=2**256 - 1) | st.sampled_from([0, 1, 127, 128, 255, 256, 2**64, 2**256 - 1])


@st.composite
def transactions(draw: st.DrawFn) -> UnsignedTransaction:
    tip, fee = sorted((draw(words), draw(words)))
    to = draw(st.none() | st.binary(min_size=20, max_size=20))
    return UnsignedTransaction(
        chain_id=draw(st.integers(1, 2**63)), nonce=draw(st.integers(0, 2**64 - 2)), to=None if to is None else "0x" + to.hex(),
        value=draw(words), data=draw(st.binary(max_size=400)), gas=draw(st.integers(1, 2**63)), max_fee=fee, max_tip=tip,
    )  # fmt: skip


def sign(digest: bytes, key: bytes = KEYS["platform"]) -> Signature:
    # Any: its nonce parameter has no type.
    packed: bytes = cast(Any, PrivateKey(key)).sign_recoverable(digest, hasher=None)
    return Signature(int.from_bytes(packed[:32], "big"), int.from_bytes(packed[32:64], "big"), packed[64])


@settings(max_examples=200, deadline=None)
@given(transactions())
def test_bytes_are_those_of_eth_account(transaction: UnsignedTransaction) -> None:
    fields = {
        "type": 2, "chainId": transaction.chain_id, "nonce": transaction.nonce, "value": transaction.value, "data": transaction.data,
        "gas": transaction.gas, "maxFeePerGas": transaction.max_fee, "maxPriorityFeePerGas": transaction.max_tip,
    } | ({} if transaction.to is None else {"to": bytes.fromhex(transaction.to[2:])})  # fmt: skip
    wanted = Account.from_key(KEYS["platform"]).sign_transaction(fields)
    done = assemble_transaction(transaction, sign(transaction_digest(transaction)), address=ADDRESSES["platform"])
    assert done.raw == bytes(wanted.raw_transaction)
    assert done.tx_hash == "0x" + bytes(wanted.hash).hex()


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.booleans(), st.booleans())
def test_either_form_of_a_signature_gives_the_low_one(digest: bytes, is_high: bool, tells_parity: bool) -> None:
    good = sign(digest)
    assert good.y_parity is not None
    given = Signature(good.r, ORDER - good.s, good.y_parity ^ 1) if is_high else good
    given = given if tells_parity else Signature(given.r, given.s, None)
    packed = assemble_message(digest, given, address=ADDRESSES["platform"])
    assert packed == good.r.to_bytes(32, "big") + good.s.to_bytes(32, "big") + bytes([27 + good.y_parity])


@settings(max_examples=100, deadline=None)
@given(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**256 - 1),
    st.integers(0, 2**256 - 1),
    st.none() | st.integers(-3, 5),
)
def test_random_numbers_are_no_signature(digest: bytes, r: int, s: int, parity: int | None) -> None:
    with pytest.raises(WrongSignature):
        assemble_message(digest, Signature(r, s, parity), address=ADDRESSES["platform"])


def test_wrong_parity_is_refused_rather_than_guessed() -> None:
    good = sign(transaction_digest(a_transaction()))
    assert good.y_parity is not None
    with pytest.raises(WrongSignature):
        assemble_transaction(
            a_transaction(), Signature(good.r, good.s, good.y_parity ^ 1), address=ADDRESSES["platform"]
        )


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (1, ORDER), (2**256, 1)])
def test_numbers_off_the_curve_are_refused(r: int, s: int) -> None:
    with pytest.raises(WrongSignature, match="curve order"):
        low_s(Signature(r, s, 0))


@pytest.mark.parametrize(
    "encoded", [b"", b"\x30", b"\x30\x06\x02\x01\x01\x02\x01", b"\x00" * 70, b"\x30\x06\x02\x01\x01\x02\x01\x01\x00"]
)
def test_what_is_not_der_is_a_bad_answer(encoded: bytes) -> None:
    with pytest.raises(BadAnswer, match="not a DER signature"):
        from_der(encoded)


@pytest.mark.parametrize("key", [b"", b"\x02" * 32, b"\x05" + b"\x01" * 32, b"\x04" + b"\x01" * 64])
def test_what_is_no_point_is_a_bad_answer(key: bytes) -> None:
    with pytest.raises(BadAnswer, match="not a secp256k1 public key"):
        address_of(key)


@given(st.binary(max_size=300))
def test_message_digest_is_eth_accounts(message: bytes) -> None:
    signature = assemble_message(message_digest(message), sign(message_digest(message)), address=ADDRESSES["platform"])
    assert Account.from_key(KEYS["platform"]).sign_message(encode_defunct(primitive=message)).signature == signature


def test_typed_data_digest_is_eth_accounts() -> None:
    digest = typed_data_digest(typed_data())
    signable = encode_typed_data(full_message=typed_data())
    wanted = Account.from_key(KEYS["platform"]).sign_message(signable).signature
    assert assemble_message(digest, sign(digest), address=ADDRESSES["platform"]) == wanted


@pytest.mark.parametrize(("chain", "wanted"), [(1, 1), ("1", 1), ("0x89", 137), (None, None)])
def test_domain_tells_the_chain(chain: object, wanted: int | None) -> None:
    assert typed_data_chain({"domain": {"chainId": chain}}) == wanted
    assert typed_data_chain({"domain": "odd"}) is None


def test_chain_that_is_no_number_is_refused() -> None:
    with pytest.raises(SignerRefused, match="not a number"):
        typed_data_chain({"domain": {"chainId": "main"}})


JUNK: list[Any] = [None, 1, -1, 2**300, "", "x", "0x", "0xzz", [], [1], {}, {"a": 1}, 1.5, True, "uint256", "uint7", "bytes99", "Fill", "Fill[]",
                   "Fill[2]", "int", "address", "Fill[", "tuple"]  # fmt: skip


def damaged(value: Any, dice: random.Random) -> Any:
    """The data with one part somewhere replaced by junk."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        members = cast(dict[str, Any], value)
        name = dice.choice(list(members))
        return members | {name: damaged(members[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.8:
        items = list(cast(list[Any], value))
        place = dice.randrange(len(items))
        return [*items[:place], damaged(items[place], dice), *items[place + 1 :]]
    return dice.choice(JUNK)


def test_damaged_typed_data_is_refused_or_signed_never_a_crash() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    refused = 0
    for _ in range(3000):
        data = damaged(typed_data(), dice)
        try:
            assert len(typed_data_digest(cast(dict[str, Any], data) if isinstance(data, dict) else {})) == 32
        except SignerRefused:
            refused += 1
    assert refused > 1000
