"""Ends a process that is stuck: a thread outside the event loop watches it and the poll loop."""

import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

log = logging.getLogger(__name__)

EXIT_FATAL = 3
EXIT_TIMEOUT = 4
EXIT_STUCK = 5


def die(reason: str, code: int = EXIT_FATAL) -> NoReturn:
    """End the process now, without commits, flushes or handlers: the log is repeated, not trusted.

    After an unexpected error nothing later may be acknowledged, so nothing may run any more.
    """
    log.critical("ending the process: %s", reason)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


class Watchdog:
    """Ends the process when `age()` exceeds `limit` seconds.

    `age` must be readable from another thread and must not need the event loop.
    """

    def __init__(self, age: Callable[[], float], limit: float) -> None:
        self._age = age
        self._limit = limit
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(min(1.0, self._limit / 4)):
            age = self._age()
            if age > self._limit:
                faulthandler.dump_traceback(all_threads=True)
                die(f"no sign of life for {age:.0f} s", EXIT_STUCK)


def hard_exit_after(seconds: float) -> None:
    """A stop that takes longer than this is ended: aiokafka waits for a dead broker without end."""

    def end() -> None:
        time.sleep(seconds)
        die(f"the stop took longer than {seconds:.0f} s", EXIT_TIMEOUT)

    threading.Thread(target=end, name="hard-exit", daemon=True).start()
