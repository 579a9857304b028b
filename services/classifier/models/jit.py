"""How kernels are compiled: once, to numba's disk cache (NUMBA_CACHE_DIR, else beside the code)."""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba as nb

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# Sums may be reordered, so that loops over columns use vector registers; NaN and infinity keep
# their meaning. The order is fixed at compile time: the same CPU gives the same bits.
_REORDERED: Final = {"contract", "reassoc", "nsz", "arcp"}


def kernel(function: Kernel) -> Kernel:
    """Compile on first call, cached on disk, releasing the GIL."""
    return cast("Kernel", nb.njit(cache=True, nogil=True)(function))


def vector_kernel(function: Kernel) -> Kernel:
    """Like `kernel`, with float sums free to be reordered."""
    return cast("Kernel", nb.njit(cache=True, nogil=True, fastmath=_REORDERED)(function))


def inlined(function: Kernel) -> Kernel:
    """A part of other kernels, inlined where it is called."""
    return cast("Kernel", nb.njit(cache=True, inline="always")(function))
