"""The stages of the projection: chunks of labels and of corrections into the read side, once."""

import logging
from collections.abc import Sequence

from services.forecaster.adapters.read_side import Position, ReadSide
from services.forecaster.domain.projection import records
from services.forecaster.domain.projection.alerts import project_alerts
from services.forecaster.domain.projection.corrections import (
    HumanEvent,
    Standing,
    project_corrections,
)
from services.forecaster.domain.projection.labels import Projection, Retention, project
from services.forecaster.domain.projection.records import Batch
from shared import metrics
from shared.clock import Clock
from shared.events import (
    AlertRaised,
    CorrectionsUndone,
    LabelEvent,
    LabelUpdated,
    TicketCorrected,
    TicketLabelled,
)
from shared.parking import Refused, carried, parked
from shared.queues import QueueDirectory
from shared.streaming import Chunk, Rewind
from shared.streaming.producer import Outbox
from shared.topics import PARKED

log = logging.getLogger(__name__)


class _Sink:
    """What both stages share: parking, and applying with the position compared."""

    def __init__(self, read_side: ReadSide, outbox: Outbox, clock: Clock) -> None:
        self._read_side = read_side
        self._outbox = outbox
        self._clock = clock

    async def _park(self, chunk: Chunk, refused: Sequence[Refused]) -> None:
        topic, partition = chunk.partition
        now = self._clock()
        entries = [(carried(each.key), parked(each, topic, partition, now)) for each in refused]
        await self._outbox.send(PARKED.name, partition, entries)
        for each in refused:
            metrics.PARKED.labels("forecaster", each.reason).inc()
            log.error("parked %s:%s@%s: %s", topic, partition, each.offset, each.detail)

    def _check(self, chunk: Chunk, at: int) -> None:
        if at != chunk.end:
            metrics.MISMATCHES.inc()
            log.warning("%s: read side at %s, not %s", chunk.partition, at, chunk.start)
            raise Rewind


class LabelProjection(_Sink):
    """Projects tickets.labelled.v1 (a `shared.streaming.Stage`)."""

    def __init__(
        self,
        read_side: ReadSide,
        outbox: Outbox,
        clock: Clock,
        directory: QueueDirectory,
        retention: Retention,
    ) -> None:
        super().__init__(read_side, outbox, clock)
        self._directory = directory
        self._retention = retention
        self._sources: dict[int, int] = {}

    async def starting_point(self, topic: str, partition: int) -> int:
        """The read side's position; remembers the highest src_offset that goes with it."""
        position = await self._read_side.position(topic, partition)
        self._sources[partition] = position.source
        return position.offset

    async def prepare(self, chunk: Chunk) -> Batch[LabelEvent]:
        return records.labels((r.offset, r.key, r.value) for r in chunk.records)

    async def deliver(self, chunk: Chunk, prepared: Batch[LabelEvent]) -> None:
        """Compare the position and apply the batch with it, or rewind."""
        if prepared.refused:
            await self._park(chunk, prepared.refused)
        with metrics.PROJECTION_SECONDS.time():
            projection, at = await self._project(chunk, prepared.events)
        self._check(chunk, at)
        self._sources[chunk.partition.partition] = projection.source
        self._observe(projection)

    async def _project(self, chunk: Chunk, events: Sequence[LabelEvent]) -> tuple[Projection, int]:
        """The batch applied, and the offset that holds after it.

        Nearly every ticket is new. The script is told so and refuses where one is not, which
        spares all others the question before. What is read before it is safe too: had anyone
        applied meanwhile, the position would have moved.
        """
        topic, partition = chunk.partition
        unseen = {e.ticket_id for e in events if isinstance(e, TicketLabelled)}
        improved = {e.ticket_id for e in events if isinstance(e, LabelUpdated)} - unseen
        known = dict(await self._read_side.tickets(sorted(improved)))
        while True:
            source = self._sources[partition]
            projection = project(events, source, known, self._directory, self._retention)
            after = Position(chunk.end, projection.source)
            commands = projection.commands(self._retention, self._clock())
            answer = await self._read_side.apply_new(
                topic, partition, chunk.start, after, commands, unseen=unseen
            )
            if isinstance(answer, int):
                return projection, answer
            known.update(answer)
            unseen -= answer.keys()

    def _observe(self, projection: Projection) -> None:
        now = self._clock()
        for received in projection.received:
            metrics.END_TO_END_SECONDS.observe((now - received).total_seconds())
        metrics.COUNTED.inc(projection.totals["counted"])
        metrics.DUPLICATES.labels("replayed").inc(projection.replayed)
        metrics.DUPLICATES.labels("event").inc(projection.totals["duplicates"])
        if projection.totals["gaps"]:
            metrics.GAPS.inc(projection.totals["gaps"])
            log.critical("src_offset jumped: %s tickets lost", projection.totals["gaps"])


