"""What is posted when: made-up tickets or the rows of a file, on one schedule."""

import csv
import gzip
import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from services.simulator.domain.arrivals import DAY, EPOCH
from services.simulator.domain.helpdesk import Helpdesk
from services.simulator.domain.tickets import Ticket
from shared.errors import Misconfigured
from shared.queues import QueueDirectory

# Ingest takes 1,000 and 100,000 characters; real files have rows beyond that.
MAX_BODY = 100_000


@dataclass(frozen=True, slots=True)
class Planned:
    """A ticket due `at` seconds after the start, and its truth."""

    at: float
    ticket_id: str
    topic: str
    priority: str | None
    # The event but for its ids and its time.
    content: dict[str, str] = field(default_factory=dict)


def made_up(
    directory: QueueDirectory,
    *,
    seed: int,
    rate: float,
    day: float | None,
    level_day: float,
    new_topic_after: float,
) -> Iterator[Planned]:
    """Endless made-up tickets, `rate` a second on average.

    day: real seconds of a simulated day whose hours the load follows; None: level load, with
    incidents as in a day of `level_day` seconds. new_topic_after: real seconds.
    """
    speed = DAY / (day or level_day)
    helpdesk = Helpdesk(
        seed,
        directory,
        rate=rate / speed,
        new_topic_after=new_topic_after * speed,
        seasonal=day is not None,
    )
    for ticket in helpdesk:
        yield Planned(
            (ticket.created_at - EPOCH).total_seconds() / speed,
            ticket.ticket_id,
            ticket.topic,
            ticket.priority,
            _content(ticket),
        )


def _content(ticket: Ticket) -> dict[str, str]:
    fields = ("requester", "channel", "queue", "language", "subject", "body")
    return {name: value for name in fields if (value := getattr(ticket, name))}


def replayed(
    path: Path, *, text: str, label: str, skip: float, rate: float, seed: int
) -> tuple[int, Iterator[Planned]]:
    """Number and plan of the rows after the first `skip` share, in their order.

    Raises Misconfigured when the file or a column is not there.
    """
    count = sum(1 for _ in _rows(path, text, label))
    first = int(count * skip)
    if count == first:
        raise Misconfigured(f"{path} has {count} rows; nothing is left after skipping {skip:.0%}")

    def plan() -> Iterator[Planned]:
        rng = random.Random(f"{seed}:replay")
        at = 0.0
        rows = itertools.islice(_rows(path, text, label), first, None)
        for number, (body, topic) in enumerate(rows, first + 1):
            at += rng.expovariate(rate)
            content = {"body": body[:MAX_BODY], "channel": "replay"}
            yield Planned(at, f"R-{number:07d}", topic, None, content)

    return count - first, plan()


def _rows(path: Path, text: str, label: str) -> Iterator[tuple[str, str]]:
    with _open(path) as file:
        rows = csv.DictReader(file)
        for column in (text, label):
            if column not in (rows.fieldnames or ()):
                found = ", ".join(rows.fieldnames or ())
                raise Misconfigured(f"{path} has no column {column!r}; it has: {found}")
        for row in rows:
            yield row[text] or "", row[label] or ""


@contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    csv.field_size_limit(2**31 - 1)
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                yield file
        else:
            with path.open(encoding="utf-8", newline="") as file:
                yield file
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Misconfigured(f"{path} cannot be read as CSV: {error}") from error
