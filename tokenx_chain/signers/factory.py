"""Picks the backend by SIGNER_BACKEND. `open_desk` is the door; `make_signer` serves callers that still sign in their own process."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from tokenx_chain.settings import ChainSettings
from tokenx_chain.signers.base import Signer
from tokenx_chain.signers.curve import require_native_curve
from tokenx_chain.signers.desk import SigningDesk
from tokenx_chain.signers.errors import SignerConfigError
from tokenx_chain.signers.protocol import Signer as Backend
from tokenx_chain.signers.seed import SeedSigner, read_seed
from tokenx_chain.signers.settings import SignerSettings

_ELSEWHERE: Final = frozenset({"fireblocks", "aws_kms"})


class UnknownSigner(SignerConfigError):
    """SIGNER_BACKEND names nothing this version has."""


@asynccontextmanager
async def open_backend(settings: SignerSettings) -> AsyncGenerator[Backend]:
    """The backend, open while the block lasts. Raises SignerConfigError with the variable's name."""
    require_native_curve()
    match settings.signer_backend:
        case "local":
            from tokenx_chain.signers.local import client, process

            async with process.running(settings) as signerd:
                local = client.LocalSigner(signerd.socket)
                try:
                    yield local
                finally:
                    await local.close()
        case "fireblocks":
            from tokenx_chain.signers.fireblocks.signer import open_fireblocks

            async with open_fireblocks(settings) as fireblocks:
                yield fireblocks
        case "aws_kms":
            from tokenx_chain.signers.aws_kms import open_aws_kms

            async with open_aws_kms(settings) as kms:
                yield kms


def preflight(settings: SignerSettings) -> None:
    """See, before anything is started, whether open_desk would fail for the configuration. Raises SignerConfigError.

    A web server turns errors of its own start into a stack trace; this one becomes one line and exit status 78."""
    require_native_curve()
    match settings.signer_backend:
        case "local":
            from tokenx_chain.signers.local import process

            process.check(settings)
        case "fireblocks":
            from tokenx_chain.signers.fireblocks import signer

            signer.check(settings)
        case "aws_kms":
            from tokenx_chain.signers import aws_kms

            aws_kms.check(settings)


@asynccontextmanager
async def open_desk(settings: SignerSettings) -> AsyncGenerator[SigningDesk]:
    """What the service signs with, open while the block lasts. Raises SignerConfigError with the variable's name."""
    async with open_backend(settings) as backend:
        yield SigningDesk(backend, patience_s=settings.signer_patience_s)


def make_signer(settings: ChainSettings) -> Signer:
    """A signer in this process, from SIGNER_SEED_FILE. Raises UnknownSigner or BadSeed, each with one plain line."""
    backend = settings.signer_backend
    if backend == "local":
        return SeedSigner(read_seed(settings.signer_seed_file))
    if backend in _ELSEWHERE:
        raise UnknownSigner(f"SIGNER_BACKEND={backend} needs open_desk; in this process only: local")
    raise UnknownSigner(f"SIGNER_BACKEND={backend} is unknown; supported: local")
