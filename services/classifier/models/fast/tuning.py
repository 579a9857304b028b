"""What a hold-out decides: how long to train, how to weigh the experts, how sure is usual."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.calibration import expert_weights, log_loss
from services.classifier.models.lexical.linear import LinearHead
from services.classifier.models.lexical.vocabulary import Features

Array = NDArray[np.float32]

MOST_EPOCHS: Final = 16
# What the hold-out would choose on a set too small to have one.
DEFAULT_EPOCHS: Final = 8
# Epochs without a better hold-out loss that end the search.
_PATIENCE: Final = 3
# Keeps a useless n-gram head from making the word rows' relative share infinite.
_LEAST_FACTOR: Final = 0.05
# Weights of the two experts where no hold-out can tell.
_EXPECTED: Final = (1.0, 0.7)


@dataclass(frozen=True, slots=True)
class Scale:
    """Share of the word rows relative to the n-grams, softmax scale, spread of the top logit."""

    share: float = 0.0
    factor: float = 1.0
    mean: float = 0.0
    deviation: float = 1.0


class EpochSearch:
    """Watches a head train: after which epoch it was best on the hold-out, and what it said then.

    logits: shape (held-out texts, columns of the head).
    """

    def __init__(self, head: LinearHead, judged: Features, truth: NDArray[np.int32]) -> None:
        self._head = head
        self._judged = judged
        self._truth = truth
        self._best = np.inf
        self.epochs = DEFAULT_EPOCHS
        self.logits: Array = np.zeros((len(truth), 0), np.float32)

    def judge(self, epoch: int) -> bool:
        """Whether to go on after this epoch."""
        now = self._head.logits(self._judged)
        said = now[:, : len(self._head.classes)]
        (factor,) = expert_weights([said], self._truth, [1.0])
        loss = log_loss(factor * said, self._truth)
        if loss < self._best:
            self._best, self.epochs, self.logits = loss, epoch + 1, now
        return epoch + 1 < self.epochs + _PATIENCE


def stacked(
    experts: Sequence[Array], truth: NDArray[np.int32], coverage: Array
) -> tuple[Scale, Array]:
    """The scale at which the experts together suit held-out texts, and their logits at it.

    experts: n-grams and, where there are any, word rows, each of shape (texts, classes); coverage:
    shape (texts,), the known share of each text's features.
    """
    weights = expert_weights(experts, truth, _EXPECTED[: len(experts)])
    factor = max(weights[0], _LEAST_FACTOR)
    share = weights[1] / factor if len(weights) > 1 else 0.0
    logits = np.float32(factor) * experts[0]
    for expert in experts[1:]:
        logits += np.float32(factor * share) * expert
    peak = logits.max(axis=1) * coverage
    return Scale(share, factor, float(peak.mean()), float(peak.std() + 1e-6)), logits
