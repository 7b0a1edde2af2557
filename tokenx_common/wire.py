"""Shapes at the edge: frozen models that refuse unknown fields, and decimal strings that refuse JSON numbers."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from tokenx_common.money import NotADecimal, parse_decimal


class WireModel(BaseModel):
    """Base of every request and response body: frozen, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def text_only(value: Any) -> Any:
    """Refuses JSON numbers where text is asked for."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    raise PydanticCustomError("number_not_string", 'must be a decimal string such as "1.50", not a JSON number')


def _positive(text: str, *, digits: int) -> str:
    try:
        value = parse_decimal(text, digits=digits)
    except NotADecimal as error:
        raise PydanticCustomError("not_a_decimal", "{reason}", {"reason": str(error)}) from None
    if value == 0:
        raise PydanticCustomError("not_positive", "must be greater than zero")
    return text


AmountString = Annotated[
    str,
    BeforeValidator(text_only),
    AfterValidator(lambda text: _positive(text, digits=2)),
    Field(examples=["1025.50"]),
]
"""A positive amount of money or a price, at most two decimals, as text."""
UnitsString = Annotated[
    str, BeforeValidator(text_only), AfterValidator(lambda text: _positive(text, digits=0)), Field(examples=["10"])
]
"""A positive whole quantity, as text."""


Row = TypeVar("Row")


class Page(WireModel, Generic[Row]):
    """One page of a list. next_cursor is opaque; null on the last page."""

    data: list[Row]
    next_cursor: str | None = None
