"""Writes a labelled corpus of made-up tickets as CSV."""

import csv
import gzip
import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import track

from services.simulator.domain.arrivals import DAY
from services.simulator.domain.helpdesk import Helpdesk
from shared.queues import QueueDirectory

COLUMNS = (
    "ticket_id", "created_at", "requester", "channel", "queue", "language",
    "subject", "body", "text", "topic", "priority",
)  # fmt: skip


def write_corpus(
    path: Path, directory: QueueDirectory, *, seed: int, tickets: int, days: float
) -> None:
    """`tickets` rows over about `days` simulated days, in order of time; .gz is compressed.

    The same arguments give the same bytes.
    """
    helpdesk = Helpdesk(
        seed, directory, rate=tickets / (days * DAY), new_topic_after=days * DAY / 2
    )
    console = Console(stderr=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open(path) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        written = itertools.islice(helpdesk, tickets)
        for ticket in track(
            written, "writing tickets", tickets, console=console, disable=not console.is_terminal
        ):
            rows.writerow(
                ticket.created_at.isoformat() if column == "created_at" else _value(ticket, column)
                for column in COLUMNS
            )
    console.print(f"{tickets} tickets in {path}")


def _value(ticket: object, column: str) -> str:
    value = getattr(ticket, column)
    return "" if value is None else str(value)


@contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    if path.suffix != ".gz":
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    # No name and no time in the header, so that equal corpora are equal files.
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
    ):
        yield file
