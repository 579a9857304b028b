"""What a refit has used goes back to the machine."""

import subprocess
import sys
from pathlib import Path

import pytest

# Fills the heap in many small steps, as texts and features do, and frees all but the last piece,
# which would keep the heap at its height.
_PROGRAM = """
from pathlib import Path
from services.classifier.models.allocation import give_back, map_large_arrays
import numpy as np
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20
assert map_large_arrays()
pieces = [np.ones(20_000) for _ in range(1000)]
full = resident()
last = pieces[-1]
del pieces
give_back()
print(full, resident())
"""


# Kernels are compiled before and after the compiler's pages were given back.
_COMPILING = """
from pathlib import Path
from services.classifier.models.allocation import give_back
import numba as nb
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20
@nb.njit
def twice(x):
    return x + x
assert twice(2) == 4
full = resident()
give_back()
print(full, resident())
assert twice(2) == 4
assert twice(2.5) == 5.0
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc on Linux only")


def measured(program: str) -> tuple[int, int]:
    """MiB before and after, as the program prints them."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[4]
    )
    full, left = map(int, done.stdout.split())
    return full, left


def test_freed_memory_is_given_back() -> None:
    full, left = measured(_PROGRAM)
    assert left < full - 100


def test_the_compilers_code_is_given_back_until_it_is_needed_again() -> None:
    full, left = measured(_COMPILING)
    assert left < full - 20
