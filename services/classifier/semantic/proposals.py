"""The radar's proposals on the semantic worker's internal port."""

from fastapi import APIRouter

from services.classifier.emerging import EmergingTopics
from shared.errors import NotFound
from shared.http.problems import responses
from shared.proposals import Proposals, ProposedTopic


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
