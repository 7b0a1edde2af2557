"""What the chain service reads from its environment."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from tokenx_chain.networks.catalog import NETWORKS
from tokenx_common.settings import ServiceSettings


class ChainSettings(ServiceSettings):
    """CHAIN_IDS lists the chains; each needs CHAIN_<id>_RPC_URLS. Endpoints of one chain are tried in order. Keys: signers/settings.py."""

    port: int = Field(default=8101, ge=1, le=65535)
    chain_ids: Annotated[tuple[int, ...], NoDecode] = (31337,)
    rpc_urls: Annotated[dict[int, tuple[str, ...]], NoDecode] = Field(default_factory=dict[int, tuple[str, ...]], validate_default=True)  # fmt: skip
    contracts_dir: Path = Path("contracts")

    @field_validator("chain_ids", mode="before")
    @classmethod
    def _split_ids(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("chain_ids")
    @classmethod
    def _only_known(cls, ids: tuple[int, ...]) -> tuple[int, ...]:
        unknown = [number for number in ids if number not in NETWORKS]
        if unknown or not ids:
            raise ValueError(f"unknown chain ids {unknown}; known: {sorted(NETWORKS)}")
        return ids

    @field_validator("rpc_urls", mode="before")
    @classmethod
    def _read_urls(cls, given: dict[int, tuple[str, ...]], info: ValidationInfo) -> dict[int, tuple[str, ...]]:
        """The variable names hold the chain id, which pydantic-settings cannot express, so they are read here."""
        urls = dict(given)
        for number in info.data.get("chain_ids", ()):
            text = os.environ.get(f"CHAIN_{number}_RPC_URLS", "")
            found = tuple(part.strip() for part in text.split(",") if part.strip())
            if found:
                urls[number] = found
            if number not in urls:
                raise ValueError(f"CHAIN_{number}_RPC_URLS is missing")
        return urls
