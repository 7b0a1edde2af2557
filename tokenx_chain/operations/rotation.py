"""signer.rotate: a key's roles go to its successor and the name stands for the successor from then on; see signers/rotation.py for the order.

Nothing of it is kept but what the journal says and the chain shows: run again from its start, it finds done what is done."""

import asyncio
from typing import Any, Final

from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.operations.context import Context
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.gas import USUAL_GAS, coins, wei_for
from tokenx_chain.operations.keys import PLATFORM
from tokenx_chain.operations.params import RotateSigner
from tokenx_chain.operations.roles import SUBMITTER, held, role_change, role_read
from tokenx_chain.policy.gate import APPROVALS_NEEDED
from tokenx_chain.signers.errors import SignerError, SignerUnavailable
from tokenx_chain.signers.rotation import Grant, Phase, Rotation, RotationRefused, Seen, abort, run
from tokenx_common.errors import DependencyUnavailable, TokenxError
from tokenx_common.log import get_logger

log = get_logger(__name__)

_ID: Final = "rot"
"""Begins the names of the steps; the operation is in front of it anyway."""
_GAS_FACTOR: Final = 30
_POLL_S: Final = 0.5


async def rotate(ctx: Context, params: RotateSigner) -> dict[str, Any]:
    """Returns {name, key_ref, address, epoch, phase, roles}. Waits for two people first. Fails with signer.role_not_movable, signer.rotation_refused
    or the code of a step; what the new key was granted is taken back then, unless it is in use already."""
    work = _Work(ctx, params)
    if not work.is_begun:
        await ctx.agreed(APPROVALS_NEEDED, not_after=params.not_after)
    began = Rotation(
        _ID, params.name, params.old_key, params.new_key, params.old_address, params.new_address, params.from_epoch
    )
    try:
        ended = await run(began, work, save=work.save, pause=_pause)
    except (RotationRefused, OperationFailed) as error:
        await work.give_up(str(error.detail))
        raise OperationFailed(error.code, error.detail) from error
    return {"name": params.name, "key_ref": params.new_key, "address": params.new_address, "epoch": params.from_epoch + 1,
            "phase": ended.phase.value, "roles": sorted(grant.role for grant in ended.grants)}  # fmt: skip


async def _pause(_seconds: float) -> None:
    await asyncio.sleep(_POLL_S)


