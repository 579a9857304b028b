"""What a worker does every so often beside its work."""

import asyncio
from collections.abc import Callable

from mode import Service


class Upkeep(Service):  # type: ignore[misc]
    """Calls `work` in a thread every so many seconds, and once more when the worker stops."""

    def __init__(self, work: Callable[[], None], seconds: float) -> None:
        super().__init__()
        self._work = work
        self._seconds = seconds

    async def on_stop(self) -> None:
        await asyncio.to_thread(self._work)

    @Service.task  # type: ignore[untyped-decorator]
    async def _repeat(self) -> None:
        while not self.should_stop:
            await self.sleep(self._seconds)
            await asyncio.to_thread(self._work)
