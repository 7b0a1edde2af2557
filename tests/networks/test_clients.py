"""What each client says, in its own words, and what we take it for: a row for every kind of answer that decides something.

Rows marked (U) are spellings as known from open error parsers and the clients' sources, not heard from a running node here; those of anvil were."""

from dataclasses import dataclass, replace

import pytest

from tests.networks.habit_proxy import Habits
from tests.networks.world import LOCAL, node_of, world
from tokenx_chain.networks import rules
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.rpc import RpcError
from tokenx_chain.transactions.answers import Answer, read_answer

ETHEREUM, POLYGON, AVALANCHE, HEDERA = (NETWORKS[number] for number in (1, 137, 43114, 295))


@dataclass(frozen=True)
class Words:
    """of: the network whose endpoints speak like this. known, nonce_used, underpriced: answers to signed bytes; not_yet: to a block it does not have;
    too_much: to a range of logs; too_often: to too many requests; reverted: to a call; each as (code, text), None where the client does not say such a thing itself."""

    chain_id: int
    known: str
    nonce_used: str
    underpriced: str | None
    not_yet: tuple[int, str] | None
    too_much: tuple[int, str] | None
    too_often: tuple[int, str] | None
    reverted: tuple[int, str, str | None]


CLIENTS: dict[str, Words] = {
    "anvil": Words(
        31337, "transaction already imported", "nonce too low", "replacement transaction underpriced",
        (-32000, "unknown block"), None, None, (3, "execution reverted: not allowed", "0x08c379a0"),
    ),
    "geth": Words(  # (U)
        1, "already known", "nonce too low: next nonce 3, tx nonce 2", "replacement transaction underpriced",
        (-32000, "unknown block"), (-32602, "exceed maximum block range: 50000"), (-32005, "limit exceeded"), (3, "execution reverted", "0x"),
    ),
    "erigon": Words(  # (U)
        1, "already known", "nonce too low", "could not replace existing tx",
        (-32000, "block not found: 0x1"), (-32000, "query timeout exceeded"), (-32005, "limit exceeded"), (3, "execution reverted", None),
    ),
    "nethermind": Words(  # (U)
        1, "AlreadyKnown", "OldNonce, Current nonce: 3, nonce of rejected tx: 2", "ReplacementNotAllowed",
        (-32001, "Block not found"), (-32005, "Too many logs requested. Max logs per response is 20000."), None, (-32015, "VM execution error: revert", None),
    ),
    "besu": Words(  # (U)
        1, "Known transaction", "Nonce too low", "Replacement transaction underpriced",
        (-32000, "Block not found"), (-32005, "Requested range exceeds maximum RPC range limit"), None, (-32000, "Execution reverted", None),
    ),
    "reth": Words(  # (U)
        1, "already known", "nonce too low", "replacement transaction underpriced",
        (-32001, "header not found"), (-32602, "query exceeds max results 20000, retry with the range 100-199"), None, (3, "execution reverted", None),
    ),
    "bor": Words(  # (U)
        137, "already known", "nonce too low: next nonce 3, tx nonce 2", "replacement transaction underpriced",
        (-32000, "header not found"), (-32000, "Block range is too large"), (-32005, "rate limit exceeded"), (3, "execution reverted", None),
    ),
    "coreth": Words(  # (U)
        43114, "already known", "nonce too low: address 0x1, current nonce (3) > tx nonce (2)", "replacement transaction underpriced",
        (-32000, "cannot query unfinalized data"), (-32000, "requested too many blocks from 0 to 5000, maximum is set to 2048"), None,
        (3, "execution reverted", None),
    ),
    "op-geth": Words(  # (U)
        10, "already known", "nonce too low: next nonce 3, tx nonce 2", "replacement transaction underpriced",
        (-32000, "header not found"), (-32602, "exceed maximum block range: 10000"), (-32016, "over rate limit"), (3, "execution reverted", None),
    ),
    "hedera relay": Words(  # (U)
        295, "[Request ID: 1] Error invoking RPC: DUPLICATE_TRANSACTION", "[Request ID: 1] Nonce too low. Provided nonce: 2, current nonce: 3", None,
        None, (-32000, "[Request ID: 1] Exceeded maximum block range: 1000"), (-32605, "[Request ID: 1] IP Rate limit exceeded on eth_call"),
        (3, "[Request ID: 1] execution reverted: CONTRACT_REVERT_EXECUTED", None),
    ),
}  # fmt: skip
EACH = pytest.mark.parametrize(("client", "words"), CLIENTS.items(), ids=list(CLIENTS))


@EACH
def test_t3_answers_to_signed_bytes(client: str, words: Words) -> None:
    assert read_answer(words.known) is Answer.KNOWN, client
    assert read_answer(words.nonce_used) is Answer.NONCE_USED
    assert words.underpriced is None or read_answer(words.underpriced) is Answer.UNDERPRICED


@EACH
def test_t16_answers_to_questions_about_blocks_and_logs(client: str, words: Words) -> None:
    network = NETWORKS[words.chain_id]
    if words.not_yet:
        assert rules.is_not_yet(network, words.not_yet[1]), client
        assert not rules.is_range_refusal(words.not_yet[1])
    if words.too_much:
        assert rules.is_range_refusal(words.too_much[1]), client
        assert not RpcError(*words.too_much).is_rate_limit
        assert not RpcError(*words.too_much).is_revert
    if words.too_often:
        assert RpcError(*words.too_often).is_rate_limit, client
        assert not rules.is_range_refusal(words.too_often[1])


@EACH
def test_answers_to_calls_that_revert(client: str, words: Words) -> None:
    error = RpcError(*words.reverted)
    assert error.is_revert, client
    assert not error.is_rate_limit
    assert not rules.is_not_yet(NETWORKS[words.chain_id], error.message)


@pytest.mark.stack
@pytest.mark.parametrize("client", ["geth", "nethermind", "reth", "coreth", "bor"])
async def test_block_that_is_not_there_yet_is_waited_for_in_each_clients_words(client: str) -> None:
    words = CLIENTS[client]
    assert words.not_yet
    network = replace(LOCAL, not_yet=NETWORKS[words.chain_id].not_yet)
    with node_of(LOCAL) as url:
        behind = Habits(unfinalized=words.not_yet[1], lag=2)
        async with world(url, network=network, habits=[Habits(), behind]) as w:
            await w.emit()
            for _ in range(4):
                w.rpc.endpoints.reverse()
                await w.look()
            assert (w.kinds(), w.reorgs) == (["seen"], [])
            behind.lag = 0
            await w.mine(2)
            await w.look()
            assert w.kinds() == ["seen", "final"]
