"""Ends the process groups of a runner that died without ending them, even by SIGKILL.

Run as a script it is the guardian: a process of its own session that reads `+GROUP` and `-GROUP`
lines from standard input. The end of its input means that the runner is gone. PR_SET_PDEATHSIG
would be shorter but is Linux only, is bound to the starting thread and needs a preexec_fn.
"""

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 5.0


class Guardian:
    """The runner's end of the pipe to its guardian process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            # -I -S: nothing but the standard library, so that it is up in 10 ms.
            [sys.executable, "-I", "-S", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def adopt(self, group: int) -> None:
        """From now on `group` dies with this process."""
        self._tell(f"+{group}\n")

    def release(self, group: int) -> None:
        """`group` has ended; its number may be used again by somebody else."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 - given to Popen above
        with self._lock:
            pipe.write(line.encode())
            pipe.flush()


@functools.cache
def guardian() -> Guardian:
    """The one guardian of this process, started with the first child."""
    return Guardian()


def signal_group(group: int, number: int) -> bool:
    """Send a signal to every process of a group. False: there is none left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


def main() -> None:
    """Read until the runner is gone, then end what it left."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        signal_group(group, signal.SIGCONT)
        signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(signal_group(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        signal_group(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
