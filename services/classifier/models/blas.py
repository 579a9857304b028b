"""Which matrix kernels a process uses, and how many threads they take."""

import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

_NEEDED = frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"})


def choose_kernels(environment: MutableMapping[str, str], flags: frozenset[str]) -> None:
    """Name OpenBLAS's kernels in `environment`, unless somebody did. Before numpy is imported.

    OpenBLAS takes processors newer than itself for old ones: half the speed on those with AVX-512,
    and rounding that depends on a row's place in the matrix, which costs the encoder padding. One
    thread, because a worker is one core and more threads change the bits.
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


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS on one thread: more change the bits and take the cores of other workers."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> Any:
    # Not at the top: threadpoolctl looks for the libraries that are loaded by then, and
    # `choose_kernels` must be importable before any of them is.
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415

    return ThreadpoolController()
