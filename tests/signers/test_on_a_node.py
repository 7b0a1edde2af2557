"""What every backend signs is taken by a real node, and one intent is executed once."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from tests.signers.benches import Bench, fireblocks_bench, kms_bench, local_bench
from tests.signers.builders import ADDRESSES, RECEIVER, a_transaction
from tests.support.servers import AnvilServer
from tokenx_chain.signers.desk import SigningDesk

pytestmark = pytest.mark.stack

OPENERS: dict[str, Callable[[], AbstractAsyncContextManager[Bench]]] = {
    "local": local_bench,
    "fireblocks": fireblocks_bench,
    "aws_kms": kms_bench,
}


@pytest.fixture(params=sorted(OPENERS))
async def bench(request: pytest.FixtureRequest) -> AsyncGenerator[Bench]:
    async with OPENERS[request.param]() as bench:
        yield bench


async def rpc(url: str, method: str, *params: object) -> dict[str, object]:
    async with httpx.AsyncClient(timeout=30) as http:
        return (await http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).json()


async def test_node_takes_what_the_backend_signed(bench: Bench, module_anvil: AnvilServer) -> None:
    url, sender = module_anvil.url, ADDRESSES["platform"]
    await rpc(url, "anvil_setBalance", sender, hex(10**20))
    first = int(str((await rpc(url, "eth_getTransactionCount", sender, "latest"))["result"]), 16)
    before = int(str((await rpc(url, "eth_getBalance", RECEIVER, "latest"))["result"]), 16)
    desk = SigningDesk(bench.signer, poll_s=0.01)
    for nonce in range(first, first + 3):
        done = await desk.sign_transaction("platform", a_transaction(nonce=nonce, value=1000, data=b"", max_fee=10**11))
        answer = await rpc(url, "eth_sendRawTransaction", "0x" + done.raw.hex())
        assert answer.get("result") == done.tx_hash, answer
    await rpc(url, "evm_mine")
    assert int(str((await rpc(url, "eth_getTransactionCount", sender, "latest"))["result"]), 16) == first + 3
    assert int(str((await rpc(url, "eth_getBalance", RECEIVER, "latest"))["result"]), 16) == before + 3000
