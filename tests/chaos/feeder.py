"""A client as it should be: posts arrays, repeats with the same ids until it gets its 202."""

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx

from shared.topics import partition_of
from tests.chaos.ledger import Ledger

QUEUES = ("IT/Network/VPN", "IT/Hardware", "HR/Payroll", "Billing", "Facilities/Keys", None)
WORDS = ("vpn", "laptop", "password", "invoice", "wifi", "battery", "login", "refund", "dns")
RETRY_SECONDS = 0.25
ANSWER_SECONDS = 10.0
Ticket = dict[str, str]


def tickets(prefix: str, count: int, seed: int, newest: datetime | None = None) -> list[Ticket]:
    """`count` tickets of the three days before `newest` (now), the same ones for a seed."""
    draw = random.Random(f"{prefix}-{seed}")
    newest = newest or datetime.now(UTC)
    return [_ticket(f"{prefix}-{seed}-{n}", draw, newest) for n in range(count)]


def _ticket(name: str, draw: random.Random, newest: datetime) -> Ticket:
    created = newest - timedelta(seconds=draw.randrange(3 * 86_400))
    made = {
        "event_id": f"{name}-e",
        "ticket_id": name,
        "created_at": created.isoformat(timespec="milliseconds"),
        "subject": f"{draw.choice(WORDS)} {draw.choice(WORDS)}",
        "body": f"the {draw.choice(WORDS)} is broken since {draw.randrange(24)} o'clock",
        "requester": f"user{draw.randrange(500)}",
    }
    queue = draw.choice(QUEUES)
    return made | ({"queue": queue} if queue else {})


def one_per_partition(prefix: str, partitions: int) -> list[Ticket]:
    """Tickets so named that each partition gets exactly one."""
    draw = random.Random(prefix)
    now = datetime.now(UTC)
    found: dict[int, Ticket] = {}
    number = 0
    while len(found) < partitions:
        ticket = _ticket(f"{prefix}-{number}", draw, now)
        found.setdefault(partition_of(ticket["ticket_id"], partitions), ticket)
        number += 1
    return list(found.values())


class Client:
    """One connection pool to ingest; every answer goes into the ledger."""

    def __init__(self, ingest: str, ledger: Ledger) -> None:
        self._http = httpx.Client(base_url=ingest, timeout=ANSWER_SECONDS)
        self._ledger = ledger

    def post(self, batch: list[Ticket]) -> int | None:
        """One attempt: the status, or None without an answer."""
        started = time.monotonic()
        try:
            answer = self._http.post("/v1/events", json=batch)
        except httpx.HTTPError as fault:
            self._ledger.note_silence(timed_out=isinstance(fault, httpx.ReadTimeout))
            return None
        seconds = time.monotonic() - started
        self._ledger.note(answer.status_code, seconds, answer.headers.get("retry-after"))
        if answer.status_code == 202:
            self._ledger.accept(batch)
        return answer.status_code

    def close(self) -> None:
        self._http.close()


class Feeder(threading.Thread):
    """Posts `work` at `rate` tickets per second in the background, each batch until its 202."""

    def __init__(
        self, ingest: str, ledger: Ledger, work: list[Ticket], *, rate: float, batch: int
    ) -> None:
        super().__init__(name="feeder", daemon=True)
        self._client = Client(ingest, ledger)
        self._work = work
        self._rate = rate
        self._batch = batch
        self._stopped = threading.Event()
        self.done = 0
        self.refusal: str | None = None

    @property
    def share(self) -> float:
        """How much of the work was accepted, 0 to 1."""
        return self.done / len(self._work)

    def run(self) -> None:
        started = time.monotonic()
        for batch in self._batches():
            # An open loop: a stall is caught up with afterwards, as real senders do.
            self._stopped.wait(max(0.0, started + self.done / self._rate - time.monotonic()))
            if not self._deliver(batch):
                break
            self.done += len(batch)
        self._client.close()

    def stop(self) -> None:
        self._stopped.set()

    def _batches(self) -> Iterator[list[Ticket]]:
        for at in range(0, len(self._work), self._batch):
            yield self._work[at : at + self._batch]

    def _deliver(self, batch: list[Ticket]) -> bool:
        while not self._stopped.is_set():
            status = self._client.post(batch)
            if status == 202:
                return True
            if status not in {None, 503}:
                self.refusal = f"ingest answered {status} to a valid batch"
                return False
            self._stopped.wait(RETRY_SECONDS)
        return False
