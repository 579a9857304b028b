"""How sure, how near and how many: what the radar goes by."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RadarLimits:
    """Cosines are of centred vectors; the defaults were measured, see `evaluate --radar`.

    novelty: from here on a ticket is novel. radius: to a cluster's centre, to belong to it.
    merge: between two centres, to become one. witness: to a centre, for a ticket of a known topic
    to speak against the cluster. share: of novel tickets among those lately heard of, at least.
    """

    novelty: float = 3.0
    radius: float = 0.45
    merge: float = 0.60
    witness: float = 0.55
    share: float = 0.35
    tickets: int = 8
    requesters: int = 3
    clusters: int = 400
    lifetime: timedelta = timedelta(days=14)
