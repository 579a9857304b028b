"""The correction log as it is folded: records by their offsets."""

from dataclasses import dataclass

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
