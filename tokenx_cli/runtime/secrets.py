"""Secrets of one stack: random at first start, kept in one file only the owner reads. There are no default passwords."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tokenx_cli.runtime.paths import write_secret
from tokenx_common.service_auth import new_key_pair

SERVICES: Final = ("api", "chain", "matcher", "kyt", "cli")
DATABASE_ROLES: Final = ("postgres", "tokenx_migrator", "tokenx_api", "tokenx_ro")
PERSONA_LOGINS: Final = {
    "investor@demo.tokenx.local": "investor",
    "issuer@demo.tokenx.local": "issuer",
    "compliance@demo.tokenx.local": "compliance_officer",
    "transfer-agent@demo.tokenx.local": "transfer_agent",
    "tokenization-agent@demo.tokenx.local": "tokenization_agent",
    "ats-operator@demo.tokenx.local": "ats_operator",
    "admin@demo.tokenx.local": "admin",
}


@dataclass(frozen=True)
class Secrets:
    """database: password by role. redis: password by ACL user ('admin' is the CLI's own). service_keys: base64 Ed25519 seed by service.
    logins: password by e-mail of the demo users. signer_seed: 64 hex digits, the root of the local signer's keys."""

    database: dict[str, str]
    redis: dict[str, str]
    service_keys: dict[str, str]
    logins: dict[str, str]
    signer_seed: str

    def __repr__(self) -> str:
        return "Secrets(***)"

    def service_environment(self, name: str) -> dict[str, str]:
        """What one service needs to sign as itself and to know the others."""
        public = {service: _public_key(seed) for service, seed in self.service_keys.items()}
        return {"SERVICE_PRIVATE_KEY": self.service_keys[name], "SERVICE_PUBLIC_KEYS": json.dumps(public)}


def new_secrets() -> Secrets:
    """Fresh random secrets."""
    return Secrets(
        database={role: secrets.token_urlsafe(24) for role in DATABASE_ROLES},
        redis={user: secrets.token_urlsafe(24) for user in (*SERVICES, "admin")},
        service_keys={service: new_key_pair()[0] for service in SERVICES},
        logins={email: secrets.token_urlsafe(12) for email in PERSONA_LOGINS},
        signer_seed=secrets.token_hex(32),
    )


def load_secrets(path: Path) -> Secrets:
    """Read them. Raises FileNotFoundError when there is no stack here yet."""
    return Secrets(**json.loads(path.read_text(encoding="utf-8")))


def load_or_create(path: Path) -> Secrets:
    """Read them, or make them at first start."""
    if not path.exists():
        write_secret(path, json.dumps(asdict(new_secrets()), indent=1))
    return load_secrets(path)


def _public_key(seed_base64: str) -> str:
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed_base64))
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()
