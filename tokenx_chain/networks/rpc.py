"""JSON-RPC over HTTP to several endpoints of one chain: the healthiest is asked first, signed bytes go to two, finality needs two to agree.
Where private endpoints are given, signed bytes go to those only, and nothing else is ever asked of them.

A transport failure says nothing about what the node did with the request."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from tokenx_chain.networks.rules import is_asked_too_often, is_range_refusal
from tokenx_common.clock import monotonic_s
from tokenx_common.http import retry_after_s

TIMEOUT_S: Final = 10.0
COPIES: Final = 2
"""Endpoints that get the same bytes, and endpoints that must agree about what is final, where there are that many."""
BURST: Final = 200.0
"""Requests an endpoint may be asked at once after a quiet time, when a rate is set."""
_REVERTED: Final = 3
"""JSON-RPC error code of an execution that reverted."""
_LIMITED: Final = frozenset({429, -32005, -32029, -32097})
"""Error codes of providers that want to be asked less, some of whom only say so in words; -32005 is also how some refuse a range of logs, which the text then says."""
_COOL_OFF_S: Final = 1.0
_LONGEST_COOL_OFF_S: Final = 30.0
_LONGEST_RETRY_AFTER_S: Final = 300.0
_MEMORY: Final = 0.8
"""Weight of the past in an endpoint's score and speed."""

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

    @property
    def is_rate_limit(self) -> bool:
        """Whether the provider wants to be asked less often, as opposed to being asked for less at once."""
        if self.is_revert:
            return False
        return is_asked_too_often(self.message) or (self.code in _LIMITED and not is_range_refusal(self.message))


class UnexpectedAnswer(RpcError):
    """A call went through and answered something its interface does not: no code at the address, another contract there, or not there yet."""


class RpcUnavailable(Exception):
    """No endpoint gave a usable answer. The request may or may not have been carried out."""


class TokenBucket:
    """Requests an endpoint may still be asked. rate_per_s None: as many as one likes."""

    def __init__(self, rate_per_s: float | None, burst: float) -> None:
        self._rate = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._at_s = monotonic_s()

    def take(self, count: int) -> float:
        """Take tokens; returns the seconds to wait before asking. A request larger than the burst waits, but is never refused."""
        if self._rate is None:
            return 0.0
        self._fill(self._rate)
        self._tokens -= count
        return max(0.0, -self._tokens / self._rate)

    @property
    def is_empty(self) -> bool:
        """Whether the next request would have to wait."""
        if self._rate is None:
            return False
        self._fill(self._rate)
        return self._tokens < 1

    def _fill(self, rate: float) -> None:
        now_s = monotonic_s()
        self._tokens = min(self._burst, self._tokens + (now_s - self._at_s) * rate)
        self._at_s = now_s


@dataclass
class Health:
    """What an endpoint has been like. score from 0 (never answers) to 1; cool until: not asked before, if there is another one.
    barred until: it has said how long it wants to be left alone, and is."""

    score: float = 1.0
    latency_s: float = 0.0
    failures_in_a_row: int = 0
    cool_until_s: float = 0.0
    barred_until_s: float = 0.0

    def answered(self, after_s: float) -> None:
        self.score = self.score * _MEMORY + (1 - _MEMORY)
        self.latency_s = self.latency_s * _MEMORY + after_s * (1 - _MEMORY) if self.latency_s else after_s
        self.failures_in_a_row, self.cool_until_s = 0, 0.0

    def failed(self, *, wait_s: float = 0.0) -> None:
        self.score *= _MEMORY
        pause_s = min(_LONGEST_COOL_OFF_S, _COOL_OFF_S * 2**self.failures_in_a_row)
        self.failures_in_a_row = min(self.failures_in_a_row + 1, 8)
        now_s = monotonic_s()
        self.cool_until_s, self.barred_until_s = now_s + max(pause_s, wait_s), now_s + wait_s


class Endpoint:
    """One node's address. label is safe to show: a provider's key may be in the path."""

    def __init__(self, url: str, bucket: TokenBucket) -> None:
        parts = urlsplit(url)
        self.url = url
        self.label = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
        self.health = Health()
        self.bucket = bucket
        self._numbers = itertools.count(1)

    def rank(self) -> tuple[bool, bool, float, float]:
        """Lower is better: not cooling off, may be asked at once, higher score, faster."""
        is_cooling = self.health.cool_until_s > monotonic_s()
        return (is_cooling, self.bucket.is_empty, -round(self.health.score, 1), round(self.health.latency_s, 1))

    async def ask(self, session: aiohttp.ClientSession, requests: Sequence[Request]) -> list[Any]:
        """Answers in order, an RpcError where the node refused. Raises _Failed, and remembers how it went."""
        if (rest_s := self.health.barred_until_s - monotonic_s()) > 0:
            raise _Failed(f"{self.label}: wants to be left alone for another {rest_s:.0f} s")
        if (wait_s := self.bucket.take(len(requests))) > 0:
            await asyncio.sleep(wait_s)
        started = monotonic_s()
        try:
            answers = await self._post(session, requests)
        except _Failed as error:
            self.health.failed(wait_s=error.wait_s)
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError) as error:
            self.health.failed()
            raise _Failed(f"{self.label}: {type(error).__name__}: {error}"[:160]) from error
        self.health.answered(monotonic_s() - started)
        return answers

    async def _post(self, session: aiohttp.ClientSession, requests: Sequence[Request]) -> list[Any]:
        numbers = [next(self._numbers) for _ in requests]
        body = [{"jsonrpc": "2.0", "id": number, "method": method, "params": params}
                for number, (method, params) in zip(numbers, requests, strict=True)]  # fmt: skip
        async with session.post(self.url, data=json.dumps(body, separators=(",", ":")), headers=_HEADERS) as response:
            if response.status == 429:
                raise _Failed(f"{self.label}: asked too often", wait_s=_retry_after(response))
            if response.status >= 400:
                raise _Failed(f"{self.label}: status {response.status}")
            content: Any = json.loads(await response.read())
        if not isinstance(content, list):
            raise _Failed(f"{self.label}: not a batch answer: {str(content)[:120]}")
        by_number: dict[int, Any] = {entry["id"]: _result(entry) for entry in content}  # pyright: ignore[reportUnknownVariableType]  # JSON
        answers = [by_number[number] for number in numbers]
        if any(isinstance(answer, RpcError) and answer.is_rate_limit for answer in answers):
            raise _Failed(f"{self.label}: asked too often")
        return answers


