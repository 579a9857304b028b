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
from services.forecaster.domain.forecasting.series import FloatArray, IntArray

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

    def score(self, cells: IntArray, counts: FloatArray, expected: FloatArray) -> FloatArray:
        """Scores of one closed hour, shape (Q,), and learn its residual.

        cells: local hour of the week; counts: NaN = not observed (scores 0); expected: see
        `expected_now`. The residual is 2 (sqrt(y + 3/8) - sqrt(f + 3/8)) (Anscombe 1948): its
        spread hardly depends on the volume and its tail is that of a normal, so that one
        threshold suits queues of one and of a hundred tickets an hour. The score is the larger
        of this hour's and of this and the last hour's together.
        """
        known = np.isfinite(counts)
        values = np.where(known, counts, 0.0)
        residual = np.where(known, 2.0 * (np.sqrt(values + 0.375) - np.sqrt(expected + 0.375)), 0.0)
        rows = np.arange(len(cells))
        squares, weights = self.squares[rows, cells], self.weights[rows, cells]
        variance = (squares + _CELL_PRIOR * self.overall) / (weights + _CELL_PRIOR)
        now = residual / np.sqrt(variance)
        both = (now + self.previous) / np.sqrt(2.0 * (1.0 + _CORRELATION))
        warm = self.seen >= WARM_WEEKS * HOURS_PER_WEEK
        learned = np.where(warm & known, 1.0, 0.0)
        # Cut as in the profile: a surge must not widen what counts as ordinary.
        square = np.minimum(residual**2, 9.0 * variance)
        decay = np.where(learned > 0, _CELL_DECAY, 1.0)
        self.squares[rows, cells] = decay * squares + learned * square
        self.weights[rows, cells] = decay * weights + learned
        settled = self.seen >= _SETTLED_WEEKS * HOURS_PER_WEEK
        step = learned * np.where(settled, _QUEUE_STEP, _FIRST_STEP)
        self.overall += step * (square - self.overall)
        self.previous = now
        self.seen += 1
        scores: FloatArray = np.where(warm, np.maximum(now, both), 0.0)
        return scores


def expected_now(bank: ProfileBank, cells: IntArray, calendar: FloatArray) -> FloatArray:
    """What the profile expects of the hour about to close, shape (Q,), before it is learned.

    A level of 40 hours follows a busy week but not a surge of an afternoon.
    """
    level = bank.levels()[:, MIDDLE, _LEVEL]
    expected: FloatArray = bank.exposure * calendar * bank.profile(cells)[:, MIDDLE] * level
    return expected
