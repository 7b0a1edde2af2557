"""Somebody else's transactions on the local chain, by plain JSON-RPC: what the platform must notice or the contracts must refuse.

Works against the local development node only: it uses the node's unlocked accounts and its impersonation of others."""

from typing import Any

import httpx

TRANSFER_SELECTOR = "0xa9059cbb"  # transfer(address,uint256)


class Refused(Exception):
    """The node or the contract refused the transaction; the text is the contract's own reason."""


class ChainVisitor:
    """A stranger with a node."""

    def __init__(self, rpc_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=rpc_url, timeout=20)

    async def close(self) -> None:
        await self._http.aclose()

    async def transfer(self, *, token: str, sender: str, to: str, amount: int) -> str:
        """An ERC-20 transfer signed by `sender`; the transaction hash. Raises Refused with the contract's reason."""
        await self._call("anvil_impersonateAccount", [sender])
        await self._call("anvil_setBalance", [sender, hex(10**18)])
        data = f"{TRANSFER_SELECTOR}{to.removeprefix('0x').lower():0>64}{amount:064x}"
        return str(
            await self._call(
                "eth_sendTransaction", [{"from": sender, "to": token, "data": data, "gas": hex(1_000_000)}]
            )
        )

    async def would_transfer(self, *, token: str, sender: str, to: str, amount: int) -> None:
        """The same as a call, without a transaction. Raises Refused with the contract's reason."""
        data = f"{TRANSFER_SELECTOR}{to.removeprefix('0x').lower():0>64}{amount:064x}"
        await self._call("eth_call", [{"from": sender, "to": token, "data": data}, "latest"])

    async def status(self, tx_hash: str) -> int | None:
        """1 executed, 0 reverted, None not mined yet."""
        receipt = await self._call("eth_getTransactionReceipt", [tx_hash])
        return int(receipt["status"], 16) if receipt else None

    async def _call(self, method: str, params: list[Any]) -> Any:
        answer = (
            await self._http.post("", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        ).json()
        if "error" in answer:
            raise Refused(str(answer["error"].get("message", answer["error"])))
        return answer["result"]
