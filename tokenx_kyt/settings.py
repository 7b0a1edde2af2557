"""What kyt reads from its environment, besides what every service reads."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from tokenx_common.settings import ServiceSettings


class KytSettings(ServiceSettings):
    """See .env.example. sanctions_lists empty: the synthetic test list in dev, refused in prod."""

    port: int = 8300
    risk_backend: str = "local"
    sanctions_lists: Annotated[tuple[Path, ...], NoDecode] = ()
    list_max_age_days: int = Field(
        default=1, ge=0, description="older: an alarm, and in prod no 'no_hit' answer any more"
    )

    @field_validator("sanctions_lists", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
