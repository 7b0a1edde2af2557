"""What administrators see."""

from datetime import datetime
from typing import Any, Literal

from tokenx_api.auth.models import Persona
from tokenx_common.wire import WireModel


class AdminUserView(WireModel):
    user_id: str
    email: str
    display_name: str
    personas: list[Persona]
    status: Literal["active", "suspended"]
    created_at: datetime


class ServiceHealth(WireModel):
    """status: as the service says, 'down' when it does not answer. dependencies: by name, as the service says."""

    service: str
    status: Literal["ok", "degraded", "down"]
    detail: str
    dependencies: dict[str, Any]


class HealthReport(WireModel):
    """status: the worst of all services."""

    status: Literal["ok", "degraded", "down"]
    services: list[ServiceHealth]
