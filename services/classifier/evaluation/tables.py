"""Labelled tickets in a CSV file, plain or gzipped."""

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from services.classifier.domain.labelling import ticket_text
from shared.errors import Misconfigured

# A cell may be a whole e-mail thread; the csv module's own limit is 128 kB.
MAX_CELL_CHARACTERS = 16 * 1024 * 1024


class UnusableData(Misconfigured):
    """A file that cannot be learned from or judged on; the message says what to change."""

    code = "unusable-data"


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a file hold what. `label` None reads texts alone."""

    text: str
    label: str | None = None
    subject: str | None = None
    priority: str | None = None


@dataclass(frozen=True, slots=True)
class LabelledTickets:
    """Rows in file order; lists of equal length, empty where no such column was asked for.

    rows: zero-based numbers in the file; skipped: rows left out for want of a label.
    """

    rows: list[int]
    texts: list[str]
    labels: list[str]
    priorities: list[str]
    skipped: int

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Sequence[int]) -> "LabelledTickets":
        """Only these positions, in this order."""
        return LabelledTickets(
            [self.rows[i] for i in rows],
            [self.texts[i] for i in rows],
            [self.labels[i] for i in rows] if self.labels else [],
            [self.priorities[i] for i in rows] if self.priorities else [],
            self.skipped,
        )


def read_tickets(path: Path, columns: Columns) -> LabelledTickets:
    """Read a CSV or CSV.gz with a header row, UTF-8 (bad bytes are replaced).

    Raises UnusableData when the file, a column or every row is missing.
    """
    try:
        with _opened(path) as file:
            return _parse(path, file, columns)
    except FileNotFoundError as fault:
        raise UnusableData(f"there is no file {path}; check the path") from fault
    except (gzip.BadGzipFile, EOFError) as fault:
        raise UnusableData(f"{path} is not a whole gzip file; fetch it again") from fault
    except IsADirectoryError as fault:
        raise UnusableData(f"{path} is a folder; name a CSV or CSV.gz file in it") from fault


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(
            gzip.open(path, "rb"), encoding="utf-8-sig", errors="replace", newline=""
        )
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _parse(path: Path, file: TextIO, columns: Columns) -> LabelledTickets:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = csv.reader(file)
    header = next(reader, None)
    if header is None:
        raise UnusableData(f"{path} is empty; its first line must name the columns")
    text = _position(path, header, columns.text)
    label, subject, priority = (
        None if name is None else _position(path, header, name)
        for name in (columns.label, columns.subject, columns.priority)
    )
    tickets = LabelledTickets([], [], [], [], 0)
    skipped = 0
    for number, cells in enumerate(reader):
        wanted = [
            "" if position is None or position >= len(cells) else cells[position]
            for position in (text, label, subject, priority)
        ]
        topic, urgency = wanted[1].strip(), wanted[3].strip()
        if (label is not None and not topic) or (priority is not None and not urgency):
            skipped += 1
            continue
        tickets.rows.append(number)
        tickets.texts.append(ticket_text(wanted[2], wanted[0]))
        if label is not None:
            tickets.labels.append(topic)
        if priority is not None:
            tickets.priorities.append(urgency)
    if not tickets.texts:
        raise UnusableData(f"{path} holds no labelled row; check --text and --label")
    return LabelledTickets(tickets.rows, tickets.texts, tickets.labels, tickets.priorities, skipped)


def _position(path: Path, header: list[str], name: str) -> int:
    try:
        return header.index(name)
    except ValueError:
        known = ", ".join(repr(column) for column in header)
        raise UnusableData(f"{path} has no column {name!r}; its columns are {known}") from None
