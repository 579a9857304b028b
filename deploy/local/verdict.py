"""The check at the end of a timed demo, from the topics themselves and not from the counters."""

from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from shared import topics
from shared.errors import Unavailable
from shared.events import LABEL_RECORD, LabelUpdated, TicketLabelled

POLL_MS = 1000

Ends = dict[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Census:
    """What the topics hold. `labelled` counts a source record once, however often it was sent."""

    received: int
    labelled: int
    skipped: int
    parked: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that must agree, from five independent places."""

    accepted: int  # the simulator, by its 202 answers
    census: Census
    counted: int  # totals of the projection
    load: int  # load windows of the projection
    duplicates: int
    gaps: int
    parked: int

    def faults(self) -> list[str]:
        """A sentence for each promise that was not kept; empty when all were."""
        census = self.census
        same = {
            "records received": census.received,
            "tickets labelled": census.labelled,
            "tickets counted": self.counted,
            "tickets in the load windows": self.load,
        }
        none = {
            "duplicates": self.duplicates,
            "gaps": self.gaps,
            "skipped records": census.skipped,
            "parked records": max(self.parked, census.parked),
        }
        faults = [
            f"{self.accepted:,} tickets were accepted, but {what}: {number:,}"
            for what, number in same.items()
            if number != self.accepted
        ]
        faults += [f"{what}: {number:,}" for what, number in none.items() if number]
        return faults if self.accepted else ["no ticket was accepted", *faults]


async def ends(bootstrap_servers: str) -> Ends:
    """Where every partition of every topic ends now. Unavailable when a topic is missing."""
    names = [topic.name for topic in topics.ALL]
    # Subscribed, because a consumer knows the partitions of its own topics only.
    async with AIOKafkaConsumer(*names, bootstrap_servers=bootstrap_servers) as consumer:
        found: Ends = {}
        for name in names:
            numbers = consumer.partitions_for_topic(name)
            if not numbers:
                raise Unavailable(f"topic {name} has no partitions at {bootstrap_servers}")
            found |= await consumer.end_offsets([TopicPartition(name, n) for n in numbers])
        return found


async def census(bootstrap_servers: str, start: Ends) -> Census:
    """Count what was appended since `start`, label records read one by one."""
    end = await ends(bootstrap_servers)

    def appended(topic: str) -> int:
        return sum(end[p] - start.get(p, 0) for p in end if p.topic == topic)

    labelled, skipped = await _read_labels(bootstrap_servers, start, end)
    return Census(
        received=appended(topics.RECEIVED.name),
        labelled=len(labelled),
        skipped=len(skipped),
        parked=appended(topics.PARKED.name),
    )


# Source records by partition and offset.
Sources = set[tuple[int, int]]


async def _read_labels(address: str, start: Ends, end: Ends) -> tuple[Sources, Sources]:
    """The source records that have a label, and those that were skipped."""
    labelled: Sources = set()
    skipped: Sources = set()
    partitions = [p for p in end if p.topic == topics.LABELLED.name and end[p] > start.get(p, 0)]
    if not partitions:
        return labelled, skipped
    async with AIOKafkaConsumer(bootstrap_servers=address) as consumer:
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, start.get(partition, 0))
        while partitions:
            for partition, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                for record in records:
                    _file(partition.partition, record.value, labelled, skipped)
                if await consumer.position(partition) >= end[partition]:
                    partitions.remove(partition)
                    consumer.pause(partition)
    return labelled, skipped


def _file(partition: int, value: bytes, labelled: Sources, skipped: Sources) -> None:
    try:
        record = LABEL_RECORD.validate_json(value)
    except ValidationError:
        return  # not a label, so not counted as one: the numbers will not agree
    if isinstance(record, LabelUpdated):
        return
    kind = labelled if isinstance(record, TicketLabelled) else skipped
    kind.add((partition, record.src_offset))
