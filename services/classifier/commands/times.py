"""Times as people type them: spans, moments, and when to do a thing again."""

import argparse
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from shared.clock import utc_now

SPAN = re.compile(r"(\d+)([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Every:
    """Again so long after the beginning of the last time."""

    span: timedelta

    def next(self, begun: datetime) -> datetime:
        """When to begin again."""
        return begun + self.span


@dataclass(frozen=True, slots=True)
class Daily:
    """Every day at this time, UTC."""

    at: time

    def next(self, begun: datetime) -> datetime:
        """When to begin again."""
        day = begun.astimezone(UTC)
        found = datetime.combine(day.date(), self.at, UTC)
        return found if found > day else found + timedelta(days=1)


Schedule = Every | Daily


def moment(text: str) -> datetime:
    """A time span back from now or an ISO time with an offset, for argparse."""
    if match := SPAN.fullmatch(text):
        return utc_now() - timedelta(**{UNITS[match[2]]: int(match[1])})
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a span (30m, 2h, 7d) nor an ISO time with a UTC offset"
        )
    return when


def every(text: str) -> Every:
    """`24h`, for argparse."""
    match = SPAN.fullmatch(text)
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no span of time; write 30m, 24h or 7d")
    return Every(timedelta(**{UNITS[match[2]]: int(match[1])}))


def daily(text: str) -> Daily:
    """`02:00`, for argparse."""
    try:
        return Daily(time.fromisoformat(text).replace(tzinfo=None))
    except ValueError as fault:
        raise argparse.ArgumentTypeError(f"{text!r} is no time of day; write 02:00") from fault
