"""Runs a service under uvicorn: loopback by default, graceful stop on SIGTERM within five seconds."""

import uvicorn
from fastapi import FastAPI

from tokenx_common.log import configure_logging
from tokenx_common.settings import ServiceSettings


def serve(name: str, app: FastAPI, settings: ServiceSettings) -> None:
    """Serve until SIGTERM or SIGINT. Open event streams are cut after the grace period."""
    configure_logging(name, settings)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        server_header=False,
    )
