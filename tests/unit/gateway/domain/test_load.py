"""Windows to series."""

from datetime import date

import numpy as np
import pytest

from services.gateway.domain.load import Span, period_names, sum_windows
from shared.errors import BadRequest
from shared.granularity import Granularity
from shared.windows import Grain


def packed(counts: list[int]) -> bytes:
    return np.array(counts, ">u4").tobytes()


def test_a_span_may_not_end_before_it_starts() -> None:
    with pytest.raises(BadRequest, match="2026-01-02 lies after end_date 2026-01-01"):
        Span(date(2026, 1, 2), date(2026, 1, 1))


def test_the_last_day_of_the_calendar_is_a_span() -> None:
    span = Span(date.max, date.max)
    assert span.days == 1
    assert span.start < span.end


def test_too_many_values_are_refused_and_the_limit_is_not() -> None:
    span = Span(date(1990, 1, 1), date(2020, 1, 1))
    span.require_at_most(Granularity.DAILY)
    with pytest.raises(BadRequest, match="coarser"):
        span.require_at_most(Granularity.HOURLY)


def test_periods_of_a_span() -> None:
    span = Span(date(2024, 12, 31), date(2025, 1, 1))
    assert period_names(Grain.HOUR, span) == ["2024", "2025"]
    assert period_names(Grain.MINUTE, span) == ["20241231", "20250101"]


def test_periods_are_cut_to_the_span_and_missing_ones_are_zeros() -> None:
    span = Span(date(2024, 12, 30), date(2026, 1, 2))
    year_2024 = packed([0] * 364 + [5, 7])
    year_2026 = packed([2])
    counts = sum_windows([year_2024, None, year_2026], Grain.DAY, span)
    assert len(counts) == span.days
    assert counts.nonzero()[0].tolist() == [0, 1, 2 + 365]
    assert counts[[0, 1, 367]].tolist() == [5, 7, 2]


def test_several_series_add_up() -> None:
    span = Span(date(2026, 1, 1), date(2026, 1, 1))
    raws = [packed([1, 2, 3]), packed([10]), None]
    assert sum_windows(raws, Grain.HOUR, span).tolist() == [11, 2, 3] + [0] * 21


def test_a_count_of_32_bits_is_not_a_negative_one() -> None:
    span = Span(date(2026, 1, 1), date(2026, 1, 1))
    largest = packed([2**32 - 1])
    assert sum_windows([largest, largest], Grain.DAY, span).tolist() == [2 * (2**32 - 1)]
