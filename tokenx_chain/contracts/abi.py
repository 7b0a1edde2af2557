"""A contract's ABI: encode calls, decode answers, events and custom errors."""

from collections.abc import Sequence
from typing import Any, cast

from eth_abi.abi import decode, encode
from eth_typing import ABIElement
from eth_utils.abi import abi_to_signature, event_signature_to_log_topic, function_signature_to_4byte_selector
from eth_utils.abi import collapse_if_tuple as _type_text

from tokenx_chain.contracts.calls import Call, Log, Read, Value

Entry = dict[str, Any]


class Abi:
    """Lookups by name. Where a name is overloaded, the number of arguments decides."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._functions = {(e["name"], len(e["inputs"])): e for e in entries if e["type"] == "function"}
        self._events = {e["name"]: e for e in entries if e["type"] == "event"}
        constructors = [e["inputs"] for e in entries if e["type"] == "constructor"]
        self._constructor_inputs: list[Entry] = constructors[0] if constructors else []
        self.errors = {function_signature_to_4byte_selector(_signature(e)): e for e in entries if e["type"] == "error"}

    def has(self, name: str, arguments: int = 0) -> bool:
        """Whether there is such a function."""
        return (name, arguments) in self._functions

    def data(self, name: str, *args: Any) -> bytes:
        """Calldata of a function call."""
        entry = self._functions[name, len(args)]
        return function_signature_to_4byte_selector(_signature(entry)) + encode(_types(entry["inputs"]), args)

    def call(self, to: str, name: str, *args: Any, gas: int | None = None) -> Call:
        return Call(to=to, data=self.data(name, *args), gas=gas)

    def read(self, to: str, name: str, *args: Any, as_type: type[Value]) -> Read[Value]:
        """A view call with exactly one return value. Addresses come back lower-case."""
        types = _types(self._functions[name, len(args)]["outputs"])
        del as_type  # only for the type checker: the ABI decides
        return Read(to=to, data=self.data(name, *args), decode=lambda answer: cast(Value, decode(types, answer)[0]))

    def constructor_args(self, *args: Any) -> bytes:
        return encode(_types(self._constructor_inputs), args)

    def topic(self, event: str) -> bytes:
        return event_signature_to_log_topic(_signature(self._events[event]))

    def event(self, event: str, log: Log) -> dict[str, Any]:
        """The arguments of a log by name. The log must be of this event."""
        inputs: list[Entry] = self._events[event]["inputs"]
        indexed = [field for field in inputs if field["indexed"]]
        plain = [field for field in inputs if not field["indexed"]]
        values = {field["name"]: _topic_value(field, word) for field, word in zip(indexed, log.topics[1:], strict=True)}
        return values | dict(zip((f["name"] for f in plain), decode(_types(plain), log.data), strict=True))


def _signature(entry: Entry) -> str:
    return abi_to_signature(cast(ABIElement, entry))


def _types(fields: Sequence[Entry]) -> list[str]:
    return [_type_text(cast(Any, field)) for field in fields]


def _topic_value(field: Entry, word: bytes) -> Any:
    """An indexed value; strings, bytes and arrays are only their hash."""
    text = _type_text(cast(Any, field))
    if text in ("string", "bytes") or text.endswith("]") or text.startswith("("):
        return word
    return decode([text], word)[0]
