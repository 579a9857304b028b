"""Uploaded CSV files: both layouts, read as a stream, accepted whole or not at all."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from services.forecaster.domain.forecasting.series import (
    Frequency,
    History,
    day_number,
    from_points,
)
from services.forecaster.domain.uploads.tree import QueueTree, TreeError

TICKET_COLUMNS = ("queueid", "date", "new_tickets")
HIERARCHY_COLUMNS = ("queueid", "level", "immediatedescendants", "alldescendants")
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
# More tickets of one queue in one day than any helpdesk has; a misplaced column, not a count.
MOST_TICKETS = 10_000_000
MOST_PROBLEMS = 20
_PROGRESS_EVERY = 50_000
_DATES = ("%d.%m.%Y", "%Y-%m-%d")

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line of a file (1 = header) and what is wrong with it."""

    line: int
    reason: str


class UploadError(ValueError):
    """A file that was refused; `rows` names the first bad lines. Nothing of it was loaded."""

    def __init__(self, rows: list[BadRow], total: int | None = None) -> None:
        """rows: the first problems, at most MOST_PROBLEMS; total: how many there are."""
        self.rows = rows
        self.total = len(rows) if total is None else total
        shown = "; ".join(f"line {row.line}: {row.reason}" for row in rows[:3])
        more = f" (and {self.total - 3} more)" if self.total > 3 else ""
        super().__init__(shown + more)


def read_tickets(lines: Iterable[str], progress: Progress | None = None) -> dict[int, History]:
    """Daily histories by queue from `queueId;date;new_tickets`, dates dd.mm.yyyy or ISO.

    lines: decoded lines of the file; held in memory are only the counts. progress: called with
    the number of lines read, now and then. Days between a queue's first and last that have no
    row are gaps. Raises UploadError.
    """
    counts: dict[int, dict[int, float]] = {}

    def take(row: list[str]) -> None:
        queue, day, tickets = _whole(row[0], "queueId"), _date(row[1]), _count(row[2])
        days = counts.setdefault(queue, {})
        if day in days:
            raise ValueError(f"queue {queue} has the date {row[1].strip()} twice")
        days[day] = tickets

    _each_row(lines, TICKET_COLUMNS, take, progress)
    return {
        queue: from_points(Frequency.DAILY, days.items()) for queue, days in sorted(counts.items())
    }


def read_hierarchy(lines: Iterable[str], progress: Progress | None = None) -> QueueTree:
    """The tree from `queueId,level,immediateDescendants,allDescendants`.

    Descendants are ids in any notation ("[2, 3]", "2 3"); allDescendants, where given, must agree
    with the immediate ones. Levels are computed, not believed. Raises UploadError.
    """
    rows: dict[int, tuple[int, int, list[int], set[int]]] = {}

    def take(row: list[str]) -> None:
        queue = _whole(row[0], "queueId")
        if queue in rows:
            raise ValueError(f"queue {queue} appears twice")
        line = len(rows) + 2
        rows[queue] = (line, _whole(row[1], "level"), _ids(row[2]), set(_ids(row[3])))

    _each_row(lines, HIERARCHY_COLUMNS, take, progress)
    parents: dict[int, int | None] = dict.fromkeys(rows)
    for queue, (line, _, children, _) in rows.items():
        for child in children:
            if parents.setdefault(child) is not None:
                raise UploadError([BadRow(line, f"queue {child} has two parents")])
            parents[child] = queue
    try:
        tree = QueueTree(parents)
    except TreeError as error:
        raise UploadError([BadRow(2, str(error))]) from error
    problems = [
        BadRow(line, f"allDescendants of queue {queue} disagree with immediateDescendants")
        for queue, (line, _, _, below) in rows.items()
        if below and below != set(tree.descendants(queue))
    ]
    if problems:
        raise UploadError(problems[:MOST_PROBLEMS], len(problems))
    return tree


def _each_row(
    lines: Iterable[str],
    columns: tuple[str, ...],
    take: Callable[[list[str]], None],
    progress: Progress | None,
) -> None:
    """Feed rows in the order of `columns`; collect what `take` refuses and raise it at the end."""
    problems: list[BadRow] = []
    total = 0
    for line, row in _rows(lines, columns):
        try:
            take(row)
        except ValueError as error:
            total += 1
            if len(problems) < MOST_PROBLEMS:
                problems.append(BadRow(line, str(error)))
        if progress is not None and line % _PROGRESS_EVERY == 0:
            progress(line)
    if problems:
        raise UploadError(problems, total)


def _rows(lines: Iterable[str], columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    stream = iter(lines)
    header = next(stream, "").lstrip("\ufeff").strip()
    delimiter = ";" if header.count(";") >= header.count(",") else ","
    names = [name.strip().strip('"').lower() for name in header.split(delimiter)]
    missing = [name for name in columns if name not in names]
    if missing:
        wanted = delimiter.join(columns)
        raise UploadError([BadRow(1, f"no column {missing[0]!r}; the header must be {wanted}")])
    places = [names.index(name) for name in columns]
    reader = csv.reader(stream, delimiter=delimiter)
    empty = True
    for row in reader:
        if not row:
            continue
        empty = False
        # A short row keeps its place as an empty field, which no column accepts.
        yield reader.line_num + 1, [row[place] if place < len(row) else "" for place in places]
    if empty:
        raise UploadError([BadRow(2, "the file has no rows")])


def _whole(text: str, column: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise ValueError(f"{column} must be a whole number, not {text.strip()!r}") from None
    if value < 0:
        raise ValueError(f"{column} must not be negative, not {value}")
    return value


def _count(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"new_tickets must be a number, not {text.strip()!r}") from None
    if not 0 <= value <= MOST_TICKETS or value != int(value):
        raise ValueError(f"new_tickets must be a whole number of 0 to {MOST_TICKETS}, not {text!r}")
    return value


def _date(text: str) -> int:
    for form in _DATES:
        try:
            day = datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 (a calendar date)
        except ValueError:
            continue
        if EARLIEST <= day <= LATEST:
            return day_number(day)
        raise ValueError(f"date {day} is outside {EARLIEST} to {LATEST}")
    raise ValueError(f"date must be dd.mm.yyyy, not {text.strip()!r}")


def _ids(text: str) -> list[int]:
    if re.search(r"[^\d\s,;|\[\](){}'\"]", text):
        raise ValueError(f"descendants must be queue ids, not {text.strip()!r}")
    return [int(number) for number in re.findall(r"\d+", text)]
