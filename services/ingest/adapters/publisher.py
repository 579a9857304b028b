"""The log as ingest sees it: messages go in, and it answers once they are safe."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.ingest.domain.admission import Message
from shared.errors import Unavailable
from shared.topics import Topic, partition_of

# What a record costs beside its value: key, batch entry, bookkeeping.
RECORD_OVERHEAD_BYTES = 512
RETRY_AFTER_SECONDS = 2


class Publisher(Protocol):
    """A log that keeps what it acknowledged. Implementations pass one contract test class."""

    async def start(self) -> None:
        """Begin to connect; returns even when the log does not answer yet."""
        ...

    async def stop(self) -> None:
        """Deliver what is under way for a bounded time and let go."""
        ...

    async def publish(self, topic: Topic, messages: Sequence[Message]) -> None:
        """Return once all of `messages` are acknowledged, in their order per ticket.

        Raises Unavailable within a bounded time. Some messages may still arrive later then, which
        is why the client repeats them with the same event ids.
        """
        ...

    async def check(self) -> str | None:
        """None when the log answers now, else the reason in words."""
        ...


@dataclass(slots=True)
class InFlight:
    """Bounds what waits for an acknowledgement, so that a silent broker cannot fill the memory."""

    max_events: int
    max_bytes: int
    events: int = 0
    size: int = 0

    def admit(self, messages: Sequence[Message]) -> None:
        """Count them in, or raise Unavailable when they would exceed a limit."""
        events = len(messages)
        size = sum(map(cost, messages))
        if self.events + events > self.max_events or self.size + size > self.max_bytes:
            raise Unavailable(
                f"{self.events} events already wait for Kafka; repeat the request later",
                RETRY_AFTER_SECONDS,
            )
        self.events += events
        self.size += size

    def release(self, message: Message) -> None:
        """Count one out: acknowledged, failed or given up."""
        self.events -= 1
        self.size -= cost(message)


def cost(message: Message) -> int:
    """Bytes a message is taken to hold while it waits."""
    return len(message.value) + RECORD_OVERHEAD_BYTES


class Kept(NamedTuple):
    """A record as a log holds it."""

    partition: int
    key: str
    value: bytes


class InMemoryPublisher:
    """A log in this process, for tests and dry runs. `outage` is the reason why it is away."""

    def __init__(
        self, partitions: int, in_flight: InFlight | None = None, outage: str | None = None
    ) -> None:
        self._partitions = partitions
        self._in_flight = in_flight or InFlight(max_events=20_000, max_bytes=2**26)
        self.outage = outage
        self._stopped = False
        self.topics: defaultdict[str, list[Kept]] = defaultdict(list)

    async def start(self) -> None:
        self._stopped = False

    async def stop(self) -> None:
        self._stopped = True

    async def publish(self, topic: Topic, messages: Sequence[Message]) -> None:
        if reason := await self.check():
            raise Unavailable(reason, RETRY_AFTER_SECONDS)
        self._in_flight.admit(messages)
        count = topic.partitions(self._partitions)
        for message in messages:
            partition = partition_of(message.ticket_id, count)
            self.topics[topic.name].append(Kept(partition, message.ticket_id, message.value))
            self._in_flight.release(message)

    async def check(self) -> str | None:
        return "the publisher is stopped" if self._stopped else self.outage
