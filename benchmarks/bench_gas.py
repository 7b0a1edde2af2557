"""Gas per settled fill and per onboarded investor, beside the stock contracts, on a node of its own.

    python -m benchmarks.bench_gas --json benchmarks/results/NAME.json

Gas does not depend on the machine; it depends on the contracts, the compiler and the node's rules, which the result names."""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.messages import encode_defunct

from tests.contracts.evm import ROOT, Contract, Evm, evm_node
from tests.contracts.market import FOREVER, Party, party, permit_digest_of
from tests.contracts.suites import Suite, Trex, infrastructure, wallet
from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.identity import KYC_TOPIC, claim_digest, key_of
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
from tokenx_chain.standards.erc3643 import kyc_claim_data

BATCHES: Final = (1, 10, 50)
PEOPLE: Final = 10
UNITS: Final = 3
CASH: Final = 500
FEE: Final = 5
BLOCK_GAS: Final = 29_000_000
STOCK_DVD: Final = (
    "node_modules/@tokenysolutions/t-rex/artifacts/contracts/DVD/DVDTransferManager.sol/DVDTransferManager.json"
)
STOCK_FIGURES: Final = {
    "settled fill, stock DVD, one at a time": 686_000,  # two approvals, initiate, take; with country and balance rule
    "onboarded investor, stock": 833_000,  # identity 456,000, claim 329,000, registration 48,000
}
"""Measured before with the stock contracts and the stock rules; see docs/contracts/gas.md."""


@dataclass(frozen=True)
class Row:
    """One figure. settle_gas: the settling transaction's share; allow_gas: what allowances cost beside it, per fill."""

    way: str
    rules: str
    batch: int
    settle_gas: int
    allow_gas: int

    @property
    def total(self) -> int:
        return self.settle_gas + self.allow_gas


