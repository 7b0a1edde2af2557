"""What the chain service reads from its environment."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.rpc import BURST
from tokenx_common.settings import ServiceSettings


@dataclass(frozen=True)
class EndpointSettings:
    """How one chain is reached. urls are asked anything; private_urls get signed bytes only, and then they alone do.
    rate_per_s, burst: requests each endpoint may be asked; None: as many as one likes."""

    urls: tuple[str, ...]
    private_urls: tuple[str, ...] = ()
    rate_per_s: float | None = None
    burst: float = BURST


class ChainSettings(ServiceSettings):
    """CHAIN_IDS lists the chains; each needs CHAIN_<id>_RPC_URLS and may have CHAIN_<id>_PRIVATE_RPC_URLS, CHAIN_<id>_RPC_RATE_PER_S, CHAIN_<id>_RPC_BURST.
    The healthiest endpoint of a chain is asked first. Keys: signers/settings.py."""

    port: int = Field(default=8101, ge=1, le=65535)
    chain_ids: Annotated[tuple[int, ...], NoDecode] = (31337,)
    rpc_urls: Annotated[dict[int, tuple[str, ...]], NoDecode] = Field(default_factory=dict[int, tuple[str, ...]], validate_default=True)  # fmt: skip
    reach: Annotated[dict[int, EndpointSettings], NoDecode] = Field(default_factory=dict[int, EndpointSettings], validate_default=True)  # fmt: skip
    contracts_dir: Path = Path("contracts")
    chain_intents_per_key: int = Field(default=1000, ge=1)
    """Single calls of one key that may be under way at a time; the next one is told to come back."""

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
            found = _urls(f"CHAIN_{number}_RPC_URLS")
            if found:
                urls[number] = found
            if number not in urls:
                raise ValueError(f"CHAIN_{number}_RPC_URLS is missing")
        return urls

    @field_validator("reach", mode="before")
    @classmethod
    def _read_reach(cls, given: dict[int, EndpointSettings], info: ValidationInfo) -> dict[int, EndpointSettings]:
        """As rpc_urls."""
        urls: dict[int, tuple[str, ...]] = info.data.get("rpc_urls", {})
        return {
            number: EndpointSettings(
                urls[number],
                _urls(f"CHAIN_{number}_PRIVATE_RPC_URLS"),
                _positive(f"CHAIN_{number}_RPC_RATE_PER_S"),
                _positive(f"CHAIN_{number}_RPC_BURST") or BURST,
            )
            for number in urls
        } | given


def _urls(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in os.environ.get(name, "").split(",") if part.strip())


def _positive(name: str) -> float | None:
    """The number in a variable; None when it is not set. Raises ValueError naming it."""
    text = os.environ.get(name, "").strip()
    try:
        number = float(text) if text else None
    except ValueError:
        number = 0.0
    if number is not None and not 0 < number < 1e9:
        raise ValueError(f"{name} must be a number above 0, was {text!r}")
    return number
