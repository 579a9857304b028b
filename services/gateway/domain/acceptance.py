"""What naming a proposal writes to the correction log: the topic, and its examples as corrections.

The event ids follow from the proposal, the name and the ticket: accepted twice, it counts once.
"""

from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from shared.proposals import ProposedTopic


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A human's word on a proposal; description None leaves that of a known topic alone."""

    name: str
    actor: str
    description: str | None = None


def topic_of(proposal: ProposedTopic, accepted: Acceptance) -> dict[str, Any]:
    """The topic to name."""
    return {
        "event_id": _event_id("topic", proposal.id, accepted.name, accepted.description or ""),
        "actor": accepted.actor,
        "name": accepted.name,
        "description": accepted.description or "",
    }


def corrections_of(proposal: ProposedTopic, accepted: Acceptance) -> list[dict[str, Any]]:
    """The examples as corrections; those that a human has labelled since keep their label."""
    return [
        {
            "event_id": _event_id("example", proposal.id, accepted.name, example.ticket_id),
            "ticket_id": example.ticket_id,
            "actor": accepted.actor,
            "topic": accepted.name,
            "subject": example.subject[:1_000],
            "body": example.body,
        }
        for example in proposal.examples
        if not example.labelled
    ]


def dismissal_of(proposal: ProposedTopic, actor: str) -> dict[str, Any]:
    """The proposal, to be heard of no more."""
    event_id = _event_id("dismissal", proposal.id)
    return {"event_id": event_id, "actor": actor, "proposal": proposal.id}


def _event_id(*parts: str) -> str:
    return str(uuid5(NAMESPACE_URL, "proposal:" + "\n".join(parts)))
