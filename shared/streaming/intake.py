"""The intake: polls chunks with aiokafka's public consumer and commits what was finished, in order.

Batches reach a Faust agent through a channel; no event takes Faust's per-message path, which costs
a hundred times as much, and no private part of Faust or aiokafka is touched.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from shared import metrics
from shared.settings import KafkaSettings
from shared.streaming.chunk import Chunk
from shared.streaming.lane import Lane, cut
from shared.streaming.settings import IntakeSettings

log = logging.getLogger(__name__)

Die = Callable[[str], NoReturn]
# Where a partition is to be read from: the sink's position, where the sink keeps one.
StartingPoint = Callable[[TopicPartition], Awaitable[int]]
POLL_MS = 200


class Channel(Protocol):
    """The part of a Faust channel the intake needs; it carries lists of chunks."""

    async def send(self, *, value: Any) -> Any: ...


class Intake(Service):  # type: ignore[misc]
    """Polls, hands chunks to a channel, commits. One per topic and process."""

    def __init__(
        self,
        channel: Channel,
        topic: str,
        *,
        kafka: KafkaSettings,
        group: str,
        settings: IntakeSettings,
        die: Die,
        starting_point: StartingPoint | None = None,
    ) -> None:
        super().__init__()
        self.topic = topic
        self.last_poll = time.monotonic()
        # Has the group handed out the topic's partitions, if only to other members?
        self.handed_out = False
        self._lanes: dict[TopicPartition, Lane] = {}
        self._channel = channel
        self._kafka = kafka
        self._group = group
        self._settings = settings
        self.die = die
        self._starting_point = starting_point
        self._committing = asyncio.Lock()
        self._nothing = TopicPartition(topic, -1)

    # -- life ------------------------------------------------------------------------------------

    async def on_start(self) -> None:
        settings = self._settings
        self._consumer = AIOKafkaConsumer(
            **self._kafka.connection(),
            group_id=self._group,
            group_instance_id=settings.member_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=settings.session_ms,
            heartbeat_interval_ms=settings.heartbeat_ms,
            rebalance_timeout_ms=settings.rebalance_ms,
            metadata_max_age_ms=settings.metadata_ms,
            fetch_min_bytes=settings.fetch_bytes,
            fetch_max_wait_ms=settings.fetch_wait_ms,
            max_partition_fetch_bytes=1 << 20,
        )
        await self._consumer.start()
        self._consumer.subscribe([self.topic], listener=_Rebalance(self))

    async def on_stop(self) -> None:
        await self.release(list(self._lanes))
        await asyncio.wait_for(self._consumer.stop(), self._settings.drain_seconds)

    # -- polling ---------------------------------------------------------------------------------

    @Service.task  # type: ignore[untyped-decorator]
    async def _poll(self) -> None:
        try:
            while not self.should_stop:
                await self._poll_once()
        except Exception as error:
            log.exception("polling %s", self.topic)
            self.die(f"polling {self.topic}: {error!r}")

    async def _poll_once(self) -> None:
        self._beat()
        ready = [tp for tp, lane in self._lanes.items() if self._has_room(tp, lane)]
        in_flight = sum(len(c.records) for lane in self._lanes.values() for c in lane.pending)
        room = self._settings.in_flight_records - in_flight
        if not ready or room <= 0:
            await self._wait_for_room()
            return
        batches = await self._consumer.getmany(*ready, timeout_ms=POLL_MS, max_records=room)
        chunks = [
            chunk
            for tp, records in batches.items()
            # Closed: a seek is under way and these records will be read again.
            if (lane := self._lanes.get(tp)) is not None and lane.open
            for chunk in self._chunks(tp, lane, records)
        ]
        if chunks:
            # All of a poll at once: an event costs Faust as much as a hundred tickets cost us.
            await self._channel.send(value=chunks)

    def _has_room(self, tp: TopicPartition, lane: Lane) -> bool:
        lane.settle()
        assigned = tp in self._consumer.assignment()
        return lane.open and assigned and len(lane.pending) < self._settings.depth

    def _chunks(self, tp: TopicPartition, lane: Lane, records: list[Any]) -> Iterator[Chunk]:
        for run in cut(records, self._settings.max_records):
            start = run[0].offset if lane.next is None else lane.next
            chunk = Chunk(tp, start, run, lane.pending[-1].done if lane.pending else None)
            lane.append(chunk)
            metrics.CHUNK_RECORDS.labels(self.topic).observe(len(run))
            yield chunk

    async def _wait_for_room(self) -> None:
        # Asking for a partition nobody has fetches nothing, yet it is how the public API raises a
        # coordinator's errors; a loop that never calls getmany would idle on them for ever.
        await self._consumer.getmany(self._nothing, timeout_ms=0)
        heads = [lane.pending[0].done for lane in self._lanes.values() if lane.pending]
        if heads:
            await asyncio.wait(heads, timeout=POLL_MS / 1000, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(POLL_MS / 2000)

    def _beat(self) -> None:
        self.last_poll = time.monotonic()
        metrics.POLL_TIMESTAMP.labels(self.topic).set_to_current_time()

    # -- positions -------------------------------------------------------------------------------

    async def rewind(self, tp: TopicPartition) -> None:
        """Void what is under way and read again from the starting point."""
        lane = self._lanes.get(tp)
        if lane is None or not lane.open:
            return  # revoked, or another chunk of it is rewinding already
        lane.close()
        metrics.REWINDS.labels(self.topic).inc()
        await self._seek(tp, lane)

    async def _seek(self, tp: TopicPartition, lane: Lane) -> None:
        if self._starting_point is None:
            raise TypeError(f"{self.topic} has no starting point to rewind to")
        position = await self._starting_point(tp)
        if self._lanes.get(tp) is lane and tp in self._consumer.assignment():
            self._consumer.seek(tp, position)
            lane.reopen(position)

    async def _guarded_seek(self, tp: TopicPartition, lane: Lane) -> None:
        try:
            await self._seek(tp, lane)
        except Exception as error:
            log.exception("starting point of %s", tp)
            self.die(f"starting point of {tp}: {error!r}")

    def resting(self) -> Mapping[TopicPartition, int]:
        """Positions of the partitions with nothing under way: what the sink must agree with."""
        for lane in self._lanes.values():
            lane.settle()
        return {
            tp: lane.applied
            for tp, lane in self._lanes.items()
            if lane.idle and lane.applied is not None
        }

    @property
    def rebuilding(self) -> int:
        """Records still to be read again after the sink was found behind where it had been."""
        return sum(max(0, lane.reached - (lane.applied or 0)) for lane in self._lanes.values())

    @property
    def lag(self) -> int | None:
        """Records not applied yet; None where nothing is owned or the broker has not answered."""
        behind = [self._behind(tp, lane) for tp, lane in self._lanes.items()]
        known = [each for each in behind if each is not None]
        return sum(known) if known and len(known) == len(behind) else None

    @property
    def assigned(self) -> int:
        """How many partitions this process owns."""
        return len(self._lanes)

    # -- commits ---------------------------------------------------------------------------------

    @Service.task  # type: ignore[untyped-decorator]
    async def _commit_often(self) -> None:
        while not self.should_stop:
            await self.sleep(self._settings.commit_seconds)
            await self.commit()
            self._report_lag()

    async def commit(self) -> None:
        """Tell Kafka the ends of the unbroken runs. A refusal is counted and tried again."""
        async with self._committing:
            due: dict[TopicPartition, int] = {}
            for tp, lane in self._lanes.items():
                lane.settle()
                owned = tp in self._consumer.assignment()
                if owned and lane.applied is not None and lane.applied != lane.committed:
                    due[tp] = lane.applied
            if not due:
                return
            try:
                await self._consumer.commit(due)
            except KafkaError as error:
                metrics.COMMIT_FAILURES.labels(self.topic).inc()
                log.warning("commit of %s: %r", self.topic, error)
                return
            for tp, offset in due.items():
                if tp in self._lanes:
                    self._lanes[tp].committed = offset

    def _report_lag(self) -> None:
        for tp, lane in self._lanes.items():
            if (behind := self._behind(tp, lane)) is not None:
                metrics.LAG_RECORDS.labels(self.topic, str(tp.partition)).set(behind)

    def _behind(self, tp: TopicPartition, lane: Lane) -> int | None:
        lane.settle()
        owned = tp in self._consumer.assignment()
        end: int | None = self._consumer.highwater(tp) if owned else None
        return None if end is None or lane.applied is None else max(0, end - lane.applied)

    # -- rebalances ------------------------------------------------------------------------------

    async def release(self, partitions: Iterable[TopicPartition]) -> None:
        """Let chunks under way finish (bounded), commit them, forget the partitions."""
        self.handed_out = False
        lanes = {tp: self._lanes[tp] for tp in partitions if tp in self._lanes}
        under_way = [chunk.done for lane in lanes.values() for chunk in lane.pending]
        if under_way:
            await asyncio.wait(under_way, timeout=self._settings.drain_seconds)
        try:
            await asyncio.wait_for(self.commit(), self._settings.drain_seconds)
        except TimeoutError:
            log.warning("no answer to the last commit of %s", self.topic)
        for tp in lanes:
            del self._lanes[tp]
        metrics.ASSIGNED.labels(self.topic).set(len(self._lanes))

    async def acquire(self, partitions: Iterable[TopicPartition]) -> None:
        """Open a lane per partition, at the sink's position where the sink keeps one."""
        # A group that joins before its topic exists hands out nothing.
        self.handed_out = bool(self._consumer.partitions_for_topic(self.topic))
        self._lanes = {tp: Lane(open=self._starting_point is None) for tp in partitions}
        metrics.ASSIGNED.labels(self.topic).set(len(self._lanes))
        if self._starting_point is not None:
            for tp, lane in self._lanes.items():
                # Not awaited: a sink that is away must not make this member miss the rebalance.
                self.add_future(self._guarded_seek(tp, lane))


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka logs and swallows what a listener raises, so a failure here must end the process."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._guard(self._intake.release(list(revoked)))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        await self._guard(self._intake.acquire(list(assigned)))

    async def _guard(self, step: Awaitable[None]) -> None:
        try:
            await step
        except Exception as error:
            log.exception("rebalance of %s", self._intake.topic)
            self._intake.die(f"rebalance of {self._intake.topic}: {error!r}")
