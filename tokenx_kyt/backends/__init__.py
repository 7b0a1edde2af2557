"""Where risk answers come from. RISK_BACKEND chooses one at the start; today only `local` is built in."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn

from tokenx_common.clock import Clock
from tokenx_kyt.backends.base import RiskProvider
from tokenx_kyt.backends.local import LocalProvider
from tokenx_kyt.lists import BadList, load_lists
from tokenx_kyt.settings import KytSettings

SYNTHETIC_LIST: Final = Path(__file__).parent.parent / "data" / "synthetic_sdn.csv"
EXIT_CONFIGURATION: Final = 78


def make_provider(settings: KytSettings, clock: Clock) -> RiskProvider:
    """The chosen provider, or exit status 78 with one plain line."""
    if settings.risk_backend != "local":
        _refuse(f"RISK_BACKEND: {settings.risk_backend!r} is not available in this version, only 'local'")
    if not settings.sanctions_lists and settings.tokenx_env == "prod":
        _refuse("SANCTIONS_LISTS: at least one list is required in prod")
    try:
        lists = load_lists(settings.sanctions_lists or (SYNTHETIC_LIST,))
    except (BadList, OSError) as error:
        _refuse(f"SANCTIONS_LISTS: {error}")
    return LocalProvider(
        lists, clock, max_age=timedelta(days=settings.list_max_age_days), hold=settings.tokenx_env == "prod"
    )


def _refuse(line: str) -> NoReturn:
    sys.stderr.write(f"configuration: {line}\n")
    raise SystemExit(EXIT_CONFIGURATION)
