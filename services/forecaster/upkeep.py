"""What the forecaster does on a timer: compare positions, trim indices."""

import logging
from datetime import timedelta

from mode import Service

from services.forecaster.adapters.read_side import PASSING, RedisReadSide
from shared.clock import Clock
from shared.streaming import Intake

log = logging.getLogger(__name__)

TRIM_SECONDS = 60.0


class Upkeep(Service):  # type: ignore[misc]
    """Notices that Redis went back even when no new ticket arrives to be refused."""

    def __init__(
        self,
        read_side: RedisReadSide,
        intakes: list[Intake],
        clock: Clock,
        compare_seconds: float,
        ticket_life: timedelta,
    ) -> None:
        super().__init__()
        self._read_side = read_side
        self._intakes = intakes
        self._clock = clock
        self._compare_seconds = compare_seconds
        self._ticket_life = ticket_life

    @Service.task  # type: ignore[untyped-decorator]
    async def _compare(self) -> None:
        while not self.should_stop:
            await self.sleep(self._compare_seconds)
            for intake in self._intakes:
                try:
                    await self.compare(intake)
                except PASSING as error:
                    log.warning("positions not compared: %s", error)

    @Service.task  # type: ignore[untyped-decorator]
    async def _trim(self) -> None:
        while not self.should_stop:
            await self.sleep(TRIM_SECONDS)
            oldest = self._clock() - self._ticket_life
            try:
                await self._read_side.trim(int(oldest.timestamp() * 1000))
            except PASSING as error:
                log.warning("indices not trimmed: %s", error)

    async def compare(self, intake: Intake) -> None:
        """Rewind every resting partition whose stored position is not the one applied."""
        before = intake.resting()
        partitions = sorted(before)
        stored = await self._read_side.offsets(intake.topic, [tp.partition for tp in partitions])
        # Only a partition that rested all the while can be judged.
        after = intake.resting()
        for tp, offset in zip(partitions, stored, strict=True):
            if after.get(tp) == before[tp] != offset:
                log.warning("%s: read side at %s, not %s", tp, offset, before[tp])
                await intake.rewind(tp)
