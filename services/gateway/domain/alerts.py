"""Surge alerts as the gateway shows them, and one page of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from services.gateway.domain.paging import Position
from shared import redis_keys
from shared.events import AlertRaised

State = Literal["open", "closed"]
READ_AT_ONCE = 200
# A filter that nearly nothing passes answers a short page with `next` rather than scan for long.
MOST_READS = 20

EXAMPLE: dict[str, JsonValue] = {
    "id": "20260302T09-topic-5f1c0e9b2a77",
    "state": "closed",
    "surging": "topic",
    "topic": "vpn",
    "queue": "IT/Network",
    "started_at": "2026-03-02T09:00:00Z",
    "ended_at": "2026-03-02T12:00:00Z",
    "duration_seconds": 10800,
    "raised_at": "2026-03-02T09:12:40Z",
    "closed_at": "2026-03-02T14:01:02Z",
    "tickets": 143,
    "expected": 31.4,
    "requesters": 52,
    "peak": 8.31,
    "examples": ["T-1042", "T-1043"],
}


class Alert(BaseModel):
    """One surge: more tickets of a topic or in a queue than its hours of the week explain."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    state: State
    surging: Literal["queue", "topic"] = Field(description="Whose count left its profile.")
    topic: str | None = Field(description="What most of it is about; null for many topics.")
    queue: str | None = Field(description="Where most of it arrived; null for many queues.")
    started_at: AwareDatetime = Field(description="The first moment of its first hour.")
    ended_at: AwareDatetime | None = Field(description="The end of its last hour; null while open.")
    duration_seconds: int = Field(ge=0, description="Until now while it is open.")
    raised_at: AwareDatetime
    closed_at: AwareDatetime | None
    tickets: int = Field(ge=0, description="Since it began; of an open one when it was raised.")
    expected: float = Field(description="What the profile expected of the same hours.")
    requesters: int = Field(ge=0, description="Distinct people, the most of one hour.")
    peak: float = Field(description="Standard deviations above the profile, at most.")
    examples: list[str] = Field(description="Ids of some of its tickets.")

    @classmethod
    def of(cls, told: AlertRaised, now: datetime) -> "Alert":
        """As told, lasting until `now` if it is open."""
        lasted = (told.ended_at or max(now, told.started_at)) - told.started_at
        fields = told.model_dump(exclude={"alert_id"})
        return cls(id=told.alert_id, duration_seconds=int(lasted.total_seconds()), **fields)


class AlertIndex(Protocol):
    """What a page is read from."""

    async def newest(
        self, indexes: Sequence[str], before: Position | None, count: int
    ) -> list[Position]:
        """1 to `count` places, newest first, strictly before `before`; [] at the end."""
        ...

    async def strings(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of several keys, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Alerts, and the place to go on from; `next` is None at the end."""

    alerts: list[AlertRaised]
    next: Position | None


async def read_alerts(
    index: AlertIndex, wanted: Callable[[AlertRaised], bool], before: Position | None, limit: int
) -> AlertPage:
    """The latest to begin first."""
    found: list[tuple[Position, AlertRaised]] = []
    for _ in range(MOST_READS):
        places = await index.newest([redis_keys.ALERTS], before, READ_AT_ONCE)
        if not places:
            return AlertPage([alert for _, alert in found], None)
        raws = await index.strings([redis_keys.alert(place.ticket_id) for place in places])
        for place, raw in zip(places, raws, strict=True):
            if raw is not None and wanted(alert := AlertRaised.model_validate_json(raw)):
                found.append((place, alert))
        if len(found) > limit:
            return AlertPage([alert for _, alert in found[:limit]], found[limit - 1][0])
        before = places[-1]
    return AlertPage([alert for _, alert in found], before)
