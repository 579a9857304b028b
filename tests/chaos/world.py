"""A running system with a client that feeds it and a judge."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import httpx
import orjson

from shared import redis_keys as keys
from shared.topics import CORRECTED, LABELLED, RECEIVED
from tests.chaos import logbook
from tests.chaos.checker import Verdict, judge
from tests.chaos.feeder import Client, Feeder, Ticket, one_per_partition, tickets
from tests.chaos.fleet import PATIENCE, Fleet, Setup
from tests.chaos.ledger import Ledger

__all__ = ["Setup", "World"]


class World(Fleet):
    """A context: everything runs inside, nothing of it after.

    recoveries: seconds, see `recover`. notes: numbers that a row found worth showing.
    """

    def __init__(
        self,
        setup: Setup,
        directory: Path,
        models: Path,
        seed: int,
        announce: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(setup, directory, models, announce)
        self.seed = seed
        self.rng = random.Random(seed)
        self.ledger = Ledger()
        self.recoveries: list[float] = []
        self.notes: dict[str, float] = {}
        self._names = iter(range(1_000_000))

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bootstrap(self) -> str:
        return self.broker.bootstrap_servers

    # -- work ------------------------------------------------------------------------------------

    def tickets(self, count: int, newest: datetime | None = None) -> list[Ticket]:
        """New tickets, named so that no other of this world is the same."""
        return tickets(f"t{next(self._names)}", count, self.seed, newest)

    def post(self, batch: list[Ticket]) -> int | None:
        """One request; its status, or None without an answer."""
        client = Client(self.url("ingest"), self.ledger)
        try:
            return client.post(batch)
        finally:
            client.close()

    def append(
        self, values: list[bytes | None], partition: int, key: bytes = b"past-ingest"
    ) -> list[int]:
        """Write onto tickets.received.v1, past ingest; the offsets."""
        return asyncio.run(logbook.append(self.bootstrap, RECEIVED, values, partition, key))

    @contextmanager
    def feeding(
        self, work: list[Ticket] | int, rate: float = 150.0, batch: int = 25
    ) -> Iterator[Feeder]:
        """Post in the background; at the end wait until all of it was accepted."""
        work = self.tickets(work) if isinstance(work, int) else work
        feeder = Feeder(self.url("ingest"), self.ledger, work, rate=rate, batch=batch)
        feeder.start()
        try:
            yield feeder
            self.until(lambda: not feeder.is_alive(), "everything is accepted", 2 * PATIENCE)
        finally:
            feeder.stop()
            feeder.join(PATIENCE)
        assert feeder.refusal is None, feeder.refusal

    def reach(self, feeder: Feeder, share: float) -> None:
        """Wait until that share of the feeder's work was accepted."""
        self.until(lambda: feeder.share >= share or not feeder.is_alive(), f"{share:.0%} accepted")

    def recover(self, within: float = PATIENCE) -> float:
        """Seconds from now until a ticket of every partition was accepted and is readable."""
        started = time.monotonic()
        probes = one_per_partition(f"p{next(self._names)}-{self.seed}", self.setup.partitions)
        self.until(lambda: self.post(probes) == 202, "ingest accepts", within)
        names = [keys.ticket(probe["ticket_id"]) for probe in probes]
        left = started + within - time.monotonic()
        self.until(lambda: self.store.exists(*names) == len(names), "all partitions flow", left)
        self.recoveries.append(time.monotonic() - started)
        return self.recoveries[-1]

    # -- judgement -------------------------------------------------------------------------------

    def totals(self) -> Mapping[str, int]:
        """The projection's own totals, for progress only: the judge recomputes them."""
        stored = self.store.hgetall(keys.TOTALS)
        return {name.decode(): int(value) for name, value in stored.items()}

    def served(self, ticket_id: str) -> bool:
        """Does the gateway know the ticket?"""
        answer = httpx.get(f"{self.url('gateway')}/api/v1/tickets/{ticket_id}", timeout=5)
        return answer.status_code == 200

    def at_rest(self) -> bool:
        """Is all that was received labelled, and all that was labelled or corrected in Redis?"""
        ends = asyncio.run(logbook.ends(self.bootstrap, [RECEIVED, LABELLED, CORRECTED]))
        corrected = self.store.hget(keys.position(CORRECTED.name, 0), "offset")
        if int(corrected or 0) != ends[CORRECTED.name, 0]:
            return False
        for topic, partition in ends:
            if topic != LABELLED.name:
                continue
            stored = self.store.hmget(keys.position(topic, partition), ["offset", "source"])
            offset = 0 if stored[0] is None else int(stored[0])
            source = -1 if stored[1] is None else int(stored[1])
            if (offset, source) != (ends[topic, partition], ends[RECEIVED.name, partition] - 1):
                return False
        return True

    def settle(self) -> Verdict:
        """Wait until everything came to rest, then judge."""
        self.until(self.at_rest, "everything received is labelled and in Redis")
        return asyncio.run(judge(self.bootstrap, self.store, self.ledger))


def received(ticket: Ticket, **extra: object) -> bytes:
    """A ticket as ingest writes it onto the topic; `extra` fields are added."""
    return orjson.dumps(ticket | {"received_at": datetime.now(UTC)} | extra)
