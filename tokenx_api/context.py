"""Everything a use case may reach besides its connection, wired once in app.py and handed down."""

from dataclasses import dataclass, field

from tokenx_api.announcer import Announcer
from tokenx_api.db import Database
from tokenx_api.notifications.service import Hub
from tokenx_api.settings import ApiSettings
from tokenx_api.wakeup import Wakeups
from tokenx_common.bus import Bus
from tokenx_common.clock import Clock
from tokenx_common.http import ServiceClient


@dataclass(frozen=True)
class AppContext:
    """One per process. After-commit work (bells, announcements) goes through `announcer`, `bus` and `wakeups` only; losing it loses nothing."""

    settings: ApiSettings
    db: Database
    bus: Bus
    clock: Clock
    chain: ServiceClient
    matcher: ServiceClient
    kyt: ServiceClient
    wakeups: Wakeups = field(default_factory=Wakeups)
    announcer: Announcer = field(default_factory=Announcer)
    hub: Hub = field(default_factory=Hub)
