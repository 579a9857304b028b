"""Two programs in turn, A B A B: the ratio holds where the machine's speed drifts."""

import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

CHECKOUT = Path(__file__).resolve().parent.parent
Figures = dict[str, float]


@dataclass(frozen=True)
class Pairs:
    """Medians of both, and of the ratio A / B pair by pair."""

    value: float
    baseline: float
    ratio: float


def alternate(first: Callable[[], float], second: Callable[[], float], pairs: int) -> Pairs:
    """Measure both `pairs` times in turn."""
    measured = [(first(), second()) for _ in range(pairs)]
    return Pairs(
        value=statistics.median(a for a, _ in measured),
        baseline=statistics.median(b for _, b in measured),
        ratio=statistics.median(a / b for a, b in measured),
    )


def run_module(module: str, arguments: Sequence[str], seconds: float = 300.0) -> Figures:
    """Run `python -m module` and read the JSON line it ends with.

    Raises RuntimeError with the program's last words when it fails or is too slow.
    """
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(
            command, cwd=CHECKOUT, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as late:
        words = (late.stderr or b"").decode(errors="replace")[-500:]
        raise RuntimeError(f"{module} took more than {seconds:.0f} s: {words}") from None
    if done.returncode != 0 or not done.stdout.strip():
        words = done.stderr.decode(errors="replace")[-2_000:]
        raise RuntimeError(f"{module} ended with {done.returncode}: {words}")
    figures: Figures = orjson.loads(done.stdout.strip().splitlines()[-1])
    return figures
