"""People and offerings for tests, brought into being through the api; the chain service's part is played by calling what its events call."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.api.harness import Api, Client, address_of
from tokenx_api.auth.models import Persona
from tokenx_api.investors import service as investors
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.ledger.models import Balance
from tokenx_api.offerings import service as offerings
from tokenx_api.wallets.models import investor_key
from tokenx_common.ids import new_id

REASON = {"reason": "checked the documents"}
Found = TypeVar("Found")
_symbols = itertools.count(1)


def terms(**changes: Any) -> dict[str, Any]:
    """Valid terms with a fresh symbol."""
    return {
        "symbol": f"SYM{next(_symbols)}",
        "name": "Acme Preferred A",
        "exemption": "reg_d_506c",
        "unit_price_amount": "100.00",
        "max_units": "1000",
        "tick_size_amount": "0.01",
        "lot_size_units": "1",
        "blocked_countries": ["KP"],
        **changes,
    }


def token_of(offering_id: str) -> str:
    return address_of(f"token:{offering_id}")


@dataclass
class World:
    """Staff by persona, signed in once, and steps that several tests need."""

    api: Api
    _staff: dict[Persona, Client] = field(default_factory=dict[Persona, Client])

    async def staff(self, persona: Persona) -> Client:
        if persona not in self._staff:
            self._staff[persona] = await self.api.user(persona)
        return self._staff[persona]

    async def investor(self, *, country: str = "US", registered: bool = True) -> tuple[Client, str]:
        """A signed-in investor and its id; with approved KYC and a wallet in the registry unless not registered."""
        client = await self.api.user("investor")
        profile = await client.post("/v1/investors", {"legal_name": "Ann Example", "country": country})
        investor_id = profile["investor_id"]
        if registered:
            officer = await self.staff("compliance_officer")
            await officer.post(f"/v1/investors/{investor_id}:approve-kyc", REASON, expect=200)
            await self.register(investor_id)
        return client, investor_id

    async def register(self, investor_id: str) -> None:
        """The chain service's news that the registration is final."""
        operation = await self.operation(f"investor:{investor_id}")
        result = {"address": address_of(investor_key(investor_id)), "identity": address_of(f"id:{investor_id}")}
        async with self.api.context.db.write() as conn:
            await investors.on_operation_final(conn, investor_id, operation["operation_id"], result)

    async def issuer(self, *, approved: bool = True) -> tuple[Client, str]:
        client = await self.api.user("issuer")
        profile = await client.post("/v1/issuers", {"legal_name": "Acme Holdings Inc.", "country": "US"})
        if approved:
            officer = await self.staff("compliance_officer")
            await officer.post(f"/v1/issuers/{profile['issuer_id']}:approve-kyb", REASON, expect=200)
        return client, profile["issuer_id"]

    async def offering(self, issuer: Client, *, until: str = "open", **changes: Any) -> dict[str, Any]:
        """An offering brought up to the status `until`."""
        made = await issuer.post("/v1/offerings", terms(**changes))
        path = f"/v1/offerings/{made['offering_id']}"
        if until == "draft":
            return made
        made = await (await self.staff("compliance_officer")).post(f"{path}:approve", expect=200)
        if until == "approved":
            return made
        made = await (await self.staff("tokenization_agent")).post(f"{path}:deploy", expect=200)
        if until == "deploying":
            return made
        await self.deployed(made["offering_id"])
        if until == "deployed":
            return await issuer.get(path)
        return await issuer.post(f"{path}:open", expect=200)

    async def deployed(self, offering_id: str) -> None:
        """The chain service's news that the contracts are final."""
        operation = await self.operation(f"offering:{offering_id}")
        result = {"token": token_of(offering_id).upper().replace("0X", "0x"), "compliance": address_of("compliance")}
        async with self.api.context.db.write() as conn:
            await offerings.on_operation_final(conn, offering_id, operation["operation_id"], result)

    async def operation(self, business_ref: str) -> dict[str, Any]:
        """The newest operation that waits under a business reference."""
        rows = await self.api.fetch(
            "SELECT operation_id, kind, params FROM chain.operations WHERE business_ref = $1 ORDER BY operation_id DESC LIMIT 1",
            business_ref,
        )
        assert rows, f"no operation for {business_ref}"
        return rows[0]

    async def finish(self, operation_id: str, state: str = "final") -> None:
        """What the journal of the chain service would say about an operation."""
        await self.api.fetch(
            "UPDATE chain.operations SET state = $2 WHERE operation_id = $1 RETURNING 1", operation_id, state
        )

    async def actions(self, subject_id: str) -> list[str]:
        """What the audit trail says happened to a subject, in order."""
        rows = await self.api.fetch(
            "SELECT action FROM audit.events WHERE subject_id = $1 ORDER BY event_id", subject_id
        )
        return [row["action"] for row in rows]

    async def deposit(self, investor: Client, amount: str) -> dict[str, Any]:
        """Cash for an investor: asked for, settled by the sandbox, and on chain."""
        body = {"direction": "deposit", "amount": amount, "currency": "USD"}
        made = await investor.post("/v1/payments", body, Idempotency_Key=new_id("cor"))
        settled = await self.settled(investor, made["payment_id"])
        await self.finish(settled["operation_id"])
        return settled

    async def settled(self, investor: Client, payment_id: str) -> dict[str, Any]:
        """The payment, once the sandbox provider has called back."""

        async def look() -> dict[str, Any] | None:
            rows = (await investor.get("/v1/payments"))["data"]
            return next((row for row in rows if row["payment_id"] == payment_id and row["status"] == "settled"), None)

        return await until(look)

    async def cash(self, investor_id: str) -> Balance:
        """What the ledger says of an investor's dollars."""
        async with self.api.context.db.read() as conn:
            return await ledger.balance(conn, accounts.investor(investor_id, "USD"))


async def until(look: Callable[[], Awaitable[Found | None]], *, timeout_s: float = 10) -> Found:
    """What `look` finds, asked again and again until it finds something."""
    async with asyncio.timeout(timeout_s):
        while (found := await look()) is None:
            await asyncio.sleep(0.05)
    return found
