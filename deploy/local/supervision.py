"""Keeps services running: starts them again after a growing pause, and says so."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.errors import Misconfigured

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
# A process that lived this long had started well: its next end is a new story.
SETTLED_SECONDS = 15.0
# With the pauses above about half a minute of trying.
PATIENCE = 7


class Supervised(Protocol):
    """What the supervisor needs of a service: `ChildProcess`, `LocalBroker` and `LocalValkey`."""

    @property
    def name(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def terminate(self) -> None: ...
    def is_alive(self) -> bool: ...
    def last_words(self) -> str: ...


@dataclass
class _Watch:
    service: Supervised
    started_at: float = 0.0
    failures: int = 0
    restart_at: float | None = None


class Supervisor:
    """Owns services from `start` to `stop`. `watch` is to be called a few times a second."""

    def __init__(
        self, announce: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.restarts = 0
        self._announce = announce
        self._clock = clock
        self._watches: list[_Watch] = []

    def start(self, service: Supervised) -> None:
        """Start a service and keep it running from now on."""
        # Entered before the start, so that `stop` also ends one that was interrupted in it.
        watch = _Watch(service)
        self._watches.append(watch)
        service.start()
        watch.started_at = self._clock()

    def watch(self) -> None:
        """Restart what died and whose pause is over. Misconfigured when one dies every time."""
        now = self._clock()
        for watch in self._watches:
            if watch.restart_at is None:
                if not watch.service.is_alive():
                    self._note_death(watch, now)
            elif now >= watch.restart_at:
                watch.restart_at = None
                self.restarts += 1
                watch.service.start()
                watch.started_at = self._clock()

    def release(self, service: Supervised) -> None:
        """Stop a service that has done its work."""
        self._watches = [watch for watch in self._watches if watch.service is not service]
        service.stop()

    def stop(self, stages: Sequence[Sequence[Supervised]] = ()) -> None:
        """End everything: newest first, those of a stage together. Not listed ones come last."""
        listed = [service for stage in stages for service in stage]
        rest = [w.service for w in reversed(self._watches) if w.service not in listed]
        running = {id(watch.service) for watch in self._watches}
        self._watches = []
        for stage in [*stages, *([service] for service in rest)]:
            mine = [service for service in stage if id(service) in running]
            for service in mine:
                service.terminate()
            for service in mine:
                service.stop()

    def _note_death(self, watch: _Watch, now: float) -> None:
        name, words = watch.service.name, watch.service.last_words()
        watch.failures = 1 if now - watch.started_at > SETTLED_SECONDS else watch.failures + 1
        if watch.failures > PATIENCE:
            raise Misconfigured(f"{name} ended {watch.failures} times in a row: {words}")
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (watch.failures - 1))
        watch.restart_at = now + pause
        self._announce(f"{name} ended ({words or 'without a word'}); again in {pause:g} s")
