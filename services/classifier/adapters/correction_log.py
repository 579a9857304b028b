"""The correction log as every worker reads it: whole, in order, without a consumer group."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, NoReturn

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError
from mode import Service
from pydantic import ValidationError

from services.classifier.domain.log_records import LogRecord, Place
from shared.clock import monotonic
from shared.events import CORRECTION_RECORD, CorrectionLogEvent
from shared.settings import KafkaSettings
from shared.streaming.watchdog import EXIT_OTHER_LOG, die
from shared.topics import CORRECTED

log = logging.getLogger(__name__)

Apply = Callable[[Sequence[LogRecord]], None]
Busy = Callable[[], AbstractAsyncContextManager[None]]
POLL_MS: Final = 200
# For what was written before it is asked for.
ANSWER_MS: Final = 2_000
# Between looks whether a log that is silent is still the same one.
LOOK_SECONDS: Final = 5.0
# Between looks for a topic that is not yet made.
TOPIC_SECONDS: Final = 1.0
MOST_RECORDS: Final = 500


@dataclass(frozen=True, slots=True)
class LogSoFar:
    """What is written when a worker starts; `event_at` asks for one record, from any thread.

    event_at: the event id at an offset, empty for what is no event, None where nothing is.
    """

    end: int
    event_at: Callable[[int], str | None]

    def continues(self, place: Place) -> bool:
        """Whether what was folded up to `place` is the beginning of this log.

        It is not where a broker was wiped or lost its tail, and other corrections took the offsets.
        """
        return place.offset == 0 or self.event_at(place.offset - 1) == place.last


# From where to read on.
Begin = Callable[[LogSoFar], Place]


class CorrectionLog(Service):  # type: ignore[misc]
    """Reads to the log's end before the worker starts to label, then follows it.

    Nothing is folded but what one answer of the broker shows right behind the record folded last.
    Where another record stands there, or none, the topic was deleted and made anew or lost its
    tail, and the process ends: a new one starts from what the log at hand taught.
    """

    def __init__(
        self, kafka: KafkaSettings, begin: Begin, apply: Apply, busy: Busy = contextlib.nullcontext
    ) -> None:
        """`begin` and `apply` are called in threads, one call at a time.

        busy: entered while catching up, which takes minutes where nothing was saved.
        """
        super().__init__()
        self._kafka = kafka
        self._begin = begin
        self._apply = apply
        self._busy = busy
        self._partition = TopicPartition(CORRECTED.name, 0)
        self._place = Place()

    async def on_start(self) -> None:
        self._consumer = AIOKafkaConsumer(
            **self._kafka.connection(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            metadata_max_age_ms=5_000,
            # For the batch of a known record and the one that follows: with room for one alone an
            # answer could bring nothing new for ever.
            max_partition_fetch_bytes=2 * self._kafka.max_record_bytes,
        )
        await self._consumer.start()
        self._assigned = False
        # Where the topic is not yet made there is nothing to catch up with.
        if CORRECTED.name in await self._consumer.topics():
            async with self._busy():
                await self._catch_up()

    async def on_stop(self) -> None:
        await self._consumer.stop()

    @Service.task  # type: ignore[untyped-decorator]
    async def _follow(self) -> None:
        while not self._assigned and not self.should_stop:
            await self.sleep(TOPIC_SECONDS)
            if CORRECTED.name in await self._consumer.topics():
                await self._catch_up()
        with contextlib.suppress(ConsumerStoppedError):  # a stop does not wait for this task
            await self._keep_up()

    async def _keep_up(self) -> None:
        looked = monotonic()
        while not self.should_stop:
            # Only woken by these: they do not show what stands before them.
            come = await self._consumer.getmany(timeout_ms=POLL_MS)
            if come or monotonic() - looked > LOOK_SECONDS:
                await self._advance()
                looked = monotonic()

    async def _catch_up(self) -> None:
        self._consumer.assign([self._partition])
        self._assigned = True
        end = await self._end()
        loop = asyncio.get_running_loop()

        def event_at(offset: int) -> str | None:
            return asyncio.run_coroutine_threadsafe(self._event_at(offset), loop).result()

        self._place = await asyncio.to_thread(self._begin, LogSoFar(end, event_at))
        self._consumer.seek(self._partition, self._place.offset)
        log.info("folding corrections from offset %s to %s", self._place.offset, end)
        while await self._consumer.position(self._partition) < end:
            await self._advance()

    async def _event_at(self, offset: int) -> str | None:
        # Asked again: another worker may have saved what was written since this one asked.
        while await self._start() <= offset < await self._end():
            if records := await self._read(offset):
                return _event_id(records[0]) if records[0].offset == offset else None
        return None

    async def _start(self) -> int:
        return int((await self._consumer.beginning_offsets([self._partition]))[self._partition])

    async def _end(self) -> int:
        return int((await self._consumer.end_offsets([self._partition]))[self._partition])

    async def _read(self, offset: int) -> "list[ConsumerRecord[bytes, bytes]]":
        """One answer of the broker: the records from `offset` on, or from the log's start."""
        self._consumer.seek(self._partition, offset)
        polled = await self._consumer.getmany(timeout_ms=ANSWER_MS)
        return list(polled.get(self._partition, ()))

    async def _advance(self) -> None:
        """Fold what has come since; end the process where this is not the log folded so far."""
        more = True
        while more:
            fresh = await self._behind(self._place)
            more = bool(fresh) and self._consumer.highwater(self._partition) > fresh[-1].offset + 1
            if more:  # comes while these are folded, with the last of them
                self._consumer.seek(self._partition, fresh[-1].offset)
            await self._fold(fresh)
        if self._place.offset:  # else it stands at the log's start, wherever that is
            self._consumer.seek(self._partition, self._place.offset)

    async def _behind(self, place: Place) -> "list[ConsumerRecord[bytes, bytes]]":
        """The records behind the one folded last, as one answer of the broker shows them."""
        offset, last = place
        if not offset:
            return await self._read(0)
        if records := await self._read(offset - 1):
            found = Place(records[0].offset + 1, _event_id(records[0]))
            if found != place:
                _end_here(f"{found.last!r} at {found.offset - 1}, {last!r} was at {offset - 1}")
        elif await end_before(self._consumer, {self._partition: offset}):
            _end_here(f"nothing at {offset - 1}, where {last!r} was")
        return records[1:]

    async def _fold(self, records: "Sequence[ConsumerRecord[bytes, bytes]]") -> None:
        for start in range(0, len(records), MOST_RECORDS):
            found = [decoded(record) for record in records[start : start + MOST_RECORDS]]
            await asyncio.to_thread(self._apply, found)
            self._place = Place(found[-1].offset + 1, found[-1].event_id)


async def end_before(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    """Whether the broker says so of a partition; one that is away, or lacks the topic, does not."""
    try:
        async with asyncio.timeout(ANSWER_MS / 1_000):
            now = await consumer.end_offsets(list(ends))
    except (KafkaError, TimeoutError):
        return False
    return any(now[place] < end for place, end in ends.items())


def _end_here(what: str) -> NoReturn:
    die(f"{CORRECTED.name} is not the log that was folded: {what}", EXIT_OTHER_LOG)


def _event_id(record: "ConsumerRecord[bytes, bytes]") -> str:
    try:
        return _event(record).event_id
    except ValidationError:
        return ""


def _event(record: "ConsumerRecord[bytes, bytes]") -> CorrectionLogEvent:
    return CORRECTION_RECORD.validate_json(record.value or b"")


def decoded(record: "ConsumerRecord[bytes, bytes]") -> LogRecord:
    """The event of a record; none where it is unreadable or of a kind not yet known."""
    try:
        return LogRecord(record.offset, _event(record))
    except ValidationError as fault:
        reason = fault.errors(include_input=False, include_url=False)[0]
        log.warning("correction log: %s is unreadable: %s", record.offset, reason["msg"])
        return LogRecord(record.offset, None)