class _Work:
    """Implements rotation.RotationPort by the steps of one operation. Roles are given and taken by the owner of the contracts, the platform."""

    def __init__(self, ctx: Context, params: RotateSigner) -> None:
        self._ctx = ctx
        self._params = params
        self._state: Rotation | None = None
        self._noted: Phase | None = None

    async def save(self, state: Rotation) -> None:
        """Told once for each phase. The switch tells by itself, because the name moves with it."""
        self._state = state
        if state.phase is not self._noted:
            await self._note(state.phase)
            log.info("rotation.phase", name=state.signer, phase=state.phase.value)

    async def give_up(self, reason: str) -> None:
        """Take back what the new key was granted, if it is not in use: then only people can say what is to be done."""
        state = self._state
        if state is not None and not self._is_switched and state.phase is not Phase.SWITCH:
            await run(abort(state, reason), self, save=self.save, pause=_pause)
        await self._note(Phase.ABORTED if not self._is_switched else Phase.REVOKE, ended=True, detail=reason)

    @property
    def is_begun(self) -> bool:
        """Whether people agreed before this run: something was sent, or the name was switched."""
        return bool(self._ctx.transactions) or self._is_switched

    @property
    def _is_switched(self) -> bool:
        return self._ctx.chain.book.of(self._params.name).epoch > self._params.from_epoch

    async def _note(self, phase: Phase, *, switched: bool = False, ended: bool = False, detail: str = "") -> None:
        await self._ctx.note_rotation(
            phase=phase.value, is_switched=switched, is_ended=ended or phase is Phase.DONE, detail=detail[:500]
        )
        self._noted = phase

    async def find_grants(self, old_address: str, new_address: str) -> Seen:
        """Raises RoleNotMovable, also when the key was given such a role meanwhile."""
        chain = self._ctx.chain
        old, new = await held(chain, old_address), await held(chain, new_address)
        old.require_movable(self._params.name)
        return Seen(grants=old.movable, held=frozenset(g for g in new.movable & old.movable if not self._is_ours(g)))

    def _is_ours(self, grant: Grant) -> bool:
        """Whether this operation gave it to the new key before it was run again: then an abort takes it back."""
        return any(self._ctx.was_sent(f"{_ID}:grant:{n}:{_named(grant)}") for n in range(11))

    async def prove_key(self, key_ref: str, address: str) -> Seen:
        """The signer checks each signature against the address of its key, so a signature by another key never comes back."""
        signer = self._ctx.chain.signer
        try:
            found = await signer.address(key_ref)
            await signer.sign_message(key_ref, f"tokenx rotation: {key_ref} is {address}".encode())
        except SignerUnavailable:
            raise  # nobody answered: that proves nothing, and it is asked again
        except SignerError as error:
            return Seen(yes=False, detail=f"{error.code}: {error.detail}")
        return Seen(yes=found == address.lower(), detail=found)

    async def grant(self, grant: Grant, address: str, *, key: str) -> Seen:
        if grant.role == SUBMITTER:
            await self._fund(address)
        return await self._change(grant, address, allowed=True, key=key)

    async def revoke(self, grant: Grant, address: str, *, key: str) -> Seen:
        return await self._change(grant, address, allowed=False, key=key)

    async def _change(self, grant: Grant, address: str, *, allowed: bool, key: str) -> Seen:
        ctx = self._ctx
        if not ctx.was_sent(key) and await ctx.read(role_read(ctx.chain, grant, address)) == allowed:
            return Seen(yes=True)
        entry = await ctx.send(key, role_change(ctx.chain, grant, address, allowed=allowed), PLATFORM)
        await ctx.mined([entry])
        return Seen(yes=await ctx.final(entry))

    async def _fund(self, address: str) -> None:
        """Coins before the switch, so that nothing waits for them after it. Each settlement sees to its own later."""
        ctx = self._ctx
        enough = _GAS_FACTOR * await wei_for(ctx, USUAL_GAS)
        if ctx.was_sent("gas") or await ctx.balance(address) < enough:
            await ctx.mined([await ctx.send("gas", coins(address, enough), PLATFORM)])

    async def has_role(self, grant: Grant, address: str) -> Seen:
        node = self._ctx.chain.node
        while True:
            try:
                final = await node.finalized_number(await node.head())
                return Seen(yes=await node.read(role_read(self._ctx.chain, grant, address), at=max(0, final)))
            except (RpcUnavailable, RpcError) as error:
                log.warning("rotation.waits", reason=str(error))
                await _pause(_POLL_S)

    async def switch(self, signer: str, *, to_key: str, from_epoch: int, key: str) -> Seen:
        """Durable first. What the journal refuses was switched by somebody else."""
        del key  # the epoch names the switch
        try:
            await self._note(Phase.DRAIN, switched=True)
        except DependencyUnavailable:
            raise
        except TokenxError as error:
            return Seen(yes=False, detail=error.detail)
        return Seen(yes=self._ctx.chain.book.switch(signer, to_key=to_key, from_epoch=from_epoch))

    async def count_open(self, key_ref: str) -> Seen:
        """Transactions, and signatures that somebody else sends."""
        if self._params.force:
            await self._ctx.withdraw_queued(key_ref)
        return Seen(count=await self._ctx.open_work(key_ref) + self._ctx.chain.in_use[key_ref])


def _named(grant: Grant) -> str:
    return f"{grant.chain_id}:{grant.contract}:{grant.role}"
