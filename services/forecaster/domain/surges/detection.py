"""Surges: counts far above the seasonal profile, vectorised over queues."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from services.forecaster.domain.forecasting.calendar import HOURS_PER_WEEK
from services.forecaster.domain.forecasting.profile import (
    LEVEL_HALF_LIVES,
    MIDDLE,
    WARM_WEEKS,
    ProfileBank,
)
from services.forecaster.domain.forecasting.series import BoolArray, FloatArray, IntArray

# Chosen on made-up arrivals and the bike and taxi series for at most half a false alert per
# queue and week; `python -m bench.forecasting` judges it on other seeds.
THRESHOLD = 2.5
_CELL_DECAY = 0.93  # per week
_CELL_PRIOR = 15.0  # weeks a cell's own spread needs to outweigh the queue's
_QUEUE_STEP, _FIRST_STEP = 0.002, 0.01  # per hour, after and during the first weeks
_SETTLED_WEEKS = 6
_CORRELATION = 0.3  # of neighbouring hours' residuals
_LEVEL = int(np.flatnonzero(LEVEL_HALF_LIVES == 40.0)[0])


@dataclass(slots=True, eq=False)
class SurgeScorer:
    """Scores closed hours of Q queues in standard deviations of their own past residuals.

    squares, weights: discounted sums per hour of the week, shape (Q, 168). overall: variance of
    the queue, shape (Q,). previous: residual of the hour before, shape (Q,). seen: hours, (Q,).
    """

    squares: FloatArray
    weights: FloatArray
    overall: FloatArray
    previous: FloatArray
    seen: IntArray

    @classmethod
    def empty(cls, queues: int) -> Self:
        """A scorer that has seen nothing; it stays silent for its first weeks."""
        return cls(
            squares=np.zeros((queues, HOURS_PER_WEEK)),
            weights=np.zeros((queues, HOURS_PER_WEEK)),
            overall=np.ones(queues),
            previous=np.zeros(queues),
            seen=np.zeros(queues, dtype=np.int64),
        )

    def judge(self, cells: IntArray, counts: FloatArray, expected: FloatArray) -> FloatArray:
        """Scores of an hour, shape (Q,); nothing is learned, so that an open hour may be judged.

        cells: local hour of the week; counts: NaN = not observed (scores 0); expected: see
        `expected_now`. The residual is 2 (sqrt(y + 3/8) - sqrt(f + 3/8)) (Anscombe 1948): its
        spread hardly depends on the volume and its tail is that of a normal, so that one
        threshold suits queues of one and of a hundred tickets an hour. The score is the larger
        of this hour's and of this and the last hour's together.
        """
        return self._scores(_residual(counts, expected) / np.sqrt(self._variance(cells)))

    def score(self, cells: IntArray, counts: FloatArray, expected: FloatArray) -> FloatArray:
        """Scores of one closed hour, see `judge`, and learn its residual."""
        residual, variance = _residual(counts, expected), self._variance(cells)
        now = residual / np.sqrt(variance)
        scores = self._scores(now)
        learned = np.where(self._warm & np.isfinite(counts), 1.0, 0.0)
        # Cut as in the profile: a surge must not widen what counts as ordinary.
        square = np.minimum(residual**2, 9.0 * variance)
        rows, decay = np.arange(len(cells)), np.where(learned > 0, _CELL_DECAY, 1.0)
        self.squares[rows, cells] = decay * self.squares[rows, cells] + learned * square
        self.weights[rows, cells] = decay * self.weights[rows, cells] + learned
        settled = self.seen >= _SETTLED_WEEKS * HOURS_PER_WEEK
        self.overall += (
            learned * np.where(settled, _QUEUE_STEP, _FIRST_STEP) * (square - self.overall)
        )
        self.previous = now
        self.seen += 1
        return scores

    @property
    def _warm(self) -> BoolArray:
        return self.seen >= WARM_WEEKS * HOURS_PER_WEEK

    def _variance(self, cells: IntArray) -> FloatArray:
        rows = np.arange(len(cells))
        prior = _CELL_PRIOR * self.overall
        variance: FloatArray = (self.squares[rows, cells] + prior) / (
            self.weights[rows, cells] + _CELL_PRIOR
        )
        return variance

    def _scores(self, now: FloatArray) -> FloatArray:
        both = (now + self.previous) / np.sqrt(2.0 * (1.0 + _CORRELATION))
        scores: FloatArray = np.where(self._warm, np.maximum(now, both), 0.0)
        return scores


def _residual(counts: FloatArray, expected: FloatArray) -> FloatArray:
    known = np.isfinite(counts)
    values = np.where(known, counts, 0.0)
    residual: FloatArray = np.where(
        known, 2.0 * (np.sqrt(values + 0.375) - np.sqrt(expected + 0.375)), 0.0
    )
    return residual


def expected_now(bank: ProfileBank, cells: IntArray, calendar: FloatArray) -> FloatArray:
    """What the profile expects of the hour about to close, shape (Q,), before it is learned.

    A level of 40 hours follows a busy week but not a surge of an afternoon.
    """
    level = bank.levels()[:, MIDDLE, _LEVEL]
    expected: FloatArray = bank.exposure * calendar * bank.profile(cells)[:, MIDDLE] * level
    return expected
