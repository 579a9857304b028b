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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc on Linux only")
def test_freed_memory_is_given_back() -> None:
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[4]
    )
    full, left = map(int, done.stdout.split())
    assert left < full - 100
