"""A child process with a log file, its own process group and an orderly end."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.guardian import guardian, signal_group
from deploy.local.workspace import CHECKOUT


class ChildProcess:
    """One program, started any number of times. Nothing of it outlives `stop`, or this process."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path = CHECKOUT,
        grace_seconds: float = 15.0,
    ) -> None:
        self.name = name
        self.log = log
        self.returncode: int | None = None
        self._command = list(command)
        self._environment = dict(environment or {})
        self._directory = directory
        self._grace_seconds = grace_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._written_before = 0

    @property
    def pid(self) -> int:
        """The number of the running process, which is also that of its group."""
        if self._process is None:
            raise ProcessLookupError(f"{self.name} is not running")
        return self._process.pid

    def is_alive(self) -> bool:
        """Does it run (frozen counts)? Also tidies up after one that ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            self._ended()
        return self._process is not None

    def start(self) -> None:
        """Start it, output appended to the log file."""
        if self.is_alive():
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.returncode = None
        with self.log.open("ab") as log:
            self._written_before = log.tell()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._directory,
                env={**os.environ, **self._environment},
                # Ctrl-C at the terminal is for the runner, which ends its children in order.
                start_new_session=True,
            )
        guardian().adopt(self._process.pid)

    def terminate(self) -> None:
        """Ask it to end; `stop` waits for that."""
        if self.is_alive():
            signal_group(self.pid, signal.SIGCONT)
            signal_group(self.pid, signal.SIGTERM)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when the grace is over."""
        self.terminate()
        if self._process is None:
            return
        try:
            self._process.wait(self._grace_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        else:
            self._ended()

    def kill(self) -> None:
        """SIGKILL now: what a crash or the out-of-memory killer does."""
        if self._process is not None:
            signal_group(self.pid, signal.SIGKILL)
            self._process.wait()
            self._ended()

    def freeze(self) -> None:
        """SIGSTOP: alive, holding its ports, and not answering."""
        signal_group(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT after `freeze`."""
        signal_group(self.pid, signal.SIGCONT)

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None when it still runs after `seconds`."""
        if self._process is not None:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                return None
            self._ended()
        return self.returncode

    def last_words(self) -> str:
        """How it ended and, if by itself, the line of its log that names the fault."""
        code = self.returncode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        words = _fault(self._output())
        return words if code is None else f"code {code}{': ' if words else ''}{words}"

    def _output(self) -> list[str]:
        """What it has written since its last start, the last part of it."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as log:
            log.seek(max(self._written_before, self.log.stat().st_size - 100_000))
            return log.read().decode(errors="replace").splitlines()

    def _ended(self) -> None:
        process = self._process
        if process is None:
            return
        self.returncode = process.returncode
        self._process = None
        # The leader is gone; whatever it started must not stay behind.
        signal_group(process.pid, signal.SIGKILL)
        guardian().release(process.pid)


def _fault(lines: list[str]) -> str:
    """The last line that names an error, else the last line; of a JSON line its message."""
    spoken = [_message(line) for line in lines if line.strip()]
    faults = [line for line in spoken if "rror" in line or "ERROR" in line or "xception" in line]
    return ([*spoken[-1:], *faults[-1:]] or [""])[-1][:300]


def _message(line: str) -> str:
    try:
        return str(json.loads(line)["message"])
    except (ValueError, TypeError, KeyError):
        return line.strip()
