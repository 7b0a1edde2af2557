"""A plain, synchronous way to a node that mines each transaction at once, for tests and gas figures."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from eth_abi.abi import decode
from eth_utils.abi import collapse_if_tuple

from tests.support.servers import anvil_server
from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.contracts.calls import Call, Log, Read, Value

ROOT: Final = Path(__file__).resolve().parents[2]
ARTIFACTS: Final = Artifacts(ROOT / "contracts")
GAS: Final = 12_000_000
RICH: Final = hex(10**24)


class Reverted(Exception):
    """A call was refused. data: the revert data."""

    def __init__(self, data: bytes, message: str = "") -> None:
        self.data = data
        super().__init__(f"{reason_of(data)} {message}")


@dataclass(frozen=True)
class Mined:
    """A transaction that went through."""

    gas: int
    logs: tuple[Log, ...]
    contract: str | None


@dataclass(frozen=True)
class Contract:
    """A deployed contract: `c.call("f", 1)` is what to send, `c.read("g")` what to ask."""

    abi: Abi
    address: str

    def call(self, name: str, *args: Any) -> Call:
        return self.abi.call(self.address, name, *args)

    def read(self, name: str, *args: Any) -> Read[Any]:
        return self.abi.read(self.address, name, *args, as_type=object)

    def data(self, name: str, *args: Any) -> bytes:
        return self.abi.data(name, *args)

    def events(self, mined: Mined, name: str) -> list[dict[str, Any]]:
        """This contract's events of one name, in order."""
        topic = self.abi.topic(name)
        ours = (log for log in mined.logs if log.address == self.address and log.topics[0] == topic)
        return [self.abi.event(name, log) for log in ours]


class Evm:
    """A node and everybody's keys: any address may send."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(timeout=60)
        self._url = url
        self._ids = 0
        self.accounts: list[str] = [a.lower() for a in self.rpc("eth_accounts")]
        self.rpc("anvil_autoImpersonateAccount", True)

    def close(self) -> None:
        self._http.close()

    def rpc(self, method: str, *params: Any) -> Any:
        return self._result(self._post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))

    def send(self, call: Call, sender: str, *, gas: int | None = None) -> Mined:
        """Mined and successful, else raises Reverted."""
        request = _request(call, sender, gas=gas or GAS)
        receipt = self.rpc("eth_sendTransactionSync", request)
        if receipt["status"] != "0x1":
            self.rpc("eth_call", request, "latest")  # raises Reverted with the reason
            raise Reverted(b"", f"in the block only, used {int(receipt['gasUsed'], 16)} gas")
        return _mined(receipt)

    def read(self, read: Read[Value]) -> Value:
        return read.decode(_bytes(self.rpc("eth_call", {"to": read.to, "data": "0x" + read.data.hex()}, "latest")))

    def read_all(self, reads: list[Read[Any]]) -> list[Any]:
        """Many at once."""
        batch = [
            {"jsonrpc": "2.0", "id": n, "method": "eth_call", "params": [{"to": r.to, "data": "0x" + r.data.hex()}, "latest"]}
            for n, r in enumerate(reads)
        ]  # fmt: skip
        answers = {answer["id"]: answer for answer in self._post(batch)} if batch else {}
        return [read.decode(_bytes(self._result(answers[n]))) for n, read in enumerate(reads)]

    def refusal(self, call: Call, sender: str) -> str:
        """The reason a call would be refused for; fails when it would not be."""
        try:
            self.rpc("eth_call", _request(call, sender, gas=GAS) | {"gasPrice": "0x0"}, "latest")
        except Reverted as reverted:
            return reason_of(reverted.data)
        raise AssertionError("was not refused")

    def deploy(self, artifact: str, *args: Any, sender: str | None = None) -> Contract:
        mined = self.send(ARTIFACTS[artifact].deployment(*args), sender or self.accounts[0])
        assert mined.contract is not None
        return Contract(ARTIFACTS.abi(artifact), mined.contract)

    def at(self, artifact: str, address: str) -> Contract:
        return Contract(ARTIFACTS.abi(artifact), address.lower())

    def fund(self, address: str) -> str:
        self.rpc("anvil_setBalance", address, RICH)
        return address

    def place(self, address: str, code: bytes) -> str:
        """Puts runtime code at an address: contracts that misbehave on purpose."""
        self.rpc("anvil_setCode", address, "0x" + code.hex())
        return address

    def now(self) -> int:
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def travel(self, to: int) -> None:
        """The next block, mined here, carries this time."""
        self.rpc("evm_setNextBlockTimestamp", to)
        self.rpc("evm_mine")

    @contextmanager
    def undone(self) -> Generator[None]:
        """What happens inside is taken back."""
        mark = self.rpc("evm_snapshot")
        try:
            yield
        finally:
            self.rpc("evm_revert", mark)

    def _post(self, body: Any) -> Any:
        return self._http.post(self._url, json=body).json()

    def _result(self, answer: Any) -> Any:
        if "error" not in answer:
            return answer["result"]
        error = answer["error"]
        if isinstance(error.get("data"), str):
            raise Reverted(_bytes(error["data"]), error["message"])
        raise AssertionError(error)


@contextmanager
def evm_node() -> Generator[Evm]:
    """A node of its own."""
    with anvil_server(None) as server:
        evm = Evm(server.url)
        try:
            yield evm
        finally:
            evm.close()


def reason_of(data: bytes) -> str:
    """Revert data as text: the string, or the custom error's name and values."""
    if data[:4] == bytes.fromhex("08c379a0"):
        return str(decode(["string"], data[4:])[0])
    entry = ARTIFACTS.custom_errors.get(data[:4])
    if entry is None:
        return "0x" + data.hex()
    values = decode([collapse_if_tuple(field) for field in entry["inputs"]], data[4:])
    return f"{entry['name']}({', '.join('0x' + v.hex() if isinstance(v, bytes) else str(v) for v in values)})"


def code_text(code: bytes) -> str:
    """A reason code as text, empty when allowed."""
    return code.rstrip(b"\0").decode()


def _request(call: Call, sender: str, *, gas: int) -> dict[str, str]:
    to = {"to": call.to} if call.to else {}
    return {"from": sender, "data": "0x" + call.data.hex(), "gas": hex(gas), "gasPrice": hex(2 * 10**9), **to}


def _mined(receipt: dict[str, Any]) -> Mined:
    logs = tuple(
        Log(log["address"].lower(), tuple(_bytes(t) for t in log["topics"]), _bytes(log["data"]), int(log["logIndex"], 16), log["transactionHash"])
        for log in receipt["logs"]
    )  # fmt: skip
    contract = receipt.get("contractAddress")
    return Mined(int(receipt["gasUsed"], 16), logs, contract.lower() if contract else None)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
