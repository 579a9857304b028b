"""What changes seldom and is asked for with every forecast: read at most once a second."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

from shared.clock import Clock

# What another process changes is noticed after so long; what this one changes, at once.
FRESH = timedelta(seconds=1)
Value = TypeVar("Value")


class Recent(Generic[Value]):
    """A value as it was read less than FRESH ago. Whoever changes it calls `forget`."""

    def __init__(self, read: Callable[[], Awaitable[Value]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._read_at = clock()
        self._value: Value | None = None
        self._changes = 0

    async def get(self) -> Value:
        """Raises what reading raises."""
        now = self._clock()
        if self._value is not None and abs(now - self._read_at) < FRESH:
            return self._value
        changes = self._changes
        value = await self._read()
        # One that was changed while it was read may be as it was before.
        if changes == self._changes:
            self._value, self._read_at = value, now
        return value

    def forget(self) -> None:
        """Read anew when it is next asked for."""
        self._value = None
        self._changes += 1
