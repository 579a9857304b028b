"""The O(1) online hour-of-week profile: a small bank of memories, vectorised over queues.

State per queue: for each profile memory the discounted sums of tickets and of exposure in each
of the 168 local hours of a week, for each level memory the discounted sums of tickets and of
what the profile expected. Forecast = exposure x calendar x profile x level. Exposure (the mean
rate) and the dispersion used for winsorising move once per 168 updates, so that a replay of
years can advance a week at a time and arrive at exactly the state that single updates build.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from services.forecaster.domain.forecasting.calendar import HOURS_PER_WEEK
from services.forecaster.domain.forecasting.series import BoolArray, FloatArray, IntArray

PROFILE_DECAYS = np.array([0.75, 0.9, 0.97])  # per week: half-lives of 2.4, 6.6 and 23 weeks
LEVEL_HALF_LIVES = np.array([3.0, 12.0, 40.0, 140.0, 500.0])  # hours
LEVEL_DECAYS = 0.5 ** (1.0 / LEVEL_HALF_LIVES)
MIDDLE = 1
EXPOSURE_DECAY = 0.5 ** (1 / 4)  # per week
DISPERSION_DECAY = 0.5 ** (1 / 8)  # per week
CLIP = 3.0
# Weeks before updates are winsorised: the profile must exist before it may call a count odd.
WARM_WEEKS = 3
# Winsorised residuals understate the variance by about this much.
_CUT_TAILS = 1.1


@dataclass(slots=True, eq=False)
class ProfileBank:
    """State of Q queues; every array has the queue as its first axis."""

    tickets: FloatArray  # (Q, G, 168)
    exposed: FloatArray  # (Q, G, 168)
    level_tickets: FloatArray  # (Q, A)
    level_expected: FloatArray  # (Q, G, A)
    exposure: FloatArray  # (Q,) mean tickets per hour, 1 until a week has been seen
    dispersion: FloatArray  # (Q,) variance over mean
    seen: IntArray  # (Q,) updates so far
    week_tickets: FloatArray = field(repr=False)  # (Q, 3): sum, observed hours, squared residuals

    @classmethod
    def empty(cls, queues: int) -> Self:
        """A bank that knows nothing yet."""
        memories, levels = len(PROFILE_DECAYS), len(LEVEL_DECAYS)
        return cls(
            tickets=np.zeros((queues, memories, HOURS_PER_WEEK)),
            exposed=np.zeros((queues, memories, HOURS_PER_WEEK)),
            level_tickets=np.zeros((queues, levels)),
            level_expected=np.zeros((queues, memories, levels)),
            exposure=np.ones(queues),
            dispersion=np.ones(queues),
            seen=np.zeros(queues, dtype=np.int64),
            week_tickets=np.zeros((queues, 3)),
        )

    def profile(self, cells: IntArray) -> FloatArray:
        """Relative load of one hour-of-week cell per queue, shape (Q, G). cells: shape (Q,)."""
        rows = np.arange(len(cells))
        return relative_load(
            self.tickets[rows, :, cells], self.exposed[rows, :, cells], self.exposure[:, None]
        )

    def levels(self) -> FloatArray:
        """Level per queue, profile memory and level memory, shape (Q, G, A)."""
        return level_ratio(self.level_tickets[:, None, :], self.level_expected)

    def expected(self, cells: IntArray, calendar: FloatArray) -> FloatArray:
        """Expected tickets of the next hour by the middle memory, shape (Q,).

        calendar: multiplier of the day (holiday, season, event), 1 for an ordinary one.
        """
        level = self.levels()[:, MIDDLE, 3]
        expected: FloatArray = self.exposure * calendar * self.profile(cells)[:, MIDDLE] * level
        return expected

    def update(self, cells: IntArray, counts: FloatArray, calendar: FloatArray) -> FloatArray:
        """Close one hour of every queue; returns the winsorised counts that were learned.

        cells: local hour of the week, shape (Q,). counts: shape (Q,), NaN = not observed
        (nothing is learned, time passes). calendar: shape (Q,).
        """
        known = np.isfinite(counts)
        values = np.where(known, counts, 0.0)
        base = self.exposure * calendar
        profile = self.profile(cells)
        expected = base * profile[:, MIDDLE]
        learned = winsorised(values, expected, self.dispersion, self.seen)
        rows, memories = np.arange(len(cells))[:, None], np.arange(len(PROFILE_DECAYS))
        decay = np.where(known[:, None], PROFILE_DECAYS, 1.0)
        seen = known.astype(np.float64)
        column = cells[:, None]
        self.tickets[rows, memories, column] *= decay
        self.tickets[rows, memories, column] += (learned * seen)[:, None]
        self.exposed[rows, memories, column] *= decay
        self.exposed[rows, memories, column] += (base * seen)[:, None]
        self.level_tickets *= LEVEL_DECAYS
        self.level_tickets += (learned * seen)[:, None]
        self.level_expected *= LEVEL_DECAYS
        self.level_expected += ((base * seen)[:, None] * profile)[:, :, None]
        self._note_week(learned / calendar, expected, learned, seen)
        return learned

    def _note_week(
        self, rate: FloatArray, expected: FloatArray, learned: FloatArray, seen: FloatArray
    ) -> None:
        self.week_tickets[:, 0] += rate * seen
        self.week_tickets[:, 1] += seen
        self.week_tickets[:, 2] += seen * squared_residual(learned, expected)
        self.seen += 1
        over = self.seen % HOURS_PER_WEEK == 0
        if over.any():
            self._end_week(over & (self.week_tickets[:, 1] > 0))
            self.week_tickets[over] = 0.0

    def _end_week(self, ended: BoolArray) -> None:
        weeks = self.seen[ended] // HOURS_PER_WEEK
        before = self.exposure[ended]
        self.exposure[ended], self.dispersion[ended] = week_end(
            before, self.dispersion[ended], self.week_tickets[ended], weeks
        )
        # The first week was counted against an exposure of one: restate it in the true rate.
        factor = np.where(weeks == 1, self.exposure[ended] / before, 1.0)
        self.exposed[ended] *= factor[:, None, None]
        self.level_expected[ended] *= factor[:, None, None]


def relative_load(tickets: FloatArray, exposed: FloatArray, exposure: FloatArray) -> FloatArray:
    """Tickets over exposure, shrunk to one while a cell has seen little of a week."""
    prior = 0.05 * exposure + 0.05
    ratio: FloatArray = (tickets + prior) / (exposed + prior)
    return ratio


def level_ratio(tickets: FloatArray, expected: FloatArray) -> FloatArray:
    """Tickets over expectation, shrunk to one by one ticket."""
    ratio: FloatArray = (tickets + 1.0) / (expected + 1.0)
    return ratio


def winsorised(
    counts: FloatArray, expected: FloatArray, dispersion: FloatArray, seen: IntArray
) -> FloatArray:
    """Counts cut to three standard deviations, so that a surge does not teach the profile."""
    reach = CLIP * np.sqrt(dispersion * (expected + 0.5))
    cut = np.clip(counts, np.maximum(expected - reach, 0.0), expected + reach)
    learned: FloatArray = np.where(seen < WARM_WEEKS * HOURS_PER_WEEK, counts, cut)
    return learned


def squared_residual(counts: FloatArray, expected: FloatArray) -> FloatArray:
    """Pearson residual squared: its mean is the variance-to-mean ratio."""
    squared: FloatArray = (counts - expected) ** 2 / (expected + 0.5)
    return squared


def week_end(
    exposure: FloatArray, dispersion: FloatArray, week: FloatArray, weeks: IntArray
) -> tuple[FloatArray, FloatArray]:
    """New exposure and dispersion after a week; week: shape (Q, 3), weeks: weeks seen so far.

    Early weeks weigh as in a plain mean, later ones as in an exponential one.
    """
    hours = np.maximum(week[:, 1], 1.0)
    step = np.maximum(1.0 / weeks, 1.0 - EXPOSURE_DECAY)
    moved = exposure + step * (week[:, 0] / hours - exposure)
    # The first weeks have hardly a profile to depart from: their residuals say nothing yet.
    judged = weeks - WARM_WEEKS + 1
    step = np.where(judged > 0, np.maximum(1.0 / np.maximum(judged, 1), 1.0 - DISPERSION_DECAY), 0)
    spread = dispersion + step * (_CUT_TAILS * week[:, 2] / hours - dispersion)
    return np.maximum(moved, 1e-6), np.maximum(spread, 0.5)