class _Failed(Exception):
    """One endpoint gave no usable answer. wait_s: it asked to be left alone that long."""

    def __init__(self, message: str, *, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class Rpc:
    """Calls one chain through all its endpoints. rate_per_s and burst: requests each single one of them may be asked."""

    def __init__(self, urls: Sequence[str], *, private_urls: Sequence[str] = (), rate_per_s: float | None = None, burst: float = BURST,
                 timeout_s: float = TIMEOUT_S) -> None:  # fmt: skip
        self._timeout_s = timeout_s
        self.endpoints = [Endpoint(url, TokenBucket(rate_per_s, burst)) for url in urls]
        self.private_endpoints = [Endpoint(url, TokenBucket(rate_per_s, burst)) for url in private_urls]
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

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
        for endpoint in self.ranked():
            try:
                return await endpoint.ask(self._open(), requests)
            except _Failed as error:
                problems.append(str(error))
        raise RpcUnavailable("; ".join(problems))

    async def call_at(self, endpoint: Endpoint, method: str, *params: Any) -> Any:
        """The result of one endpoint, for a question to which each has its own limits. Raises RpcError, RpcUnavailable when it did not answer."""
        try:
            (answer,) = await endpoint.ask(self._open(), [(method, list(params))])
        except _Failed as error:
            raise RpcUnavailable(str(error)) from error
        if isinstance(answer, RpcError):
            raise answer
        return answer

    async def quorum(self, requests: Sequence[Request]) -> list[list[Any]]:
        """The answers of two endpoints, of one where there is only one. Raises RpcUnavailable when fewer answer."""
        if not requests:
            return [[]]
        needed = min(COPIES, len(self.endpoints))
        answers, problems = await self._from_some(self.ranked(), requests, needed)
        if len(answers) < needed:
            raise RpcUnavailable("; ".join(problems))
        return answers

    async def broadcast(self, raws: Sequence[str]) -> list[tuple[RpcError, ...]]:
        """Hand the same bytes to two endpoints, private ones where there are any. Per transaction: what those that refused said, nothing when one took it.
        Raises RpcUnavailable when no endpoint answered: then nobody knows."""
        requests: list[Request] = [("eth_sendRawTransaction", [raw]) for raw in raws]
        if not requests:
            return []
        takers = _by_rank(self.private_endpoints or self.endpoints)
        answers, problems = await self._from_some(takers, requests, min(COPIES, len(takers)))
        if not answers:
            raise RpcUnavailable("; ".join(problems))
        return [_refusals(told) for told in zip(*answers, strict=True)]

    async def _from_some(self, waiting: list[Endpoint], requests: Sequence[Request], needed: int) -> tuple[list[list[Any]], list[str]]:  # fmt: skip
        """Ask the best endpoints at the same time, and further ones in place of those that fail."""
        answers: list[list[Any]] = []
        problems: list[str] = []
        while waiting and len(answers) < needed:
            asked, waiting = waiting[: needed - len(answers)], waiting[needed - len(answers) :]
            told = await asyncio.gather(*(self._try(endpoint, requests) for endpoint in asked))
            answers += [one for one in told if isinstance(one, list)]
            problems += [one for one in told if isinstance(one, str)]
        return answers, problems

    async def _try(self, endpoint: Endpoint, requests: Sequence[Request]) -> list[Any] | str:
        try:
            return await endpoint.ask(self._open(), requests)
        except _Failed as error:
            return str(error)

    def report(self) -> list[dict[str, Any]]:
        """Each endpoint for the status page, best first, the private ones after the others."""
        return [{"endpoint": endpoint.label, "score": f"{endpoint.health.score:.2f}", "latency_ms": round(endpoint.health.latency_s * 1000),
                 "cooling_off": endpoint.health.cool_until_s > monotonic_s(), "private": endpoint in self.private_endpoints}
                for endpoint in (*self.ranked(), *_by_rank(self.private_endpoints))]  # fmt: skip

    def ranked(self) -> list[Endpoint]:
        """The endpoints that may be asked anything, best first."""
        return _by_rank(self.endpoints)

    def _open(self) -> aiohttp.ClientSession:
        """Made at the first use: it belongs to the loop that runs then."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout_s))
        return self._session


_HEADERS: Final = {"Content-Type": "application/json"}


def _refusals(told: tuple[Any, ...]) -> tuple[RpcError, ...]:
    refused = tuple(one for one in told if isinstance(one, RpcError))
    return refused if len(refused) == len(told) else ()


def _by_rank(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    return sorted(endpoints, key=Endpoint.rank)


def _retry_after(response: aiohttp.ClientResponse) -> float:
    return min(_LONGEST_RETRY_AFTER_S, retry_after_s(response.headers.get("Retry-After", "")) or 0.0)


def _result(answer: Any) -> Any:
    error: dict[str, Any] | None = answer.get("error")
    if error is None:
        return answer["result"]
    data = error.get("data")
    return RpcError(int(error.get("code", 0)), str(error.get("message", "")), data if isinstance(data, str) else None)
