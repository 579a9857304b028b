"""Which clock, holidays and planned events a queue lives by."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, model_validator

from services.forecaster.domain.forecasting.calendar import Calendar, CalendarError
from services.forecaster.domain.forecasting.events import PlannedEvent
from shared.queues import SEPARATOR


class Place(BaseModel):
    """Where a queue's people live: an IANA time zone, and a country for its holidays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: str = "UTC"
    country: str | None = None

    @model_validator(mode="after")
    def _known(self) -> "Place":
        try:
            Calendar(self.timezone, self.country)
        except CalendarError as error:
            raise ValueError(str(error)) from error
        return self


class Calendars:
    """The calendar of each queue: its own, else that of the nearest queue above, else the rest's.

    places: by queue path.
    """

    def __init__(self, rest: Place, places: Mapping[str, Place]) -> None:
        self._rest = rest
        self._places = places

    def of(self, path: str, events: tuple[PlannedEvent, ...] = ()) -> Calendar:
        """The calendar of a queue path ("" is all queues) with some events."""
        above = _lineage(path)
        place = next((self._places[p] for p in above if p in self._places), self._rest)
        return Calendar(place.timezone, place.country, events)


def concerning(events: Iterable[PlannedEvent], path: str) -> tuple[PlannedEvent, ...]:
    """The events of a queue: those of all queues, its own, and those of queues above it."""
    above = _lineage(path)
    return tuple(event for event in events if event.queue is None or event.queue in above)


def _lineage(path: str) -> list[str]:
    """The path and every path above it, nearest first."""
    parts = path.split(SEPARATOR) if path else []
    return [SEPARATOR.join(parts[:depth]) for depth in range(len(parts), 0, -1)]
