"""What the api reads from its environment, besides what every service reads."""

from typing import Literal

from pydantic import SecretStr

from tokenx_common.settings import ServiceSettings


class ApiSettings(ServiceSettings):
    """See .env.example. temporal_address empty: no Temporal server; requests that need a workflow wait in the outbox."""

    port: int = 8100
    database_url: SecretStr
    database_pool_size: int = 16
    temporal_address: str = ""
    temporal_namespace: str = "default"
    temporal_task_queue: str = "tokenx"
    web_origin: str = "http://127.0.0.1:3100"
    """Where the web app is served, comma-separated when it has several names: a browser's POST from anywhere else is refused."""
    chain_id: int = 31337
    kyc_backend: Literal["sandbox"] = "sandbox"
    payment_backend: Literal["sandbox"] = "sandbox"
    email_backend: Literal["sandbox"] = "sandbox"

    @property
    def web_origins(self) -> tuple[str, ...]:
        return tuple(origin.strip() for origin in self.web_origin.split(","))
