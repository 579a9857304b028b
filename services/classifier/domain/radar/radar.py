"""Online leader clustering of novel tickets: the same sequence gives the same proposals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import ticket_text
from services.classifier.domain.radar.cluster import Cluster, Example, Fate, seen_from
from services.classifier.domain.radar.limits import RadarLimits
from services.classifier.domain.radar.terms import Background, proposed_name, top_terms, words
from shared.events import CorrectionLogEvent, ProposalDismissed, TicketCorrected, TicketLabelled

Array = NDArray[np.float32]

# Of the built-in encoder's vectors.
DIMENSION: Final = 512
# Events remembered so that a ticket that comes a second time is not counted twice.
_HEARD: Final = 20_000
_DISMISSED: Final = 1_000
# Tickets between two looks for what expired and where the middle is.
_ROUND: Final = 64
# The middle follows so many of the latest tickets, and is believed like so many at most before.
_RECENT, _DOUBT = 10_000, 100
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A topic that emerges. `requesters` counts distinct ones, a hundred at most."""

    id: str
    name: str
    terms: tuple[str, ...]
    tickets: int
    requesters: int
    first_seen: datetime
    last_seen: datetime
    fate: Fate
    examples: tuple[Example, ...]


class Radar:
    """Clusters by their centres; a ticket joins the nearest within reach or leads its own.

    Tickets of known topics count too: near a cluster they say that the models know it after all.
    Directions are seen from the middle of all tickets observed: what every ticket of a desk has in
    common says nothing about its topic.
    """

    def __init__(self, limits: RadarLimits | None = None, dimension: int = DIMENSION) -> None:
        self._dimension = dimension
        self.limits = limits or RadarLimits()
        self.observed = 0
        self._now = _BEGINNING
        self._clusters: list[Cluster] = []
        self._centres = np.zeros((self.limits.clusters + 1, dimension), np.float32)
        self._sum = np.zeros(dimension, np.float64)
        self._weight = 0
        self._middle = np.zeros(dimension, np.float32)
        self._background = Background()
        self._heard: dict[str, None] = {}
        self._dismissed: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._clusters)

    def observe(self, ticket: TicketLabelled, vector: Array, novelty: float) -> None:
        """Take one ticket; see `domain.observing.VectorObserver`."""
        if ticket.event_id in self._heard:
            return
        _remember(self._heard, ticket.event_id, _HEARD)
        self.observed += 1
        self._now = max(self._now, ticket.received_at)
        found = words(ticket_text(ticket.subject, ticket.body))
        self._background.add(found)
        self._sum += vector
        self._weight += 1
        if self.observed % _ROUND == 0:
            self._expire()
            self._recentre()
        direction = seen_from(self._middle, vector)
        place, cosine = self._nearest(direction)
        if novelty < self.limits.novelty:
            if cosine >= self.limits.witness:
                self._clusters[place].contradict()
            return
        if cosine < self.limits.radius:
            place = self._lead(ticket, vector)
        cluster = self._clusters[place]
        cluster.join(ticket, vector, found, self.observed)
        if cluster.fate is Fate.GROWING:
            self._centres[place] = cluster.centre(self._middle)
            cluster.show(ticket, float(self._centres[place] @ direction))
            self._merge(place)
        self._evict()

    def fold(self, event: CorrectionLogEvent | None) -> None:
        """One record of the correction log; folding it again changes nothing."""
        match event:
            case TicketCorrected(ticket_id=ticket_id, topic=str()):
                for cluster in self._clusters:
                    cluster.label(ticket_id)
            case ProposalDismissed(proposal=proposal):
                _remember(self._dismissed, proposal, _DISMISSED)
                for cluster in self._clusters:
                    if cluster.answers_to(proposal):
                        cluster.fate = Fate.DISMISSED
            case _:
                pass

    def forget_log(self) -> None:
        """Take back what records of the log said: they are of another one than is read now."""
        self._dismissed.clear()
        for place in reversed(range(len(self._clusters))):
            if self._clusters[place].tickets:
                self._clusters[place].forget_log()
            else:
                self._remove(place)  # dismissed from its first ticket on, so it counted none

    def emerging(self) -> list[str]:
        """Ids of what is worth a name; cheap enough to ask after every ticket."""
        return [each.id for each in self._clusters if self._proposable(each)]

    def proposals(self) -> list[Proposal]:
        """What is worth a name, most tickets first."""
        found = [self._proposal(each) for each in self._clusters if self._proposable(each)]
        return sorted(found, key=lambda each: (-each.tickets, each.id))

    def find(self, proposal: str) -> Proposal | None:
        """A proposal by its id, or the id of a part of it; also one named or dismissed since."""
        for cluster in self._clusters:
            if cluster.answers_to(proposal) and self._enough(cluster):
                return self._proposal(cluster)
        return None

    def state(self) -> dict[str, Any]:
        """Plain values and arrays, all that observing on needs."""
        totals = [cluster.total for cluster in self._clusters]
        return {
            "observed": self.observed,
            "now": self._now.isoformat(),
            "clusters": [cluster.state() for cluster in self._clusters],
            "totals": np.array(totals, np.float32).reshape(len(totals), self._dimension),
            "sum": self._sum.copy(),  # it goes on while the rest is written
            "weight": self._weight,
            "middle": self._middle,
            "background": self._background.state(),
            "heard": list(self._heard),
            "dismissed": list(self._dismissed),
        }

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, Any],
        limits: RadarLimits | None = None,
        dimension: int = DIMENSION,
    ) -> "Radar":
        """The radar that `state` described. Raises LookupError, TypeError or ValueError."""
        radar = cls(limits, dimension)
        radar._sum = np.array(state["sum"], np.float64)
        radar._weight = int(state["weight"])
        radar._middle = np.array(state["middle"], np.float32)
        if radar._middle.shape != (dimension,):
            raise ValueError("the saved clusters are of another encoder")
        totals = np.asarray(state["totals"], np.float32)
        saved = zip(state["clusters"], totals, strict=True)
        clusters = [Cluster.from_state(values, total) for values, total in saved]
        for cluster in clusters[: radar.limits.clusters]:
            radar._add(cluster)
        radar.observed = int(state["observed"])
        radar._now = datetime.fromisoformat(state["now"])
        radar._background = Background(**state["background"])
        radar._heard = dict.fromkeys(state["heard"])
        radar._dismissed = dict.fromkeys(state["dismissed"])
        return radar

    def _nearest(self, direction: Array) -> tuple[int, float]:
        """Place and cosine of the nearest cluster; -1, -1 where there is none."""
        if not self._clusters:
            return -1, -1.0
        cosines = self._centres[: len(self._clusters)] @ direction
        place = int(cosines.argmax())
        return place, float(cosines[place])

    def _recentre(self) -> None:
        if self._weight > _RECENT:
            self._sum *= _RECENT / self._weight
            self._weight = _RECENT
        self._middle = (self._sum / (self._weight + _DOUBT)).astype(np.float32)
        for place, cluster in enumerate(self._clusters):
            self._centres[place] = cluster.centre(self._middle)

    def _lead(self, ticket: TicketLabelled, vector: Array) -> int:
        cluster = Cluster.led_by(ticket, vector, self.observed)
        if cluster.id in self._dismissed:
            cluster.fate = Fate.DISMISSED
            cluster.total = vector.copy()
        return self._add(cluster)

    def _add(self, cluster: Cluster) -> int:
        self._centres[len(self._clusters)] = cluster.centre(self._middle)
        self._clusters.append(cluster)
        return len(self._clusters) - 1

    def _remove(self, place: int) -> None:
        last = self._clusters.pop()
        if place < len(self._clusters):
            self._clusters[place] = last
            self._centres[place] = self._centres[len(self._clusters)]

    def _merge(self, place: int) -> None:
        """Two that have grown together become the older one; silent ones stay as they are."""
        cosines = self._centres[: len(self._clusters)] @ self._centres[place]
        cosines[place] = -1.0
        cosines[[each.fate is not Fate.GROWING for each in self._clusters]] = -1.0
        other = int(cosines.argmax())
        if cosines[other] < self.limits.merge:
            return
        elder, younger = sorted((place, other), key=lambda at: self._clusters[at].born)
        self._clusters[elder].absorb(self._clusters[younger])
        self._centres[elder] = self._clusters[elder].centre(self._middle)
        self._remove(younger)

    def _expire(self) -> None:
        """Forget what nobody wrote about for so long; what was dismissed stays dismissed."""
        oldest = self._now - self.limits.lifetime
        for place in reversed(range(len(self._clusters))):
            cluster = self._clusters[place]
            if cluster.heard < oldest and cluster.fate is not Fate.DISMISSED:
                self._remove(place)

    def _evict(self) -> None:
        """Make room: every ticket of a cluster buys it time. Silent ones may fill half of it."""
        if len(self._clusters) <= self.limits.clusters:
            return
        silent = [at for at, each in enumerate(self._clusters) if each.fate is not Fate.GROWING]
        crowded = 2 * len(silent) > self.limits.clusters
        growing = [at for at, each in enumerate(self._clusters) if each.fate is Fate.GROWING]
        candidates = silent if crowded or not growing else growing
        self._remove(min(candidates, key=self._worth))

    def _worth(self, place: int) -> int:
        cluster = self._clusters[place]
        return cluster.turn + cluster.tickets * self.limits.clusters

    def _enough(self, cluster: Cluster) -> bool:
        limits = self.limits
        many = cluster.tickets >= limits.tickets
        return many and len(cluster.requesters) >= limits.requesters

    def _proposable(self, cluster: Cluster) -> bool:
        growing = cluster.fate is Fate.GROWING
        return growing and self._enough(cluster) and cluster.share >= self.limits.share

    def _proposal(self, cluster: Cluster) -> Proposal:
        found = top_terms(cluster.phrases, cluster.tickets, self._background)
        return Proposal(
            id=cluster.id,
            name=proposed_name(found),
            terms=tuple(found),
            tickets=cluster.tickets,
            requesters=len(cluster.requesters),
            first_seen=cluster.first_seen,
            last_seen=cluster.last_seen,
            fate=cluster.fate,
            examples=tuple(cluster.examples),
        )


def _remember(entries: dict[str, None], name: str, most: int) -> None:
    entries[name] = None
    while len(entries) > most:
        del entries[next(iter(entries))]
