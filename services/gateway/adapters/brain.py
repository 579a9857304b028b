"""What the models know and what emerges: read from the workers, changed through ingest's log."""

from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import FieldError, InvalidEvent, NotFound, Unavailable
from shared.http.problems import Problem
from shared.proposals import Proposals, ProposedTopic

ANSWER_SECONDS = 6.0  # above the 4 s that ingest waits for Kafka
# What emerges is shown beside what is known, which need not wait long for it.
EMERGING_SECONDS = 2.0
Answer = TypeVar("Answer", bound=BaseModel)


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
    """What a gateway may ask of and tell the models. Every call may raise Unavailable.

    What is told is in the log when the call returns; InvalidEvent is what ingest refused.
    """

    async def topics(self) -> KnownTopics:
        """Raises NotFound where the model that serves does not learn."""
        ...

    async def emerging(self) -> list[ProposedTopic]:
        """Topics that emerge, most tickets first."""
        ...

    async def proposal(self, proposal: str) -> ProposedTopic:
        """One by its id, also if it was named or dismissed since. Raises NotFound."""
        ...

    async def name(self, topic: dict[str, Any], idempotency_key: str | None) -> None:
        """Have a topic named."""
        ...

    async def correct(self, corrections: list[dict[str, Any]]) -> None:
        """Have tickets corrected; none is no work."""
        ...

    async def dismiss(self, dismissal: dict[str, Any]) -> None:
        """Have a proposal dismissed."""
        ...


class HttpBrain:
    """GET {classifier}/model and {semantic}/proposals, POST {ingest}/v1/..."""

    def __init__(
        self, classifier_url: str, semantic_url: str, ingest_url: str, client: httpx.AsyncClient
    ) -> None:
        self._classifier = classifier_url.rstrip("/")
        self._semantic = semantic_url.rstrip("/")
        self._ingest = ingest_url.rstrip("/")
        self._client = client

    async def topics(self) -> KnownTopics:
        url = f"{self._classifier}/model"
        found = await self._read(url, KnownTopics, "the classifier", ANSWER_SECONDS)
        if found is None:
            raise NotFound("the model that serves is a batch model: its topics are fixed")
        return found

    async def emerging(self) -> list[ProposedTopic]:
        found = await self._read(f"{self._semantic}/proposals", Proposals, "the semantic worker")
        if found is None:
            raise Unavailable("the semantic worker knows no radar")
        return found.proposals

    async def proposal(self, proposal: str) -> ProposedTopic:
        # Not every text is a path of one step.
        known = proposal.isascii() and proposal.replace("-", "").isalnum()
        url = f"{self._semantic}/proposals/{proposal}"
        found = await self._read(url, ProposedTopic, "the semantic worker") if known else None
        if found is None:
            raise NotFound(f"there is no proposal {proposal!r}; it may have expired")
        return found

    async def name(self, topic: dict[str, Any], idempotency_key: str | None) -> None:
        await self._tell("/v1/topics", topic, idempotency_key)

    async def correct(self, corrections: list[dict[str, Any]]) -> None:
        if corrections:
            await self._tell("/v1/corrections", corrections)

    async def dismiss(self, dismissal: dict[str, Any]) -> None:
        await self._tell("/v1/proposals/dismissals", dismissal)

    async def _read(
        self, url: str, model: type[Answer], who: str, seconds: float = EMERGING_SECONDS
    ) -> Answer | None:
        """What is there; None for 404."""
        try:
            answer = await self._client.get(url, timeout=seconds)
            if answer.status_code == 404:
                return None
            return model.model_validate_json(answer.raise_for_status().content)
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError) as fault:
            reason = str(fault) or type(fault).__name__
            raise Unavailable(f"{who} does not say what it knows: {reason}") from fault

    async def _tell(self, path: str, body: object, idempotency_key: str | None = None) -> None:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        try:
            answer = await self._client.post(
                self._ingest + path, json=body, headers=headers, timeout=ANSWER_SECONDS
            )
            if answer.status_code == 422:
                problem = Problem.model_validate_json(answer.content)
                faults = [FieldError(each.pointer, each.detail) for each in problem.errors]
                raise InvalidEvent(problem.detail, faults)
            answer.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError) as fault:
            reason = str(fault) or type(fault).__name__
            raise Unavailable(f"ingest did not take it: {reason}") from fault
