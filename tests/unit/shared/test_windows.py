"""Packed windows: cells, periods and what is read back."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from shared.windows import Grain, cells, periods, unpack


@pytest.mark.parametrize(
    ("grain", "moment", "expected"),
    [
        (Grain.MINUTE, datetime(2026, 3, 2, 13, 7, tzinfo=UTC), ("20260302", 787)),
        (Grain.HOUR, datetime(2026, 1, 1, 0, 59, tzinfo=UTC), ("2026", 0)),
        (Grain.HOUR, datetime(2024, 12, 31, 23, 0, tzinfo=UTC), ("2024", 8783)),
        (Grain.DAY, datetime(2024, 2, 29, tzinfo=UTC), ("2024", 59)),
    ],
)
def test_a_moment_has_one_cell(grain: Grain, moment: datetime, expected: tuple[str, int]) -> None:
    assert cells(grain, moment) == expected


def test_the_zone_of_a_moment_does_not_matter() -> None:
    moscow = timezone(timedelta(hours=3))
    assert cells(Grain.HOUR, datetime(2026, 1, 1, 2, tzinfo=moscow)) == ("2025", 8759)


def test_periods_cover_a_range_without_holes() -> None:
    start, end = datetime(2024, 6, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    found = list(periods(Grain.HOUR, start, end))
    assert [(name, length) for name, _, length in found] == [("2024", 8784), ("2025", 8760)]


def test_minutes_have_a_period_a_day() -> None:
    start = datetime(2024, 2, 28, 12, tzinfo=UTC)
    found = list(periods(Grain.MINUTE, start, start + timedelta(days=2)))
    assert [name for name, _, _ in found] == ["20240228", "20240229", "20240301"]
    assert {length for _, _, length in found} == {1440}


def test_a_short_string_is_zeros_at_the_end() -> None:
    raw = np.array([1, 2], ">u4").tobytes()
    assert unpack(raw, 4).tolist() == [1, 2, 0, 0]
    assert unpack(None, 2).tolist() == [0, 0]
    # BITFIELD may leave a string that ends inside a cell.
    assert unpack(raw[:7], 2).tolist() == [1, 0]
