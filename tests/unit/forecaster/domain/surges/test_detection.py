"""Surge scores and incidents."""

from dataclasses import replace

import numpy as np
import pytest

from services.forecaster.domain.forecasting.profile import ProfileBank
from services.forecaster.domain.surges.detection import THRESHOLD, SurgeScorer, expected_now
from services.forecaster.domain.surges.incidents import ClosedWindow, Phase, SurgeRule, SurgeWatch


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


WINDOW = ClosedWindow(
    "billing",
    "refund",
    10,
    tickets=9,
    requesters=8,
    expected=2.0,
    score=4.0,
    examples=("t1", "t2"),
)
QUIET = replace(WINDOW, tickets=2, requesters=2, score=0.1, examples=())


def at(window: ClosedWindow, step: int) -> ClosedWindow:
    return replace(window, step=step, examples=tuple(f"{e}@{step}" for e in window.examples))


def test_an_incident_is_told_once_and_ended_once() -> None:
    watch = SurgeWatch()
    told = [
        alert
        for step, window in enumerate([WINDOW, WINDOW, QUIET, WINDOW, QUIET, QUIET, QUIET], 10)
        for alert in watch.observe(at(window, step))
    ]
    assert [alert.phase for alert in told] == [Phase.RAISED, Phase.ENDED]
    ended = told[1]
    assert told[0].key == ended.key == "surge:billing:refund:10"
    assert (ended.first_step, ended.last_step, ended.windows) == (10, 13, 4)
    assert (ended.tickets, ended.peak, ended.requesters) == (27, 4.0, 8)
    assert len(ended.examples) == 5
    assert watch.open_incidents == ()


@pytest.mark.parametrize(
    "window",
    [
        replace(WINDOW, requesters=4),
        replace(WINDOW, tickets=4, requesters=4),
        replace(WINDOW, score=THRESHOLD - 0.1),
    ],
)
def test_few_people_few_tickets_or_a_low_score_are_no_surge(window: ClosedWindow) -> None:
    assert SurgeWatch().observe(window) == ()


def test_one_loud_requester_is_no_surge_however_loud() -> None:
    assert SurgeWatch().observe(replace(WINDOW, tickets=5000, requesters=1, score=99.0)) == ()


def test_the_guard_can_be_set() -> None:
    rule = SurgeRule(min_tickets=2, min_requesters=1)
    assert SurgeWatch(rule).observe(replace(WINDOW, tickets=2, requesters=1)) != ()


def test_a_window_told_twice_changes_nothing() -> None:
    watch = SurgeWatch()
    watch.observe(WINDOW)
    before = watch.open_incidents
    assert watch.observe(WINDOW) == ()
    assert watch.open_incidents == before


def test_topics_and_queues_surge_separately() -> None:
    watch = SurgeWatch()
    watch.observe(WINDOW)
    assert watch.observe(replace(WINDOW, topic="login"))[0].topic == "login"
    assert watch.observe(replace(WINDOW, queue="sales"))[0].queue == "sales"
    assert len(watch.open_incidents) == 3


def test_after_a_long_silence_the_old_incident_ends_and_a_new_one_begins() -> None:
    watch = SurgeWatch()
    watch.observe(WINDOW)
    ended, begun = watch.observe(at(WINDOW, 50))
    assert (ended.phase, ended.last_step) == (Phase.ENDED, 10)
    assert (begun.phase, begun.first_step) == (Phase.RAISED, 50)


def test_open_incidents_survive_a_restart() -> None:
    watch, heir = SurgeWatch(), SurgeWatch()
    watch.observe(WINDOW)
    heir.restore(watch.open_incidents)
    assert heir.observe(at(WINDOW, 11)) == ()
