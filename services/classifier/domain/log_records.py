"""The correction log as it is folded: its records, and how far a fold has come."""

from dataclasses import dataclass
from typing import NamedTuple

from shared.events import CorrectionLogEvent


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record of the log; `event` is None where the bytes were no event."""

    offset: int
    event: CorrectionLogEvent | None

    @property
    def event_id(self) -> str:
        """Empty where there is no event."""
        return self.event.event_id if self.event else ""


class Place(NamedTuple):
    """How far a log was folded: the next offset, and the id of the event before it."""

    offset: int = 0
    last: str = ""
