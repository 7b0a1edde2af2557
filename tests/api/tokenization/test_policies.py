"""What may be signed is changed by two people, kept for ever, and never opened by accident. The chain service's part is played by its own pure functions."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest

from tests.api.builders import CHAIN_ID
from tests.api.in_process import Api
from tokenx_chain.policy.defaults import DEFAULT_RULES
from tokenx_chain.policy.needs import warnings
from tokenx_chain.policy.rules import Rule
from tokenx_common.errors import DependencyUnavailable

Body = dict[str, Any]


class ChainService:
    """Answers as the chain service does; version: what it works by."""

    def __init__(self, version: int = 0) -> None:
        self.version = version
        self.is_away = False
        self.reloads: list[Body] = []

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Any:
        if self.is_away:
            raise DependencyUnavailable("away")
        assert (path, params) == ("/v1/policies", {"chain_id": CHAIN_ID})
        return {"version": self.version, "rules": [], "used": [], "built_in": [asdict(rule) for rule in DEFAULT_RULES]}

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        if self.is_away:
            raise DependencyUnavailable("away")
        assert body is not None
        if path == "/v1/policies:reload":
            self.reloads.append(dict(body))
            self.version += 1
            return {"version": self.version}
        assert path == "/v1/policies:check"
        return {
            "warnings": [asdict(one) for one in warnings([Rule(**rule) for rule in body["rules"]], usual=DEFAULT_RULES)]
        }


@pytest.fixture
async def chain(api: Api) -> ChainService:
    service = ChainService()
    object.__setattr__(api.context, "chain", service)
    return service


async def call(api: Api, actor: Any, method: str, path: str, body: Body | None = None) -> Any:
    async with api.as_actor(actor) as client:
        return await client.request(method, f"/v1/chain/policies{path}", json=body)


def limit_mint(**changes: Any) -> Body:
    rule = {
        "policy_id": "mint-cap",
        "key_ref": "platform",
        "contract": "token:*",
        "function": "mint",
        "max_amount": str(10**30),
        "approval_above": "100",
    }
    return {"rules": [rule | changes.pop("rule", {})], "keep_built_in": True, "reason": "audit finding 7"} | changes


async def proposed(api: Api, actor: Any, body: Body, expect: int = 201) -> Any:
    answer = await call(api, actor, "POST", "/changes", body)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def decided(api: Api, actor: Any, change: Body, verb: str = "approve", expect: int = 200, **members: Any) -> Any:
    answer = await call(
        api, actor, "POST", f"/changes/{change['change_id']}:{verb}", {"reason": "looked at it", **members}
    )
    assert answer.status_code == expect, answer.text
    return answer.json()


async def rules_of(api: Api) -> list[str]:
    async with api.service("chain") as client:
        return [
            rule["policy_id"]
            for rule in (await client.get(f"/internal/chain/policy?chain_id={CHAIN_ID}")).json()["rules"]
        ]


async def test_change_counts_once_a_second_person_approves_and_not_before(api: Api, chain: ChainService) -> None:
    first, second = await api.seed.user("compliance_officer"), await api.seed.user("tokenization_agent")
    shown = (await call(api, first, "GET", "")).json()
    assert (shown["is_built_in"], shown["in_effect"], len(shown["rules"])) == (True, True, len(DEFAULT_RULES))
    change = await proposed(api, first, limit_mint())
    assert (change["status"], change["warnings"], await rules_of(api)) == ("proposed", [], [])
    assert (await decided(api, first, change, expect=409))["code"] == "approval.second_person_required"
    assert await rules_of(api) == []
    approved = await decided(api, second, change)
    assert (approved["status"], approved["version"], approved["in_effect"], approved["decided_by"]) == (
        "approved",
        1,
        True,
        second.user_id,
    )
    assert await rules_of(api) == sorted(["mint-cap", *(rule.policy_id for rule in DEFAULT_RULES)])
    assert chain.reloads == [{"chain_id": CHAIN_ID}]
    assert (await decided(api, second, change, expect=409))["code"] == "policy_change.decided"
    actions = await api.seed.rows.fetch(
        "SELECT action, actor FROM audit.events WHERE action LIKE 'policy%' ORDER BY event_id"
    )
    assert [(row["action"], row["actor"]) for row in actions] == [
        ("policy_change.proposed", first.user_id),
        ("policy_change.approved", second.user_id),
    ]


async def test_change_that_would_lock_the_platform_out_says_so_and_is_not_approved_by_accident(
    api: Api, chain: ChainService
) -> None:
    first, second = await api.seed.user("compliance_officer"), await api.seed.user("compliance_officer")
    change = await proposed(api, first, limit_mint(keep_built_in=False))
    denied = {warning["kind"] for warning in change["warnings"] if warning["effect"] == "denied"}
    assert {"platform.deploy", "settlement.batch", "redemption.payout"} <= denied
    refused = await decided(api, second, change, expect=409)
    assert refused["code"] == "policy_change.would_lock_out"
    assert len(refused["warnings"]) >= len(denied)
    assert await rules_of(api) == []
    await decided(api, second, change, accept_lock_out=True)
    assert await rules_of(api) == ["mint-cap"]


async def test_taking_out_the_last_rule_denies_everything_and_does_not_bring_the_built_in_ones_back(
    api: Api, chain: ChainService
) -> None:
    first, second = await api.seed.user("compliance_officer"), await api.seed.user("compliance_officer")
    await decided(api, second, await proposed(api, first, limit_mint(keep_built_in=False)), accept_lock_out=True)
    change = await proposed(api, second, {"disable": ["mint-cap"], "reason": "close it all"})
    gone = await decided(api, first, change, accept_lock_out=True)
    assert [rule["policy_id"] for rule in gone["before"]] == ["mint-cap"]
    async with api.service("chain") as client:
        told = (await client.get(f"/internal/chain/policy?chain_id={CHAIN_ID}")).json()
    assert (told["rules"], told["is_set"], told["version"]) == ([], True, 2)


async def test_rule_that_asks_two_people_for_everything_is_warned_about(api: Api, chain: ChainService) -> None:
    everything = {
        "policy_id": "slow",
        "contract": "StableCoin",
        "function": "mint",
        "key_ref": "platform",
        "approval_above": "0",
    }
    actor = await api.seed.user("compliance_officer")
    built_in = [
        {"policy_id": "default.cash", "contract": "StableCoin", "function": "burn", "key_ref": "platform"},
        everything,
    ]
    change = await proposed(api, actor, {"rules": built_in, "keep_built_in": True, "reason": "belt and braces"})
    assert change["warnings"] == [
        {
            "kind": "cash.mint",
            "key_ref": "platform",
            "contract": "StableCoin",
            "function": "mint",
            "effect": "needs_approval",
        }
    ]


async def test_other_change_approved_meanwhile_makes_people_look_again(api: Api, chain: ChainService) -> None:
    first, second = await api.seed.user("compliance_officer"), await api.seed.user("compliance_officer")
    one = await proposed(api, first, limit_mint())
    other = await proposed(api, first, limit_mint(rule={"policy_id": "other"}))
    from tokenx_api.tokenization import service

    async with api.context.db.read() as conn:
        seen = await service.check_policy_change(conn, api.context.chain, one["change_id"], chain_id=CHAIN_ID)
    await decided(api, second, other)
    with pytest.raises(Exception, match="meanwhile"):
        async with api.context.db.write() as conn:
            await service.approve_policy_change(
                conn,
                one["change_id"],
                actor=second.user_id,
                reason="x",
                seen=seen,
                accept_lock_out=False,
                chain_id=CHAIN_ID,
            )
    assert (await decided(api, second, one))["version"] == 2


async def test_rejected_change_never_counts_and_stays_on_record(api: Api, chain: ChainService) -> None:
    first, second = await api.seed.user("compliance_officer"), await api.seed.user("compliance_officer")
    change = await proposed(api, first, limit_mint())
    assert (await decided(api, first, change, "reject"))["status"] == "rejected"
    assert (await decided(api, second, change, expect=409))["code"] == "policy_change.decided"
    page = (await call(api, second, "GET", "/changes?status=rejected")).json()
    assert [row["change_id"] for row in page["data"]] == [change["change_id"]]
    assert (await call(api, second, "GET", "/changes?limit=1")).json()["next_cursor"] is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (limit_mint(rule={"contract": "*", "function": "*"}), 422, "policy.too_wide"),
        (limit_mint(rule={"contract": "x|*", "function": "**|mint"}), 422, "policy.too_wide"),
        (limit_mint(rule={"max_amount": "-1"}), 422, "validation_failed"),
        (limit_mint(rule={"max_amount": 5}), 422, "validation_failed"),
        (limit_mint(rule={"function": "mi nt"}), 422, "validation_failed"),
        (limit_mint(rule={"policy_id": "Äh"}), 422, "validation_failed"),
        ({"reason": "nothing at all"}, 422, "policy.nothing_to_change"),
        ({"disable": ["unheard-of"], "reason": "take it out"}, 422, "policy.nothing_to_change"),
    ],
)
async def test_senseless_change_is_refused_in_plain_words(
    api: Api, chain: ChainService, body: Body, status: int, code: str
) -> None:
    answer = await proposed(api, await api.seed.user("compliance_officer"), body, expect=status)
    assert answer["code"] == code
    assert await api.seed.value("SELECT count(*) FROM chain.policy_changes") == 0


async def test_rule_of_another_chain_is_not_taken_over(api: Api, chain: ChainService) -> None:
    await api.seed.rows.execute(
        "INSERT INTO chain.policies (policy_id, chain_id, contract, function) VALUES ('mint-cap', 1, 'x', 'y')"
    )
    answer = await proposed(api, await api.seed.user("compliance_officer"), limit_mint(), expect=409)
    assert answer["code"] == "policy.other_chain"


async def test_without_the_chain_service_nothing_is_proposed_and_an_approval_still_counts_later(
    api: Api, chain: ChainService
) -> None:
    """The chain service reads the version with the answer to its next write."""
    first, second = await api.seed.user("compliance_officer"), await api.seed.user("compliance_officer")
    change = await proposed(api, first, limit_mint())
    chain.is_away = True
    await proposed(api, first, limit_mint(), expect=503)
    await decided(api, second, change, expect=503)
    chain.is_away = False
    await api.seed.lease(f"chain:{CHAIN_ID}", 3)
    await decided(api, second, change)
    async with api.service("chain") as client:
        body: Body = {"epoch": 3, "chain_id": CHAIN_ID, "records": []}
        assert (await client.post("/internal/chain/journal", json=body)).json()["policy_version"] == 1
    chain.is_away = True
    assert (await call(api, first, "GET", "")).json()["in_effect"] is False


@pytest.mark.parametrize("persona", ["investor", "issuer", "ats_operator", "admin"])
async def test_only_those_who_answer_for_it_may_propose(api: Api, chain: ChainService, persona: Any) -> None:
    assert (await proposed(api, await api.seed.user(persona), limit_mint(), expect=403))[
        "code"
    ] == "auth.permission_denied"


async def test_database_refuses_a_change_approved_by_its_author(api: Api, chain: ChainService) -> None:
    """Even past the code above it."""
    first = await api.seed.user("compliance_officer")
    change = await proposed(api, first, limit_mint())
    with pytest.raises(Exception, match="four_eyes"):
        await api.seed.rows.execute("UPDATE chain.policy_changes SET status = 'approved', decided_by = $2, version = 1 WHERE change_id = $1",
                                    change["change_id"], first.user_id)  # fmt: skip
