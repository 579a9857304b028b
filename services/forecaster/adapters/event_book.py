"""Planned events, as planners added them."""

import uuid

from services.forecaster.adapters.recent import Recent
from services.forecaster.adapters.store import Store
from services.forecaster.domain.forecasting.events import PlannedEvent
from shared import redis_keys as keys
from shared.clock import Clock
from shared.errors import NotFound
from shared.forecasting import EventPlan, EventRecord


class EventBook:
    """Adds, lists and removes planned events."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._recent = Recent(self._used, clock)

    async def records(self) -> list[EventRecord]:
        """Every event, the first to begin first."""
        stored = await self._store.fields(keys.EVENTS)
        events = [EventRecord.model_validate_json(raw) for raw in stored.values()]
        return sorted(events, key=lambda event: (event.first_day, event.id))

    async def all(self) -> tuple[PlannedEvent, ...]:
        """Every event as forecasts use it; one that another process added, a second later."""
        return await self._recent.get()

    async def _used(self) -> tuple[PlannedEvent, ...]:
        return tuple(
            PlannedEvent(
                identifier=each.id,
                kind=each.kind,
                first_day=each.first_day,
                last_day=each.last_day,
                expected_change=each.expected_change,
                queue=each.queue,
            )
            for each in await self.records()
        )

    async def add(self, plan: EventPlan, queue: str | None) -> EventRecord:
        """Keep an event. queue: the path of the queue that the plan names."""
        record = EventRecord(id=uuid.uuid4().hex, **plan.model_dump() | {"queue": queue})
        await self._store.set_field(keys.EVENTS, record.id, record.model_dump_json().encode())
        self._recent.forget()
        return record

    async def remove(self, event_id: str) -> None:
        """Raises NotFound."""
        dropped = await self._store.drop_fields(keys.EVENTS, [event_id])
        self._recent.forget()
        if not dropped:
            raise NotFound(f"there is no planned event {event_id!r}")
