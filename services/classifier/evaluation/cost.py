"""What a model costs: CPU seconds, never wall seconds, and the peak of memory."""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from services.classifier.domain.labelling import TextClassifier

# One pass must last long enough for the clock; the median of several evens out the neighbours.
PASSES = 5
SECONDS_PER_PASS = 0.2
SINGLES = 500
CpuClock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Cost:
    """Prediction cost over the whole path from str to probabilities."""

    tickets_per_cpu_second: float
    tickets_per_cpu_second_batch32: float
    single_ticket_us: float


def measure(
    model: TextClassifier, texts: Sequence[str], clock: CpuClock = time.process_time
) -> Cost:
    """Batches of 512, batches of 32, and tickets alone. ValueError without a text."""
    if not texts:
        raise ValueError("the cost of a model is measured on at least one text")
    return Cost(
        tickets_per_cpu_second=1.0 / _typical(model, texts, 512, clock),
        tickets_per_cpu_second_batch32=1.0 / _typical(model, texts, 32, clock),
        single_ticket_us=1e6 * _typical(model, texts[:SINGLES], 1, clock),
    )


def peak_rss_mb() -> float:
    """The largest resident set this process ever had, in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def cpu_seconds_per_text(
    model: TextClassifier,
    texts: Sequence[str],
    batch: int,
    clock: CpuClock = time.process_time,
) -> float:
    """One pass of at least SECONDS_PER_PASS over full batches; call it again for a median."""
    last = max(len(texts) - len(texts) % batch, 1)
    batches = [texts[start : start + batch] for start in range(0, last, batch)]
    done, spent = 0, 0.0
    start_at = clock()
    while spent < SECONDS_PER_PASS:
        for part in batches:
            model.predict_proba(part)
            done += len(part)
            spent = clock() - start_at
            if spent >= SECONDS_PER_PASS:
                break
    return spent / done


def _typical(model: TextClassifier, texts: Sequence[str], batch: int, clock: CpuClock) -> float:
    model.predict_proba(texts[:batch])  # the first call may load or compile
    return median(cpu_seconds_per_text(model, texts, batch, clock) for _ in range(PASSES))
