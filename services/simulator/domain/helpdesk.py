"""The made-up helpdesk as one endless, reproducible stream of tickets and corrections."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from services.simulator.domain.arrivals import Arrivals
from services.simulator.domain.tickets import Ticket, Writer, weighted
from shared.queues import QueueDirectory

# Share of tickets per topic before the new one appears.
TOPICS = {
    "vpn": 0.09, "wifi": 0.06, "hardware": 0.10, "printing": 0.07, "software": 0.12,
    "password": 0.13, "access": 0.10, "mailbox": 0.08, "phishing": 0.05, "invoice": 0.06,
    "refund": 0.04, "payroll": 0.04, "delivery": 0.04, "meeting-room": 0.02,
}  # fmt: skip
NEW_TOPIC = "authenticator"
NEW_TOPIC_SHARE = 0.10
# Topics an incident may hit: things that break for many at once.
_FRAGILE = ("vpn", "wifi", "software", "mailbox", "phishing", "printing", "delivery")


class Helpdesk:
    """Tickets in order of time.

    rate: mean arrivals per simulated second; `new_topic_after`: simulated seconds until a topic
    that nobody saw before first appears. Without `seasonal` nights and weekends are like days.
    """

    def __init__(
        self,
        seed: int,
        directory: QueueDirectory,
        *,
        rate: float,
        new_topic_after: float,
        seasonal: bool = True,
    ) -> None:
        self._rng = random.Random(f"{seed}:topics")
        self._arrivals = Arrivals(seed, rate, _FRAGILE, seasonal=seasonal)
        self._writer = Writer(
            seed,
            queues=directory.topics,
            all_queues=tuple(sorted(directory.ids)),
            # Nobody mentions the new topic before it exists.
            asides=tuple(TOPICS),
        )
        self._new_topic_after = new_topic_after

    def __iter__(self) -> Iterator[Ticket]:
        for number, arrival in enumerate(self._arrivals, 1):
            topic = arrival.surge or self._topic(arrival.seconds)
            surge = arrival.surge is not None
            yield self._writer.write(number, arrival.at, topic, surge=surge)

    def _topic(self, seconds: float) -> str:
        new = seconds >= self._new_topic_after and self._rng.random() < NEW_TOPIC_SHARE
        return NEW_TOPIC if new else weighted(self._rng, TOPICS)


@dataclass(frozen=True, slots=True)
class Correction:
    """What an agent sets for a ticket `delay` seconds after it was posted."""

    ticket_id: str
    delay: float
    actor: str
    topic: str
    priority: str | None


class Agents:
    """People who correct a share of the tickets, and are wrong in some of them."""

    def __init__(self, seed: int, *, share: float, wrong: float, delay: float) -> None:
        self._rng = random.Random(f"{seed}:agents")
        self._share = share
        self._wrong = wrong
        self._delay = delay

    def review(
        self, ticket_id: str, topic: str, priority: str | None, topics: tuple[str, ...]
    ) -> Correction | None:
        """The correction this ticket gets, if any; a wrong one names any other topic."""
        rng = self._rng
        if rng.random() >= self._share:
            return None
        others = [name for name in topics if name != topic]
        if others and rng.random() < self._wrong:
            topic = rng.choice(others)
        # Cut off, so that the end of a run can wait for the last.
        delay = self._delay * (0.5 + min(rng.expovariate(2.0), 2.0))
        return Correction(ticket_id, delay, f"agent-{rng.randrange(12)}", topic, priority)
