"""A made-up desk: its logs, with labels of a given quality and people who correct some of them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.events import LabelEvent, ModelStamp, TicketCorrected, TicketLabelled
from tests.builders import NOON

TOPICS = {
    "net": ("vpn", "wifi", "router", "dns", "tunnel"),
    "mail": ("inbox", "outlook", "calendar", "signature", "mailbox"),
    "pay": ("invoice", "refund", "charge", "payment", "receipt"),
}
STAMP = ModelStamp(name="fast", version="v1", digest="d")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A text and what it is."""

    text: str
    topic: str


def tickets(count: int, seed: int = 0, vague: float = 0.3) -> list[Ticket]:
    """Tickets of three topics; a share of them uses words of two."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        topic = draw.choice(list(TOPICS))
        other = draw.choice(list(TOPICS)) if draw.random() < vague else topic
        words = [*draw.choices(TOPICS[topic], k=2), draw.choice(TOPICS[other])]
        found.append(Ticket(f"{' '.join(words)} {seed}-{number}", topic))
    return found


def at(number: int) -> datetime:
    """When the ticket of this number came in."""
    return NOON + timedelta(minutes=number)


def label(number: int, ticket: Ticket, topic: str, probability: float) -> TicketLabelled:
    return TicketLabelled(
        event_id=f"e-{number}", ticket_id=f"t-{number}", created_at=at(number),
        received_at=at(number), labelled_at=at(number), src_offset=number, body=ticket.text,
        topic=topic, topic_scores={topic: probability}, model=STAMP,
    )  # fmt: skip


def correction(number: int, ticket: Ticket, topic: str | None = None) -> TicketCorrected:
    return TicketCorrected(
        event_id=f"c-{number}", ticket_id=f"t-{number}", corrected_at=at(number),
        received_at=at(number), actor="kim", topic=topic or ticket.topic, body=ticket.text,
    )  # fmt: skip


def logs(
    desk: Sequence[Ticket], *, wrong: float = 0.3, corrected: float = 1.0, seed: int = 1
) -> tuple[list[TicketCorrected], list[LabelEvent]]:
    """Both logs of a desk whose model is wrong this often and knows it, corrected this often."""
    draw = random.Random(seed)
    corrections: list[TicketCorrected] = []
    labels: list[LabelEvent] = []
    for number, ticket in enumerate(desk):
        if draw.random() < wrong:
            said = draw.choice([name for name in TOPICS if name != ticket.topic])
            if draw.random() < corrected:
                corrections.append(correction(number, ticket))
        else:
            said = ticket.topic
        labels.append(label(number, ticket, said, 1.0 - wrong))
    return corrections, labels
