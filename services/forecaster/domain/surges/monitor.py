"""Many series watched hour by hour, each from its own first ticket on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TypeVar

import numpy as np

from services.forecaster.domain.forecasting.profile import ProfileBank
from services.forecaster.domain.forecasting.series import FloatArray, IntArray
from services.forecaster.domain.surges.detection import SurgeScorer, expected_now
from services.forecaster.domain.surges.incidents import Series

# A quarter: twice the half-life of the profile that surges are held against.
WATCHED_HOURS = 13 * 168
State = TypeVar("State", ProfileBank, SurgeScorer)


@dataclass(slots=True, eq=False)
class SurgeMonitor:
    """State of S series before hour `step`; a fold of their hours, so windows alone restore it."""

    step: int
    series: list[Series] = field(default_factory=list)
    _rows: dict[Series, int] = field(default_factory=dict)
    _begins: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    _bank: ProfileBank = field(default_factory=lambda: ProfileBank.empty(0))
    _scorer: SurgeScorer = field(default_factory=lambda: SurgeScorer.empty(0))

    def join(self, series: Sequence[Series], begins: IntArray) -> None:
        """Watch more series. begins: hour of the first ticket of each, shape (len(series),).

        A series is silent for its first weeks, and what was before it was no quiet time.
        """
        self._rows |= {each: row for row, each in enumerate(series, len(self.series))}
        self.series = [*self.series, *series]
        self._begins = np.concatenate([self._begins, begins])
        self._bank = _joined(self._bank, ProfileBank.empty(len(series)))
        self._scorer = _joined(self._scorer, SurgeScorer.empty(len(series)))

    def row_of(self, series: Series) -> int | None:
        """Where a series stands in all arrays; None if it is not watched."""
        return self._rows.get(series)

    def close(self, cells: IntArray, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Learn hour `step`: what was expected, and the scores, shape (S,) each.

        cells: local hour of the week of each series; counts: its tickets, shape (S,).
        """
        new = np.flatnonzero(self._begins == self.step)
        if len(new):
            _restart(self._bank, ProfileBank.empty(len(new)), new)
            _restart(self._scorer, SurgeScorer.empty(len(new)), new)
        ones = np.ones(len(counts))
        expected = expected_now(self._bank, cells, ones)
        scores = self._scorer.score(cells, counts, expected)
        self._bank.update(cells, counts, ones)
        self.step += 1
        return expected, scores

    def outlook(self, cells: IntArray, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """As `close`, of the hour under way and learning nothing.

        What came so far is held against the whole hour: if that is a surge, the hour is one.
        """
        expected = expected_now(self._bank, cells, np.ones(len(counts)))
        return expected, self._scorer.judge(cells, counts, expected)


def _joined(left: State, right: State) -> State:
    names = [each.name for each in fields(left)]
    parts = {name: np.concatenate([getattr(left, name), getattr(right, name)]) for name in names}
    return type(left)(**parts)


def _restart(state: State, fresh: State, rows: IntArray) -> None:
    for each in fields(state):
        getattr(state, each.name)[rows] = getattr(fresh, each.name)
