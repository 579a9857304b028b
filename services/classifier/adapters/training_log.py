"""The logs as training reads them: once, from somewhere to their present ends."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from services.classifier.adapters.correction_log import decoded, end_before
from shared.admission import admit
from shared.errors import Unavailable
from shared.events import LABEL_RECORD, CorrectionLogEvent, LabelEvent
from shared.settings import KafkaSettings
from shared.topics import CORRECTED, LABELLED

POLL_MS = 1_000
MOST_RECORDS = 2_000

# Told how many records are read, and of how many.
Read = Callable[[int, int], None]
AddCorrection = Callable[[int, CorrectionLogEvent | None], None]
AddLabel = Callable[[LabelEvent], None]


class TrainingLog(Protocol):
    """Both logs. Implementations pass one contract test class.

    Unavailable is also raised where a log is made anew while it is read.
    """

    async def corrections(self, add: AddCorrection, read: Read) -> None:
        """Give every record of the correction log with its offset. Raises Unavailable."""
        ...

    async def labels(self, since: datetime | None, add: AddLabel, read: Read) -> None:
        """Give the labels, in order within a partition; unreadable records are passed over.

        since: leave out those written before. Raises Unavailable.
        """
        ...


class MemoryTrainingLog:
    """A TrainingLog in this process, for tests and simulations."""

    def __init__(
        self,
        corrections: Sequence[CorrectionLogEvent | None] = (),
        labels: Sequence[LabelEvent] = (),
    ) -> None:
        self._corrections = list(corrections)
        self._labels = list(labels)

    async def corrections(self, add: AddCorrection, read: Read) -> None:
        for offset, event in enumerate(self._corrections):
            add(offset, event)
        read(len(self._corrections), len(self._corrections))

    async def labels(self, since: datetime | None, add: AddLabel, read: Read) -> None:
        for event in self._labels:
            at = getattr(event, "labelled_at", None) or getattr(event, "updated_at", None)
            if since is None or at is None or at >= since:
                add(event)
        read(len(self._labels), len(self._labels))


class KafkaTrainingLog:
    """The TrainingLog of a broker. Use `connect`."""

    def __init__(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        self._consumer = consumer
        self._admin = admin

    async def corrections(self, add: AddCorrection, read: Read) -> None:
        def take(record: "ConsumerRecord[bytes, bytes]") -> None:
            found = decoded(record)
            add(found.offset, found.event)

        await self._each(CORRECTED.name, None, take, read)

    async def labels(self, since: datetime | None, add: AddLabel, read: Read) -> None:
        def take(record: "ConsumerRecord[bytes, bytes]") -> None:
            try:
                event = LABEL_RECORD.validate_json(record.value or b"")
            except ValidationError:
                return  # the forecaster has parked it, and tells
            add(event)

        await self._each(LABELLED.name, since, take, read)

    async def _each(
        self,
        topic: str,
        since: datetime | None,
        take: Callable[["ConsumerRecord[bytes, bytes]"], None],
        read: Read,
    ) -> None:
        places = await self._places(topic)
        if not places:
            return
        self._consumer.assign(places)
        reached = await self._starts(places, since)
        ends = await self._consumer.end_offsets(places)
        total = sum(ends[place] - reached[place] for place in places)
        left = {place for place in places if ends[place] > reached[place]}
        for place in places:
            self._consumer.seek(place, reached[place])
        done = 0
        while left:
            polled = await self._consumer.getmany(
                *left, timeout_ms=POLL_MS, max_records=MOST_RECORDS
            )
            if not polled and await self._cut_short({place: ends[place] for place in left}):
                raise _made_anew(topic)
            for place, records in polled.items():
                if records[0].offset < reached[place]:
                    raise _made_anew(topic)  # it ended before, so the client began it again
                for record in records:
                    if record.offset < ends[place]:
                        take(record)
                        done += 1
                reached[place] = records[-1].offset + 1
            read(done, total)
            left = {p for p in left if await self._consumer.position(p) < ends[p]}

    async def _cut_short(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether one of these partitions is gone, or ends before this; not while Kafka is away."""
        known = self._consumer.partitions_for_topic
        # As the client last heard: none answers for the end of a partition that is gone.
        if any(place.partition not in (known(place.topic) or ()) for place in ends):
            return True
        return await end_before(self._consumer, ends)

    async def _places(self, topic: str) -> list[TopicPartition]:
        [described] = await self._admin.describe_topics([topic])
        numbers = sorted(each["partition"] for each in described["partitions"])
        return [TopicPartition(topic, number) for number in numbers]

    async def _starts(
        self, places: Sequence[TopicPartition], since: datetime | None
    ) -> dict[TopicPartition, int]:
        starts: dict[TopicPartition, int] = await self._consumer.beginning_offsets(list(places))
        if since is None:
            return starts
        ends = await self._consumer.end_offsets(list(places))
        moment = int(since.timestamp() * 1000)
        found = await self._consumer.offsets_for_times(dict.fromkeys(places, moment))
        return {p: found[p].offset if found.get(p) else ends[p] for p in places}


def _made_anew(topic: str) -> Unavailable:
    return Unavailable(
        f"{topic} was deleted, made anew or lost its tail while it was read; nothing was "
        "trained. Run retrain again: it reads the log at hand, as the next round of --at or "
        "--every does"
    )


@asynccontextmanager
async def connect(kafka: KafkaSettings) -> AsyncIterator[KafkaTrainingLog]:
    """The logs of a broker. Raises Unavailable or Misconfigured with what to do."""
    await admit(kafka)
    consumer = AIOKafkaConsumer(
        **kafka.connection(), enable_auto_commit=False, auto_offset_reset="earliest"
    )
    admin = AIOKafkaAdminClient(**kafka.connection())
    try:
        await consumer.start()
        await admin.start()
        yield KafkaTrainingLog(consumer, admin)
    except (KafkaError, TimeoutError, OSError) as error:
        raise Unavailable(
            f"Kafka at {kafka.bootstrap_servers} does not answer "
            f"({str(error) or type(error).__name__}); is it running? "
            "KAFKA_BOOTSTRAP_SERVERS names another one"
        ) from error
    finally:
        await consumer.stop()
        await admin.close()
