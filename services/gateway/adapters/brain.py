"""The model's topics: read from a classifier, named through ingest, the log's one writer."""

from typing import Any, Protocol

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import NotFound, Unavailable

ANSWER_SECONDS = 6.0  # above the 4 s that ingest waits for Kafka


class KnownTopic(BaseModel):
    """A topic the model can answer."""

    name: str = Field(examples=["vpn"])
    description: str = ""


class KnownTopics(BaseModel):
    """Every topic, and up to which offset of the correction log the classifier had read."""

    model_config = ConfigDict(extra="ignore")

    topics: list[KnownTopic]
    log_offset: int = Field(ge=0)


class Brain(Protocol):
    """What a gateway may ask of and tell the models."""

    async def topics(self) -> KnownTopics:
        """Raises Unavailable, and NotFound where the model that serves does not learn."""
        ...

    async def name(self, topic: dict[str, Any], idempotency_key: str | None) -> None:
        """Have a topic named; returns once the log has it. Raises Unavailable."""
        ...


class HttpBrain:
    """GET {classifier}/model and POST {ingest}/v1/topics."""

    def __init__(self, classifier_url: str, ingest_url: str, client: httpx.AsyncClient) -> None:
        self._classifier = classifier_url.rstrip("/")
        self._ingest = ingest_url.rstrip("/")
        self._client = client

    async def topics(self) -> KnownTopics:
        try:
            answer = await self._client.get(f"{self._classifier}/model", timeout=ANSWER_SECONDS)
            if answer.status_code == 404:
                raise NotFound("the model that serves is a batch model: its topics are fixed")
            return KnownTopics.model_validate_json(answer.raise_for_status().content)
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError) as fault:
            raise Unavailable(f"the classifier does not say its topics: {fault}") from fault

    async def name(self, topic: dict[str, Any], idempotency_key: str | None) -> None:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        try:
            answer = await self._client.post(
                f"{self._ingest}/v1/topics", json=topic, headers=headers, timeout=ANSWER_SECONDS
            )
            answer.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise Unavailable(f"ingest did not take the topic: {fault}") from fault
