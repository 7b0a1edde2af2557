"""An outside judge of the rules: the bundled cases of tracebook-conformance, and short generated traces."""

import pytest
from tracebook.conformance.campaign import campaign_profile_names, run_campaign

from benchmarks.adapters.tracebook.adapter import BookAdapter
from benchmarks.adapters.tracebook.run import NOT_OFFERED, suite_results

SEED = 23


def test_bundled_suite_when_run_over_the_line_protocol_then_only_pro_rata_differs():
    results = suite_results()
    assert len(results) >= 9
    assert {name for name, agrees in results.items() if not agrees} == NOT_OFFERED


@pytest.mark.parametrize("profile", campaign_profile_names())
def test_generated_traces_when_run_in_process_then_none_differs(profile: str):
    result = run_campaign(BookAdapter, profile=profile, seed=SEED, traces=3, events_per_trace=120)
    assert result.failure is None, f"seed {SEED}: {result.failure}"
    assert len(result.traces) == 3
