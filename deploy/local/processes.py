"""A child process with a log file, its own process group and an orderly end."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.guardian import guardian, signal_group
from deploy.local.workspace import CHECKOUT

_LEVEL = re.compile(r"\b(CRITICAL|FATAL)\b")
_FAULT = re.compile(r"[Ee]rror|ERROR|[Ee]xception")


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
        # Its threads go on until one of them has run and seen the signal, which takes its time on
        # a busy machine; the kernel reports the stop when the last of them stands still.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

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
    """The last critical line, else the last that names an error, else the last."""
    spoken = [_spoken(line) for line in lines if line.strip()]
    critical = [words for level, words in spoken if level in {"critical", "fatal"}]
    everything = [words for _, words in spoken]
    faults = [line for line in everything if _FAULT.search(line)]
    return next((told[-1][:300] for told in (critical, faults, everything) if told), "")


def _spoken(line: str) -> tuple[str, str]:
    """Level and message of a JSON line; of any other the level that it names, and all of it."""
    try:
        said = json.loads(line)
        return str(said.get("level")).lower(), str(said["message"])
    except (ValueError, AttributeError, KeyError):
        named = _LEVEL.search(line)
        return named[0].lower() if named else "", line.strip()
