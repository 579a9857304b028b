"""GET and POST /api/v1/topics: what the models know, and new topics without a restart."""

from typing import Annotated

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.adapters.brain import KnownTopics
from services.gateway.dependencies import Gateway
from shared.http.problems import responses

router = APIRouter(prefix="/api/v1/topics", tags=["topics"])
_NO_CONTROL = r"^[^\x00-\x1f\x7f]+$"
Text = Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_CONTROL)]


class NewTopic(BaseModel):
    """A topic that every model is to know from now on, with or without examples."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(examples=["beamer"])
    actor: Text = Field(description="Who names it.", examples=["lead-2"])
    description: str = Field(default="", max_length=1_000, description="What belongs to it.")


class Named(BaseModel):
    """The topic is in the correction log; every model knows it within a second."""

    name: str


@router.get(
    "",
    operation_id="list_topics",
    summary="Every topic the model can answer",
    responses=responses(404, 503),
)
async def list_topics(gateway: Gateway) -> KnownTopics:
    """404 where a batch model serves: its topics are fixed."""
    return await gateway.brain.topics()


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
