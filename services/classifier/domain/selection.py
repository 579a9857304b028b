"""Which tickets are worth a second look: the least sure of a stream."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

# What counts as unsure is measured on so many of the latest tickets.
_LATEST: Final = 1_000


class LeastSure:
    """The least sure `share` of a stream, however few tickets come at a time."""

    def __init__(self, share: float, first: Sequence[float] = ()) -> None:
        """share: 0..1; first: confidences to compare the first tickets with."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share must be between 0 and 1, got {share}")
        self.share = share
        self._latest = np.zeros(_LATEST, np.float32)
        self._heard = 0
        self._hear(np.asarray(first, np.float32))

    def among(self, confidence: NDArray[np.float32]) -> NDArray[np.int64]:
        """Places of those that are among the least sure, the least sure first.

        confidence: shape (tickets,); they count among the latest at once.
        """
        if not len(confidence) or self.share == 0.0:
            return np.zeros(0, np.int64)
        self._hear(confidence)
        known = self._latest[: self._heard]
        rank = int(self.share * len(known))
        order = np.argsort(confidence, kind="stable")
        if rank >= len(known):
            return order
        limit = np.partition(known, rank)[rank]
        least: NDArray[np.int64] = order[confidence[order] < limit]
        return least

    def _hear(self, confidence: NDArray[np.float32]) -> None:
        # What a full window is to forget is at its front.
        kept = np.concatenate([self._latest[: self._heard], confidence])[-_LATEST:]
        self._heard = len(kept)
        self._latest[: self._heard] = kept