class CorrectionProjection(_Sink):
    """Projects tickets.corrected.v1 (a `shared.streaming.Stage`)."""

    def __init__(
        self, read_side: ReadSide, outbox: Outbox, clock: Clock, retention: Retention
    ) -> None:
        super().__init__(read_side, outbox, clock)
        self._retention = retention

    async def starting_point(self, topic: str, partition: int) -> int:
        """The read side's position."""
        return (await self._read_side.position(topic, partition)).offset

    async def prepare(self, chunk: Chunk) -> Batch[HumanEvent]:
        return records.corrections((r.offset, r.key, r.value) for r in chunk.records)

    async def deliver(self, chunk: Chunk, prepared: Batch[HumanEvent]) -> None:
        """Compare the position and apply the batch with it, or rewind."""
        if prepared.refused:
            await self._park(chunk, prepared.refused)
        topic, partition = chunk.partition
        standing = await self._standing(prepared.events)
        result = project_corrections(prepared.events, standing, self._retention)
        after = Position(chunk.end, chunk.end - 1)
        at = await self._read_side.apply(topic, partition, chunk.start, after, result.commands)
        self._check(chunk, at)
        metrics.DUPLICATES.labels("correction").inc(result.duplicates)

    async def _standing(self, events: Sequence[HumanEvent]) -> Standing:
        """Read before the script and yet safe: it refuses where anyone applied meanwhile."""
        corrected = [event for event in events if isinstance(event, TicketCorrected)]
        undone = [event for event in events if isinstance(event, CorrectionsUndone)]
        named = {event.event_id for event in corrected}
        named |= {event.correction for event in undone if event.correction is not None}
        placed = await self._read_side.placed(sorted(named))
        names = {event.corrector for event in undone if event.corrector is not None}
        correctors = await self._read_side.corrected_by(sorted(names))
        touched = {event.ticket_id for event in corrected} | set(placed.values())
        ids = sorted(touched.union(*correctors.values()))
        humans, tickets = await self._read_side.humans(ids), await self._read_side.tickets(ids)
        return Standing(humans, tickets, placed, correctors)


class AlertProjection(_Sink):
    """Projects alerts.raised.v1, which the watch for surges writes (a `shared.streaming.Stage`)."""

    async def starting_point(self, topic: str, partition: int) -> int:
        """The read side's position."""
        return (await self._read_side.position(topic, partition)).offset

    async def prepare(self, chunk: Chunk) -> Batch[AlertRaised]:
        return records.alerts((r.offset, r.key, r.value) for r in chunk.records)

    async def deliver(self, chunk: Chunk, prepared: Batch[AlertRaised]) -> None:
        """Compare the position and apply the batch with it, or rewind."""
        if prepared.refused:
            await self._park(chunk, prepared.refused)
        topic, partition = chunk.partition
        known = await self._read_side.alerts(sorted({e.alert_id for e in prepared.events}))
        result = project_alerts(prepared.events, known, self._clock())
        after = Position(chunk.end, chunk.end - 1)
        at = await self._read_side.apply(topic, partition, chunk.start, after, result.commands)
        self._check(chunk, at)
        for state, count in result.told.items():
            metrics.ALERTS.labels(state).inc(count)
        metrics.DUPLICATES.labels("alert").inc(result.repeated)
