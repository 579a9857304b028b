"""Reading the series a backtest judges: CSV (plain or gzip) with unique_id, ds, y."""

import csv
import gzip
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.hierarchy import Hierarchy, HierarchyError
from services.forecaster.domain.forecasting.series import (
    FloatArray,
    Frequency,
    History,
    IntArray,
    SeriesError,
    day_number,
    from_points,
    hour_number,
)

COLUMNS = ("unique_id", "ds", "y")
_CHILD, _PARENT = ("unique_id", "child", "id"), ("parent_id", "parent")


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """The series of a file. naive: its stamps carry no UTC offset."""

    series: dict[str, History]
    naive: bool


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """A text file, unpacked where its name ends in .gz; SeriesError where it cannot be read."""
    try:
        with path.open("rb") as raw:
            packed = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            with io.TextIOWrapper(packed, encoding="utf-8-sig", newline="") as file:
                yield file
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise SeriesError(f"{path} is not UTF-8 text: {error}") from error
    except OSError as error:
        raise SeriesError(f"cannot read {path}: {error.strerror or error}") from error


def read_series(path: Path, frequency: Frequency) -> SeriesFile:
    """All series of a file; SeriesError names the first line that cannot be used."""
    points: dict[str, list[tuple[int, float]]] = {}
    naive = True
    with opened(path) as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise SeriesError(f"{path}: line 1: no column {missing[0]!r}; need unique_id, ds, y")
        for row in reader:
            try:
                name, step, count, bare = _point(row, frequency)
            except ValueError as error:
                raise SeriesError(f"{path}: line {reader.line_num}: {error}") from error
            naive &= bare
            if not math.isnan(count):
                points.setdefault(name, []).append((step, count))
    if not points:
        raise SeriesError(f"{path}: no rows after the header")
    return SeriesFile(
        {name: _series(path, name, frequency, points[name]) for name in points}, naive
    )


def _point(row: dict[str, str | None], frequency: Frequency) -> tuple[str, int, float, bool]:
    if None in row.values() or None in row:
        raise ValueError("wrong number of columns")
    name, stamp, text = (str(row[column]).strip() for column in COLUMNS)
    if not name:
        raise ValueError("unique_id is empty")
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        raise ValueError(f"ds {stamp!r} is not an ISO date or time") from None
    count = float(text) if text else math.nan
    if math.isinf(count) or count < 0:
        raise ValueError(f"y must be a finite number and not negative, not {text!r}")
    bare = moment.tzinfo is None
    if frequency is Frequency.DAILY:
        return name, day_number(moment.date()), count, bare
    aware = moment.replace(tzinfo=UTC) if bare else moment
    return name, hour_number(aware), count, bare


def _series(
    path: Path, name: str, frequency: Frequency, points: list[tuple[int, float]]
) -> History:
    if len({step for step, _ in points}) < len(points):
        raise SeriesError(
            f"{path}: series {name!r} has the same {frequency.name.lower()} step twice"
        )
    return from_points(frequency, points)


def read_hierarchy(path: Path) -> Hierarchy:
    """A tree from CSV with the columns unique_id and parent_id (empty for a root)."""
    parents: dict[str, str] = {}
    with opened(path) as file:
        reader = csv.DictReader(file)
        name, parent = _column(path, reader, _CHILD), _column(path, reader, _PARENT)
        for row in reader:
            child, above = (row[name] or "").strip(), (row[parent] or "").strip()
            if not child:
                raise SeriesError(f"{path}: line {reader.line_num}: unique_id is empty")
            if child in parents:
                raise SeriesError(f"{path}: line {reader.line_num}: {child!r} has two parents")
            if above:
                parents[child] = above
    try:
        return Hierarchy(parents)
    except HierarchyError as error:
        raise SeriesError(f"{path}: {error}") from error


def _column(path: Path, reader: "csv.DictReader[str]", accepted: tuple[str, ...]) -> str:
    found = next((name for name in accepted if name in (reader.fieldnames or ())), None)
    if found is None:
        raise SeriesError(f"{path}: line 1: need the columns unique_id and parent_id")
    return found


def wall_clock(series: dict[str, History], calendar: Calendar, known_until: int) -> bool:
    """Whether naive hourly stamps follow the zone's wall clock rather than UTC.

    Both readings are tried on the data before `known_until`: the one whose hour-of-week profile
    leaves less variance wins, UTC in a tie. Public data often labels local time as UTC, and
    reading it so costs several percent of accuracy.
    """
    wall, utc = 0.0, 0.0
    for history in series.values():
        past = history.until(known_until)
        known = past.observed
        if known.sum() < 8 * 168:
            continue
        hours = np.arange(past.start, past.end)[known]
        logs = np.log1p(past.values[known])
        wall += _unexplained(logs, Calendar().hour_of_week(hours))
        utc += _unexplained(logs, calendar.hour_of_week(hours))
    return wall < 0.999 * utc


def _unexplained(values: FloatArray, cells: IntArray) -> float:
    seen = np.maximum(np.bincount(cells, minlength=168), 1)
    means = np.bincount(cells, weights=values, minlength=168) / seen
    return float(((values - means[cells]) ** 2).mean() / max(float(values.var()), 1e-12))
