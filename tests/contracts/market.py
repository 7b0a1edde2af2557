"""A settlement contract with a real ERC-3643 token, the test coin, and parties who hold their own keys."""

from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode
from eth_account import Account
from eth_utils.crypto import keccak

from tests.contracts.evm import Contract, Evm, Mined, reason_of
from tests.contracts.suites import Suite, Trex
from tokenx_chain.contracts.settlement import (
    AssetKind,
    Domain,
    Fill,
    Leg,
    LegKind,
    Permit,
    Settlement,
    SignedFill,
)

CHAIN_ID: Final = 31_337
FOREVER: Final = 2**40


@dataclass(frozen=True)
class Party:
    """Somebody with a key."""

    key: bytes

    @property
    def address(self) -> str:
        return Account.from_key(self.key).address.lower()

    def sign(self, digest: bytes) -> bytes:
        return bytes(Account.unsafe_sign_hash(digest, self.key).signature)


def party(name: str) -> Party:
    return Party(keccak(text=f"party {name}"))


@dataclass
class Market:
    """seller holds units, buyer holds cash; both have approved nothing yet."""

    evm: Evm
    suite: Suite
    cash: Contract
    contract: Contract
    owner: str
    submitter: str
    operator: Party
    seller: Party
    buyer: Party
    collector: Party
    stranger: Party

    @property
    def settlement(self) -> Settlement:
        return Settlement(self.contract.abi, self.contract.address)

    @property
    def domain(self) -> Domain:
        return Domain(CHAIN_ID, self.contract.address)

    @property
    def token(self) -> Contract:
        return self.suite.token

    def own(self, name: str, *args: Any) -> Mined:
        """As the owner."""
        return self.evm.send(self.contract.call(name, *args), self.owner)

    def legs(self, units: int = 10, cash: int = 500, fee: int = 0) -> tuple[Leg, ...]:
        seller, buyer = self.seller.address, self.buyer.address
        legs = [
            Leg(LegKind.DELIVERY, self.token.address, seller, buyer, units),
            Leg(LegKind.PAYMENT, self.cash.address, buyer, seller, cash),
        ]
        if fee:
            legs.append(Leg(LegKind.FEE, self.cash.address, buyer, self.collector.address, fee))
        return tuple(legs)

    def fill(self, name: str = "set_1", legs: tuple[Leg, ...] | None = None, expires_at: int = FOREVER) -> Fill:
        return Fill(name, expires_at, self.legs() if legs is None else legs)

    def signed(self, fill: Fill, *, permits: tuple[Permit, ...] = ()) -> SignedFill:
        """By the operator and, leg by leg, by whoever of seller and buyer gives it."""
        digest = fill.digest(self.domain)
        keys = {p.address: p for p in (self.seller, self.buyer, self.collector)}
        consents = tuple(keys[leg.sender].sign(digest) if leg.sender in keys else b"" for leg in fill.legs)
        return SignedFill(fill, self.operator.address, self.operator.sign(digest), consents, permits)

    def approve(self, units: int, cash: int) -> None:
        """Exact allowances."""
        self.evm.send(self.token.call("approve", self.contract.address, units), self.seller.address)
        self.evm.send(self.cash.call("approve", self.contract.address, cash), self.buyer.address)

    def batch(self, *fills: SignedFill) -> list[str]:
        """Per fill: empty when settled, else why not."""
        mined = self.evm.send(self.settlement.settle_batch(fills), self.submitter, gas=28_000_000)
        return ["" if r.reason is None else reason_of(r.reason) for r in self.settlement.fill_reports(mined.logs)]

    def refused(self, *fills: SignedFill) -> str:
        """The reason inside FillRefused, from the all-or-nothing form."""
        text = self.evm.refusal(self.settlement.settle_all(fills), self.submitter)
        assert text.startswith("FillRefused("), text
        return reason_of(bytes.fromhex(text.rsplit(", 0x", 1)[1].rstrip(")")))

    def balances(self) -> tuple[int, int, int, int]:
        """(seller units, buyer units, seller cash, buyer cash)"""
        reads = [asset.read("balanceOf", who.address) for asset in (self.token, self.cash) for who in (self.seller, self.buyer)]  # fmt: skip
        units_of_seller, units_of_buyer, cash_of_seller, cash_of_buyer = self.evm.read_all(reads)
        return units_of_seller, units_of_buyer, cash_of_seller, cash_of_buyer

    def permit(self, owner: Party, value: int, deadline: int = FOREVER) -> Permit:
        """A signed allowance of the coin."""
        nonce = self.evm.read(self.cash.read("nonces", owner.address))
        signature = owner.sign(permit_digest(self, owner.address, self.contract.address, value, nonce, deadline))
        return Permit(self.cash.address, owner.address, value, deadline, signature[64], signature[:32], signature[32:64])  # fmt: skip


def permit_digest(market: Market, owner: str, spender: str, value: int, nonce: int, deadline: int) -> bytes:
    separator = market.evm.read(market.cash.read("DOMAIN_SEPARATOR"))
    return permit_digest_of(separator, owner, spender, value, nonce, deadline)


def permit_digest_of(separator: bytes, owner: str, spender: str, value: int, nonce: int, deadline: int) -> bytes:
    """What the owner signs under ERC-2612."""
    kind = keccak(text="Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")
    types = ["bytes32", "address", "address", "uint256", "uint256", "uint256"]
    return keccak(b"\x19\x01" + separator + keccak(encode(types, [kind, owner, spender, value, nonce, deadline])))


def open_market(trex: Trex) -> Market:
    """Everything listed; 1,000 units and 1,000,000 base units of cash at hand; fees up to 1 %."""
    evm, owner, submitter = trex.evm, trex.evm.accounts[1], trex.evm.accounts[2]
    suite, cash = trex.suite(kyc=True), evm.deploy("TestUSD", owner, sender=owner)
    contract = evm.deploy("Settlement", owner, sender=owner)
    people = [party(name) for name in ("operator", "seller", "buyer", "collector", "stranger")]
    market = Market(evm, suite, cash, contract, owner, submitter, *people)
    for who in people:
        evm.fund(who.address)
    market.own("setOperator", market.operator.address, True)
    market.own("setSubmitter", submitter, True)
    market.own("setAsset", market.token.address, int(AssetKind.SECURITY))
    market.own("setAsset", cash.address, int(AssetKind.CASH))
    market.own("setFeeCollector", market.collector.address, True)
    market.own("setMaxFeeBps", 100)
    for who in (market.seller, market.buyer):
        identity = trex.identity(who.address)
        trex.add_kyc(identity)
        suite.register(who.address, identity)
    suite.mint(market.seller.address, 1_000)
    evm.send(cash.call("mint", market.buyer.address, 1_000_000), owner)
    return market
