"""Where things lie on this machine: everything local is below `.local` of the checkout."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Misconfigured

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Workspace:
    """Folders that survive (jars, models) and one that is emptied at each run (`run`)."""

    root: Path = CHECKOUT / ".local"

    @property
    def kafka(self) -> Path:
        """Jars, the formatted storage and the class-data archive of the broker."""
        return self.root / "kafka"

    @property
    def run(self) -> Path:
        """Data, logs and reports of the current or last run."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def pid_file(self) -> Path:
        return self.root / "running.pid"


@contextmanager
def exclusive(path: Path, *, busy: str | None = None) -> Iterator[None]:
    """Hold a lock file. Waits for the holder; with `busy` raises Misconfigured(busy) instead.

    The kernel frees the lock with its process, so a crash leaves nothing to clean up.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise Misconfigured(str(busy)) from None
        yield
