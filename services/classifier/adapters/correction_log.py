"""The correction log as every worker reads it: whole, in order, without a consumer group."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from mode import Service
from pydantic import ValidationError

from services.classifier.domain.log_records import LogRecord
from shared.events import CORRECTION_RECORD
from shared.topics import CORRECTED

log = logging.getLogger(__name__)

Apply = Callable[[Sequence[LogRecord]], None]
Busy = Callable[[], AbstractAsyncContextManager[None]]
POLL_MS = 200
# Between looks for a topic that is not yet made.
TOPIC_SECONDS = 1.0
MOST_RECORDS = 500


@dataclass(frozen=True, slots=True)
class LogSoFar:
    """What is written when a worker starts; `event_at` asks for one record, from any thread.

    event_at: the event id at an offset, empty for what is no event, None where nothing is.
    """

    end: int
    event_at: Callable[[int], str | None]

    def continues(self, offset: int, last: str) -> bool:
        """Whether what was folded up to `offset`, `last` of all, is the beginning of this log.

        It is not where a broker was wiped or lost its tail, and other corrections took the offsets.
        """
        return offset == 0 or self.event_at(offset - 1) == last


# From where to read on.
Begin = Callable[[LogSoFar], int]


class CorrectionLog(Service):  # type: ignore[misc]
    """Reads to the log's end before the worker starts to label, then follows it."""

    def __init__(
        self, bootstrap: str, begin: Begin, apply: Apply, busy: Busy = contextlib.nullcontext
    ) -> None:
        """`begin` and `apply` are called in threads, one call at a time.

        busy: entered while catching up, which takes minutes where nothing was saved.
        """
        super().__init__()
        self._bootstrap = bootstrap
        self._begin = begin
        self._apply = apply
        self._busy = busy
        self._partition = TopicPartition(CORRECTED.name, 0)

    async def on_start(self) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            metadata_max_age_ms=5_000,
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
        while not self.should_stop:
            await self._advance()

    async def _catch_up(self) -> None:
        self._consumer.assign([self._partition])
        self._assigned = True
        end = (await self._consumer.end_offsets([self._partition]))[self._partition]
        loop = asyncio.get_running_loop()

        def event_at(offset: int) -> str | None:
            return asyncio.run_coroutine_threadsafe(self._event_at(offset), loop).result()

        position = await asyncio.to_thread(self._begin, LogSoFar(end, event_at))
        self._consumer.seek(self._partition, position)
        log.info("folding corrections from offset %s to %s", position, end)
        while await self._consumer.position(self._partition) < end:
            await self._advance()

    async def _event_at(self, offset: int) -> str | None:
        # Asked again: another worker may have saved what was written since this one asked.
        if offset >= (await self._consumer.end_offsets([self._partition]))[self._partition]:
            return None
        self._consumer.seek(self._partition, offset)
        record = await self._consumer.getone(self._partition)
        return decoded(record).event_id if record.offset == offset else None

    async def _advance(self) -> None:
        polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
        for records in polled.values():
            await asyncio.to_thread(self._apply, [decoded(record) for record in records])


def decoded(record: "ConsumerRecord[bytes, bytes]") -> LogRecord:
    """The event of a record; none where it is unreadable or of a kind not yet known."""
    try:
        return LogRecord(record.offset, CORRECTION_RECORD.validate_json(record.value or b""))
    except ValidationError as fault:
        reason = fault.errors(include_input=False, include_url=False)[0]
        log.warning("correction log: %s is unreadable: %s", record.offset, reason["msg"])
        return LogRecord(record.offset, None)
