"""A running chain service whose keys are held by one of the three backends, chosen by environment variables only. The keys are the same for all."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.chain.harness import SEED, Stack, chain_stack
from tests.chain.journal_stand_in import Row
from tests.signers.benches import private
from tests.signers.fireblocks_stub import API_KEY, API_SECRET, FireblocksStub, pem
from tests.signers.kms_stub import ACCESS_KEY, REGION, SECRET_KEY, KmsStub
from tests.support.servers import ServiceKeys, ValkeyServer, scratch_folder
from tokenx_chain.operations import keys
from tokenx_chain.signers.seed import derive_key
from tokenx_common.service_auth import ServiceSigner

NAMES = tuple(value for name, value in vars(keys).items() if name.isupper())
"""The platform's own keys, all of them."""
KEYS = {name: derive_key(SEED, name) for name in NAMES}
VAULTS = {name: str(number) for number, name in enumerate(NAMES, 3)}
BACKENDS = ("local", "fireblocks", "aws_kms")

Environment = dict[str, str]


@dataclass
class Stage:
    """stub: the stand-in of the key service, None for local. secrets: what no process but the key holder may ever have."""

    backend: str
    stack: Stack
    stub: Any
    http: httpx.AsyncClient
    secrets: dict[str, bytes]
    folder: Path

    async def pay(self, to: str, wei: int, *, key: str, **more: Any) -> str:
        """Ask for a transfer of coins by platform; its tx_id."""
        body = {"chain_id": 31337, "key_ref": "platform", "to": to, "value": str(wei)} | more
        answer = await self.http.post("/v1/transactions", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code in (200, 202), answer.text
        return answer.json()["tx_id"]

    def row(self, tx_id: str) -> Row:
        return self.stack.state.transactions[tx_id]

    async def until_state(self, tx_id: str, *states: str) -> Row:
        await self.stack.until(lambda: self.row(tx_id)["state"] in states, f"{tx_id} to be {states}")
        return self.row(tx_id)

    async def balance(self, address: str) -> int:
        return int(await self.stack.rpc("eth_getBalance", address, "latest"), 16)

    async def mined(self) -> int:
        """Transactions of platform in the chain."""
        address = await self.stack.address("platform")
        return int(await self.stack.rpc("eth_getTransactionCount", address, "latest"), 16)

    async def killed_and_restarted(self) -> None:
        self.stack.kill()
        await asyncio.to_thread(self.stack.service.process.wait)
        await self.stack.restart()


@contextmanager
def _local(folder: Path) -> Generator[tuple[Environment, Any, dict[str, bytes]]]:
    yield {}, None, {"seed": SEED, **KEYS}


@contextmanager
def _fireblocks(folder: Path) -> Generator[tuple[Environment, Any, dict[str, bytes]]]:
    stub = FireblocksStub({VAULTS[name]: key for name, key in KEYS.items()})
    stub.start()
    secret = private(folder / "fireblocks.pem", pem(API_SECRET))
    environment = {
        "SIGNER_BACKEND": "fireblocks", "FIREBLOCKS_API_KEY": API_KEY, "FIREBLOCKS_SECRET_KEY_FILE": str(secret),
        "FIREBLOCKS_BASE_URL": stub.url, "FIREBLOCKS_JWKS_URL": stub.url + "/.well-known/jwks.json",
        "FIREBLOCKS_VAULTS": ",".join(f"{name}={vault}" for name, vault in VAULTS.items()),
    }  # fmt: skip
    try:
        yield environment, stub, KEYS
    finally:
        stub.stop()


@contextmanager
def _aws_kms(folder: Path) -> Generator[tuple[Environment, Any, dict[str, bytes]]]:
    stub = KmsStub({f"alias/tokenx/{name}": key for name, key in KEYS.items()})
    stub.start()
    environment = {
        "SIGNER_BACKEND": "aws_kms", "AWS_KMS_REGION": REGION, "AWS_KMS_ENDPOINT_URL": stub.url, "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    try:
        yield environment, stub, KEYS
    finally:
        stub.stop()


_OPENERS: dict[str, Callable[..., Any]] = {"local": _local, "fireblocks": _fireblocks, "aws_kms": _aws_kms}


@contextmanager
def stage(backend: str, service_keys: ServiceKeys, valkey: ValkeyServer, **more: str) -> Generator[Stage]:
    """The service on a real node with the journal stand-in as its api. more: further variables."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder("signers"))
        environment, stub, secrets = stack.enter_context(_OPENERS[backend](folder))
        running = stack.enter_context(chain_stack(service_keys, valkey, extra=environment | more))
        token = ServiceSigner("api", service_keys.private("api")).token("chain")
        http = httpx.AsyncClient(base_url=running.url, headers={"Authorization": f"Bearer {token}"}, timeout=20)
        yield Stage(backend, running, stub, http, secrets, folder)
