"""/api/v1/topics: what the models know, what emerges, and new topics without a restart."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Path
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.adapters.brain import Brain, KnownTopics
from services.gateway.dependencies import Gateway
from services.gateway.domain.acceptance import (
    Acceptance,
    corrections_of,
    dismissal_of,
    topic_of,
)
from shared.errors import NotFound, Unavailable
from shared.http.problems import responses
from shared.proposals import ProposedTopic

router = APIRouter(prefix="/api/v1/topics", tags=["topics"])
# As ingest takes them: what is refused there is refused here, before anything is written.
_NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]+$"
Text = Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_CONTROL)]
Description = Annotated[str, Field(max_length=1_000, description="What belongs to it.")]
ProposalId = Annotated[
    str, Path(min_length=1, max_length=128, description="As the list of topics has it.")
]


class NewTopic(BaseModel):
    """A topic that every model is to know from now on, with or without examples."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(examples=["beamer"])
    actor: Text = Field(description="Who names it.", examples=["lead-2"])
    description: Description = ""


class Named(BaseModel):
    """The topic is in the correction log; every model knows it within a second."""

    name: str


class Topics(KnownTopics):
    """What the models know, and what emerges beside it."""

    emerging: list[ProposedTopic] | None = Field(
        description="Topics that nobody named yet, most tickets first; null where nobody can say."
    )
    emerging_unavailable: str | None = Field(
        default=None, description="Why nobody can say what emerges."
    )


class Accept(BaseModel):
    """A name for what emerges; that of a known topic adds the examples to it."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(examples=["beamer"])
    actor: Text = Field(description="Who accepts it.", examples=["lead-2"])
    description: Description | None = Field(
        default=None, description="What belongs to it; left out, that of a known topic stays."
    )


class Dismiss(BaseModel):
    """Who does not want to hear of it again."""

    model_config = ConfigDict(extra="forbid")

    actor: Text = Field(examples=["lead-2"])


class Accepted(BaseModel):
    """Topic and examples are in the correction log; every model knows them within a second."""

    proposal: str
    name: str


class Dismissed(BaseModel):
    """The dismissal is in the correction log."""

    proposal: str


@router.get(
    "",
    operation_id="list_topics",
    summary="Every topic the model can answer, and those that emerge",
    responses=responses(404, 503),
)
async def list_topics(gateway: Gateway) -> Topics:
    """404 where a batch model serves: its topics are fixed."""
    known, (emerging, away) = await asyncio.gather(gateway.brain.topics(), _emerging(gateway.brain))
    return Topics(
        topics=known.topics,
        log_offset=known.log_offset,
        emerging=emerging,
        emerging_unavailable=away,
    )


@router.post(
    "",
    operation_id="name_topic",
    summary="Name a topic",
    status_code=202,
    responses=responses(400, 422, 503),
)
async def name_topic(
    topic: NewTopic,
    gateway: Gateway,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Named:
    """Naming one twice changes nothing but its description."""
    await gateway.brain.name(topic.model_dump(), idempotency_key)
    return Named(name=topic.name)


@router.post(
    "/proposals/{proposal}/accept",
    operation_id="accept_proposal",
    summary="Name what emerges; its examples become corrections",
    status_code=202,
    responses=responses(400, 404, 422, 503),
)
async def accept_proposal(proposal: ProposalId, accept: Accept, gateway: Gateway) -> Accepted:
    """Repeat it after a 503: what was written already counts once."""
    brain = gateway.brain
    found = await brain.proposal(proposal)
    accepted = Acceptance(accept.name, accept.actor, accept.description)
    if accept.description is not None or not await _knows(brain, accept.name):
        await brain.name(topic_of(found, accepted), None)
    await brain.correct(corrections_of(found, accepted))
    return Accepted(proposal=found.id, name=accept.name)


@router.post(
    "/proposals/{proposal}/dismiss",
    operation_id="dismiss_proposal",
    summary="Hear of what emerges no more",
    status_code=202,
    responses=responses(400, 404, 422, 503),
)
async def dismiss_proposal(proposal: ProposalId, dismiss: Dismiss, gateway: Gateway) -> Dismissed:
    """Dismissing twice changes nothing. A dismissed one can still be accepted."""
    found = await gateway.brain.proposal(proposal)
    await gateway.brain.dismiss(dismissal_of(found, dismiss.actor))
    return Dismissed(proposal=found.id)


async def _emerging(brain: Brain) -> tuple[list[ProposedTopic] | None, str | None]:
    try:
        return await brain.emerging(), None
    except Unavailable as away:
        return None, away.detail


async def _knows(brain: Brain, name: str) -> bool:
    try:
        known = await brain.topics()
    except NotFound:
        return False
    return any(topic.name == name for topic in known.topics)
