"""Picks the backend by SIGNER_BACKEND. `open_desk` is the door."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tokenx_chain.signers.curve import require_native_curve
from tokenx_chain.signers.desk import SigningDesk
from tokenx_chain.signers.protocol import Signer as Backend
from tokenx_chain.signers.settings import SignerSettings


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
