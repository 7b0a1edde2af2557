"""Settings: read once from the environment, frozen, bad values stop the start with the variable's name."""

import json
import sys
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """What every service reads. Names are the environment variables' names, in upper case; see .env.example."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False)

    tokenx_env: Literal["dev", "prod"] = "dev"
    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    redis_url: SecretStr
    api_url: str = "http://127.0.0.1:8100"
    chain_url: str = "http://127.0.0.1:8101"
    matcher_url: str = "http://127.0.0.1:8200"
    kyt_url: str = "http://127.0.0.1:8300"
    service_private_key: SecretStr
    service_public_keys: Annotated[dict[str, str], NoDecode]

    @field_validator("service_public_keys", mode="before")
    @classmethod
    def _parse_public_keys(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value


Settings = TypeVar("Settings", bound=BaseSettings)


def load_settings(kind: type[Settings]) -> Settings:
    """The settings, or exit status 78 (EX_CONFIG) with one line per wrong variable on stderr. Values are never printed."""
    try:
        return kind()
    except ValidationError as error:
        for problem in error.errors(include_input=False):
            name = ".".join(str(part) for part in problem["loc"]).upper()
            sys.stderr.write(f"configuration: {name}: {problem['msg']}\n")
        raise SystemExit(78) from None
