"""Surge scores, of one series and of many."""

import numpy as np
import pytest

from services.forecaster.domain.forecasting.profile import ProfileBank
from services.forecaster.domain.surges.detection import THRESHOLD, SurgeScorer, expected_now
from services.forecaster.domain.surges.incidents import Series
from services.forecaster.domain.surges.monitor import SurgeMonitor
from shared.windows import Dimension


def scores_of(counts: np.ndarray) -> np.ndarray:
    bank, scorer, ones = ProfileBank.empty(1), SurgeScorer.empty(1), np.ones(1)
    found = np.zeros(len(counts))
    for step, count in enumerate(counts):
        cells, now = np.array([step % 168]), np.array([count])
        found[step] = scorer.score(cells, now, expected_now(bank, cells, ones))[0]
        bank.update(cells, now, ones)
    return found


def rhythm(weeks: int, volume: float, seed: int = 0) -> np.ndarray:
    steps = np.arange(weeks * 168)
    mean = volume * (1.2 + np.cos(steps % 24 / 24 * 2 * np.pi))
    return np.random.default_rng(seed).poisson(mean).astype(float)


def test_a_doubled_evening_stands_out_and_ordinary_peaks_do_not() -> None:
    counts = rhythm(20, 15.0)
    surged = counts.copy()
    surged[19 * 168 + 20 : 19 * 168 + 24] *= 2.5
    calm, shaken = scores_of(counts), scores_of(surged)
    assert shaken[19 * 168 + 20 : 19 * 168 + 24].max() > THRESHOLD + 1
    assert (calm[6 * 168 :] > THRESHOLD).mean() < 0.02


@pytest.mark.parametrize("volume", [0.5, 5.0, 200.0])
def test_false_alarms_are_as_rare_in_small_queues_as_in_large_ones(volume: float) -> None:
    scores = scores_of(rhythm(30, volume, seed=5))[8 * 168 :]
    assert (scores > THRESHOLD).mean() < 0.02


def test_the_first_weeks_are_silent() -> None:
    counts = np.zeros(500)
    counts[300] = 1000.0
    assert scores_of(counts).max() == 0.0


def test_hours_not_observed_score_nothing() -> None:
    counts = rhythm(5, 10.0)
    counts[-1] = np.nan
    assert scores_of(counts)[-1] <= max(0.0, scores_of(counts)[-2])


def monitored(counts: np.ndarray) -> np.ndarray:
    """Scores by the monitor, of rows of hourly counts."""
    series = [Series(Dimension.QUEUE, str(row)) for row in range(len(counts))]
    monitor = SurgeMonitor(0)
    monitor.join(series, (counts > 0).argmax(axis=1))
    hours = [
        monitor.close(np.full(len(counts), step % 168), now)[1] for step, now in enumerate(counts.T)
    ]
    return np.stack(hours, axis=1)


def test_the_monitor_scores_each_series_as_if_it_were_alone_from_its_first_ticket_on() -> None:
    early, late = rhythm(10, 8.0), rhythm(10, 8.0, seed=3)
    both = np.stack([early, np.concatenate([np.zeros(500), late[: len(early) - 500]])])
    both[1, 500] = 5.0
    scores = monitored(both)
    assert np.allclose(scores[0], scores_of(early))
    assert scores[1, : 500 + 3 * 168].max() == 0.0
    assert scores[1, 500 + 3 * 168 :].max() > 0.0


def test_an_hour_under_way_is_judged_and_not_learned() -> None:
    counts = rhythm(6, 8.0)[None, :]
    monitor = SurgeMonitor(0)
    monitor.join([Series(Dimension.TOPIC, "refund")], np.zeros(1, np.int64))
    for step in range(counts.shape[1] - 1):
        monitor.close(np.array([step % 168]), counts[:, step])
    cell = np.array([(counts.shape[1] - 1) % 168])
    first = monitor.outlook(cell, np.array([60.0]))
    assert first[1][0] > THRESHOLD
    assert monitor.outlook(cell, np.array([60.0]))[1] == first[1]
    assert monitor.close(cell, np.array([60.0]))[1] == first[1]
