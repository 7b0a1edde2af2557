"""Rows for tests, written past the api by the superuser: a test says only what matters to it."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from tokenx_api.auth.models import Actor, Persona
from tokenx_common.ids import new_id

CHAIN_ID = 31337
_numbers = itertools.count(1)


@dataclass(frozen=True)
class SeededInvestor:
    """An approved investor with a registered wallet."""

    investor_id: str
    owner_group: int
    address: str
    actor: Actor


@dataclass(frozen=True)
class SeededOffering:
    """A deployed, open offering."""

    offering_id: str
    issuer_id: str
    token: str
    issuer: Actor


def address(number: int) -> str:
    """A well-formed address that is nobody's."""
    return f"0x{number:040x}"


class Seed:
    """Inserts rows on a connection of its own."""

    def __init__(self, rows: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.rows = rows

    async def user(self, *personas: Persona) -> Actor:
        """A user with these personas."""
        user_id, number = new_id("usr"), next(_numbers)
        await self.rows.execute(
            "INSERT INTO api.users (user_id, email, display_name, password_hash, personas) VALUES ($1, $2, $3, 'x', $4)",
            user_id, f"u{number}@example.com", f"User {number}", list(personas),
        )  # fmt: skip
        return Actor(user_id, f"u{number}@example.com", f"User {number}", personas, None, None, "csrf")

    async def investor(self, *, country: str = "US") -> SeededInvestor:
        user = await self.user("investor")
        investor_id, number = new_id("inv"), next(_numbers)
        owner_group: int = await self.rows.fetchval(
            """INSERT INTO api.investors (investor_id, user_id, legal_name, country, kyc_status, kyc_expires_at)
               VALUES ($1, $2, $3, $4, 'approved', $5) RETURNING owner_group""",
            investor_id, user.user_id, f"Investor {number}", country, datetime.now(UTC) + timedelta(days=365),
        )  # fmt: skip
        held = address(0x1000 + number)
        await self.rows.execute(
            """INSERT INTO api.wallets (wallet_id, chain_id, address, key_ref, investor_id, status)
               VALUES ($1, $2, $3, $4, $5, 'registered')""",
            new_id("wal"), CHAIN_ID, held, f"investor:{investor_id}", investor_id,
        )  # fmt: skip
        actor = Actor(user.user_id, user.email, user.display_name, ("investor",), investor_id, None, "csrf")
        return SeededInvestor(investor_id, owner_group, held, actor)

    async def offering(self, *, unit_price_minor: int = 1000, max_units: int = 1_000_000) -> SeededOffering:
        user = await self.user("issuer")
        issuer_id, offering_id, number = new_id("iss"), new_id("off"), next(_numbers)
        await self.rows.execute(
            "INSERT INTO api.issuers (issuer_id, user_id, legal_name, country, kyb_status) VALUES ($1, $2, $3, 'US', 'approved')",
            issuer_id, user.user_id, f"Issuer {number}",
        )  # fmt: skip
        token = address(0xF000 + number)
        await self.rows.execute(
            """INSERT INTO api.offerings (offering_id, issuer_id, symbol, name, exemption, unit_price_minor, max_units, tick_size_minor,
                                          lot_size_units, status, market_state, chain_id, token_address)
               VALUES ($1, $2, $3, $4, 'reg_d_506c', $5, $6, 1, 1, 'open', 'continuous', $7, $8)""",
            offering_id, issuer_id, f"T{number}", f"Token {number}", unit_price_minor, max_units, CHAIN_ID, token,
        )  # fmt: skip
        await self.rows.execute("INSERT INTO matcher.sequencers (offering_id) VALUES ($1)", offering_id)
        actor = Actor(user.user_id, user.email, user.display_name, ("issuer",), None, issuer_id, "csrf")
        return SeededOffering(offering_id, issuer_id, token, actor)

    async def units(self, *, investor_id: str, offering_id: str, units: int) -> None:
        """Units in the ledger, issued to the investor."""
        await self._entry(
            {(f"investor:{investor_id}", offering_id): units, (f"issuance:{offering_id}", offering_id): -units}
        )

    async def move_units(self, offering_id: str, sender: str, receiver: str, units: int) -> None:
        """Units from one ledger owner to another."""
        await self._entry({(sender, offering_id): -units, (receiver, offering_id): units})

    async def cash(self, owner: str, cents: int) -> None:
        """Deposited cash; owner is e.g. 'investor:inv_…'."""
        await self._entry({(owner, "USD"): cents, ("bank:USD", "USD"): -cents})

    async def _entry(self, postings: dict[tuple[str, str], int]) -> None:
        async with self.rows.transaction():
            entry_id = await self.rows.fetchval(
                "INSERT INTO api.ledger_entries (kind, ref) VALUES ('deposit', $1) RETURNING entry_id", new_id("pay")
            )
            for (owner, asset), amount in postings.items():
                await self.rows.execute(
                    "INSERT INTO api.ledger_accounts (owner, asset) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    owner,
                    asset,
                )
                account = await self.rows.fetchval(
                    """UPDATE api.ledger_accounts SET balance = balance + $3 WHERE owner = $1 AND asset = $2
                       RETURNING account_id""",
                    owner, asset, amount,
                )  # fmt: skip
                await self.rows.execute(
                    "INSERT INTO api.ledger_postings (entry_id, account_id, amount) VALUES ($1, $2, $3)", entry_id, account, amount
                )  # fmt: skip

    async def lease(self, resource: str, epoch: int = 1) -> None:
        """Somebody holds the lease with this epoch."""
        await self.rows.execute(
            """INSERT INTO api.leases (resource, holder, epoch, expires_at) VALUES ($1, 'test', $2, now() + interval '1 hour')
               ON CONFLICT (resource) DO UPDATE SET epoch = $2""",
            resource, epoch,
        )  # fmt: skip

    async def operation(self, business_ref: str, *, kind: str = "token.mint") -> str:
        """A queued chain operation."""
        operation_id = new_id("op")
        await self.rows.execute(
            """INSERT INTO chain.operations (operation_id, chain_id, kind, params, business_ref, correlation_id)
               VALUES ($1, $2, $3, '{}', $4, 'cor_test')""",
            operation_id, CHAIN_ID, kind, business_ref,
        )  # fmt: skip
        return operation_id

    async def value(self, sql: str, *arguments: Any) -> Any:
        """One value, for assertions."""
        return await self.rows.fetchval(sql, *arguments)
