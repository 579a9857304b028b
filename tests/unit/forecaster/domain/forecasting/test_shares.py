"""A part's share of its queue's forecast."""

import numpy as np
import pytest

from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.forecast import forecast
from services.forecaster.domain.forecasting.series import Frequency, History
from services.forecaster.domain.forecasting.shares import share_of, shared


def days(*blocks: tuple[int, float]) -> History:
    values = np.repeat([value for _, value in blocks], [length for length, _ in blocks])
    return History(Frequency.DAILY, 1000, values)


WHOLE = days((600, 40.0))


def test_the_mix_of_the_last_weeks_counts() -> None:
    moved = days((540, 4.0), (60, 20.0))
    assert share_of(moved, WHOLE, 1600) == pytest.approx(0.5, abs=0.01)
    assert share_of(moved, WHOLE, 1540) == pytest.approx(0.1, abs=0.01)


def test_days_from_the_origin_on_are_not_looked_at() -> None:
    later = days((540, 4.0), (60, 4000.0))
    assert share_of(later, WHOLE, 1540) == share_of(days((600, 4.0)), WHOLE, 1540)


def test_a_rare_mix_is_held_to_its_year_and_an_empty_one_is_nothing() -> None:
    rare = days((300, 0.0), (1, 7.0), (299, 0.0))
    assert 0 < share_of(rare, WHOLE, 1600) < 0.001
    nothing = History(Frequency.DAILY, 0, np.zeros(0))
    assert share_of(nothing, WHOLE, 1600) == 0.0
    assert share_of(nothing, nothing, 1600) == 0.0


def test_a_share_of_counts_is_covered_as_promised() -> None:
    random = np.random.default_rng(4)
    counts = random.negative_binomial(20, 20 / (20 + 60.0), 900).astype(float)
    parts = random.binomial(counts.astype(int), 0.2)
    made = shared(forecast(History(Frequency.DAILY, 0, counts[:700]), 200), 0.2)
    assert made.mean.mean() == pytest.approx(12.0, rel=0.15)
    inside = (parts[700:] >= made.quantiles[:, 1]) & (parts[700:] <= made.quantiles[:, 3])
    assert 0.74 < inside.mean() < 0.93
    assert (np.diff(made.quantiles, axis=1) >= 0).all()


def test_shares_add_up_and_all_of_it_is_the_whole() -> None:
    counts = np.random.default_rng(1).poisson(30.0, 500).astype(np.float64)
    made = forecast(History(Frequency.DAILY, 0, counts), 9)
    parts = [shared(made, share) for share in (0.5, 0.3, 0.2)]
    assert np.allclose(sum(part.mean for part in parts), made.mean)
    zero = shared(ForecastDistribution(Frequency.DAILY, 0, np.zeros(3), np.zeros((3, 5)), "x"), 0.5)
    assert not zero.quantiles.any()
