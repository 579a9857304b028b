"""How many tickets a CPU-second holds, two models side by side."""

from collections.abc import Sequence
from statistics import median

from services.classifier.domain.labelling import TextClassifier
from services.classifier.evaluation.cost import cpu_seconds_per_text

PAIRS = 5
LONG_CHARACTERS = 570
# river answers a ticket in about a millisecond: these are enough to know its pace.
PACE_TEXTS = 256


def lengthened(texts: Sequence[str]) -> list[str]:
    """Neighbouring texts joined and cut so that each has LONG_CHARACTERS characters."""
    joined, found = "", []
    for text in texts:
        joined = f"{joined} {text}"
        if len(joined) >= LONG_CHARACTERS:
            found.append(joined[:LONG_CHARACTERS])
            joined = ""
    return found


def paces(
    ours: TextClassifier, theirs: TextClassifier, texts: Sequence[str], batch: int
) -> tuple[float, float]:
    """Tickets per CPU-second of both: medians of alternating pairs, so that neighbours cancel."""
    few = texts[: max(batch, PACE_TEXTS)]
    for model in (ours, theirs):
        model.predict_proba(few[:batch])
    pairs = [
        (
            cpu_seconds_per_text(ours, texts, batch),
            cpu_seconds_per_text(theirs, few, batch),
        )
        for _ in range(PAIRS)
    ]
    return 1.0 / median(a for a, _ in pairs), 1.0 / median(b for _, b in pairs)
