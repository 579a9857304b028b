"""Conformal rings: nominal coverage, growth beyond known leads, rounding."""

import numpy as np
import pytest

from services.forecaster.domain.forecasting.conformal import (
    DAILY_BUCKETS,
    NORMAL,
    ResidualRings,
    students_t,
    weighted_quantiles,
)
from services.forecaster.domain.forecasting.distribution import (
    ForecastDistribution,
    recentred,
    rounded,
)
from services.forecaster.domain.forecasting.series import Frequency


def made_up(mean: float, seed: int, origins: int = 60, leads: int = 56) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, (origins, leads)).astype(float)


def learned(forecasts: np.ndarray, actuals: np.ndarray, span: int = 5600) -> ResidualRings:
    leads = np.arange(1, forecasts.shape[1] + 1)
    phases = np.zeros(forecasts.shape, dtype=np.int64)
    ones = np.ones(len(forecasts))
    return ResidualRings.learn(
        forecasts, actuals, leads, DAILY_BUCKETS, weights=ones, phases=phases, span=span
    )


def around(rings: ResidualRings, mean: np.ndarray) -> np.ndarray:
    return rings.quantiles(mean, np.zeros(len(mean), dtype=np.int64))


@pytest.mark.parametrize("mean", [3.0, 12.0, 400.0])
def test_intervals_cover_new_outcomes_as_promised(mean: float) -> None:
    forecasts = np.full((60, 56), mean)
    rings = learned(forecasts, made_up(mean, 1))
    quantiles = rounded(around(rings, np.full(56, mean)))
    fresh = made_up(mean, 2, 400)
    inside = (fresh >= quantiles[:, 1]) & (fresh <= quantiles[:, 3])
    wide = (fresh >= quantiles[:, 0]) & (fresh <= quantiles[:, 4])
    assert 0.77 <= inside.mean() <= 0.89
    assert 0.93 <= wide.mean() <= 0.99


def test_a_rehearsal_that_got_calmer_narrows_the_inner_interval_alone() -> None:
    random = np.random.default_rng(9)
    wild = np.where(np.arange(60) < 36, 60.0, 20.0)[:, None]
    forecasts = np.full((60, 56), 400.0)
    actuals = forecasts + wild * random.standard_normal(forecasts.shape)
    usual, calm = (
        around(
            ResidualRings.learn(
                forecasts,
                actuals,
                np.arange(1, 57),
                DAILY_BUCKETS,
                weights=np.ones(60),
                phases=np.zeros(forecasts.shape, dtype=np.int64),
                span=5600,
                narrowest=narrowest,
            ),
            np.full(56, 400.0),
        )
        for narrowest in (1.0, 0.7)
    )
    widths, narrower = usual[:, 3] - usual[:, 1], calm[:, 3] - calm[:, 1]
    np.testing.assert_allclose(narrower, 0.7**0.6 * widths)
    np.testing.assert_array_equal(usual[:, [0, 4]], calm[:, [0, 4]])


def test_spread_follows_the_level_where_history_says_so() -> None:
    random = np.random.default_rng(3)
    forecasts = np.tile(np.array([50.0, 5000.0]), (80, 28))
    actuals = forecasts * np.exp(0.2 * random.standard_normal(forecasts.shape))
    rings = learned(forecasts, actuals)
    assert rings.power == 1.0


def test_each_phase_has_its_own_spread() -> None:
    random = np.random.default_rng(6)
    phases = np.tile(np.arange(28) % 7, (60, 1))
    forecasts = np.full((60, 28), 100.0)
    actuals = forecasts + np.where(phases == 6, 30.0, 5.0) * random.standard_normal((60, 28))
    rings = ResidualRings.learn(
        forecasts,
        actuals,
        np.arange(1, 29),
        DAILY_BUCKETS,
        weights=np.ones(60),
        phases=phases,
        span=2800,
    )
    quantiles = rings.quantiles(np.full(28, 100.0), phases[0])
    width = quantiles[:, 3] - quantiles[:, 1]
    assert width[20] == pytest.approx(2.56 * 30.0, rel=0.3)
    assert width[15] == pytest.approx(2.56 * 5.0, rel=0.9)


