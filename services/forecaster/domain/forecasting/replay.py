"""Replay of years of hours through the profile bank, a week at a time, for one queue."""

from dataclasses import dataclass, field

import numpy as np

from services.forecaster.domain.forecasting.calendar import HOURS_PER_WEEK
from services.forecaster.domain.forecasting.profile import (
    LEVEL_DECAYS,
    LEVEL_HALF_LIVES,
    MIDDLE,
    PROFILE_DECAYS,
    level_ratio,
    relative_load,
    squared_residual,
    week_end,
    winsorised,
)
from services.forecaster.domain.forecasting.series import FloatArray, IntArray

_LEVEL_WINDOW = 20 * int(LEVEL_HALF_LIVES.max())  # older hours no longer move a level
_DECAY = PROFILE_DECAYS[:, None]


@dataclass(slots=True, eq=False)
class Replay:
    """Everything a forecast from any past hour needs; T hours in B blocks of at most a week.

    starts: first hour of each block and T, shape (B + 1,). tickets, exposed: sums before each
    block and at the end, shape (B + 1, G, 168). exposure: per block and at the end, (B + 1,).
    learned: winsorised counts, (T,), 0 at gaps. expected: base x profile, (T, G), 0 at gaps.
    """

    cells: IntArray
    starts: IntArray
    tickets: FloatArray
    exposed: FloatArray
    exposure: FloatArray
    learned: FloatArray
    expected: FloatArray
    dispersion: FloatArray = field(default_factory=lambda: np.ones(1))
    week: FloatArray = field(default_factory=lambda: np.zeros((1, 3)))

    def profile_at(self, hour: int) -> FloatArray:
        """Profile known before hour `hour` of the replay, shape (G, 168)."""
        block = self._block(hour)
        tickets, exposed = self.tickets[block], self.exposed[block]
        if hour > self.starts[block]:
            passed = self.cells[self.starts[block] : hour]
            tickets, exposed = tickets.copy(), exposed.copy()
            tickets[:, passed] = self.tickets[block + 1][:, passed]
            exposed[:, passed] = self.exposed[block + 1][:, passed]
        return relative_load(tickets, exposed, self.exposure[block])

    def exposure_at(self, hour: int) -> float:
        """Exposure in force at hour `hour`."""
        return float(self.exposure[self._block(hour)])

    def levels_at(self, hours: IntArray) -> FloatArray:
        """Levels known before each of some ascending hours, shape (hours, G, A)."""
        result = np.empty((len(hours), len(PROFILE_DECAYS), len(LEVEL_HALF_LIVES)))
        tickets = np.zeros(len(LEVEL_HALF_LIVES))
        expected = np.zeros((len(LEVEL_HALF_LIVES), len(PROFILE_DECAYS)))
        before = 0
        for k, hour in enumerate(hours):
            first = max(before, int(hour) - _LEVEL_WINDOW)
            weights = LEVEL_DECAYS[:, None] ** np.arange(int(hour) - first)[::-1]
            kept = LEVEL_DECAYS ** (int(hour) - before)
            tickets = kept * tickets + weights @ self.learned[first:hour]
            expected = kept[:, None] * expected + weights @ self.expected[first:hour]
            result[k] = level_ratio(tickets, expected.T)
            before = int(hour)
        return result

    def _block(self, hour: int) -> int:
        return int(np.searchsorted(self.starts, hour, side="right")) - 1

    def learn_block(self, block: int, counts: FloatArray, calendar: FloatArray) -> None:
        """Advance over one block; counts and calendar are those of its hours."""
        part = slice(int(self.starts[block]), int(self.starts[block + 1]))
        where, seen = self.cells[part], np.isfinite(counts)
        base = self.exposure[block] * calendar
        profile = relative_load(
            self.tickets[block][:, where], self.exposed[block][:, where], self.exposure[block]
        )
        middle = base * profile[MIDDLE]
        steps = np.arange(part.start, part.stop)
        learned = winsorised(np.where(seen, counts, 0.0), middle, self.dispersion, steps) * seen
        self.learned[part] = learned
        self.expected[part] = (base * seen * profile).T
        for sums, gained in ((self.tickets, learned), (self.exposed, base)):
            sums[block + 1] = sums[block]
            at = where[seen]
            sums[block + 1][:, at] = _DECAY * sums[block][:, at] + gained[seen]
        self.exposure[block + 1] = self.exposure[block]
        self.week[0] += [
            float((learned / calendar).sum()),
            float(seen.sum()),
            float((squared_residual(learned, middle) * seen).sum()),
        ]
        if part.stop % HOURS_PER_WEEK == 0:
            self._end_week(block, part.stop)

    def _end_week(self, block: int, stop: int) -> None:
        if self.week[0, 1] > 0:
            weeks = np.array([stop // HOURS_PER_WEEK])
            before = self.exposure[block : block + 1]
            after, self.dispersion = week_end(before, self.dispersion, self.week, weeks)
            self.exposure[block + 1] = after[0]
            if weeks[0] == 1:
                factor = after[0] / before[0]
                self.exposed[block + 1] *= factor
                self.expected[:stop] *= factor
        self.week = np.zeros((1, 3))


def replay(counts: FloatArray, cells: IntArray, calendar: FloatArray) -> Replay:
    """Run counts (NaN = gap), local hours of the week and calendar multipliers, shape (T,) each.

    The result equals `ProfileBank.update` applied hour by hour.
    """
    starts = _block_starts(cells)
    shape = (len(starts), len(PROFILE_DECAYS), HOURS_PER_WEEK)
    state = Replay(
        cells=cells,
        starts=starts,
        tickets=np.zeros(shape),
        exposed=np.zeros(shape),
        exposure=np.ones(len(starts)),
        learned=np.zeros(len(counts)),
        expected=np.zeros((len(counts), len(PROFILE_DECAYS))),
    )
    for block in range(len(starts) - 1):
        part = slice(int(starts[block]), int(starts[block + 1]))
        state.learn_block(block, counts[part], calendar[part])
    return state


def _block_starts(cells: IntArray) -> IntArray:
    """Weeks from the first hour, cut where the clock changes: no cell occurs twice in a block."""
    jumps = np.flatnonzero((np.diff(cells) % HOURS_PER_WEEK) != 1) + 1
    weeks = np.arange(0, len(cells), HOURS_PER_WEEK)
    return np.unique(np.concatenate([weeks, jumps, [len(cells)]])).astype(np.int64)
