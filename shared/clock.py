"""Time as a port, so that tests set it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

# Now, in UTC. Injected wherever a time is stamped or compared.
Clock = Callable[[], datetime]
# Seconds that never step back. For deadlines and durations.
Monotonic = Callable[[], float]

monotonic: Monotonic = time.monotonic


def utc_now() -> datetime:
    """The system's wall clock, in UTC."""
    return datetime.now(UTC)
