"""A child process with a log file, its own process group and an orderly end."""

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
        """The last line of the log that names a fault, else the last line."""
        if not self.log.exists():
            return ""
        text = self.log.read_text(errors="replace")[-100_000:]
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        faults = [line for line in lines if "Error" in line or "ERROR" in line or "rror:" in line]
        return ([*lines[-1:], *faults[-1:]] or [""])[-1][:400]

    def _ended(self) -> None:
        process = self._process
        if process is None:
            return
        self.returncode = process.returncode
        self._process = None
        # The leader is gone; whatever it started must not stay behind.
        signal_group(process.pid, signal.SIGKILL)
        guardian().release(process.pid)
