"""Who takes part in the demonstration and what is traded. All of it is invented."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tokenx_cli.runtime.paths import write_secret


@dataclass(frozen=True)
class InvestorRole:
    """One invented investor. cash: sandbox deposit in USD. units: what is subscribed of each offering, by symbol."""

    key: str
    name: str
    country: str
    cash: str
    units: dict[str, int]


MAIN: Final = "ACME"
THIN: Final = "BLUE"

OFFERINGS: Final[tuple[dict[str, Any], ...]] = (
    {"symbol": MAIN, "name": "Acme Preferred A", "exemption": "reg_d_506c", "unit_price_amount": "100.00", "max_units": "1000000",
     "tick_size_amount": "0.01", "lot_size_units": "1", "blocked_countries": ["KP"]},
    {"symbol": THIN, "name": "Blue Harbor Fund I", "exemption": "reg_d_506c", "unit_price_amount": "50.00", "max_units": "100000",
     "tick_size_amount": "0.05", "lot_size_units": "1", "blocked_countries": ["KP"]},
)  # fmt: skip

TRADERS: Final = tuple(
    InvestorRole(key, name, country, "2000000.00", {MAIN: 5_000})
    for key, name, country in (
        ("ada", "Ada Lindqvist", "SE"), ("bo", "Bo Keller", "DE"), ("chi", "Chi Tanaka", "JP"),
        ("dev", "Devika Rao", "IN"), ("eli", "Eli Brooks", "US"), ("fay", "Fay Moreau", "FR"),
    )
)  # fmt: skip
WASH_PAIR: Final = (
    InvestorRole("walt", "Walter Quill", "US", "100000.00", {THIN: 500}),
    InvestorRole("wanda", "Wanda Quill", "US", "100000.00", {THIN: 500}),
)
UNVERIFIED: Final = InvestorRole("uma", "Uma Unverified", "US", "0.00", {})
DEMO_INVESTOR_EMAIL: Final = "investor@demo.tokenx.local"
DEMO_INVESTOR: Final = InvestorRole("demo", "Dana Demo", "US", "500000.00", {MAIN: 500})
DEMO_ISSUER_EMAIL: Final = "issuer@demo.tokenx.local"

LISTED_ADDRESS: Final = "0xa0ee7a142d267c1f36714e4a8f75612f20a79720"
"""A well-known development account, in the shipped synthetic sanctions list; never a real listed address."""


def email_of(role: InvestorRole) -> str:
    return DEMO_INVESTOR_EMAIL if role is DEMO_INVESTOR else f"{role.key}@demo.tokenx.local"


class Passwords:
    """The invented investors' random passwords, kept beside the stack's secrets so that a second run can sign in again."""

    def __init__(self, path: Path, staff: dict[str, str]) -> None:
        self._path = path
        self._known: dict[str, str] = {**(json.loads(path.read_text()) if path.exists() else {}), **staff}

    def of(self, email: str) -> str:
        """The password of a user; made and stored at first use."""
        if email not in self._known:
            self._known[email] = secrets.token_urlsafe(16)
            write_secret(self._path, json.dumps(self._known, indent=1))
        return self._known[email]
