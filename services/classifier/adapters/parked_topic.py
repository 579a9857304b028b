"""tickets.parked.v1 as a list of records that wait for a decision: a port, Kafka, and memory."""

import asyncio
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from shared.admission import admit
from shared.errors import BadRequest, Unavailable
from shared.events import PARKING_RECORD, RecordParked, RecordResolved, TicketReceived
from shared.settings import KafkaSettings
from shared.topics import PARKED, RECEIVED, partition_of

Resolution = Literal["replayed", "discarded"]
# A broker that is away must not keep a person waiting.
ANSWER_SECONDS = 15.0
PLACE = re.compile(r"(?:(?P<topic>[\w.-]+):)?(?P<partition>\d+)@(?P<offset>\d+)")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where the original record lies; written `topic:partition@offset`."""

    topic: str
    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """`3@17` is short for a record of tickets.received.v1. Raises BadRequest."""
        match = PLACE.fullmatch(text)
        if match is None:
            raise BadRequest(f"{text!r} names no record; write it as `parked list` does: 3@17")
        topic = match["topic"] or RECEIVED.name
        return cls(topic, int(match["partition"]), int(match["offset"]))

    def __str__(self) -> str:
        prefix = "" if self.topic == RECEIVED.name else f"{self.topic}:"
        return f"{prefix}{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Parked:
    """A parked record without its value, and what became of it.

    size: bytes of the original value. kept: whether the value was kept, or was too large for it.
    """

    place: Place
    at: datetime
    reason: str
    detail: str
    key: str | None
    size: int
    kept: bool
    resolution: Resolution | None = None
    resolved_at: datetime | None = None


class ParkingLot(Protocol):
    """What an operator does with parked records. Implementations pass one contract test class."""

    async def records(self) -> list[Parked]:
        """Every parked record once, oldest first. Raises Unavailable."""
        ...

    async def original(self, place: Place) -> bytes | None:
        """The value that could not be processed; None when it was not kept."""
        ...

    async def put_back(self, ticket: TicketReceived) -> None:
        """Append to tickets.received.v1, where the ticket belongs. Returns once it is durable."""
        ...

    async def resolve(self, parked: Parked, resolution: Resolution, at: datetime) -> None:
        """Write down what became of a parked record."""
        ...


def folded(events: Iterable[RecordParked | RecordResolved]) -> list[Parked]:
    """One Parked per original. A record parked twice after a crash is one; a decision stays."""
    found: dict[Place, Parked] = {}
    decisions: dict[Place, RecordResolved] = {}
    for event in events:
        place = Place(event.source_topic, event.source_partition, event.source_offset)
        if isinstance(event, RecordResolved):
            decisions.setdefault(place, event)
        else:
            found.setdefault(place, _parked(place, event))
    for place, event in decisions.items():
        if place in found:
            found[place] = replace(
                found[place], resolution=event.resolution, resolved_at=event.resolved_at
            )
    return sorted(found.values(), key=lambda each: (each.at, each.place))


def _parked(place: Place, event: RecordParked) -> Parked:
    kept = event.value is not None
    return Parked(place, event.parked_at, event.reason, event.detail, event.key, event.size, kept)


def resolved(parked: Parked, resolution: Resolution, at: datetime) -> RecordResolved:
    """The marker that goes onto the parked topic."""
    return RecordResolved(
        source_topic=parked.place.topic,
        source_partition=parked.place.partition,
        source_offset=parked.place.offset,
        resolution=resolution,
        resolved_at=at,
    )


class MemoryParkingLot:
    """A ParkingLot in this process, for tests: `events` in, `received` out."""

    def __init__(self, events: Iterable[RecordParked | RecordResolved] = ()) -> None:
        self.events = list(events)
        self.received: list[TicketReceived] = []

    async def records(self) -> list[Parked]:
        return folded(self.events)

    async def original(self, place: Place) -> bytes | None:
        return next((_value(event) for event in self.events if _is_at(event, place)), None)

    async def put_back(self, ticket: TicketReceived) -> None:
        self.received.append(ticket)

    async def resolve(self, parked: Parked, resolution: Resolution, at: datetime) -> None:
        self.events.append(resolved(parked, resolution, at))


class KafkaParkingLot:
    """The ParkingLot on a broker. Use `connect`."""

    def __init__(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        self._consumer = consumer
        self._producer = producer
        self._offsets: dict[Place, TopicPartition] = {}
        self._at: dict[Place, int] = {}

    async def records(self) -> list[Parked]:
        """Values are dropped while reading: a topic full of poison must fit into memory."""
        events: list[RecordParked | RecordResolved] = []
        partitions = await self._producer.partitions_for(PARKED.name)
        places = [TopicPartition(PARKED.name, number) for number in sorted(partitions)]
        starts = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        left = {place for place in places if ends[place] > starts[place]}
        if left:
            self._consumer.assign(left)
            for place in left:
                self._consumer.seek(place, starts[place])
        while left:
            batches = await self._consumer.getmany(*left, timeout_ms=1_000)
            for place, records in batches.items():
                events += (self._noted(place, each.offset, each.value) for each in records)
            left = {p for p in left if await self._consumer.position(p) < ends[p]}
        return folded(events)

    def _noted(
        self, where: TopicPartition, offset: int, value: bytes
    ) -> RecordParked | RecordResolved:
        event = PARKING_RECORD.validate_json(value)
        if isinstance(event, RecordResolved):
            return event
        place = Place(event.source_topic, event.source_partition, event.source_offset)
        self._offsets.setdefault(place, where)
        self._at.setdefault(place, offset)
        # Not its bytes, only that there are some.
        return event.model_copy(update={"value": "" if event.value is not None else None})

    async def original(self, place: Place) -> bytes | None:
        if place not in self._at:
            return None
        where = self._offsets[place]
        self._consumer.assign([where])
        self._consumer.seek(where, self._at[place])
        async with asyncio.timeout(ANSWER_SECONDS):
            record = await self._consumer.getone(where)
        return _value(PARKING_RECORD.validate_json(record.value))

    async def put_back(self, ticket: TicketReceived) -> None:
        count = len(await self._producer.partitions_for(RECEIVED.name))
        await self._send(
            RECEIVED.name,
            ticket.model_dump_json().encode(),
            ticket.ticket_id.encode(),
            partition_of(ticket.ticket_id, count),
        )

    async def resolve(self, parked: Parked, resolution: Resolution, at: datetime) -> None:
        value = resolved(parked, resolution, at).model_dump_json().encode()
        key = None if parked.key is None else b64decode(parked.key)
        # The partition the record was parked in, so that the decision lies behind it.
        await self._send(PARKED.name, value, key, parked.place.partition)

    async def _send(self, topic: str, value: bytes, key: bytes | None, partition: int) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._producer.send_and_wait(topic, value, key=key, partition=partition)


@asynccontextmanager
async def connect(kafka: KafkaSettings) -> AsyncIterator[KafkaParkingLot]:
    """A parking lot on a broker. Raises Unavailable or Misconfigured with what to do."""
    await admit(kafka)
    consumer = AIOKafkaConsumer(**kafka.connection(), enable_auto_commit=False)
    producer = AIOKafkaProducer(**kafka.connection(), enable_idempotence=True, acks="all")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await consumer.start()
            await producer.start()
        yield KafkaParkingLot(consumer, producer)
    except (KafkaError, TimeoutError, OSError) as error:
        raise Unavailable(
            f"Kafka at {kafka.bootstrap_servers} does not answer "
            f"({str(error) or type(error).__name__}); is it running, and does it have the "
            "topics (python -m shared.provisioning)? KAFKA_BOOTSTRAP_SERVERS names another one"
        ) from error
    finally:
        await asyncio.gather(consumer.stop(), producer.stop())


def _is_at(event: RecordParked | RecordResolved, place: Place) -> bool:
    where = Place(event.source_topic, event.source_partition, event.source_offset)
    return isinstance(event, RecordParked) and where == place


def _value(event: RecordParked | RecordResolved) -> bytes | None:
    if isinstance(event, RecordResolved) or event.value is None:
        return None
    return b64decode(event.value)
