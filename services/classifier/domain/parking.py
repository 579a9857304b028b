"""When too much is being parked, the fault is ours: stop instead of emptying the topic."""

from collections import deque
from dataclasses import dataclass, field

from shared.errors import DeskstreamError


class ParkingLimitExceeded(DeskstreamError):
    """More records cannot be processed than bad input explains; nothing of this batch is parked."""

    code = "parking-limit"


@dataclass
class ParkingLimit:
    """Refuses to park once more than `share` of the last `window` records would be parked.

    Below `least` records seen it never refuses, so that a few bad ones after a restart pass.
    A schema nobody understands, or a broken deployment, must not move a topic to the parked one.
    """

    share: float = 0.5
    window: int = 2_000
    least: int = 100
    _batches: deque[tuple[int, int]] = field(default_factory=deque)
    _seen: int = 0
    _parked: int = 0

    def admit(self, records: int, parked: int) -> None:
        """Account for a batch. Raises ParkingLimitExceeded before any of it is parked."""
        self._batches.append((records, parked))
        self._seen += records
        self._parked += parked
        while self._seen - self._batches[0][0] >= self.window:
            old_records, old_parked = self._batches.popleft()
            self._seen -= old_records
            self._parked -= old_parked
        if parked and self._seen >= self.least and self._parked > self.share * self._seen:
            raise ParkingLimitExceeded(
                f"{self._parked} of the last {self._seen} records cannot be processed "
                f"(limit {self.share:.0%}); see the parked topic, repair, then restart"
            )
