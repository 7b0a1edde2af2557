"""investor.recover and investor.revoke through the running service, over several tokens of one identity table."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chain.harness import Stack, chain_stack
from tests.chain.journal_stand_in import Row
from tests.contracts.evm import ARTIFACTS
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_chain.contracts.claims import Claims
from tokenx_chain.contracts.identity import KYC_TOPIC
from tokenx_chain.operations.claims import spellings

pytestmark = pytest.mark.stack
TOKENS = 3


@pytest.fixture(scope="module")
def stack(service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stack]:
    with chain_stack(service_keys, valkey) as running:
        yield running


@pytest.fixture(scope="module")
async def tokens(stack: Stack) -> list[str]:
    await stack.run("platform.deploy")
    made = [await stack.run("offering.deploy", offering_id=f"off_{n}", name=f"Acme {n}", symbol=f"ACME{n}") for n in range(TOKENS)]  # fmt: skip
    return [one["token"] for one in made]


async def investor(stack: Stack, name: str, tokens: list[str], units: list[int]) -> str:
    """Registered, holding units token by token; the wallet's address."""
    wallet = (await stack.run("investor.register", investor_id=name, key_ref=f"investor:{name}", country="US"))[
        "address"
    ]
    minted = [
        stack.run("token.mint", token=token, to=wallet, units=str(n))
        for token, n in zip(tokens, units, strict=False)
        if n
    ]
    await asyncio.gather(*minted)
    return wallet


async def ask(stack: Stack, contract: str, artifact: str, name: str, *args: Any) -> Any:
    read = ARTIFACTS.abi(artifact).read(contract, name, *args, as_type=object)
    answer = await stack.rpc("eth_call", {"to": contract, "data": "0x" + read.data.hex()}, "latest")
    return read.decode(bytes.fromhex(answer[2:]))


async def state(stack: Stack, token: str, wallet: str) -> tuple[int, int, bool]:
    """(units, frozen units, wallet frozen)."""
    names = ("balanceOf", "getFrozenTokens", "isFrozen")
    return tuple([await ask(stack, token, "Token", name, wallet) for name in names])  # pyright: ignore[reportReturnType]  # three of them


async def test_recovery_moves_every_token_and_every_freeze_though_killed_on_the_way(
    stack: Stack, tokens: list[str]
) -> None:
    """The second token must not find the new wallet in its way: the shared table knows it from the first."""
    lost = await investor(stack, "inv_lost", tokens, [100, 40, 7])
    fresh = await stack.address("investor:inv_lost@2")
    await stack.run("token.freeze_units", token=tokens[0], address=lost, units="60", frozen=True)
    await stack.run("token.freeze", token=tokens[1], address=lost, frozen=True)
    gone, loop = asyncio.Event(), asyncio.get_running_loop()

    def kill_at_second_move(record: Row) -> None:
        if record["step"] == f"move:{tokens[1]}":
            stack.state.on_signed = None
            stack.kill()
            loop.call_soon_threadsafe(gone.set)

    stack.state.on_signed = kill_at_second_move
    operation_id = await stack.submit("investor.recover", lost=lost, key_ref="investor:inv_lost@2")
    await gone.wait()
    await stack.restart()
    row = await stack.closed(operation_id)
    assert row["state"] == "final", row
    assert row["result"]["recovered"] == {tokens[0]: "100", tokens[1]: "40", tokens[2]: "7"}
    assert [await state(stack, token, fresh) for token in tokens] == [(100, 60, False), (40, 0, True), (7, 0, False)]
    assert [await state(stack, token, lost) for token in tokens] == [(0, 0, True)] * TOKENS
    registry = stack.state.contracts["IdentityRegistry"]["address"]
    assert await ask(stack, registry, "IdentityRegistry", "contains", lost) is False
    assert await ask(stack, registry, "IdentityRegistry", "isVerified", fresh) is True
    steps = [entry["step"] for entry in stack.state.transactions.values() if entry["operation_id"] == operation_id]
    assert len(steps) == len(set(steps)), "no step twice"


async def test_recovery_into_another_investors_wallet_is_refused(stack: Stack, tokens: list[str]) -> None:
    lost = await investor(stack, "inv_c", tokens, [1])
    await investor(stack, "inv_d", tokens, [])
    assert await stack.refused("investor.recover", lost=lost, key_ref="investor:inv_d") == "recovery.wallet_of_another"
    assert await stack.refused("investor.recover", lost=lost, key_ref="investor:inv_c") == "transfer.to_self"
    assert await state(stack, tokens[0], lost) == (1, 0, False)


