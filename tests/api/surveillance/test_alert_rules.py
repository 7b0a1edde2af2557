"""The rules of the alert desk, every case."""

from typing import get_args

import pytest

from tokenx_api.surveillance.models import Severity, Status
from tokenx_api.surveillance.rules import MOVES, close_refusal


@pytest.mark.parametrize("severity", get_args(Severity))
@pytest.mark.parametrize("status", get_args(Status))
def test_nobody_closes_a_serious_alert_alone(severity: Severity, status: Status) -> None:
    alone = close_refusal(severity=severity, status=status, assigned_to="me", closer="me")
    together = close_refusal(severity=severity, status=status, assigned_to="you", closer="me")
    assert (together is None) == (status != "closed")
    assert (alone is None) == (status != "closed" and severity in {"medium", "low"})


def test_every_status_has_moves() -> None:
    assert set(MOVES) == set(get_args(Status))
    assert not MOVES["closed"]
