"""What SIGNER_BACKEND needs. Read once in app.py, frozen; a bad or missing value stops the start with the variable's name."""

import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, PlainSerializer, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tokenx_chain.signers.errors import SignerConfigError
from tokenx_chain.signers.jobs import KEY_REF

MAIN_NETWORKS: Final = frozenset({1, 10, 137, 8453, 43114, 295})
"""Where coins and securities are real: Ethereum, Optimism, Polygon, Base, Avalanche, Hedera."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class SignerSettings(BaseSettings):
    """Names are the environment variables' names, in upper case. Only those of the chosen backend are looked at."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", case_sensitive=False, hide_input_in_errors=True, env_ignore_empty=True
    )

    signer_backend: Literal["local", "fireblocks", "aws_kms"] = "local"
    tokenx_env: Literal["dev", "prod"] = "dev"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    chain_ids: Annotated[tuple[int, ...], NoDecode] = (31337,)
    signer_patience_s: float = Field(default=30.0, gt=0, le=3600)
    """How long one call waits for an approval before it says SignerUnavailable; the next call goes on waiting for the same job."""

    signer_keystore: Path | None = None
    signer_passphrase_file: Path | None = None
    signer_seed_file: Path | None = None
    signer_private_key: SecretStr | None = None
    signer_socket_dir: Path | None = None

    fireblocks_api_key: SecretStr | None = None
    fireblocks_secret_key_file: Path | None = None
    fireblocks_base_url: str = "https://api.fireblocks.io"
    fireblocks_jwks_url: str = "https://keys.fireblocks.io/.well-known/jwks.json"
    fireblocks_asset_id: str = Field(default="ETH", pattern=r"^[A-Za-z0-9_]{1,40}$")
    fireblocks_vaults: Annotated[Mapping[str, str], NoDecode, PlainSerializer(dict[str, str])] = Field(
        default_factory=lambda: MappingProxyType[str, str]({})
    )
    fireblocks_contract_call_assets: Annotated[Mapping[str, str], NoDecode, PlainSerializer(dict[str, str])] = Field(
        default_factory=lambda: MappingProxyType[str, str]({})
    )

    aws_kms_region: str | None = None
    aws_kms_endpoint_url: str | None = None
    aws_kms_alias_prefix: str = "alias/tokenx/"
    aws_kms_keys: Annotated[Mapping[str, str], NoDecode, PlainSerializer(dict[str, str])] = Field(
        default_factory=lambda: MappingProxyType[str, str]({})
    )

    @field_validator("chain_ids", mode="before")
    @classmethod
    def _split_ids(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("fireblocks_vaults", "fireblocks_contract_call_assets", "aws_kms_keys", mode="before")
    @classmethod
    def _parse_map(cls, value: object) -> object:
        """'platform=3,treasury=4'."""
        if not isinstance(value, str):
            return value
        pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
        if any(not name or not target for name, _, target in pairs):
            raise ValueError("must look like name=value,name=value")
        return {name.strip(): target.strip() for name, _, target in pairs}

    @field_validator("fireblocks_vaults", "aws_kms_keys")
    @classmethod
    def _names_are_key_refs(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        wrong = [name for name in value if not KEY_REF.fullmatch(name)]
        if wrong:
            raise ValueError(f"not key names: {wrong}")
        return MappingProxyType(dict(value))

    @field_validator("fireblocks_contract_call_assets")
    @classmethod
    def _names_are_chain_ids(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if any(not name.isdecimal() for name in value):
            raise ValueError("must map chain ids to asset ids: 1=ETH,137=MATIC_POLYGON")
        return MappingProxyType(dict(value))

    @field_validator("fireblocks_vaults")
    @classmethod
    def _vaults_are_numbers(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        """They become part of addresses."""
        wrong = [name for name, vault in value.items() if not vault.isascii() or not vault.isdecimal()]
        if wrong:
            raise ValueError(f"vault accounts are numbers; look at {wrong}")
        return value

    @field_validator("aws_kms_alias_prefix")
    @classmethod
    def _is_alias(cls, value: str) -> str:
        if not value.startswith("alias/") or value.startswith("alias/aws/"):
            raise ValueError("must begin with alias/ and not with alias/aws/")
        return value

    @property
    def serves_main_network(self) -> bool:
        """Whether any configured chain is one where mistakes cost money."""
        return not MAIN_NETWORKS.isdisjoint(self.chain_ids)


def private_file(variable: str, path: Path | None) -> bytes:
    """The content of a file that only its owner may read. Raises SignerConfigError."""
    if path is None:
        raise SignerConfigError(f"{variable} is missing")
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise SignerConfigError(f"{variable}: {path} is not a file")
        if stat.S_IMODE(mode) & 0o077:
            raise SignerConfigError(f"{variable}: {path} is readable by others: chmod 600")
        return path.read_bytes()
    except OSError as error:
        raise SignerConfigError(f"{variable}: {error.strerror}: {path}") from error


def service_url(variable: str, url: str, *, is_dev: bool) -> str:
    """The address without its last slash. Plain http only to this machine, and only in dev. Raises SignerConfigError."""
    parts = urlsplit(url)
    is_stub = is_dev and parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or parts.username or parts.query or not (parts.scheme == "https" or is_stub):
        raise SignerConfigError(f"{variable} must be an https address without user or query")
    return url.rstrip("/")
