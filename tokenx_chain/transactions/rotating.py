"""A rotation's port on a running chain: agents of tokens and registries are granted and revoked by transactions, the old key drains by itself.

Whoever drives it (signers/rotation.py, run) keeps the state. Owners are not rotated here: their contracts hand over in one step, which nothing
could take back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.roles import Roles
from tokenx_chain.networks.evm import EvmNode
from tokenx_chain.signers.base import Signer
from tokenx_chain.signers.errors import SignerError
from tokenx_chain.signers.keybook import KeyBook
from tokenx_chain.signers.rotation import Grant, RotationRefused, Seen
from tokenx_chain.transactions.sender import Senders
from tokenx_chain.transactions.tracker import Tracker

AGENT: Final = "agent"

Deployments = Callable[[], Mapping[str, Roles]]
"""Every contract with agents there is now, by address in lower case. Asked again before anything is revoked."""
Send = Callable[[str, Call], Awaitable[bool]]
"""Send a call once for a name, by a key that keeps its own roles; whether it was carried out, once that is final."""


class AgentRotation:
    """Implements rotation.RotationPort for one chain."""

    def __init__(self, *, node: EvmNode, signer: Signer, senders: Senders, tracker: Tracker, book: KeyBook, deployments: Deployments, send: Send) -> None:  # fmt: skip
        self._node = node
        self._signer = signer
        self._senders = senders
        self._tracker = tracker
        self._book = book
        self._deployments = deployments
        self._send = send

    async def find_grants(self, old_address: str, new_address: str) -> Seen:
        """Asked at the head: a role that is about to be final must not be missed."""
        old, new = await self._roles_of(old_address), await self._roles_of(new_address)
        return Seen(grants=old, held=old & new)

    async def _roles_of(self, address: str) -> frozenset[Grant]:
        contracts = self._deployments()
        told = await self._node.read_all([roles.is_agent(address) for roles in contracts.values()]) if contracts else []
        return frozenset(
            Grant(self._node.network.chain_id, contract, AGENT)
            for contract, yes in zip(contracts, told, strict=True)
            if yes
        )

    async def prove_key(self, key_ref: str, address: str) -> Seen:
        """The signer checks each signature against the address of its key, so a signature by another key never comes back."""
        try:
            found = await self._signer.address(key_ref)
            await self._signer.sign_message(key_ref, f"tokenx rotation: {key_ref} is {address}".encode())
        except SignerError as error:
            return Seen(yes=False, detail=f"{error.code}: {error.detail}")
        return Seen(yes=found == address.lower(), detail=found)

    async def grant(self, grant: Grant, address: str, *, key: str) -> Seen:
        roles = self._roles(grant)
        if await self._node.read(roles.is_agent(address)):
            return Seen(yes=True)
        return Seen(yes=await self._send(key, roles.add_agent(address)))

    async def revoke(self, grant: Grant, address: str, *, key: str) -> Seen:
        roles = self._roles(grant)
        if not await self._node.read(roles.is_agent(address)):
            return Seen(yes=True)
        return Seen(yes=await self._send(key, roles.remove_agent(address)))

    async def has_role(self, grant: Grant, address: str) -> Seen:
        final = await self._node.finalized_number(await self._node.head())
        return Seen(yes=await self._node.read(self._roles(grant).is_agent(address), at=max(0, final)))

    async def switch(self, signer: str, *, to_key: str, from_epoch: int, key: str) -> Seen:
        held = self._book.of(signer)
        is_done = self._book.switch(signer, to_key=to_key, from_epoch=from_epoch)
        return Seen(yes=is_done, detail=f"{held.key_ref} at epoch {held.epoch}")

    async def count_open(self, key_ref: str) -> Seen:
        """Waiting, being signed, sent and not final: nothing of it is taken away from the old key."""
        address = await self._signer.address(key_ref)
        waiting = [sender for sender in self._senders.all() if sender.address == address]
        unsigned = sum(len(sender.queued) + len(sender.unsigned_nonces) for sender in waiting)
        return Seen(count=unsigned + self._tracker.open_count(address))

    def _roles(self, grant: Grant) -> Roles:
        if grant.chain_id != self._node.network.chain_id or grant.role != AGENT:
            raise RotationRefused(f"{grant.role} on chain {grant.chain_id} is not for this port")
        return self._deployments()[grant.contract]
