"""A backend at work, with handles to hurt it: what the contract tests run on."""

import json
import os
import signal
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from eth_account import Account

from tests.signers.builders import KEYS, PASSPHRASE
from tests.signers.fireblocks_stub import API_KEY, API_SECRET, FireblocksStub, pem
from tests.signers.kms_stub import ACCESS_KEY, REGION, SECRET_KEY, KmsStub
from tokenx_chain.signers.aws_kms import open_aws_kms
from tokenx_chain.signers.fireblocks.signer import open_fireblocks
from tokenx_chain.signers.jobs import SignJob, SignState
from tokenx_chain.signers.local.client import LocalSigner
from tokenx_chain.signers.local.process import SignerProcess, running
from tokenx_chain.signers.local.vault import key_file
from tokenx_chain.signers.protocol import Signer
from tokenx_chain.signers.settings import SignerSettings
from tokenx_common.clock import FrozenClock, utc_now

VAULTS = {"platform": "3", "treasury": "4"}
CHAINS = "31337,43114,1"


@dataclass
class Bench:
    """signer: under test. signed: how many signatures the key holder has made. go_away, come_back: an outage. secrets: what must never show."""

    signer: Signer
    signed: Callable[[], int]
    go_away: Callable[[], None]
    come_back: Callable[[], None]
    secrets: dict[str, bytes]
    stub: Any = None
    process: SignerProcess | None = None
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(utc_now()))

    async def ended(self, job: SignJob) -> SignJob:
        """The job once it is no longer pending: bounded, each look moves the stand-in one status further."""
        for _ in range(8):
            if job.state is not SignState.PENDING:
                return job
            job = await self.signer.poll(job.job_id)
        raise AssertionError(f"still pending: {job}")

    def pass_by(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


def write_keystore(folder: Path, keys: dict[str, bytes], passphrase: bytes = PASSPHRASE) -> Path:
    """A keystore that opens fast: few scrypt rounds."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, key in keys.items():
        path = key_file(folder, name)
        path.write_text(json.dumps(Account.encrypt(key, passphrase.decode(), kdf="scrypt", iterations=1024)))
        path.chmod(0o600)
    return folder


def private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def local_settings(folder: Path, *, keys: dict[str, bytes] | None = None, **changes: Any) -> SignerSettings:
    """Settings of an encrypted keystore."""
    store = write_keystore(folder / "keys", KEYS if keys is None else keys)
    fields: dict[str, Any] = {
        "signer_backend": "local", "tokenx_env": "prod", "signer_keystore": store, "chain_ids": CHAINS,
        "signer_passphrase_file": private(folder / "passphrase", PASSPHRASE + b"\n"),
    }  # fmt: skip
    return SignerSettings(**(fields | changes))


@asynccontextmanager
async def local_bench() -> AsyncGenerator[Bench]:
    with tempfile.TemporaryDirectory(prefix="tokenx-signers-") as name:
        clock = FrozenClock(utc_now())
        async with running(local_settings(Path(name))) as process:
            signer = LocalSigner(process.socket, clock=clock, timeout_s=2.0)
            bench = Bench(
                signer, signed=lambda: 0, secrets=KEYS | {"passphrase": PASSPHRASE}, process=process, clock=clock,
                go_away=lambda: os.kill(process.pid, signal.SIGSTOP), come_back=lambda: os.kill(process.pid, signal.SIGCONT),
            )  # fmt: skip
            try:
                yield bench
            finally:
                await signer.close()


def fireblocks_settings(stub: FireblocksStub, folder: Path, **changes: Any) -> SignerSettings:
    fields: dict[str, Any] = {
        "signer_backend": "fireblocks", "fireblocks_api_key": API_KEY, "fireblocks_base_url": stub.url,
        "fireblocks_jwks_url": stub.url + "/.well-known/jwks.json", "chain_ids": CHAINS,
        "fireblocks_secret_key_file": private(folder / "fireblocks.pem", pem(API_SECRET)),
        "fireblocks_vaults": ",".join(f"{name}={vault}" for name, vault in VAULTS.items()),
    }  # fmt: skip
    return SignerSettings(**(fields | changes))


@asynccontextmanager
async def fireblocks_bench(**changes: Any) -> AsyncGenerator[Bench]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tokenx-signers-")))
        clock = FrozenClock(utc_now())
        stub = FireblocksStub({vault: KEYS[name] for name, vault in VAULTS.items()}, clock)
        stub.start()
        stack.callback(stub.stop)
        async with open_fireblocks(
            fireblocks_settings(stub, folder, **changes), clock=clock, first_pause_s=0.01
        ) as signer:
            yield Bench(
                signer, signed=lambda: len(stub.transactions), stub=stub, clock=clock, secrets={"api secret": pem(API_SECRET)},
                go_away=lambda: setattr(stub, "is_away", True), come_back=lambda: setattr(stub, "is_away", False),
            )  # fmt: skip


def kms_settings(stub: KmsStub, **changes: Any) -> SignerSettings:
    fields: dict[str, Any] = {
        "signer_backend": "aws_kms", "aws_kms_region": REGION, "aws_kms_endpoint_url": stub.url, "chain_ids": CHAINS,
    }  # fmt: skip
    return SignerSettings(**(fields | changes))


@contextmanager
def aws_credentials() -> Generator[None]:
    """Credentials in the environment, as AWS programs look for them, and no looking elsewhere."""
    wanted = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_EC2_METADATA_DISABLED": "true"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@asynccontextmanager
async def kms_bench() -> AsyncGenerator[Bench]:
    stub = KmsStub({f"alias/tokenx/{name}": key for name, key in KEYS.items()})
    stub.start()
    try:
        with aws_credentials():
            async with open_aws_kms(kms_settings(stub)) as signer:
                clock = FrozenClock(utc_now())
                signer._clock = clock  # pyright: ignore[reportPrivateUsage]  # tests move the time
                yield Bench(
                    signer, signed=lambda: stub.signed, stub=stub, clock=clock, secrets={"secret access key": SECRET_KEY.encode()},
                    go_away=lambda: setattr(stub, "is_away", True), come_back=lambda: setattr(stub, "is_away", False),
                )  # fmt: skip
    finally:
        stub.stop()
