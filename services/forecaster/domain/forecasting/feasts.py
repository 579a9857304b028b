"""Which feasts are worked like Sundays: judged by the hourly shape of feasts already seen."""

from collections.abc import Mapping

import numpy as np

from services.forecaster.domain.forecasting.calendar import weekday
from services.forecaster.domain.forecasting.series import BoolArray, FloatArray, IntArray

_WEEKS = 6
_OTHERS_WORTH = 0.3


def sunday_like(table: FloatArray, every: IntArray, feasts: Mapping[int, str]) -> BoolArray:
    """Per day of `every`: is it a feast whose hours look like a Sunday's, as known before it.

    table: counts by local day and hour, shape (known days, 24), NaN = not observed; the days of
    `every` beyond it are the future. A feast never seen before follows the majority of the
    others; without any evidence a feast keeps the hours of its weekday.
    """
    result = np.zeros(len(every), dtype=np.bool_)
    likeness: dict[str, list[float]] = {}
    for row, day in enumerate(every):
        name = feasts.get(int(day))
        if name is None:
            continue
        own = likeness.get(name, [])
        others = [value for values in likeness.values() for value in values]
        result[row] = sum(own) + _OTHERS_WORTH * sum(others) > 0
        if row < len(table) and weekday(day) != 6:
            likeness.setdefault(name, []).append(_likeness(table, row, int(weekday(day))))
    return result


def _likeness(table: FloatArray, row: int, kind: int) -> float:
    """Log-likelihood of the day's hours as a Sunday less that as its weekday, per root ticket.

    Shapes are those of the six weeks before; the day's total plays no part.
    """
    hours = table[row]
    if not np.isfinite(hours).all() or hours.sum() <= 0:
        return 0.0
    first = max(0, row - 7 * _WEEKS)
    before = table[first:row]
    kinds = (np.arange(first, row) - row + kind) % 7
    logs = [_log_shape(before[kinds == wanted]) for wanted in (6, kind)]
    return float(hours @ (logs[0] - logs[1])) / float(np.sqrt(hours.sum()))


def _log_shape(days: FloatArray) -> FloatArray:
    whole = days[np.isfinite(days).all(axis=1)]
    sums = whole.sum(axis=0) + 1.0
    shape: FloatArray = np.log(sums / sums.sum())
    return shape


def hour_table(values: FloatArray, local: IntArray) -> FloatArray:
    """Counts by local day and hour, shape (days, 24); a repeated hour is summed.

    values: shape (n,), NaN = gap. local: local hour numbers, ascending up to a clock change.
    """
    if not len(values):
        return np.zeros((0, 24))
    index = local - (local[0] // 24) * 24
    size = (int(index.max()) // 24 + 1) * 24
    known = np.isfinite(values)
    sums = np.bincount(index[known], weights=values[known], minlength=size)
    seen = np.bincount(index[known], minlength=size)
    return np.where(seen > 0, sums, np.nan).reshape(-1, 24)
