"""The models as the gateway sees them, in this process."""

from collections.abc import Collection, Sequence
from typing import Any

from services.gateway.adapters.brain import KnownTopic, KnownTopics
from shared.errors import NotFound, Unavailable
from shared.proposals import ExampleTicket, ProposedTopic
from tests.builders import NOON


def a_proposal(
    proposal: str = "p-1", tickets: int = 8, labelled: Collection[str] = ()
) -> ProposedTopic:
    """So many tickets about projectors."""
    ids = [f"T-{number}" for number in range(tickets)]
    examples = tuple(
        ExampleTicket(
            ticket_id=each,
            subject="projector",
            body=f"no picture, {each}",
            labelled=each in labelled,
        )
        for each in ids
    )
    return ProposedTopic(
        id=proposal,
        name="no picture",
        terms=("no picture", "projector"),
        tickets=tickets,
        requesters=5,
        first_seen=NOON,
        last_seen=NOON,
        fate="growing",
        examples=examples,
    )


class FakeBrain:
    """A Brain that knows at once what it is told.

    corrections, dismissals: by event id, as a log that counts each once; named: event ids or None;
    keys: the idempotency keys of names.
    """

    def __init__(self, proposals: Sequence[ProposedTopic] = ()) -> None:
        self.known = {"vpn": "", "wifi": "wireless networks"}
        self.keys: list[str | None] = []
        self.named: list[str | None] = []
        self.corrections: dict[str, dict[str, Any]] = {}
        self.proposals = {each.id: each for each in proposals}
        self.semantic_outage: str | None = None
        self.correction_outage: str | None = None
        self.batch = False

    async def topics(self) -> KnownTopics:
        if self.batch:
            raise NotFound("the model that serves is a batch model: its topics are fixed")
        known = [KnownTopic(name=n, description=d) for n, d in self.known.items()]
        return KnownTopics(topics=known, log_offset=len(self.named) + len(self.corrections))

    async def emerging(self) -> list[ProposedTopic]:
        if self.semantic_outage is not None:
            raise Unavailable(self.semantic_outage)
        return [each for each in self.proposals.values() if each.fate == "growing"]

    async def proposal(self, proposal: str) -> ProposedTopic:
        if self.semantic_outage is not None:
            raise Unavailable(self.semantic_outage)
        if proposal not in self.proposals:
            raise NotFound(f"there is no proposal {proposal!r}; it may have expired")
        return self.proposals[proposal]

    async def name(self, topic: dict[str, Any], idempotency_key: str | None) -> None:
        self.known[topic["name"]] = topic["description"]
        self.keys.append(idempotency_key)
        self.named.append(topic.get("event_id"))

    async def correct(self, corrections: list[dict[str, Any]]) -> None:
        if self.correction_outage is not None:
            raise Unavailable(self.correction_outage)
        for each in corrections:
            self.corrections[each["event_id"]] = each
            self.known.setdefault(each["topic"], "")
        told = {each["ticket_id"] for each in corrections}
        for name, proposal in self.proposals.items():
            examples = tuple(
                each.model_copy(update={"labelled": each.labelled or each.ticket_id in told})
                for each in proposal.examples
            )
            most = 2 * sum(each.labelled for each in examples) >= len(examples)
            fate = "named" if most and proposal.fate == "growing" else proposal.fate
            self.proposals[name] = proposal.model_copy(update={"examples": examples, "fate": fate})

    async def dismiss(self, dismissal: dict[str, Any]) -> None:
        found = self.proposals.get(dismissal["proposal"])
        if found is not None:
            self.proposals[found.id] = found.model_copy(update={"fate": "dismissed"})
