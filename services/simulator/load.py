"""Open-loop load: requests start at their intended times, however slow the answers are.

Latency counts from the intended time, so that a stalled server is charged for every request it
kept waiting (Gil Tene's "coordinated omission" is what happens otherwise).
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from services.simulator.adapters.http_client import Reply, Unreachable
from shared.clock import Monotonic, monotonic

# What a server says that means "later", not "never".
BUSY = frozenset({429, 502, 503, 504})
ACCEPTED = 202
FIRST_BACKOFF_SECONDS = 0.1
MAX_BACKOFF_SECONDS = 3.0


class Poster(Protocol):
    """The part of an HTTP client that posting needs."""

    async def post_json(self, path: str, body: bytes) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Request:
    """A request due `at` seconds after the start; `body` is made once, when it is due."""

    at: float
    path: str
    body: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended. `latency`: seconds from its intended time to the final answer."""

    request: Request
    status: int | None
    latency: float
    attempts: int
    reply: bytes = b""

    @property
    def accepted(self) -> bool:
        return self.status == ACCEPTED


class OpenLoop:
    """Posts requests on schedule. With `repeat`, busy servers get the same bytes again later."""

    def __init__(
        self,
        poster: Poster,
        *,
        repeat: bool = True,
        max_outstanding: int = 10_000,
        clock: Monotonic = monotonic,
    ) -> None:
        self._poster = poster
        self._repeat = repeat
        self._clock = clock
        # Beyond this the schedule waits: memory is finite. The wait still counts as latency.
        self._room = asyncio.Semaphore(max_outstanding)
        self._jitter = random.Random()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Start nothing more and repeat nothing more; what is under way may end."""
        self._stopped.set()

    async def run(self, requests: Iterable[Request], done: Callable[[Outcome], None]) -> None:
        """Return when every request has ended; `done` is called for each as it ends."""
        start = self._clock()
        async with asyncio.TaskGroup() as group:
            for request in requests:
                delay = start + request.at - self._clock()
                # Without a sleep when late, answers would wait until the schedule is caught up.
                if await self._stopped_within(max(delay, 0.0)):
                    break
                await self._room.acquire()
                group.create_task(self._finish(request, start + request.at, done))

    async def deliver(self, path: str, body: bytes) -> tuple[Reply | None, int]:
        """Post until somebody takes a stand; the reply (None: stopped before) and the attempts."""
        attempts = 0
        while True:
            attempts += 1
            reply: Reply | None = None
            try:
                reply = await self._poster.post_json(path, body)
            except Unreachable:
                if not self._repeat:
                    return None, attempts
            if reply is not None and (reply.status not in BUSY or not self._repeat):
                return reply, attempts
            if await self._stopped_within(self._backoff(attempts, reply)):
                return reply, attempts

    async def _finish(
        self, request: Request, intended: float, done: Callable[[Outcome], None]
    ) -> None:
        try:
            reply, attempts = await self.deliver(request.path, request.body())
            latency = self._clock() - intended
            if reply is None:
                done(Outcome(request, None, latency, attempts))
            else:
                done(Outcome(request, reply.status, latency, attempts, reply.body))
        finally:
            self._room.release()

    def _backoff(self, attempts: int, reply: Reply | None) -> float:
        """Doubling with jitter, at least what the server asked for within reason."""
        wait = min(FIRST_BACKOFF_SECONDS * 2.0 ** min(attempts - 1, 10), MAX_BACKOFF_SECONDS)
        asked = reply.headers.get("retry-after", "") if reply else ""
        if asked.isdigit():
            wait = max(wait, min(float(asked), MAX_BACKOFF_SECONDS))
        return wait * self._jitter.uniform(0.5, 1.0)

    async def _stopped_within(self, seconds: float) -> bool:
        if self._stopped.is_set():
            return True
        if seconds <= 0:
            await asyncio.sleep(0)
            return False
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return False
        return True
