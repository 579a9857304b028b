"""Surges put into hourly series, and how many of them the alerts find."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from services.forecaster.domain.forecasting.profile import ProfileBank
from services.forecaster.domain.forecasting.series import FloatArray, IntArray
from services.forecaster.domain.surges.detection import SurgeScorer, expected_now
from services.forecaster.domain.surges.incidents import Phase, Series, SurgeWatch, Window
from shared.windows import Dimension

FACTORS = (1.5, 2.0, 3.0)
WARM_HOURS = 10 * 168
NOW = datetime(2026, 1, 1, tzinfo=UTC)  # only said in the alert
_ECHO = 3  # hours after a surge in which an alert still belongs to it


@dataclass(frozen=True, slots=True)
class Surge:
    """One injected surge: queue row, first hour, duration in hours, factor."""

    queue: int
    first: int
    hours: int
    factor: float


@dataclass(frozen=True, slots=True)
class Found:
    """recall: share of surges with an alert, by factor. false_alerts: per queue and week.

    delay: mean hours from the surge's first hour to the alert's window.
    """

    recall: dict[float, float]
    false_alerts: float
    delay: float


def injected(counts: FloatArray, seed: int) -> tuple[FloatArray, list[Surge]]:
    """Surges of 2 to 8 hours, one every three to seven days. counts: (queues, hours)."""
    random = np.random.default_rng(seed)
    result, surges = counts.copy(), []
    for queue in range(len(counts)):
        hour = WARM_HOURS
        while True:
            hour += int(random.integers(72, 168))
            length = int(random.integers(2, 9))
            if hour + length + _ECHO >= counts.shape[1]:
                break
            factor = float(random.choice(FACTORS))
            span = slice(hour, hour + length)
            result[queue, span] += random.poisson(counts[queue, span] * (factor - 1.0))
            surges.append(Surge(queue, hour, length, factor))
    return result, surges


def alerts(counts: FloatArray, cells: IntArray) -> list[list[int]]:
    """Hours in which an incident was raised, per queue, by the very code that serves.

    cells: local hour of the week, shape (queues, hours). Every ticket is given a requester of
    its own: the guard against loud requesters is tested elsewhere.
    """
    queues, hours = counts.shape
    bank, scorer, watch = ProfileBank.empty(queues), SurgeScorer.empty(queues), SurgeWatch()
    ones = np.ones(queues)
    raised: list[list[int]] = [[] for _ in range(queues)]
    for hour in range(hours):
        now, where = counts[:, hour], cells[:, hour]
        expected = expected_now(bank, where, ones)
        scores = scorer.score(where, now, expected)
        bank.update(where, now, ones)
        for queue in range(queues):
            tickets = int(now[queue])
            window = Window(
                Series(Dimension.QUEUE, str(queue)),
                hour,
                tickets,
                float(expected[queue]),
                float(scores[queue]),
                requesters=tickets,
            )
            told = watch.observe(window, NOW)
            if any(phase is Phase.OPEN for phase, _ in told) and hour >= WARM_HOURS:
                raised[queue].append(hour)
    return raised


def judge(raised: list[list[int]], surges: list[Surge], hours: int) -> Found:
    """Match alerts to surges; whatever belongs to none is false."""
    hits: dict[float, list[bool]] = {factor: [] for factor in FACTORS}
    delays, matched = [], 0
    for surge in surges:
        inside = [
            hour
            for hour in raised[surge.queue]
            if surge.first <= hour < surge.first + surge.hours + _ECHO
        ]
        hits[surge.factor].append(bool(inside))
        matched += len(inside)
        delays += [inside[0] - surge.first] if inside else []
    weeks = len(raised) * (hours - WARM_HOURS) / 168
    total = sum(len(queue) for queue in raised)
    return Found(
        {factor: float(np.mean(found)) for factor, found in hits.items() if found},
        (total - matched) / weeks,
        float(np.mean(delays)) if delays else 0.0,
    )
