"""Bodies of kyt's questions and answers."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tokenx_common.wire import WireModel

AddressText = Annotated[
    str, Field(pattern="^0x[0-9a-fA-F]{40}$", examples=["0x5a11c7e57e57e57e57e57e57e57e57e57e57e57e"])
]


class ScreenRequest(WireModel):
    """Who is about to do what. amount: base units."""

    chain_id: int = Field(gt=0)
    address: AddressText
    role: str = Field(min_length=1, max_length=40, examples=["investor_wallet"])
    amount: Annotated[str, Field(pattern="^[0-9]{1,78}$")] | None = None


class ScreenAnswer(WireModel):
    """level 'unknown' is not 'clean': whoever moves money on it must hold. list_as_of: the oldest list that was asked."""

    level: Literal["severe", "high", "medium", "low", "no_hit", "unknown", "unsupported"]
    score: int | None
    factors: list[dict[str, Any]]
    list_version: str
    list_as_of: str | None
