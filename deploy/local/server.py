"""A data server as a child process: what broker and Valkey have in common."""

import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local import ports
from deploy.local.processes import ChildProcess
from shared.errors import Misconfigured

START_SECONDS = 60.0


class LocalServer(ABC):
    """A server on 127.0.0.1 whose data survives `stop`, `kill` and a new `start`.

    Without `port` a free one is chosen, once: clients find a restarted server where it was.
    """

    name: str
    port_setting: str

    def __init__(
        self, directory: Path, *, port: int | None = None, log: Path | None = None
    ) -> None:
        self.directory = directory
        self.port = ports.free_ports(1)[0] if port is None else port
        self.log = log or directory / f"{self.name}.log"
        self._process: ChildProcess | None = None

    @abstractmethod
    def _command(self) -> list[str]:
        """Make ready what a start needs; answer the command line."""

    @abstractmethod
    def answers(self) -> bool:
        """Does it do its work, more than hold a port open?"""

    @property
    def process(self) -> ChildProcess:
        """The process: its pid, its log, how it ended."""
        if self._process is None:
            raise ProcessLookupError(f"{self.name} was never started")
        return self._process

    def is_alive(self) -> bool:
        """Does the process exist? A frozen one does."""
        return self._process is not None and self._process.is_alive()

    def start(self) -> None:
        """Start and wait until it answers. Raises Misconfigured with what to do where it cannot."""
        if self.is_alive():
            return
        ports.require_free({self.port_setting: self.port})
        self._process = ChildProcess(self.name, self._command(), log=self.log)
        try:
            self._process.start()
            self._await_answer()
        except BaseException:
            self._process.kill()
            raise

    def stop(self) -> None:
        """A clean end: SIGTERM, and SIGKILL where that is not enough."""
        if self._process is not None:
            self._process.stop()

    def terminate(self) -> None:
        """Ask it to end; `stop` waits for that."""
        if self._process is not None:
            self._process.terminate()

    def last_words(self) -> str:
        """The line of its log that names a fault, else the last one."""
        return self._process.last_words() if self._process is not None else ""

    def kill(self) -> None:
        """SIGKILL. What the operating system already had is there at the next `start`."""
        self.process.kill()

    def freeze(self) -> None:
        """Connections stay open and nothing answers, until `thaw`."""
        self.process.freeze()

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self.process.thaw()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if not self.is_alive():
                raise Misconfigured(
                    f"{self.name} ended while it started: {self.process.last_words()} "
                    f"(its log: {self.log})"
                )
            if time.monotonic() > deadline:
                raise Misconfigured(
                    f"{self.name} did not answer on port {self.port} within "
                    f"{START_SECONDS:.0f} s; its log says why: {self.log}"
                )
            time.sleep(0.02)
