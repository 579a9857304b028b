"""Spans, moments and schedules."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.classifier.commands.times import daily, every, moment
from shared.clock import utc_now

TEN = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def test_again_after_a_span() -> None:
    assert every("24h").next(TEN) == TEN + timedelta(days=1)


@pytest.mark.parametrize("text", ["", "0h", "24", "h", "-1d", "1w"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        every(text)


@pytest.mark.parametrize(
    ("text", "hours"), [("12:30", 2.5), ("02:00", 16.0), ("10:00", 24.0), ("10:00:01", 1 / 3600)]
)
def test_every_day_at_a_time(text: str, hours: float) -> None:
    assert daily(text).next(TEN) == TEN + timedelta(hours=hours)


def test_a_time_of_day_is_utc() -> None:
    east = TEN.astimezone(timezone(timedelta(hours=9)))
    assert daily("12:30").next(east) == TEN + timedelta(hours=2.5)


@pytest.mark.parametrize("text", ["", "25:00", "noon"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        daily(text)


def test_a_moment_is_a_span_back_or_an_iso_time() -> None:
    assert timedelta(minutes=29) < utc_now() - moment("30m") < timedelta(minutes=31)
    assert moment("2026-03-01T12:00+02:00") == TEN


@pytest.mark.parametrize("text", ["yesterday", "2026-03-01T12:00", "5s"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="neither a span"):
        moment(text)
