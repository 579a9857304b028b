"""How soon the radar proposes topics that nobody named, and what it proposes in vain."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.domain.radar.limits import RadarLimits
from services.classifier.domain.radar.radar import Proposal, Radar
from services.classifier.domain.selection import LeastSure
from services.classifier.evaluation.online import Report
from services.classifier.evaluation.tables import LabelledTickets
from services.classifier.models.semantic.heads import SecondLook
from shared.events import ModelStamp, TicketLabelled

Array = NDArray[np.float32]

# Tickets of each unknown topic that come with the traffic of the known ones.
PER_TOPIC: Final = 40
REQUESTERS: Final = 300
# Tickets per look, as few as a quiet desk brings at once.
_BATCH: Final = 32
_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)
_NOBODY: Final = ModelStamp(name="evaluate", version="-", digest="-")


class Onlooker(Protocol):
    """A model that also encodes, and says how novel a ticket is."""

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Learn from scratch."""
        ...

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes)."""
        ...

    def second_look(self, texts: Sequence[str]) -> SecondLook:
        """Vectors and novelty, as the semantic worker has them."""
        ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """One ticket as the radar is told of it, and its true label."""

    ticket: TicketLabelled
    vector: Array
    novelty: float
    label: str


@dataclass(frozen=True, slots=True)
class Emergence:
    """What one radar made of one stream.

    found: of `topics` unknown ones, how many were proposed; tickets_median, tickets_most: how many
    tickets of a topic had come by then (the whole traffic counts, whether encoded or not); purity:
    mean share of a true proposal's examples that are of its topic; false: proposals whose examples
    are mostly of known topics.
    """

    topics: int
    found: int
    tickets_median: float
    tickets_most: float
    purity: float
    proposals: int
    false: int


@dataclass(frozen=True, slots=True)
class RadarFigures:
    """The radar as it serves, and the same clustering of every ticket, novel or not."""

    new_classes: tuple[str, ...]
    tickets: int
    observed: int
    radar: Emergence
    ungated: Emergence


def emergence(
    model: Onlooker,
    train: LabelledTickets,
    test: LabelledTickets,
    new_classes: Sequence[str],
    *,
    centred: Callable[[Array], Array],
    share: float,
    seed: int,
    report: Report,
) -> RadarFigures:
    """Fit without the new classes, then stream them in among `test`'s tickets of the others.

    centred: vectors as the radar is told them. share: of the tickets, the least sure, that are
    encoded and shown to the radar; 1 for all.
    """
    new = set(new_classes)
    report("fitting without the new topics", 0, 1)
    kept = train.take([row for row, label in enumerate(train.labels) if label not in new])
    model.fit(kept.texts, kept.labels)
    stream = _stream(train, test, new_classes, seed)
    sightings: list[Sighting] = []
    requesters = np.random.default_rng(seed).integers(REQUESTERS, size=len(stream)).tolist()
    choice = LeastSure(share)
    for first in range(0, len(stream), _BATCH):
        batch = stream.take(range(first, min(first + _BATCH, len(stream))))
        sightings += _looked_at(model, batch, choice, requesters, centred)
        report("looking", first, len(stream))
    limits = RadarLimits()
    ungated = replace(limits, novelty=-inf, share=0.0)
    return RadarFigures(
        tuple(new_classes),
        len(stream),
        len(sightings),
        _judge(Radar(limits), sightings, stream.labels, new),
        _judge(Radar(ungated), sightings, stream.labels, new),
    )


def _stream(
    train: LabelledTickets, test: LabelledTickets, new_classes: Sequence[str], seed: int
) -> LabelledTickets:
    """The known topics' held-out tickets and so many of each new topic, shuffled."""
    generator = np.random.default_rng(seed)
    new = set(new_classes)
    texts = [text for text, y in zip(test.texts, test.labels, strict=True) if y not in new]
    labels = [y for y in test.labels if y not in new]
    for name in new_classes:
        every = [
            text
            for part in (train, test)
            for text, label in zip(part.texts, part.labels, strict=True)
            if label == name
        ]
        for row in generator.permutation(len(every))[:PER_TOPIC].tolist():
            texts.append(every[row])
            labels.append(name)
    order = generator.permutation(len(texts)).tolist()
    shuffled = [texts[at] for at in order], [labels[at] for at in order]
    return LabelledTickets(list(range(len(texts))), *shuffled, [], 0)


def _looked_at(
    model: Onlooker,
    batch: LabelledTickets,
    choice: LeastSure,
    requesters: Sequence[int],
    centred: Callable[[Array], Array],
) -> Iterator[Sighting]:
    """What the semantic worker would show its observers, in the order of the stream."""
    chosen = batch.take(sorted(choice.among(model.predict_proba(batch.texts).max(axis=1)).tolist()))
    if not len(chosen):
        return
    look = model.second_look(chosen.texts)
    vectors = centred(look.vectors)
    for at in np.flatnonzero(vectors.any(axis=1)).tolist():
        place = chosen.rows[at]
        ticket = _ticket(place, chosen.texts[at], requesters[place])
        yield Sighting(ticket, vectors[at], float(look.novelty[at]), chosen.labels[at])


def _ticket(place: int, text: str, requester: int) -> TicketLabelled:
    at = _MOMENT + timedelta(minutes=place)
    return TicketLabelled(
        event_id=f"e-{place}", ticket_id=str(place), src_offset=place, topic="", topic_scores={},
        created_at=at, received_at=at, labelled_at=at, body=text, requester=f"r-{requester}",
        model=_NOBODY,
    )  # fmt: skip


def _judge(
    radar: Radar, sightings: Sequence[Sighting], labels: Sequence[str], new: set[str]
) -> Emergence:
    """labels: of the whole stream, a ticket's id being its place in it."""
    first: dict[str, tuple[str, float, int]] = {}
    for sighting in sightings:
        radar.observe(sighting.ticket, sighting.vector, sighting.novelty)
        for name in radar.emerging():
            if name not in first and (proposal := radar.find(name)) is not None:
                topic, purity = _about(proposal, labels)
                came = labels[: sighting.ticket.src_offset + 1].count(topic)
                first[name] = topic, purity, came
    waited: dict[str, int] = {}
    for topic, _, tickets in first.values():
        if topic in new:
            waited[topic] = min(tickets, waited.get(topic, tickets))
    pure = [purity for topic, purity, _ in first.values() if topic in new]
    return Emergence(
        topics=len(new),
        found=len(waited),
        tickets_median=float(np.median(list(waited.values()))) if waited else nan,
        tickets_most=float(max(waited.values())) if waited else nan,
        purity=float(np.mean(pure)) if pure else nan,
        proposals=len(first),
        false=len(first) - len(pure),
    )


def _about(proposal: Proposal, labels: Sequence[str]) -> tuple[str, float]:
    """The topic of most examples, and their share."""
    counts = Counter(labels[int(example.ticket_id)] for example in proposal.examples)
    [(topic, count)] = counts.most_common(1)
    return topic, count / counts.total()
