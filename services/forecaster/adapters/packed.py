"""Packed windows of several series as Redis holds them, and as histories."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from services.forecaster.domain.forecasting.series import Frequency, History, hour_number
from shared.windows import CELL_BYTES, Grain, unpack

# A period's name, its first moment and its number of cells.
Period = tuple[str, datetime, int]


@dataclass(frozen=True, slots=True, eq=False)
class PackedWindows:
    """raws: all periods of the first series, then all of the second, and so on."""

    grain: Grain
    periods: Sequence[Period]
    raws: Sequence[bytes | None]

    @property
    def start(self) -> int:
        """The step of the first cell."""
        return self._step(self.periods[0][1])

    def histories(self) -> list[History]:
        """From the first to the last ticket of each series that has one."""
        frequency = Frequency.HOURLY if self.grain is Grain.HOUR else Frequency.DAILY
        found = []
        for row in range(0, len(self.raws), len(self.periods)):
            cells = zip(self.raws[row : row + len(self.periods)], self.periods, strict=True)
            values = np.concatenate([unpack(raw, length) for raw, (_, _, length) in cells])
            if len(used := np.flatnonzero(values)):
                part = values[used[0] : used[-1] + 1].astype(np.float64)
                found.append(History(frequency, self.start + int(used[0]), part))
        return found

    def content(self, end: int) -> int:
        """A number that changes, in this process, with any cell before step `end`."""
        ends = [CELL_BYTES * (end - self._step(begin)) for _, begin, _ in self.periods]
        cuts = ends * (len(self.raws) // len(self.periods))
        return hash(
            tuple(
                raw if raw is None or len(raw) <= cut else memoryview(raw)[: max(0, cut)]
                for raw, cut in zip(self.raws, cuts, strict=True)
            )
        )

    def _step(self, moment: datetime) -> int:
        hour = hour_number(moment)
        return hour if self.grain is Grain.HOUR else hour // 24
