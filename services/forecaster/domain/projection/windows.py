"""How arrivals are counted: increments of packed windows, each key touched once per batch."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from services.forecaster.domain.projection.commands import (
    ITEMS_PER_COMMAND,
    Argument,
    Command,
    runs,
)
from shared import redis_keys as keys
from shared.windows import DAY_SECONDS, MINUTE_SECONDS, Dimension, Grain, cell_of, period_of

# (dimension, value) to minutes since the epoch to how many tickets fell on them.
Arrivals = dict[tuple[Dimension, str], dict[int, int]]
# Touched with every increment: a string that grows hour by hour takes twice its length (69.6 KB a
# year, measured), one that begins at its full length just that (35 KB).
LAST_HOUR = 366 * 24 - 1


def window_commands(arrivals: Arrivals, minute_seconds: int, now: datetime) -> Iterator[Command]:
    """BITFIELD increments per series, grain and period, each key touched once per batch.

    A ticket counts in the window of its own time, however late it arrives; only minutes older
    than their retention are left out, since their strings are gone.
    """
    fresh = now.timestamp() - minute_seconds
    places: dict[int, list[tuple[Grain, str, int]]] = {}
    series: dict[str, list[str]] = {}
    for (dimension, value), minutes in arrivals.items():
        series.setdefault(keys.series(dimension), []).append(value)
        windows: dict[tuple[Grain, str], dict[int, int]] = {}
        for minute, count in minutes.items():
            if minute not in places:
                places[minute] = _places(minute, fresh)
            for grain, period, cell in places[minute]:
                cells = windows.setdefault((grain, period), {})
                cells[cell] = cells.get(cell, 0) + count
        for (grain, period), cells in windows.items():
            key = keys.load(grain, period, dimension, value)
            if grain is Grain.HOUR:
                cells.setdefault(LAST_HOUR, 0)
            yield from increments(key, cells)
            if grain is Grain.MINUTE:
                yield ("EXPIRE", key, minute_seconds + DAY_SECONDS)
    for name, members in series.items():
        yield ("SADD", name, *members)


def _places(minute: int, fresh: float) -> list[tuple[Grain, str, int]]:
    """The windows of every grain that a minute lies in; no minute window once that is stale."""
    seconds = minute * MINUTE_SECONDS
    moment = datetime.fromtimestamp(seconds, UTC)
    return [
        (grain, period_of(grain, moment), cell_of(grain, moment))
        for grain in Grain
        if grain is not Grain.MINUTE or seconds >= fresh
    ]


def increments(key: str, counts: Mapping[int, int]) -> Iterator[Command]:
    """Add `counts` by cell to a packed string."""
    for run in runs(sorted(counts.items()), ITEMS_PER_COMMAND):
        operations: list[Argument] = []
        for cell, count in run:
            operations += ("INCRBY", "u32", f"#{cell}", count)
        # Saturates instead of wrapping to zero; no queue gets four thousand million tickets.
        yield ("BITFIELD", key, "OVERFLOW", "SAT", *operations)
