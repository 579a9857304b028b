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
        tickets_per_cpu_second=1.0 / _seconds_per_text(model, texts, 512, clock),
        tickets_per_cpu_second_batch32=1.0 / _seconds_per_text(model, texts, 32, clock),
        single_ticket_us=1e6 * _seconds_per_text(model, texts[:SINGLES], 1, clock),
    )


def peak_rss_mb() -> float:
    """The largest resident set this process ever had, in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def _seconds_per_text(
    model: TextClassifier, texts: Sequence[str], batch: int, clock: CpuClock
) -> float:
    batches = [texts[start : start + batch] for start in range(0, len(texts), batch)]
    if len(batches) > 1 and len(batches[-1]) < batch:
        batches.pop()
    model.predict_proba(batches[0])  # the first call may load or compile
    return median(_one_pass(model, batches, clock) for _ in range(PASSES))


def _one_pass(model: TextClassifier, batches: Sequence[Sequence[str]], clock: CpuClock) -> float:
    done = 0
    start = clock()
    while (spent := clock() - start) < SECONDS_PER_PASS or not done:
        for texts in batches:
            model.predict_proba(texts)
            done += len(texts)
            if clock() - start >= SECONDS_PER_PASS:
                break
    return spent / done
