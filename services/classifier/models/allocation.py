"""Memory given back to the machine: what a refit has used is not the worker's for good."""

import ctypes
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

# Parameters of glibc's mallopt(3).
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
# Arrays of a batch stay on the heap, those of a refit are mapped, and unmapped when they are freed.
# Named outright, because glibc raises its own threshold to whatever was last freed.
_MAPPED_FROM: Final = 1 << 20
_ARENAS: Final = 2
# Of madvise(2).
_DONT_NEED: Final = 4
_COMPILER: Final = "libllvmlite"


@cache
def _glibc() -> Any:
    """The C library where it is glibc, else None."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None


def map_large_arrays() -> bool:
    """Have large arrays mapped one by one; before threads are started. False without glibc."""
    library = _glibc()
    if library is None:
        return False
    return bool(
        library.mallopt(_MMAP_THRESHOLD, _MAPPED_FROM) and library.mallopt(_ARENA_MAX, _ARENAS)
    )


def give_back() -> None:
    """Return freed pages to the machine, and the compiler's code; some milliseconds, so after a
    refit and not before.

    numba needs LLVM to load a kernel from its cache, not to run it, and 50 MB of code stay mapped.
    They are a file's pages, which workers share: should it be needed again they are mapped again.
    """
    library = _glibc()
    if library is None:
        return
    library.malloc_trim(0)
    for start, size in _mapped_code(_COMPILER):
        library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), _DONT_NEED)


def _mapped_code(name: str) -> Iterator[tuple[int, int]]:
    """Where a library's code is mapped, and its size in bytes: pages that nobody ever writes to."""
    for line in Path("/proc/self/maps").read_text("utf-8", "replace").splitlines():
        if " r-xp " in line and name in line:
            start, end = (int(each, 16) for each in line.split()[0].split("-"))
            yield start, end - start
