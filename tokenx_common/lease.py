"""Leases with epochs. A producer holds the lease of its resource; its epoch goes with everything it reports, and an older one is refused.

A lease is only liveness. What makes two owners safe is that every commit carries the epoch and the api refuses an older one."""

import asyncio
import os
from typing import Any, Final

from tokenx_common.errors import EXIT_STALE_EPOCH, TokenxError
from tokenx_common.http import ServiceClient
from tokenx_common.ids import new_id
from tokenx_common.log import get_logger

log = get_logger(__name__)

TTL_S: Final = 3.0
RENEW_S: Final = 1.0


class Lease:
    """The lease of one resource, held through the api."""

    def __init__(self, api: ServiceClient, resource: str) -> None:
        self._api = api
        self._resource = resource
        self._holder = f"{resource}:{new_id('ins')}"
        self.epoch = 0

    async def acquire(self) -> int:
        """Wait until the lease is ours; returns the epoch."""
        while True:
            try:
                answer: dict[str, Any] = await self._api.post(
                    f"/internal/leases/{self._resource}", {"holder": self._holder, "ttl_s": str(TTL_S)}
                )
            except TokenxError as error:
                log.info("lease.waiting", resource=self._resource, reason=error.code)
                await asyncio.sleep(RENEW_S / 2)
                continue
            self.epoch = int(answer["epoch"])
            log.info("lease.acquired", resource=self._resource, epoch=self.epoch)
            return self.epoch

    async def keep(self) -> None:
        """Renew for ever. When a newer instance has taken over, ends the process at once: nothing this one still does may count."""
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                answer: dict[str, Any] = await self._api.post(
                    f"/internal/leases/{self._resource}", {"holder": self._holder, "ttl_s": str(TTL_S)}
                )
            except TokenxError as error:
                if error.code == "lease.held":
                    stop_stale(self._resource)
                log.warning("lease.renewal_failed", resource=self._resource, error=error.detail)
                continue
            if int(answer["epoch"]) != self.epoch:
                stop_stale(self._resource)

    async def release(self) -> None:
        """Give the lease back at a graceful stop, so that the next instance need not wait for it to expire."""
        try:
            await self._api.delete(
                f"/internal/leases/{self._resource}", params={"holder": self._holder, "epoch": self.epoch}
            )
        except TokenxError as error:
            log.warning("lease.release_failed", resource=self._resource, error=error.detail)


def stop_stale(resource: str) -> None:
    """A newer instance holds the lease: leave without another write."""
    log.error("lease.lost", resource=resource)
    os._exit(EXIT_STALE_EPOCH)
