"""The semantic worker's internal port: what it knows and what it does."""

from collections.abc import Callable

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.classifier.models.semantic.neighbours import RecentTickets
from services.classifier.semantic.learning import SemanticLearning


class SemanticState(BaseModel):
    """What the second look stands on."""

    model: str = Field(description="Version of the trained model below the experts.")
    log_offset: int = Field(description="Next offset of tickets.corrected.v1.")
    probe_digest: str = Field(description="As the classifier's at the same offset.")
    topics: int
    untaught: bool = Field(description="So few examples that every ticket gets a second look.")
    recent: int = Field(description="Tickets that a new one is compared with.")
    seconds_per_ticket: float = Field(description="CPU seconds, in the latest batch.")


def router(
    learning: SemanticLearning, recent: RecentTickets, seconds_per_ticket: Callable[[], float]
) -> APIRouter:
    """Routes over what the worker holds."""
    routes = APIRouter(tags=["semantic"])

    @routes.get("/semantic", summary="What the second look stands on", operation_id="semantic")
    def semantic() -> SemanticState:
        fold = learning.fold
        return SemanticState(
            model=fold.identity.version,
            log_offset=fold.offset,
            probe_digest=learning.labeller.probe_digest(),
            topics=len(fold.topics),
            untaught=learning.untaught,
            recent=len(recent),
            seconds_per_ticket=seconds_per_ticket(),
        )

    return routes
