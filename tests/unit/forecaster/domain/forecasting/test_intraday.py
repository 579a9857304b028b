"""The day's forecast while its hours close."""

import numpy as np
import pytest

from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.intraday import moved_by_hours
from services.forecaster.domain.forecasting.series import Frequency

SHARES = np.full(24, 1 / 24)


def morning(mean: float = 240.0, spread: float = 40.0) -> ForecastDistribution:
    quantiles = mean + spread * np.array([[-1.96, -1.28, 0.0, 1.28, 1.96]])
    return ForecastDistribution(Frequency.DAILY, 100, np.array([mean]), quantiles, "test")


def test_before_the_first_hour_the_morning_stands() -> None:
    now = moved_by_hours(morning(), 100, SHARES, np.zeros(0))
    assert now.mean == pytest.approx(240.0)
    assert now.quantiles[1] == pytest.approx(240 - 1.28 * 40, rel=0.05)


def test_a_busy_start_moves_the_day_up_but_not_all_the_way() -> None:
    now = moved_by_hours(morning(), 100, SHARES, np.full(6, 20.0))
    assert 240.0 + 60.0 < now.mean < 480.0
    calm = moved_by_hours(morning(), 100, SHARES, np.full(6, 10.0))
    assert calm.mean == pytest.approx(240.0)


def test_every_closed_hour_makes_the_day_more_certain() -> None:
    widths = [
        float(np.ptp(moved_by_hours(morning(), 100, SHARES, np.full(hours, 10.0)).quantiles))
        for hours in (0, 6, 12, 18, 23)
    ]
    assert widths == sorted(widths, reverse=True)


def test_the_last_hour_settles_the_day() -> None:
    now = moved_by_hours(morning(), 100, SHARES, np.full(24, 7.0))
    assert now.mean == now.seen == 168.0
    np.testing.assert_array_equal(now.quantiles, np.full(5, 168.0))


def test_hours_not_observed_are_neither_quiet_nor_busy() -> None:
    counts = np.full(12, np.nan)
    counts[:6] = 10.0
    now = moved_by_hours(morning(), 100, SHARES, counts)
    assert now.mean == pytest.approx(60.0 + 120.0, rel=0.01)


def test_large_days_use_the_same_formula() -> None:
    now = moved_by_hours(morning(240_000.0, 20_000.0), 100, SHARES, np.full(12, 12_000.0))
    assert 250_000 < now.mean < 288_000
    assert now.quantiles[0] < now.mean < now.quantiles[4]


def test_another_day_is_refused() -> None:
    with pytest.raises(ValueError, match="does not contain"):
        moved_by_hours(morning(), 101, SHARES, np.zeros(0))
