"""Quantiles of cumulative buckets."""

import math

import pytest

from deploy.local.latency import between, quantile

BUCKETS = {0.01: 50.0, 0.02: 90.0, 0.05: 100.0, math.inf: 100.0}


@pytest.mark.parametrize(
    ("share", "seconds"), [(0.25, 0.005), (0.5, 0.01), (0.7, 0.015), (1, 0.05)]
)
def test_linear_within_the_bucket(share: float, seconds: float) -> None:
    assert quantile(BUCKETS, share) == pytest.approx(seconds)


def test_beyond_the_last_bound_that_bound_is_all_that_is_known() -> None:
    assert quantile({0.01: 0.0, 60.0: 1.0, math.inf: 10.0}, 0.99) == 60.0


@pytest.mark.parametrize("nothing", [{}, {0.01: 0.0, math.inf: 0.0}])
def test_nothing_observed(nothing: dict[float, float]) -> None:
    assert quantile(nothing, 0.5) is None


def test_between_two_scrapes() -> None:
    later = {0.01: 50.0, 0.02: 190.0, 0.05: 200.0, math.inf: 200.0}
    assert between(BUCKETS, later) == {0.01: 0.0, 0.02: 100.0, 0.05: 100.0, math.inf: 100.0}


def test_a_restarted_process_counts_from_nothing() -> None:
    later = {0.01: 1.0, 0.02: 2.0, 0.05: 2.0, math.inf: 2.0}
    assert between(BUCKETS, later) == later
