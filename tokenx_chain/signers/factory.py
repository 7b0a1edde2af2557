"""Picks the signer by SIGNER_BACKEND."""

from typing import Final

from tokenx_chain.settings import ChainSettings
from tokenx_chain.signers.base import Signer
from tokenx_chain.signers.local import LocalSigner, read_seed

_PLANNED: Final = frozenset({"fireblocks", "aws_kms"})


class UnknownSigner(Exception):
    """SIGNER_BACKEND names nothing this version has."""


def make_signer(settings: ChainSettings) -> Signer:
    """Raises UnknownSigner or BadSeed, each with one plain line."""
    backend = settings.signer_backend
    if backend == "local":
        return LocalSigner(read_seed(settings.signer_seed_file))
    if backend in _PLANNED:
        raise UnknownSigner(f"SIGNER_BACKEND={backend} is not supported by this version; supported: local")
    raise UnknownSigner(f"SIGNER_BACKEND={backend} is unknown; supported: local")
