"""Which matrix kernels a process uses, and how many threads they take."""

import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

_NEEDED = frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"})


def choose_kernels(environment: MutableMapping[str, str], flags: frozenset[str]) -> None:
    """Name OpenBLAS's kernels in `environment`, unless somebody did. Before numpy is imported.

    OpenBLAS takes processors newer than itself for old ones: half the speed on those with AVX-512.
    One thread, because a worker is one core and more threads change the bits.
    """
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    environment.setdefault("OMP_NUM_THREADS", "1")
    if flags >= _NEEDED:
        environment.setdefault("OPENBLAS_CORETYPE", "SkylakeX")


def processor_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """What the processor can do, as Linux names it; empty where that cannot be read."""
    if sys.platform != "linux":
        return frozenset()
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return frozenset()


class _OneThread:
    """The number of BLAS threads is the process's: the first to enter sets it, the last resets it.

    Were each to reset what it found, one leaving would give threads back to another's product.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limit: Any = None

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                _take_control()
                self._limit = _libraries().limit(limits=1, user_api="blas")
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _take_control()
                self._limit.restore_original_limits()


def _take_control() -> None:
    # threadpoolctl lets the thread that once set a number of threads set it again, and ignores
    # every other one without a word; here the lock says whose turn it is.
    for library in _libraries().lib_controllers:
        if (clear := getattr(library, "clear_controlling_thread", None)) is not None:
            clear(force=True)


_ONE_THREAD = _OneThread()


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS on one thread: more change the bits and take the cores of other workers.

    May be entered by several threads at once, and again inside.
    """
    _ONE_THREAD.enter()
    try:
        yield
    finally:
        _ONE_THREAD.leave()


@cache
def _libraries() -> Any:
    # Not at the top: threadpoolctl looks for the libraries that are loaded by then, and
    # `choose_kernels` must be importable before any of them is.
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415

    return ThreadpoolController()
