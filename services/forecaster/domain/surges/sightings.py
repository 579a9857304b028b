"""The tickets behind a surge: who wrote them, what most share, whether it is told already."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from services.forecaster.domain.surges.incidents import MAX_EXAMPLES, Incident, Window
from shared.windows import Dimension

# Share of the tickets that must agree before they are called by one queue's or topic's name, and
# of the excess that another incident must account for.
MOST = 0.5


@dataclass(frozen=True, slots=True)
class Sighting:
    """One ticket of a window."""

    ticket_id: str
    requester: str
    queue: str
    topic: str


def described(window: Window, seen: Sequence[Sighting]) -> Window:
    """The window with its people, examples, and what most of its tickets share."""
    names = {each.requester for each in seen}
    # A helpdesk that names nobody cannot be guarded against one loud requester.
    people = len(names) if names - {""} else len(seen)
    own = window.series
    return replace(
        window,
        requesters=people,
        examples=tuple(each.ticket_id for each in seen[:MAX_EXAMPLES]),
        queue=own.name if own.dimension is Dimension.QUEUE else _most(each.queue for each in seen),
        topic=own.name if own.dimension is Dimension.TOPIC else _most(each.topic for each in seen),
    )


def explained(window: Window, seen: Sequence[Sighting], incidents: Iterable[Incident]) -> bool:
    """Whether open incidents of the other dimension account for most of the excess.

    An outage fills its topic and the queue of that topic alike, and is one incident.
    """
    queues, topics = set(), set()
    for incident in incidents:
        if incident.series.dimension is Dimension.TOPIC:
            topics.add(incident.series.name)
        else:
            queues.add((incident.queue, incident.topic))
    if window.series.dimension is Dimension.QUEUE:
        told = sum(each.topic in topics for each in seen)
    else:
        told = sum((each.queue, each.topic) in queues for each in seen)
    excess = window.tickets - window.expected
    # Of a long window only a sample may have been looked at.
    return bool(seen) and told / len(seen) * window.tickets >= MOST * excess


def _most(values: Iterable[str]) -> str | None:
    counted = Counter(values)
    if not counted:
        return None
    [(value, count)] = counted.most_common(1)
    return value if count >= MOST * counted.total() else None
