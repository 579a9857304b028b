"""Forecasts made once: a bounded memory, computed off the event loop, one at a time."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar

from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from shared.clock import Clock

Result = TypeVar("Result")
# About 48 bytes a step: 96 MB at most, or 6,600 forecasts of 300 days.
MOST_STEPS = 2_000_000
FRESH = timedelta(seconds=10)
MOST_ASKED = 20_000


class Lately:
    """What the answer to some arguments was made from, as it was looked up less than FRESH ago."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._read: dict[Hashable, tuple[datetime, Hashable]] = {}

    def of(self, asked: Hashable) -> Hashable | None:
        """The key that was put, None where it must be looked up again."""
        read_at, made_from = self._read.get(asked, (None, None))
        fresh = read_at is not None and abs(self._clock() - read_at) < FRESH
        return made_from if fresh else None

    def put(self, asked: Hashable, read_at: datetime, made_from: Hashable) -> None:
        """Remember a key, looked up at a time."""
        if len(self._read) >= MOST_ASKED:
            self._read.clear()
        self._read[asked] = (read_at, made_from)


class Memo:
    """Forecasts by key, the least recently used forgotten first.

    Whoever asks for a forecast that is being made waits for that one.
    """

    def __init__(self, most_steps: int = MOST_STEPS) -> None:
        # One thread: the projection in the same process must keep its share of the interpreter.
        self._thread = ThreadPoolExecutor(1, "forecast")
        self._most_steps = most_steps
        self._steps = 0
        self._made: OrderedDict[Hashable, ForecastDistribution] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[ForecastDistribution]] = {}

    def known(self, key: Hashable) -> ForecastDistribution | None:
        """The forecast if it was made."""
        found = self._made.get(key)
        if found is not None:
            self._made.move_to_end(key)
        return found

    async def make(
        self, key: Hashable, work: Callable[[], ForecastDistribution]
    ) -> ForecastDistribution:
        """Run `work` unless its result is known or on its way."""
        if (found := self.known(key)) is not None:
            return found
        future = self._making.get(key)
        if future is None:
            future = asyncio.get_running_loop().run_in_executor(self._thread, work)
            self._making[key] = future
            future.add_done_callback(lambda done: self._done(key, done))
        # A client that leaves must not take the forecast from the others.
        return await asyncio.shield(future)

    def keep(self, key: Hashable, made: ForecastDistribution) -> None:
        """Remember a forecast that is known already."""
        replaced = self._made.pop(key, None)
        self._steps += made.horizon - (replaced.horizon if replaced else 0)
        self._made[key] = made
        while self._steps > self._most_steps:
            _, forgotten = self._made.popitem(last=False)
            self._steps -= forgotten.horizon

    async def run(self, work: Callable[[], Result]) -> Result:
        """Other long work, in the same thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _done(self, key: Hashable, done: asyncio.Future[ForecastDistribution]) -> None:
        del self._making[key]
        if not done.cancelled() and done.exception() is None:
            self.keep(key, done.result())
