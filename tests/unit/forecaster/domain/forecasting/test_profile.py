"""The online profile bank: single updates, replays by week, surges and gaps."""

import numpy as np
import pytest

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.profile import MIDDLE, ProfileBank
from services.forecaster.domain.forecasting.replay import replay

LONDON = Calendar("Europe/London")


def arrivals(hours: int, seed: int = 0, volume: float = 6.0) -> np.ndarray:
    steps = np.arange(hours)
    mean = (
        volume * (1.1 + np.cos(steps % 24 / 24 * 2 * np.pi)) * np.where(steps % 168 < 120, 1.2, 0.5)
    )
    return np.random.default_rng(seed).poisson(mean).astype(float)


def fed(counts: np.ndarray, cells: np.ndarray, calendar: np.ndarray) -> ProfileBank:
    bank = ProfileBank.empty(1)
    for step, count in enumerate(counts):
        bank.update(cells[[step]], np.array([count]), calendar[[step]])
    return bank


@pytest.mark.parametrize("hours", [5, 168, 400, 24 * 168 + 37])
def test_a_replay_by_weeks_equals_single_updates(hours: int) -> None:
    # The span crosses both clock changes of 2023, has gaps, feasts and a surge.
    first = 24 * 19440
    cells = LONDON.hour_of_week(np.arange(first, first + hours))
    counts = arrivals(hours)
    counts[40:60] = np.nan
    counts[hours // 2 : hours // 2 + 5] *= 8
    calendar = np.where(np.arange(hours) // 24 % 30 == 29, 0.6, 1.0)
    bank, state = fed(counts, cells, calendar), replay(counts, cells, calendar)
    assert bank.exposure[0] == pytest.approx(state.exposure_at(hours))
    np.testing.assert_allclose(
        np.stack([bank.profile(np.array([cell]))[0] for cell in range(168)], axis=1),
        state.profile_at(hours),
        rtol=1e-9,
    )
    np.testing.assert_allclose(bank.levels()[0], state.levels_at(np.array([hours]))[0], rtol=1e-6)


@pytest.mark.parametrize("hour", [3 * 168, 3 * 168 + 50, 4 * 168 - 1])
def test_a_replay_remembers_what_was_known_at_any_hour(hour: int) -> None:
    cells, ones = np.arange(6 * 168) % 168, np.ones(6 * 168)
    counts = arrivals(6 * 168)
    whole, part = replay(counts, cells, ones), replay(counts[:hour], cells[:hour], ones[:hour])
    np.testing.assert_allclose(whole.profile_at(hour), part.profile_at(hour))
    np.testing.assert_allclose(
        whole.levels_at(np.array([hour - 90, hour]))[1], part.levels_at(np.array([hour]))[0]
    )


def test_queues_do_not_influence_each_other() -> None:
    cells = np.arange(4 * 168) % 168
    busy, quiet = arrivals(4 * 168, 1, 50.0), arrivals(4 * 168, 2, 0.5)
    both = ProfileBank.empty(2)
    for step in range(len(cells)):
        both.update(cells[[step, step]], np.array([busy[step], quiet[step]]), np.ones(2))
    alone = fed(quiet, cells, np.ones(len(cells)))
    np.testing.assert_allclose(both.tickets[1], alone.tickets[0])
    np.testing.assert_allclose(both.levels()[1], alone.levels()[0])


def test_the_expected_hour_follows_the_profile() -> None:
    hours = 20 * 168
    cells, counts = np.arange(hours) % 168, arrivals(hours, volume=20.0)
    bank = fed(counts, cells, np.ones(hours))
    midnight = bank.expected(np.array([0]), np.ones(1))[0]
    noon = bank.expected(np.array([12]), np.ones(1))[0]
    assert midnight == pytest.approx(20.0 * 2.1 * 1.2, rel=0.15)
    assert noon < 0.15 * midnight
    assert bank.expected(np.array([0]), np.array([0.5]))[0] == pytest.approx(midnight / 2)


def test_a_surge_teaches_the_profile_little() -> None:
    hours = 12 * 168
    cells, counts = np.arange(hours) % 168, arrivals(hours, volume=20.0)
    surged = counts.copy()
    surged[-168:-164] *= 20
    ones = np.ones(hours)
    calm, shaken = fed(counts, cells, ones), fed(surged, cells, ones)
    cell = cells[[-168]]
    ratio = shaken.profile(cell)[0, MIDDLE] / calm.profile(cell)[0, MIDDLE]
    assert 1.0 < ratio < 1.2


def test_hours_that_were_not_observed_change_no_expectation() -> None:
    hours = 5 * 168
    cells, counts = np.arange(hours) % 168, arrivals(hours)
    bank = fed(counts, cells, np.ones(hours))
    before = bank.expected(np.array([30]), np.ones(1))[0]
    for step in range(48):
        bank.update(cells[[step]], np.array([np.nan]), np.ones(1))
    assert bank.expected(np.array([30]), np.ones(1))[0] == pytest.approx(before, rel=0.15)
