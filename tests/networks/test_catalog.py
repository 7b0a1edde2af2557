"""The facts about the networks, and the page written from them."""

from dataclasses import fields

import pytest

from tokenx_chain.networks.base import Network
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.document import TARGET, document

ALL = pytest.mark.parametrize("network", NETWORKS.values(), ids=lambda network: network.name)
PUBLIC_FAMILIES = {"ethereum", "polygon", "avalanche", "optimism", "base", "hedera"}


def test_each_of_the_six_networks_has_a_main_and_a_test_network() -> None:
    for environment in ("main", "test"):
        assert {n.family for n in NETWORKS.values() if n.environment == environment} == PUBLIC_FAMILIES
    assert [n.chain_id for n in NETWORKS.values() if n.is_dev] == [31337]


def test_names_and_ids_are_distinct() -> None:
    assert len({n.name for n in NETWORKS.values()}) == len(NETWORKS)
    assert all(number == network.chain_id for number, network in NETWORKS.items())


@ALL
def test_facts_fit_together(network: Network) -> None:
    assert network.block_time_s > 0
    assert network.min_tip_wei < network.fee_cap_wei
    assert 1 <= network.logs.first <= network.logs.most <= (network.logs.limit or network.logs.most)
    assert network.in_flight > 1 or network.bump_after_s is None
    assert (network.finality.kind == "tag") == (network.finality.stalled_after is not None)
    assert (network.finality.fallback_depth or 10**9) > (
        network.finality.stalled_after or 0
    )  # what it makes final is told with a degraded chain
    assert network.unverified <= {field.name for field in fields(Network)}


def test_test_networks_differ_from_main_only_in_name_and_id() -> None:
    same = {f.name for f in fields(Network)} - {"chain_id", "name", "environment", "unverified"}
    main = {n.family: n for n in NETWORKS.values() if n.environment == "main"}
    for network in NETWORKS.values():
        if network.environment == "test":
            assert {name: getattr(network, name) for name in same} == {
                name: getattr(main[network.family], name) for name in same
            }


def test_document_is_what_the_data_says() -> None:
    assert TARGET.read_text() == document(), "run: python -m tokenx_chain.networks.document"
