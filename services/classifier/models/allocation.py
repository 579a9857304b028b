"""Memory given back to the machine: what a refit has used is not the worker's for good."""

import ctypes
import sys
from functools import cache
from typing import Any, Final

# Parameters of glibc's mallopt(3).
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
# Arrays of a batch stay on the heap, those of a refit are mapped, and unmapped when they are freed.
# Named outright, because glibc raises its own threshold to whatever was last freed.
_MAPPED_FROM: Final = 1 << 20
_ARENAS: Final = 2


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
    """Return freed pages to the machine: a millisecond or two, so after a refit and not before."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)
