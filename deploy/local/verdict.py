"""The check at the end of a timed demo, from the topics themselves and not from the counters."""

from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from shared import topics
from shared.events import LABEL_RECORD, TicketLabelled

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
    """Where every partition of every topic ends now."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap_servers) as consumer:
        found: Ends = {}
        for topic in topics.ALL:
            numbers = consumer.partitions_for_topic(topic.name) or await _partitions(
                consumer, topic.name
            )
            found |= await consumer.end_offsets([TopicPartition(topic.name, n) for n in numbers])
        return found


async def census(bootstrap_servers: str, start: Ends) -> Census:
    """Count what was appended since `start`, label records read one by one."""
    end = await ends(bootstrap_servers)

    def appended(topic: str) -> int:
        return sum(end[p] - start.get(p, 0) for p in end if p.topic == topic)

    partitions = [p for p in end if p.topic == topics.LABELLED.name and end[p] > start.get(p, 0)]
    labelled: set[tuple[int, int]] = set()
    skipped: set[tuple[int, int]] = set()
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap_servers) as consumer:
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
    return Census(
        received=appended(topics.RECEIVED.name),
        labelled=len(labelled),
        skipped=len(skipped),
        parked=appended(topics.PARKED.name),
    )


def _file(
    partition: int, value: bytes, labelled: set[tuple[int, int]], skipped: set[tuple[int, int]]
) -> None:
    try:
        record = LABEL_RECORD.validate_json(value)
    except ValidationError:
        return  # not a label, so not counted as one: the numbers will not agree
    kind = labelled if isinstance(record, TicketLabelled) else skipped
    kind.add((partition, record.src_offset))


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer.topics()  # fetches the metadata of all topics
    return set(consumer.partitions_for_topic(topic) or ())
