"""Which tickets are worth a second look: the least sure, and those unlike anything learned."""

from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

# What counts as unsure is measured on so many of the latest tickets.
_LATEST: Final = 1_000


class LeastSure:
    """The least sure `share` of a stream, however few tickets come at a time."""

    def __init__(self, share: float, first: Iterable[float] = ()) -> None:
        """share: 0..1; first: confidences to compare the first tickets with."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share must be between 0 and 1, got {share}")
        self.share = share
        self._latest: deque[float] = deque(first, maxlen=_LATEST)

    def among(self, confidence: NDArray[np.float32]) -> NDArray[np.int64]:
        """Places of those that are among the least sure, the least sure first.

        confidence: shape (tickets,); they count among the latest at once.
        """
        self._latest.extend(confidence.tolist())
        if not len(confidence) or self.share == 0.0:
            return np.zeros(0, np.int64)
        known = np.sort(np.fromiter(self._latest, np.float32, len(self._latest)))
        rank = int(self.share * len(known))
        order = np.argsort(confidence, kind="stable")
        if rank >= len(known):
            return order
        least: NDArray[np.int64] = order[confidence[order] < known[rank]]
        return least
