"""Whether a label is sure enough to be acted on without a human."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Labelling
from shared.events import Decision


def decisions(
    labelling: Labelling, best: NDArray[np.int64], *, shadow: bool = False
) -> Iterable[Decision]:
    """One per ticket, whose likeliest topic `best`, shape (tickets,), is a place in the classes.

    shadow: this deployment only watches, so nothing that the model says is to be acted on.
    """
    if shadow:
        return ["shadow"] * len(best)
    if labelling.thresholds is None:
        return ["suggested"] * len(best)
    sure = labelling.topic.probabilities.max(axis=1) >= labelling.thresholds.take(best)
    return ["applied" if each else "suggested" for each in sure.tolist()]
