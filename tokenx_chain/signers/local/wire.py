"""What the service and signerd say to each other: one JSON object a line, both ways, typed and bounded. Big numbers are decimal strings."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tokenx_chain.signers.base import UnsignedTransaction

MAX_LINE_BYTES: Final = 512 * 1024
"""Room for the largest creation code a network takes (49,152 bytes) and for Hedera's 131,072 bytes of call data, in hexadecimal."""
MAX_CONNECTIONS: Final = 8

Number = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,77})$")]
Hex = Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$", max_length=MAX_LINE_BYTES)]
Word = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
KeyRef = Annotated[str, Field(min_length=1, max_length=140)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Call(_Strict):
    id: int = Field(ge=0, lt=2**53)


class AddressCall(_Call):
    op: Literal["address"] = "address"
    key_ref: KeyRef


class HealthCall(_Call):
    op: Literal["health"] = "health"


class TransactionFields(_Strict):
    """An UnsignedTransaction on the wire."""

    chain_id: Number
    nonce: Number
    to: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")] | None
    value: Number
    data: Hex
    gas: Number
    max_fee: Number
    max_tip: Number

    @staticmethod
    def of(t: UnsignedTransaction) -> "TransactionFields":
        """For sending."""
        return TransactionFields(
            chain_id=str(t.chain_id), nonce=str(t.nonce), to=t.to, value=str(t.value), data=t.data.hex(),
            gas=str(t.gas), max_fee=str(t.max_fee), max_tip=str(t.max_tip),
        )  # fmt: skip

    def transaction(self) -> UnsignedTransaction:
        """What was sent."""
        return UnsignedTransaction(
            int(self.chain_id), int(self.nonce), self.to, int(self.value), bytes.fromhex(self.data),
            int(self.gas), int(self.max_fee), int(self.max_tip),
        )  # fmt: skip


class TransactionCall(_Call):
    op: Literal["sign_transaction"] = "sign_transaction"
    key_ref: KeyRef
    transaction: TransactionFields


class MessageCall(_Call):
    op: Literal["sign_message"] = "sign_message"
    key_ref: KeyRef
    message: Hex


class TypedDataCall(_Call):
    op: Literal["sign_typed_data"] = "sign_typed_data"
    key_ref: KeyRef
    typed_data: dict[str, Any]


Call = Annotated[AddressCall | HealthCall | TransactionCall | MessageCall | TypedDataCall, Field(discriminator="op")]
CALLS: Final[TypeAdapter[AddressCall | HealthCall | TransactionCall | MessageCall | TypedDataCall]] = TypeAdapter(Call)


class Answer(_Strict):
    """Exactly one of: address, signature (r, s, y_parity), detail, or an error with its code."""

    id: int | None
    address: str | None = None
    r: Word | None = None
    s: Word | None = None
    y_parity: Literal[0, 1] | None = None
    detail: str | None = None
    error: Literal["refused", "unknown_key", "bad_request"] | None = None


class Opening(_Strict):
    """The first and only line on signerd's standard input: where the keys are, and for whom it may sign. Never in its arguments or environment."""

    socket: str
    chain_ids: tuple[int, ...]
    keystore: str | None = None
    passphrase_file: str | None = None
    seed_file: str | None = None
    private_key: str | None = None
    is_dev: bool
    log_level: str
    log_format: str

    def __repr__(self) -> str:
        return "Opening(***)"

    __str__ = __repr__