async def test_revocation_locks_at_once_and_removes_when_nothing_is_held(stack: Stack, tokens: list[str]) -> None:
    wallet = await investor(stack, "inv_gone", tokens, [10])
    other = await investor(stack, "inv_other", tokens, [10])
    revoke = {"investor_id": "inv_gone", "wallet": wallet}
    first = await stack.run("investor.revoke", **revoke)
    assert (first["removed"], first["held"]) == (False, {tokens[0]: "10"})
    assert [(await state(stack, token, wallet))[2] for token in tokens] == [True] * TOKENS
    registry = stack.state.contracts["IdentityRegistry"]["address"]
    assert await ask(stack, registry, "IdentityRegistry", "isVerified", wallet) is False
    spend = {"token": tokens[0], "from_key_ref": "investor:inv_gone", "to": other, "units": "1"}
    assert await stack.refused("token.transfer", **spend) == "wallet.frozen"
    await stack.run("token.force_transfer", token=tokens[0], **{"from": wallet}, to=other, units="10")
    assert (await stack.run("investor.revoke", **revoke))["removed"] is True
    assert await ask(stack, registry, "IdentityRegistry", "contains", wallet) is False


async def test_a_revoked_signature_is_revoked_however_it_is_written(stack: Stack, tokens: list[str]) -> None:
    wallet = await investor(stack, "inv_spell", tokens, [])
    identity = (await stack.run("investor.revoke", investor_id="inv_spell", wallet=wallet))["identity"]
    issuer = stack.state.contracts["ClaimIssuer"]["address"]
    shown = Claims(ARTIFACTS.abi("Identity"), identity).signature(topic=KYC_TOPIC, issuer=issuer)
    answer = await stack.rpc("eth_call", {"to": shown.to, "data": "0x" + shown.data.hex()}, "latest")
    signature = shown.decode(bytes.fromhex(answer[2:]))
    forms = spellings(signature)
    assert len(set(forms)) == 4
    assert all([await ask(stack, issuer, "ClaimIssuer", "isClaimRevoked", form) for form in forms])


async def test_pause_and_self_forced_transfer_by_the_service(stack: Stack, tokens: list[str]) -> None:
    wallet = await investor(stack, "inv_self", tokens, [5])
    await stack.run("token.freeze_units", token=tokens[0], address=wallet, units="5", frozen=True)
    code = await stack.refused("token.force_transfer", token=tokens[0], **{"from": wallet}, to=wallet, units="5")
    assert (code, await state(stack, tokens[0], wallet)) == ("transfer.to_self", (5, 5, False))
    await stack.run("token.freeze_units", token=tokens[0], address=wallet, units="5", frozen=False)
    await stack.run("token.pause", token=tokens[0], paused=True)
    assert await stack.refused("token.pause", token=tokens[0], paused=True) == "token.paused"
    await stack.run("token.pause", token=tokens[0], paused=False)


async def test_registered_again_after_a_revocation_by_another_claim(stack: Stack, tokens: list[str]) -> None:
    register = {"investor_id": "inv_back", "key_ref": "investor:inv_back", "country": "US"}
    first = await stack.run("investor.register", **register)
    await stack.run("investor.revoke", investor_id="inv_back", wallet=first["address"], signatures=[first["signature"]])
    assert await stack.refused("investor.register", **register) == "claim.already_revoked"
    again = await stack.run("investor.register", **register, claim_serial=2, identity=first["identity"])
    assert (again["address"], again["identity"]) == (first["address"], first["identity"])
    assert again["signature"] != first["signature"]
    registry = stack.state.contracts["IdentityRegistry"]["address"]
    assert await ask(stack, registry, "IdentityRegistry", "isVerified", first["address"]) is True


async def test_a_revocation_signs_nothing_and_revokes_every_claim_ever_reported(
    stack: Stack, tokens: list[str]
) -> None:
    """As with a signer that makes another signature each time: only what was reported or is shown can be known."""
    register = {"investor_id": "inv_twice", "key_ref": "investor:inv_twice", "country": "US"}
    made = [await stack.run("investor.register", **register, claim_serial=serial) for serial in (7, 8)]
    reported = made[0]["signature"]
    result = await stack.run(
        "investor.revoke", investor_id="somebody-else", wallet=made[0]["address"], signatures=[reported]
    )
    assert result["removed"] is True
    issuer = stack.state.contracts["ClaimIssuer"]["address"]
    forms = [form for one in made for form in spellings(bytes.fromhex(one["signature"][2:]))]
    assert len(set(forms)) == 8
    assert all([await ask(stack, issuer, "ClaimIssuer", "isClaimRevoked", form) for form in forms])


