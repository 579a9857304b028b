"""Scores: hand-computed values, gaps, lead buckets."""

import numpy as np
import pytest

from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.series import Frequency, History
from services.forecaster.domain.judging.metrics import (
    bucket_name,
    mean_score,
    pinball,
    score_by_bucket,
    seasonal_scale,
)


def flat(mean: float, horizon: int, width: float = 2.0) -> ForecastDistribution:
    offsets = np.array([-2.0, -1.0, 0.0, 1.0, 2.0]) * width
    quantiles = np.tile(mean + offsets, (horizon, 1))
    return ForecastDistribution(Frequency.DAILY, 0, np.full(horizon, mean), quantiles, "test")


def test_pinball_of_one_outcome() -> None:
    # Outcome 12 against quantiles 6, 8, 10, 12, 14: .025*6, .1*4, .5*2, 0, .025*2 over five.
    found = pinball(np.array([12.0]), np.array([[6.0, 8.0, 10.0, 12.0, 14.0]]))
    assert found[0] == pytest.approx((0.15 + 0.4 + 1.0 + 0.0 + 0.05) / 5)


def test_scores_split_by_lead_and_leave_gaps_out() -> None:
    actuals = np.full(30, 11.0)
    actuals[3] = np.nan
    scores = score_by_bucket(flat(10.0, 30), actuals, scale=2.0)
    assert set(scores) == {"1-7", "8-28", "29-84"}
    first = scores["1-7"]
    assert first.points == 6
    assert first.mase == pytest.approx(0.5)
    assert first.wape == pytest.approx(1 / 11)
    assert first.coverage_80 == first.coverage_95 == 1.0


def test_coverage_counts_the_ends_of_the_interval() -> None:
    actuals = np.array([12.0, 13.0, 14.0, 15.0])
    score = score_by_bucket(flat(10.0, 4), actuals, 1.0)["1-7"]
    assert score.coverage_80 == pytest.approx(0.25)
    assert score.coverage_95 == pytest.approx(0.75)


def test_the_scale_is_the_difference_to_a_week_before() -> None:
    values = np.concatenate([np.zeros(7), np.full(7, 3.0)])
    assert seasonal_scale(History(Frequency.DAILY, 0, values)) == 3.0
    assert seasonal_scale(History(Frequency.DAILY, 0, np.zeros(3))) == 1.0


def test_means_count_forecasts_alike_or_outcomes_alike() -> None:
    small = score_by_bucket(flat(10.0, 1), np.array([10.0]), 1.0)["1-7"]
    large = score_by_bucket(flat(10.0, 3), np.full(3, 14.0), 1.0)["1-7"]
    assert mean_score([small, large]).mase == pytest.approx(2.0)
    assert mean_score([small, large], by_points=True).mase == pytest.approx(3.0)
    with pytest.raises(ValueError, match="no forecast"):
        mean_score([])


def test_bucket_names() -> None:
    assert bucket_name((85, 300)) == "85-300"
