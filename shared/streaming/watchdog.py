"""Ends a process that is stuck: a thread outside the event loop watches it and the poll loop."""

import faulthandler
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import NoReturn

log = logging.getLogger(__name__)

EXIT_FATAL = 3
EXIT_TIMEOUT = 4
EXIT_STUCK = 5
# What was folded so far is not the log at hand: only a new process starts from nothing.
EXIT_OTHER_LOG = 6
# The last words must not be what keeps a process alive: a reader of its log may be stuck as well.
LAST_WORDS_SECONDS = 5.0
# A watchdog that itself was not run for so long says nothing about others: all were frozen.
FROZEN_SECONDS = 2.0


def die(reason: str, code: int = EXIT_FATAL) -> NoReturn:
    """End the process now, without commits, flushes or handlers: the log is repeated, not trusted.

    After an unexpected error nothing later may be acknowledged, so nothing may run any more.
    """
    _exit_in(LAST_WORDS_SECONDS, code)
    log.critical("ending the process: %s", reason)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


class Watchdog:
    """Ends the process when `age()` exceeds `limit` seconds; `what` names the fault in the log.

    `age` must be readable from another thread and must not need the event loop. After a process
    was frozen (SIGSTOP, a paused machine) it gets one more turn to show that it lives.
    """

    def __init__(
        self, age: Callable[[], float], limit: float, what: str = "no sign of life"
    ) -> None:
        self._age = age
        self._limit = limit
        self._what = what
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        pause = min(1.0, self._limit / 4)
        while True:
            before = time.monotonic()
            if self._stopped.wait(pause):
                return
            age = self._age()
            if age > self._limit and time.monotonic() - before < pause + FROZEN_SECONDS:
                _exit_in(LAST_WORDS_SECONDS, EXIT_STUCK)
                log.critical("stacks of all threads:\n%s", _stacks())
                die(f"{self._what} for {age:.0f} s", EXIT_STUCK)


class LastResort:
    """Ends a process whose interpreter stands still: no thread of Python gets to run then.

    Compiled code that never returns while it holds the interpreter's lock (a regular expression
    that backtracks for ever) stops every watchdog above. This one is a C thread of faulthandler:
    it writes the stacks and exits with code 1, without a log line.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._defer, name="last-resort", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        faulthandler.cancel_dump_traceback_later()

    def _defer(self) -> None:
        while True:
            faulthandler.dump_traceback_later(self._limit, exit=True)
            if self._stopped.wait(min(1.0, self._limit / 4)):
                return


def _stacks() -> str:
    # Not straight to standard error: faulthandler writes without letting other threads run, and
    # where nobody reads that, it would stop this one for ever.
    try:
        with tempfile.TemporaryFile() as file:
            faulthandler.dump_traceback(file, all_threads=True)
            file.seek(0)
            return file.read().decode(errors="replace")
    except OSError as fault:
        return f"they cannot be written: {fault}"


def _exit_in(seconds: float, code: int) -> None:
    def end() -> None:
        time.sleep(seconds)
        os._exit(code)

    threading.Thread(target=end, name="exit", daemon=True).start()


def hard_exit_after(seconds: float) -> None:
    """A stop that takes longer than this is ended: aiokafka waits for a dead broker without end."""

    def end() -> None:
        time.sleep(seconds)
        die(f"the stop took longer than {seconds:.0f} s", EXIT_TIMEOUT)

    threading.Thread(target=end, name="hard-exit", daemon=True).start()