async def test_recovery_takes_the_cash_along_while_the_lost_key_still_signs(stack: Stack, tokens: list[str]) -> None:
    lost = await investor(stack, "inv_cash", tokens, [3])
    fresh = await stack.address("investor:inv_cash@2")
    await stack.run("cash.mint", to=lost, amount="500")
    keys = {"key_ref": "investor:inv_cash@2", "lost_key_ref": "investor:inv_cash"}
    assert (await stack.run("investor.recover", lost=lost, **keys))["cash_moved"] is True
    coin = stack.state.contracts["StableCoin"]["address"]
    assert (await stack.balance(coin, lost), await stack.balance(coin, fresh)) == (0, 500)


async def test_nobody_moves_units_of_others_alone(stack: Stack, tokens: list[str]) -> None:
    """The policy's own word: nothing is signed until two people agree."""
    wallet, other = await investor(stack, "inv_e", tokens, [5]), await investor(stack, "inv_f", tokens, [])
    stack.state.approvals = 1
    operation_id = await stack.submit("token.force_transfer", token=tokens[0], **{"from": wallet}, to=other, units="5")
    stack.state.approvals = 2
    waits = (f"{operation_id}:force-transfer", "paused", "approval_required")
    await stack.until(lambda: waits in stack.state.history, "the intent to wait for a second person")
    assert await state(stack, tokens[0], wallet) == (5, 0, False)
    stack.state.operations[operation_id]["approvals"] = 2
    assert (await stack.closed(operation_id))["state"] == "final"
    assert await state(stack, tokens[0], other) == (5, 0, False)


async def test_many_at_once_are_one_transaction_or_none(stack: Stack, tokens: list[str]) -> None:
    token = tokens[1]
    one, two = await investor(stack, "inv_g", tokens, []), await investor(stack, "inv_h", tokens, [])
    both = [{"address": one, "units": "10"}, {"address": two, "units": "20"}]
    await stack.run("token.mint_batch", token=token, items=both)
    await stack.run("token.freeze_units_batch", token=token, items=both, frozen=True)
    burned = await stack.run("token.burn_batch", token=token, items=[{"address": one, "units": "4"}])
    assert burned["unfrozen"] == {one: "4"}
    moved = await stack.run("token.force_transfer_batch", token=token, moves=[{"from": two, "to": one, "units": "5"}])
    assert moved["unfrozen"] == {two: "5"}
    await stack.run("token.freeze_batch", token=token, wallets=[one, two], frozen=True)
    assert [await state(stack, token, wallet) for wallet in (one, two)] == [(11, 6, True), (15, 15, True)]
    too_much = [{"address": one, "units": "1"}, {"address": two, "units": "99"}]
    assert await stack.refused("token.burn_batch", token=token, items=too_much) == "balance.insufficient"
    twice = [{"address": one, "units": "1"}, {"address": one, "units": "1"}]
    assert await stack.refused("token.burn_batch", token=token, items=twice) == "chain.bad_params"


async def test_a_refusal_before_sending_has_code_side_and_rule(stack: Stack, tokens: list[str]) -> None:
    wallet, other = await investor(stack, "inv_i", tokens, [5]), await investor(stack, "inv_j", tokens, [])

    async def asked(kind: str, **params: Any) -> tuple[str, str, str]:
        answer = await stack.client.post("/v1/simulate", {"chain_id": 31337, "kind": kind, "params": {"token": tokens[0], **params}})  # fmt: skip
        return answer["reason_code"], answer["side"], answer["rule"]

    force = {"from": wallet, "units": "6"}
    assert await asked("token.force_transfer", **force, to=other) == ("balance.insufficient", "sender", "balance")
    assert await asked("token.force_transfer", **force, to=wallet) == ("transfer.to_self", "sender", "self_transfer")
    spend = {"from_key_ref": "investor:inv_i", "to": "0x" + "12" * 20, "units": "1"}
    assert await asked("token.transfer", **spend) == ("identity.not_verified", "receiver", "identity")
    assert await asked("token.pause", paused=False) == ("token.not_paused", "token", "pause")
    supply = await stack.client.get("/v1/supply", params={"chain_id": 31337, "token": tokens[0]})
    assert int(supply["amount"]) >= 5
