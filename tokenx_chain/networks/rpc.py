"""JSON-RPC over HTTP with fail-over between endpoints. A transport failure says nothing about what the node did with the request."""

from collections.abc import Sequence
from typing import Any, Final

import aiohttp
from web3 import AsyncHTTPProvider
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

TIMEOUT_S: Final = 10.0
_REVERTED: Final = 3
"""JSON-RPC error code of an execution that reverted."""

Request = tuple[str, list[Any]]


class RpcError(Exception):
    """The node answered, with a JSON-RPC error. data: revert data as 0x-hex when there is any."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    @property
    def is_revert(self) -> bool:
        """Whether a contract refused, as opposed to a node that is overloaded, rate-limited or misconfigured."""
        return self.code == _REVERTED or self.data is not None or "revert" in self.message.lower()


class RpcUnavailable(Exception):
    """No endpoint gave a usable answer. The request may or may not have been carried out."""


class Rpc:
    """Calls one chain. Endpoints are tried in order; one that fails is moved to the end."""

    def __init__(self, urls: Sequence[str]) -> None:
        options = {"timeout": aiohttp.ClientTimeout(total=TIMEOUT_S)}
        # Retries are ours to decide: the provider must not repeat a send behind our back.
        self._providers = [AsyncHTTPProvider(url, request_kwargs=options, exception_retry_configuration=None) for url in urls]  # fmt: skip

    async def close(self) -> None:
        for provider in self._providers:
            await provider.disconnect()

    async def call(self, method: str, *params: Any) -> Any:
        """The result. Raises RpcError for the node's refusal, RpcUnavailable when no node answered."""
        (answer,) = await self.batch([(method, list(params))])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Results in the order of the requests; an RpcError object stands where the node refused. Raises RpcUnavailable."""
        if not requests:
            return []
        problems: list[str] = []
        for provider in tuple(self._providers):
            try:
                return await self._ask(provider, requests)
            except (aiohttp.ClientError, Web3Exception, TimeoutError, OSError, ValueError) as error:
                problems.append(f"{type(error).__name__}: {error}"[:120])
                self._providers.append(self._providers.pop(self._providers.index(provider)))
        raise RpcUnavailable("; ".join(problems))

    async def _ask(self, provider: AsyncHTTPProvider, requests: Sequence[Request]) -> list[Any]:
        calls = [(RPCEndpoint(method), params) for method, params in requests]
        answers: Any = await provider.make_batch_request(calls)
        if not isinstance(answers, list) or len(answers) != len(requests):  # pyright: ignore[reportUnknownArgumentType]  # JSON
            raise ValueError(f"not a batch answer: {str(answers)[:120]}")  # pyright: ignore[reportUnknownArgumentType]  # JSON
        return [_result(answer) for answer in answers]  # pyright: ignore[reportUnknownVariableType]  # JSON


def _result(answer: Any) -> Any:
    error: dict[str, Any] | None = answer.get("error")
    if error is None:
        return answer["result"]
    data = error.get("data")
    return RpcError(int(error.get("code", 0)), str(error.get("message", "")), data if isinstance(data, str) else None)
