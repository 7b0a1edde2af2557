"""What a key holds on one chain: roles a rotation can move to another key, and everything that it cannot and that therefore forbids one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tokenx_chain.chain import Chain
from tokenx_chain.contracts.calls import Call, Read
from tokenx_chain.contracts.identity import ClaimIssuer
from tokenx_chain.contracts.roles import Roles
from tokenx_chain.contracts.settlement import Settlement
from tokenx_chain.signers.rotation import Grant, RotationRefused
from tokenx_chain.standards.erc3643 import Erc3643

AGENT: Final = "agent"
OPERATOR: Final = "operator"
SUBMITTER: Final = "submitter"
CLAIM_SIGNER: Final = "claim_signer"
"""Of the claim issuer's contract; see signers/rotation.py, LASTING."""

_ARTIFACTS: Final = {"StableCoin": "TestUSD"}
"""Contracts recorded under another name than their artifact's. Tokens are recorded as token:<offering>."""
_SUITE: Final = {"identity_registry": "IdentityRegistry", "compliance": "ModularCompliance"}


class RoleNotMovable(RotationRefused):
    """The key holds something that a rotation cannot take over. Nothing was changed."""

    code = "signer.role_not_movable"


@dataclass(frozen=True)
class Holdings:
    """movable: what a rotation grants and revokes. fixed: what it cannot move, in words."""

    movable: frozenset[Grant]
    fixed: tuple[str, ...]

    def require_movable(self, key_ref: str) -> None:
        """Raises RoleNotMovable, naming everything."""
        if self.fixed:
            raise RoleNotMovable(f"{key_ref} is {', '.join(self.fixed)}: a rotation cannot move that")


@dataclass(frozen=True)
class _Question:
    """One view call. is_role: a yes is a movable role on the contract, otherwise something fixed."""

    read: Read[bool]
    contract: str
    role: str
    is_role: bool


async def held(chain: Chain, address: str) -> Holdings:
    """Asked at the head: what is about to be final must not be missed. Raises PlatformNotDeployed, RpcUnavailable, RpcError."""
    chain.registry.require(
        "Settlement"
    )  # before it nobody holds anything, and a new key would have no coins to deploy with
    questions = list(_questions(chain, address))
    told = await chain.node.read_all([question.read for question in questions]) if questions else []
    yes = [question for question, answer in zip(questions, told, strict=True) if answer]
    return Holdings(
        movable=frozenset(grant_of(chain, question.contract, question.role) for question in yes if question.is_role),
        fixed=tuple(
            f"{question.role} of {chain.registry.name_of(question.contract) or question.contract}"
            for question in yes
            if not question.is_role
        ),
    )


def grant_of(chain: Chain, contract: str, role: str) -> Grant:
    """A role by its contract's address."""
    return Grant(chain.network.chain_id, contract, role)


def role_read(chain: Chain, grant: Grant, address: str) -> Read[bool]:
    """Whether an address has a movable role."""
    match grant.role:
        case "operator":
            return _settlement(chain, grant.contract).is_operator(address)
        case "submitter":
            return _settlement(chain, grant.contract).is_submitter(address)
        case "claim_signer":
            return _issuer(chain, grant.contract).is_signer(address)
        case _:
            return _agents(chain, grant.contract).is_agent(address)


def role_change(chain: Chain, grant: Grant, address: str, *, allowed: bool) -> Call:
    """The owner's call that gives a movable role or takes it away."""
    match grant.role:
        case "operator":
            return _settlement(chain, grant.contract).set_operator(address, allowed=allowed)
        case "submitter":
            return _settlement(chain, grant.contract).set_submitter(address, allowed=allowed)
        case "claim_signer":
            issuer = _issuer(chain, grant.contract)
            return issuer.add_signer(address) if allowed else issuer.remove_signer(address)
        case _:
            agents = _agents(chain, grant.contract)
            return agents.add_agent(address) if allowed else agents.remove_agent(address)


def _settlement(chain: Chain, address: str) -> Settlement:
    return Settlement(chain.artifacts.abi("Settlement"), address)


def _issuer(chain: Chain, address: str) -> ClaimIssuer:
    return ClaimIssuer(chain.artifacts.abi("ClaimIssuer"), address)


def _agents(chain: Chain, address: str) -> Roles:
    """Tokens and registries answer to the same two functions."""
    return Roles(chain.artifacts.abi("IdentityRegistry"), address)


def _contracts(chain: Chain) -> Iterator[tuple[str, str]]:
    """(artifact, address) of every contract we know, those of the suites included."""
    for name, (address, detail) in chain.registry.all().items():
        yield ("Token" if name.startswith("token:") else _ARTIFACTS.get(name, name)), address
        for part, artifact in _SUITE.items():
            if part in detail:
                yield artifact, str(detail[part]).lower()


def _questions(chain: Chain, address: str) -> Iterator[_Question]:
    for artifact, contract in dict.fromkeys(_contracts(chain)):
        abi = chain.artifacts.abi(artifact)
        if abi.has("owner"):
            yield _Question(_is(Roles(abi, contract).owner(), address), contract, "owner", is_role=False)
        if abi.has("isAgent", 1):
            yield _Question(Roles(abi, contract).is_agent(address), contract, AGENT, is_role=True)
        if abi.has("balanceOf", 1):
            yield _Question(_has(abi.read(contract, "balanceOf", address, as_type=int)), contract, "holder", is_role=False)  # fmt: skip
    yield from _of_settlement(chain, address)
    yield from _of_identities(chain, address)


def _of_settlement(chain: Chain, address: str) -> Iterator[_Question]:
    contract = chain.registry.address("Settlement")
    if contract is None:
        return
    settlement = _settlement(chain, contract)
    yield _Question(settlement.is_operator(address), contract, OPERATOR, is_role=True)
    yield _Question(settlement.is_submitter(address), contract, SUBMITTER, is_role=True)
    yield _Question(settlement.is_pauser(address), contract, "pauser", is_role=False)
    yield _Question(settlement.is_fee_collector(address), contract, "fee collector", is_role=False)


def _of_identities(chain: Chain, address: str) -> Iterator[_Question]:
    issuer, registry = chain.registry.address("ClaimIssuer"), chain.registry.address("IdentityRegistry")
    if issuer is not None:
        yield _Question(_issuer(chain, issuer).is_signer(address), issuer, CLAIM_SIGNER, is_role=True)
        yield _Question(_issuer(chain, issuer).is_manager(address), issuer, "manager", is_role=False)
    if registry is not None:
        yield _Question(Erc3643(chain).registry().contains(address), registry, "a registered wallet", is_role=False)


def _is(read: Read[str], address: str) -> Read[bool]:
    return Read(read.to, read.data, lambda answer: read.decode(answer).lower() == address.lower())


def _has(read: Read[int]) -> Read[bool]:
    return Read(read.to, read.data, lambda answer: read.decode(answer) > 0)
