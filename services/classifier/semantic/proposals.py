"""The radar's proposals on the semantic worker's internal port."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.classifier.domain.radar.cluster import Fate
from services.classifier.emerging import EmergingTopics
from shared.errors import NotFound
from shared.http.problems import responses


class ExampleTicket(BaseModel):
    """A ticket that shows what a proposal is about; long texts are cut."""

    model_config = ConfigDict(from_attributes=True)

    ticket_id: str
    subject: str
    body: str


class ProposedTopic(BaseModel):
    """A topic that emerges among tickets that no known topic explains."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str = Field(description="Made of its terms; whoever accepts it gives it a better one.")
    terms: tuple[str, ...]
    tickets: int
    requesters: int = Field(description="Distinct ones; counted up to a hundred.")
    first_seen: datetime
    last_seen: datetime
    fate: Fate
    examples: tuple[ExampleTicket, ...]


class Proposals(BaseModel):
    """What emerges, most tickets first, as of an offset of the correction log."""

    proposals: list[ProposedTopic]
    log_offset: int


def proposals_router(topics: EmergingTopics) -> APIRouter:
    """Routes over the radar."""
    routes = APIRouter(prefix="/proposals", tags=["radar"])

    @routes.get("", summary="Topics that emerge", operation_id="list_proposals")
    def every() -> Proposals:
        offset = topics.offset
        found = [ProposedTopic.model_validate(each) for each in topics.proposals()]
        return Proposals(proposals=found, log_offset=offset)

    @routes.get(
        "/{proposal}",
        summary="One proposal, also if it was named or dismissed",
        operation_id="find_proposal",
        responses=responses(404),
    )
    def one(proposal: str) -> ProposedTopic:
        found = topics.find(proposal)
        if found is None:
            raise NotFound(f"there is no proposal {proposal!r}; it may have expired")
        return ProposedTopic.model_validate(found)

    return routes
