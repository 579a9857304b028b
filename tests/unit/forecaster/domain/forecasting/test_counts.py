"""Small counts: negative binomial quantiles against brute force."""

import numpy as np
import pytest

from services.forecaster.domain.forecasting.counts import (
    discounted_rate,
    estimated_size,
    negative_binomial_quantiles,
)
from services.forecaster.domain.forecasting.distribution import QUANTILES


@pytest.mark.parametrize(
    ("mean", "size"), [(0.2, 1.0), (1.3, 5.0), (20.0, 3.0), (300.0, 50.0), (3000.0, 40.0)]
)
def test_quantiles_agree_with_simulated_counts(mean: float, size: float) -> None:
    random = np.random.default_rng(8)
    draws = random.poisson(random.gamma(size, mean / size, 400_000))
    found = negative_binomial_quantiles(np.array([mean]), size)[0]
    for level, quantile in zip(QUANTILES, found, strict=True):
        assert (draws < quantile).mean() <= level + 0.005
        assert (draws <= quantile).mean() >= level - 0.005


def test_absurdly_large_means_cost_no_memory() -> None:
    found = negative_binomial_quantiles(np.array([1e9, 10.0]), 4.0)
    assert found[0, 2] == pytest.approx(0.918e9, rel=0.01)
    assert (np.diff(found, axis=1) >= 0).all()


def test_a_mean_of_zero_is_certain() -> None:
    np.testing.assert_array_equal(negative_binomial_quantiles(np.zeros(2), 1.0), np.zeros((2, 5)))


def test_dispersion_is_recovered_by_moments() -> None:
    random = np.random.default_rng(9)
    counts = random.poisson(random.gamma(4.0, 2.5, 20_000)).astype(float)
    assert estimated_size(counts, np.full(20_000, 10.0)) == pytest.approx(4.0, rel=0.15)
    poisson = random.poisson(10.0, 20_000).astype(float)
    assert estimated_size(poisson, np.full(20_000, 10.0)) > 50


def test_the_rate_discounts_the_past_and_skips_gaps() -> None:
    rate, worth = discounted_rate(np.array([100.0] * 50 + [np.nan] * 10 + [2.0] * 50), 10.0)
    assert 2.0 < rate < 5.0
    assert worth < 16.0
    assert discounted_rate(np.zeros(0)) == (0.0, 0.0)
