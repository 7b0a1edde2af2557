"""What an operator may set in the environment to replace a part of the local stack. Read here and nowhere else in the CLI."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

INHERITED: Final = (
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "TERM",
    "NO_COLOR",
    "TOKENX_HOME",
    "TOKENX_CACHE",
)
"""What a child process may see of the operator's environment. Everything else it gets is written down in its spec."""


class Environment(BaseSettings):
    """Replacements for embedded parts; None means: use the embedded one."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: SecretStr | None = None
    migrator_database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    temporal_address: str | None = None
    rpc_urls: str | None = Field(default=None, validation_alias="CHAIN_31337_RPC_URLS")
    tokenx_home: Path | None = None
    tokenx_cache: Path | None = None
    log_level: str = "info"
    log_format: str = "json"
    sanctions_lists: str | None = None


def inherited_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The complete environment of a child: the harmless inherited part plus `extra`."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ} | dict(extra or {})
