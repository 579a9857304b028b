"""Who else looks at the tickets that the semantic worker encodes."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.events import TicketLabelled


class VectorObserver(Protocol):
    """Told of every encoded ticket, once each, in the order of its partition.

    Called in the semantic worker's model thread, one call at a time: it must not block, and what it
    costs is taken from that worker's budget. A ticket may come a second time after a crash.
    """

    def observe(self, ticket: TicketLabelled, vector: NDArray[np.float32], novelty: float) -> None:
        """Take one ticket.

        vector: the encoder's, shape (dimension,), unit length, centred on what helpdesks usually
        get (`models/semantic/usual.py`), so that two tickets about nothing in common have a cosine
        of about 0; never all zeros. The centre never changes. novelty: standardised doubts of the
        fast model and of both experts, added up; 0 is a usual ticket of a known topic.
        """
        ...