@dataclass
class Floor:
    """A token under some rules, a coin, and investors who hold both."""

    evm: Evm
    suite: Suite
    cash: Contract
    people: list[Party]
    rules: str
    owner: str
    fills: int = 0

    def pairs(self, count: int) -> list[tuple[Party, Party]]:
        """Each fill has another seller than the one before."""
        return [(self.people[n % PEOPLE], self.people[(n + 1 + n // PEOPLE) % PEOPLE]) for n in range(count)]

    def name(self) -> str:
        self.fills += 1
        return f"fill {self.fills}"

    def allow(self, pairs: list[tuple[Party, Party]], spender: str, *, cash: int = CASH) -> int:
        """Exact allowances for a batch, added to as the service does: once for each account and asset; the gas of all of them."""
        units, coins = dict[str, int](), dict[str, int]()
        for seller, buyer in pairs:
            units[seller.address] = units.get(seller.address, 0) + UNITS
            coins[buyer.address] = coins.get(buyer.address, 0) + cash
        gas = sum(
            self.evm.send(self.suite.token.call("increaseAllowance", spender, n), who).gas for who, n in units.items()
        )
        return gas + sum(
            self.evm.send(self.cash.call("increaseAllowance", spender, n), who).gas for who, n in coins.items()
        )


def floor(trex: Trex, rules: str, modules: list[Contract], settings: list[bytes]) -> Floor:
    evm, owner = trex.evm, trex.platform
    suite = trex.suite(*modules, settings=settings, kyc=True)
    cash = evm.deploy("TestUSD", owner)
    people = [party(f"{rules} {n}") for n in range(PEOPLE)]
    for who in people:
        evm.fund(who.address)
        identity = trex.identity(who.address)
        trex.add_kyc(identity)
        suite.register(who.address, identity)
        suite.mint(who.address, 10_000)
        evm.send(cash.call("mint", who.address, 10**9), owner)
    return Floor(evm, suite, cash, people, rules, owner)


def floors(trex: Trex) -> list[Floor]:
    block, balance, book = (trex.evm.deploy(name) for name in ("CountryBlock", "MaxBalance", "HolderRules"))
    blocked = block.data("setCountries", [408, 364], True)
    all_four = [
        blocked,
        book.data("setCap", 2_000),
        book.data("setCountryCaps", [840], [1_500]),
        book.data("setMaxBalance", 10**6),
        book.data("setLockUp", 0),
    ]
    return [
        floor(trex, "KYC only", [], []),
        floor(trex, "country, max balance", [block, balance], [blocked, balance.data("setMaxBalance", 10**6)]),
        floor(trex, "country, four holder rules", [block, book, book, book, book], all_four),
    ]


# --- ways to settle ---


def stock_dvd(f: Floor) -> list[Row]:
    artifact: dict[str, Any] = json.loads((ROOT / "contracts" / STOCK_DVD).read_text())
    abi = Abi(artifact["abi"])
    created = f.evm.send(Call(None, bytes.fromhex(artifact["bytecode"][2:])), f.owner).contract or ""
    dvd = Contract(abi, created)
    gas: list[tuple[int, int]] = []
    for seller, buyer in f.pairs(4):
        allow = f.allow([(seller, buyer)], dvd.address)
        begun = f.evm.send(dvd.call("initiateDVDTransfer", f.suite.token.address, UNITS, buyer.address, f.cash.address, CASH), seller.address)  # fmt: skip
        taken = f.evm.send(dvd.call("takeDVDTransfer", dvd.events(begun, "DVDTransferInitiated")[0]["transferID"]), buyer.address)  # fmt: skip
        gas.append((begun.gas + taken.gas, allow))
    settle, allow = gas[-1]
    return [Row("stock DVD", f.rules, 1, settle, allow)]


@dataclass
class Ways:
    """Settlement over a floor."""

    floor: Floor
    contract: Contract
    operator: Party

    @property
    def settlement(self) -> Settlement:
        return Settlement(self.contract.abi, self.contract.address)

    def domain(self) -> Domain:
        return Domain(31_337, self.contract.address)

    def fill(self, seller: Party, buyer: Party, *, fee: bool) -> Fill:
        token, cash = self.floor.suite.token.address, self.floor.cash.address
        legs = (
            Leg(LegKind.DELIVERY, token, seller.address, buyer.address, UNITS),
            Leg(LegKind.PAYMENT, cash, buyer.address, seller.address, CASH),
            *((Leg(LegKind.FEE, cash, buyer.address, wallet("collector"), FEE),) if fee else ()),
        )
        return Fill(self.floor.name(), FOREVER, legs)

    def measure(self, way: str, *, consent: str, fee: bool = False, permit: bool = False) -> list[Row]:
        return [self._batch(way, size, consent=consent, fee=fee, permit=permit) for size in BATCHES]

    def _batch(self, way: str, size: int, *, consent: str, fee: bool, permit: bool) -> Row:
        pairs = self.floor.pairs(size)
        cash = CASH + FEE if fee else CASH
        allow = self.floor.allow(pairs, self.contract.address, cash=cash) if not permit else self._units_only(pairs)
        nonces = dict[str, int]()
        fills: list[SignedFill] = []
        for seller, buyer in pairs:
            fill = self.fill(seller, buyer, fee=fee)
            digest = fill.digest(self.domain())
            signatures = (seller.sign(digest), buyer.sign(digest)) if consent == "signed" else ()
            permits = (self._permit(buyer, nonces),) if permit else ()
            fills.append(SignedFill(fill, self.operator.address, self.operator.sign(digest), signatures, permits))
            if consent == "on chain":
                allow += sum(self.floor.evm.send(self.settlement.approve_fill(digest), p.address).gas for p in (seller, buyer))  # fmt: skip
        mined = self.floor.evm.send(self.settlement.settle_batch(fills), self.floor.owner, gas=BLOCK_GAS)
        assert all(report.reason is None for report in self.settlement.fill_reports(mined.logs)), way
        return Row(way, self.floor.rules, size, mined.gas // size, allow // size)

    def _units_only(self, pairs: list[tuple[Party, Party]]) -> int:
        before = dict[str, int]()
        for seller, _ in pairs:
            before[seller.address] = before.get(seller.address, 0) + UNITS
        token, spender = self.floor.suite.token, self.contract.address
        return sum(
            self.floor.evm.send(token.call("increaseAllowance", spender, n), who).gas for who, n in before.items()
        )

    def _permit(self, owner: Party, nonces: dict[str, int]) -> Permit:
        """Several of one owner in a batch are used one after the other, each for its own fill."""
        cash, evm = self.floor.cash, self.floor.evm
        nonce = nonces.setdefault(owner.address, evm.read(cash.read("nonces", owner.address)))
        nonces[owner.address] += 1
        separator = evm.read(cash.read("DOMAIN_SEPARATOR"))
        s = owner.sign(permit_digest_of(separator, owner.address, self.contract.address, CASH, nonce, FOREVER))
        return Permit(cash.address, owner.address, CASH, FOREVER, s[64], s[:32], s[32:64])


def our_settlement(f: Floor) -> list[Row]:
    contract = f.evm.deploy("Settlement", f.owner)
    ways = Ways(f, contract, party("operator"))
    for call in (
        ways.settlement.set_operator(ways.operator.address, allowed=True),
        ways.settlement.set_submitter(f.owner, allowed=True),
        ways.settlement.set_asset(f.suite.token.address, AssetKind.SECURITY),
        ways.settlement.set_asset(f.cash.address, AssetKind.CASH),
        ways.settlement.set_fee_collector(wallet("collector"), allowed=True),
        ways.settlement.set_max_fee_bps(100),
    ):
        f.evm.send(call, f.owner)
    rows = ways.measure("Settlement, both sign", consent="signed")
    rows += ways.measure("Settlement, both sign, cash permit", consent="signed", permit=True)
    if f.rules == "country, max balance":
        rows += ways.measure("Settlement, both approve on chain", consent="on chain")
    for who in f.people:
        f.evm.send(ways.settlement.set_custodian(ways.operator.address), who.address)
    rows += ways.measure("Settlement, custody", consent="custody")
    return rows + ways.measure("Settlement, custody, with fee leg", consent="custody", fee=True)


# --- onboarding ---


def onboarding(trex: Trex) -> dict[str, int]:
    """Identity, KYC claim and registration, per investor; registration alone, or ten and fifty at once."""
    evm, suite = trex.evm, trex.suite(kyc=True)
    gas: dict[str, int] = {}
    for size in BATCHES:
        wallets = [wallet(f"investor {size} {n}") for n in range(size)]
        made = [_identity(trex, address) for address in wallets]
        identities = [identity for identity, _ in made]
        mined = evm.send(suite.registry.call("batchRegisterIdentity", wallets, identities, [840] * size), trex.platform)
        gas[f"registration in batches of {size}"] = mined.gas // size
        gas["identity"] = made[-1][1]
        gas["claim"] = _claim(trex, identities[-1])
        gas[f"onboarded investor, batches of {size}"] = gas["identity"] + gas["claim"] + mined.gas // size
    contract = evm.deploy("Settlement", trex.platform)
    settlement = Settlement(contract.abi, contract.address)
    gas["consent to custody, once, before the first settlement"] = evm.send(
        settlement.set_custodian(trex.platform), evm.fund(wallet("investor 1 0"))
    ).gas
    return gas


def _identity(trex: Trex, address: str) -> tuple[str, int]:
    call = trex.identities.call("createIdentityWithManagementKeys", address, f"gas {address}", [key_of(trex.platform)])
    mined = trex.evm.send(call, trex.platform)
    return trex.evm.read(trex.identities.read("getIdentity", address)), mined.gas


def _claim(trex: Trex, identity: str) -> int:
    """With the claim data the platform writes."""
    data = kyc_claim_data(chain_id=31_337, investor_id="inv_0198f0c0aaaabbbbccccddddeeeeffff", serial=1)
    message = encode_defunct(primitive=claim_digest(identity=identity, topic=KYC_TOPIC, data=data))
    signature = bytes(Account.sign_message(message, trex.claim_key.key).signature)
    call = trex.evm.at("Identity", identity).call("addClaim", KYC_TOPIC, 1, trex.issuer.address, signature, data, "")
    return trex.evm.send(call, trex.platform).gas


# --- what a rule costs ---

SETTINGS: Final[dict[str, tuple[tuple[Any, ...], ...]]] = {
    "CountryBlock": (("setCountries", [408], True),),
    "HolderCap": (("setCap", 100),),
    "CountryHolderCap": (("setCountryCaps", [840], [100]),),
    "MaxBalance": (("setMaxBalance", 10**6),),
    "LockUp": (("setLockUp", 0),),
    "HolderRules": (("setCap", 100), ("setCountryCaps", [840], [100]), ("setMaxBalance", 10**6), ("setLockUp", 0)),
    "VolumeWindow": (("setVolumeLimit", 30 * 86_400, 10**6),),
    "ExchangeLimit": (("setExchange", wallet("exchange"), 1, 1, 1, 1),),
}
FOUR_APART: Final = ("HolderCap", "CountryHolderCap", "MaxBalance", "LockUp")


def rules(trex: Trex) -> list[dict[str, Any]]:
    """Mint to a new holder, transfer to a new holder, transfer between holders; no claims asked for."""
    return [_rule(trex, ())] + [_rule(trex, (name,)) for name in SETTINGS] + [_rule(trex, FOUR_APART)]


def _rule(trex: Trex, names: tuple[str, ...]) -> dict[str, Any]:
    modules = [(trex.evm.deploy(name), name) for name in names]
    pairs = [(module, module.data(*setting)) for module, name in modules for setting in SETTINGS[name]]
    suite = trex.suite(*(module for module, _ in pairs), settings=[data for _, data in pairs])
    a, b = wallet(f"{suite.token.address} a"), wallet(f"{suite.token.address} b")
    for who in (a, b):
        suite.register(who, trex.identity(who))
    mint, first, again = suite.mint(a, 1_000).gas, suite.transfer(a, b, 100).gas, suite.transfer(a, b, 10).gas
    return {"rule": " + ".join(names) or "none", "mint": mint, "first": first, "again": again}


# --- report ---


def measure() -> dict[str, Any]:
    with evm_node() as evm:
        trex = infrastructure(evm)
        rows = [row for f in floors(trex) for way in (stock_dvd, our_settlement) for row in way(f)]
        lock: dict[str, Any] = json.loads((ROOT / "contracts" / "artifacts.lock.json").read_text())
        where = {"node": evm.rpc("web3_clientVersion"), "solc": lock["solc"], "bytecode_sha256": lock["bytecodeSha256"]}
        fills = [asdict(row) | {"total_gas": row.total} for row in rows]
        return {"measured_on": where, "per_fill": fills, "per_rule": rules(trex), "per_investor": onboarding(trex), "stock": STOCK_FIGURES}  # fmt: skip


def report(result: dict[str, Any]) -> None:
    print(f"{'way':38} {'rules':28} {'batch':>5} {'settle':>9} {'allow':>8} {'total':>9}")
    for row in result["per_fill"]:
        print(f"{row['way']:38} {row['rules']:28} {row['batch']:5} {row['settle_gas']:9,} {row['allow_gas']:8,} {row['total_gas']:9,}")  # fmt: skip
    for row in result["per_rule"]:
        print(f"{row['rule']:60} mint {row['mint']:9,} first {row['first']:9,} again {row['again']:9,}")
    for name, gas in (result["per_investor"] | result["stock"]).items():
        print(f"{name:60} {gas:9,}")


HEAD: Final = """# Gas

Written by `python -m benchmarks.bench_gas --markdown docs/contracts/gas.md`; the figures in full are in `benchmarks/results/gas.json`.

Ten investors who hold both assets trade among themselves; each fill moves units one way and cash the other. *Settle* is the settling
transaction divided by its fills, calldata included. *Allow* is what exact allowances cost beside it: one addition for each account and asset of a
batch. In a batch of 50 each account takes part in five fills as seller and in five as buyer, so that additions and first
accesses are shared; a batch among strangers costs more per fill, and a first unit or coin more again, see *per rule*.
The service settles by custody, and sends up to 20 fills in a transaction: its figures lie between those for 10 and for 50. A fill that fails
costs its part of the transaction and, for each account and asset, 25,000 to 38,000 more to take the allowance back.
"""


def markdown(result: dict[str, Any]) -> str:
    """The page of the docs."""
    text = [HEAD]
    for rules in dict.fromkeys(row["rules"] for row in result["per_fill"]):
        text += [f"## Per settled fill: {rules}", "", "| way | fills in the batch | settle | allow | together |", "|---|---|---|---|---|"]  # fmt: skip
        rows = [row for row in result["per_fill"] if row["rules"] == rules]
        text += [f"| {r['way']} | {r['batch']} | {r['settle_gas']:,} | {r['allow_gas']:,} | {r['total_gas']:,} |" for r in rows]  # fmt: skip
        text += [""]
    text += ["## Per rule", "", "A single transfer by its holder, no claims asked for.", ""]
    text += [
        "| rules bound | mint to a new holder | transfer to a new holder | transfer between holders |",
        "|---|---|---|---|",
    ]
    text += [f"| {r['rule']} | {r['mint']:,} | {r['first']:,} | {r['again']:,} |" for r in result["per_rule"]]
    text += ["", "## Per investor, and the stock figures", "", "| what | gas |", "|---|---|"]
    text += [f"| {name} | {gas:,} |" for name, gas in (result["per_investor"] | result["stock"]).items()]
    return "\n".join([*text, "", TAIL])


TAIL: Final = """The stock figures were measured before, with the stock rules for country and balance. Onboarding uses the same identity contracts as
the stock path and is not cheaper: the platform is named as manager of the identity, and its claim data, with chain id, serial number and subject, takes
several words of storage where the stock example took one.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the result here")
    parser.add_argument("--markdown", type=Path, help="write the page of the docs here")
    options = parser.parse_args()
    result = measure()
    report(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(markdown(result), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
