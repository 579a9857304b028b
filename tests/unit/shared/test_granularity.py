"""Days to weeks, months, quarters and years, against the calendar of the standard library."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.granularity import Granularity, resample

days = st.dates(date(1999, 1, 1), date(2030, 12, 31))


@given(days, st.integers(1, 800), st.sampled_from([g for g in Granularity if g != "hourly"]))
def test_intervals_hold_every_day_once(first: date, length: int, granularity: Granularity) -> None:
    counts = np.arange(1, length + 1)
    values, starts = resample(counts, first, granularity)
    assert values.sum() == counts.sum()
    expected: dict[date, int] = {}
    for offset, count in enumerate(counts.tolist()):
        start = interval_of(first + timedelta(days=offset), granularity)
        expected[start] = expected.get(start, 0) + count
    assert dict(zip(starts.tolist(), values.tolist(), strict=True)) == expected


def interval_of(day: date, granularity: Granularity) -> date:
    """The first day of the interval, by the calendar of the standard library."""
    if granularity is Granularity.WEEKLY:
        return day - timedelta(days=day.weekday())
    if granularity is Granularity.MONTHLY:
        return day.replace(day=1)
    if granularity is Granularity.QUARTERLY:
        return day.replace(month=day.month - (day.month - 1) % 3, day=1)
    if granularity is Granularity.YEARLY:
        return day.replace(month=1, day=1)
    return day


def test_hours_stay_hours() -> None:
    values, starts = resample(np.array([4, 5]), date(2026, 3, 1), Granularity.HOURLY)
    assert values.tolist() == [4, 5]
    assert starts.tolist() == [
        datetime(2026, 3, 1, hour, tzinfo=UTC).replace(tzinfo=None) for hour in (0, 1)
    ]


@pytest.mark.parametrize("granularity", list(Granularity))
def test_nothing_resampled_is_nothing(granularity: Granularity) -> None:
    values, starts = resample(np.zeros(0, np.int64), date(2026, 1, 1), granularity)
    assert len(values) == len(starts) == 0


def test_columns_are_summed_each_on_its_own() -> None:
    values, _ = resample(np.ones((14, 2)), date(2026, 3, 2), Granularity.WEEKLY)
    assert values.tolist() == [[7.0, 7.0], [7.0, 7.0]]
