"""Everything one chain is made of, handed to whoever needs it."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.errors import UNKNOWN, Refusal, decode_revert
from tokenx_chain.networks.base import Network
from tokenx_chain.networks.evm import EvmNode
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.registry import ContractRegistry
from tokenx_chain.signers.base import Signer
from tokenx_chain.signers.keybook import KeyBook
from tokenx_chain.transactions.codec import unsigned_of


@dataclass(frozen=True)
class Chain:
    """The read side of a chain: its node, its contracts, and the keys we hold on it."""

    network: Network
    node: EvmNode
    artifacts: Artifacts
    registry: ContractRegistry
    signer: Signer
    deploying: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the platform contracts are put up, which must happen once."""
    book: KeyBook = field(default_factory=KeyBook)
    """Which key each name stands for now."""
    in_use: Counter[str] = field(default_factory=Counter[str])
    """Keys whose signatures are on their way in work that has not ended, by how many: those that never send a transaction drain by it."""

    def key(self, name: str) -> str:
        """The key a name stands for now."""
        return self.book.of(name).key_ref

    async def address(self, name: str) -> str:
        """The address of the key a name stands for now. Raises UnknownKey, SignerUnavailable."""
        return await self.signer.address(self.key(name))

    async def why_reverted(self, raw: bytes, *, sender: str, at: int) -> Refusal:
        """Play a mined transaction again on the state of its block: good enough to name the reason, never used to decide anything."""
        fields = unsigned_of(raw)
        try:
            await self.node.simulate(Call(to=fields.to, data=fields.data, value=fields.value), sender=sender, at=at)
        except RpcError as error:
            return self.refusal(error)
        except RpcUnavailable:
            pass
        return Refusal(UNKNOWN, "reverted; the reason can no longer be reproduced")

    def refusal(self, error: RpcError) -> Refusal:
        """Why a call would revert."""
        if error.data is not None:
            return decode_revert(bytes.fromhex(error.data.removeprefix("0x")), self.artifacts.custom_errors)
        return Refusal(UNKNOWN, error.message)