def test_a_short_span_shows_a_far_lead_seldom() -> None:
    forecasts, actuals = np.full((60, 56), 400.0), made_up(400.0, 5)
    mean = np.full(56, 400.0)
    long, short = (around(learned(forecasts, actuals, span), mean) for span in (56_000, 112))
    wider = (short[:, 4] - short[:, 0]) / (long[:, 4] - long[:, 0])
    assert wider[55] == pytest.approx(np.sqrt(1.5), rel=0.01)
    assert wider[0] == pytest.approx(1.0, rel=0.02)
    np.testing.assert_allclose(short[:, 2], long[:, 2])


def test_unknown_outcomes_teach_nothing() -> None:
    forecasts, actuals = np.full((40, 28), 9.0), made_up(9.0, 4, 40, 28)
    half = actuals.copy()
    half[20:] = np.nan
    known = learned(forecasts[:20], actuals[:20])
    masked = learned(forecasts, half)
    np.testing.assert_allclose(
        around(known, np.full(28, 9.0)), around(masked, np.full(28, 9.0)), rtol=0.15
    )


def test_uncertainty_grows_beyond_the_leads_ever_seen() -> None:
    rings = learned(np.full((40, 14), 50.0), made_up(50.0, 5, 40, 14))
    quantiles = around(rings, np.full(300, 50.0))
    width = quantiles[:, 4] - quantiles[:, 0]
    assert width[299] > 1.3 * width[13]
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_without_any_outcome_there_still_is_an_interval() -> None:
    rings = learned(np.zeros((0, 7)), np.zeros((0, 7)))
    quantiles = around(rings, np.full(7, 16.0))
    assert (quantiles[:, 4] > quantiles[:, 0]).all()


def test_weighted_quantiles_ignore_weightless_values() -> None:
    values, weights = np.array([1.0, 2.0, 3.0, 99.0]), np.array([1.0, 1.0, 1.0, 0.0])
    assert weighted_quantiles(values, weights, np.array([0.5]))[0] == pytest.approx(2.0)


def test_rounding_keeps_order_and_whole_ends() -> None:
    result = rounded(np.array([[0.2, 0.9, 1.4, 2.1, 3.8]]))
    assert (result[0, [0, 1, 3, 4]] % 1 == 0).all()
    assert (np.diff(result[0]) >= 0).all()


def test_the_ends_of_a_parents_intervals_are_whole_counts() -> None:
    mean = np.array([3.3, 41.7])
    own = ForecastDistribution(
        Frequency.DAILY, 0, mean, mean[:, None] + [-2.2, -1.1, 0.1, 1.4, 2.6], "pool"
    )
    moved = recentred(own, mean + 0.4)
    ends = moved.quantiles[:, [0, 1, 3, 4]]
    assert np.array_equal(ends, np.round(ends))
    assert moved.mean.tolist() == (mean + 0.4).tolist()


def test_a_spread_known_from_few_outcomes_has_heavier_tails() -> None:
    many, few = students_t(10_000.0), students_t(10.0)
    assert np.allclose(many, NORMAL, atol=0.01)
    # Of tables: 2.228 and 1.372.
    assert few[[3, 4]] == pytest.approx([1.372, 2.228], rel=0.01)
    assert (few[4] / few[3]) > (many[4] / many[3])


def test_outer_ends_are_widened_by_what_they_missed_in_rehearsal() -> None:
    random = np.random.default_rng(2)
    calm, wild = made_up(30.0, 1), made_up(30.0, 1)
    # Later origins have now and then what earlier ones never had.
    wild[40:] += np.where(random.random(wild[40:].shape) < 0.12, 25.0, 0.0)
    forecasts = np.full(calm.shape, 30.0)
    widths = [
        around(learned(forecasts, actuals), np.full(56, 30.0))[20] for actuals in (calm, wild)
    ]
    assert widths[1][4] > widths[0][4] + 5
    assert abs(widths[1][3] - widths[0][3]) < 5
