"""The job all engines do, and the clock that times them from the first record to the last."""

import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn

import numpy as np
import orjson

from services.classifier.domain.decoding import decode, split
from services.classifier.domain.labelling import HeadScores, Labelling, ModelIdentity
from services.classifier.domain.records import labelled, skipped

# (offset, value) in, values out.
Job = Callable[[Sequence[tuple[int, bytes | None]]], Iterable[bytes]]
TOPICS = tuple(f"topic {n}" for n in range(14))
PRIORITIES = ("low", "normal", "high", "urgent")
IDENTITY = ModelIdentity("constant", "1", "0" * 64)


class ConstantLabeller:
    """A label function that costs nothing: the first class, always."""

    identity = IDENTITY

    def label(self, texts: Sequence[str]) -> Labelling:
        return Labelling(_constant(TOPICS, len(texts)), _constant(PRIORITIES, len(texts)))


def _constant(classes: tuple[str, ...], rows: int) -> HeadScores:
    probabilities = np.full((rows, len(classes)), 0.1 / (len(classes) - 1), np.float32)
    probabilities[:, 0] = 0.9
    return HeadScores(classes, probabilities)


def small(records: Sequence[tuple[int, bytes | None]]) -> Iterable[bytes]:
    """Decode 160 bytes of JSON, encode 60: what moving a record costs, and little else."""
    for offset, value in records:
        event = orjson.loads(value or b"{}")
        yield orjson.dumps({"so": offset, "t": event["ticket_id"], "q": event["queue"]})


def ticket(records: Sequence[tuple[int, bytes | None]]) -> Iterable[bytes]:
    """Validate a TicketReceived, encode a TicketLabelled: what the classifier does."""
    tickets, refused = split([decode(offset, None, value) for offset, value in records])
    answer = ConstantLabeller().label([""] * len(tickets))
    yield from labelled(tickets, answer, IDENTITY, datetime.now(UTC))
    yield from map(skipped, refused)


JOBS: dict[str, Job] = {"small": small, "ticket": ticket}


@dataclass
class Arguments:
    """The command line of an engine."""

    job: str
    bootstrap: str
    source: str
    target: str
    count: int
    run: Job = field(init=False)
    group: str = field(init=False)

    def __post_init__(self) -> None:
        self.run = JOBS[self.job]
        self.group = f"bench-{os.getpid()}"

    @classmethod
    def read(cls) -> "Arguments":
        job, bootstrap, source, target, count = sys.argv[1:]
        return cls(job, bootstrap, source, target, int(count))


class Stopwatch:
    """Counts delivered records and ends the process with its figures after `count` of them."""

    def __init__(self, count: int) -> None:
        self._left = self._count = count
        self._begun: tuple[float, float] | None = None

    def begin(self) -> None:
        """At the first record; later calls change nothing."""
        if self._begun is None:
            self._begun = (time.process_time(), time.perf_counter())

    def delivered(self, records: int) -> None:
        self._left -= records
        if self._left <= 0:
            self._finish()

    def _finish(self) -> NoReturn:
        cpu, wall = self._begun or (0.0, 0.0)
        figures = {
            "records": self._count - self._left,
            "cpu_seconds": time.process_time() - cpu,
            "wall_seconds": time.perf_counter() - wall,
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(orjson.dumps(figures).decode(), flush=True)
        # Nothing to clean up: the group is never used again.
        os._exit(0)
