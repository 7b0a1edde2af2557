"""The seven demo logins, one for each persona, made through the api with the stack's own random passwords."""

import asyncio
from typing import Any, Final

import httpx

from tokenx_cli.runtime.secrets import PERSONA_LOGINS, Secrets
from tokenx_common.service_auth import ServiceSigner

_TRIES: Final = 5


async def create_logins(api_url: str, secrets: Secrets) -> None:
    """Make the logins; those that exist stay as they are. Raises RuntimeError with the api's answer."""
    users = [_user(email, persona, secrets.logins[email]) for email, persona in PERSONA_LOGINS.items()]
    token = ServiceSigner("cli", secrets.service_keys["cli"]).token("api")
    for attempt in range(1, _TRIES + 1):
        try:
            async with httpx.AsyncClient(base_url=api_url, timeout=20, trust_env=False) as client:
                answer = await client.post(
                    "/internal/bootstrap/users", json={"users": users}, headers={"Authorization": f"Bearer {token}"}
                )
        except httpx.TransportError as error:
            if attempt == _TRIES:
                raise RuntimeError(f"the api does not answer: {error}") from error
            await asyncio.sleep(0.2 * attempt)
            continue
        if answer.is_success:
            return
        raise RuntimeError(f"the api refused the demo logins: {answer.status_code} {answer.text[:300]}")


def _user(email: str, persona: str, password: str) -> dict[str, Any]:
    name = email.partition("@")[0].replace("-", " ")
    return {"email": email, "password": password, "display_name": f"Demo {name}", "personas": [persona]}
