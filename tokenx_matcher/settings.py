"""What the matcher reads from its environment, besides what every service reads."""

from pathlib import Path

from pydantic import Field

from tokenx_common.settings import ServiceSettings


class MatcherSettings(ServiceSettings):
    """See .env.example. snapshot_dir may be emptied at any time: a start then replays the whole command log."""

    port: int = 8200
    snapshot_dir: Path
    snapshot_every_s: int = Field(default=60, ge=1)
    snapshot_every_commands: int = Field(default=20_000, ge=1)
    executions_kept: int = Field(
        default=50_000, ge=0, description="per offering, beyond what the api has not taken yet"
    )
