"""What a classifier knows of its own answers: how good they are, and which words spoke for them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import httpx
from pydantic import ValidationError

from shared.errors import NotFound, Unavailable
from shared.quality import ExplainRequest, Explanations, QualityReport, Term, TextToExplain

QUALITY_SECONDS = 3.0
# A page of two hundred long tickets takes a classifier some 300 ms.
EXPLAIN_SECONDS = 1.0
# After it did not answer in time, tickets are shown without reasons for so long.
PAUSE_SECONDS = 5.0

Reasons = list[Term] | None


class Judge(Protocol):
    """What a gateway may ask about labels."""

    async def quality(self, query: Mapping[str, str]) -> QualityReport:
        """Figures, thresholds, series. Raises Unavailable; NotFound for an old classifier."""
        ...

    async def explain(self, tickets: Sequence[TextToExplain]) -> list[Reasons]:
        """The words that speak for each ticket's topic, in one question.

        None for a topic that the model does not know, and for all of them where a batch model
        serves or no classifier answers in time: a ticket is shown without its reasons.
        """
        ...


class HttpJudge:
    """GET {classifier}/quality and POST {classifier}/explain."""

    def __init__(
        self, classifier_url: str, client: httpx.AsyncClient, clock: Callable[[], float]
    ) -> None:
        """`clock`: monotonic seconds."""
        self._classifier = classifier_url.rstrip("/")
        self._client = client
        self._clock = clock
        self._quiet_until = 0.0

    async def quality(self, query: Mapping[str, str]) -> QualityReport:
        url = f"{self._classifier}/quality"
        try:
            answer = await self._client.get(url, params=dict(query), timeout=QUALITY_SECONDS)
            if answer.status_code == 404:
                raise NotFound("the classifier that serves does not measure its quality")
            return QualityReport.model_validate_json(answer.raise_for_status().content)
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError) as fault:
            raise Unavailable(f"the classifier does not say how good it is: {fault}") from fault

    async def explain(self, tickets: Sequence[TextToExplain]) -> list[Reasons]:
        nothing: list[Reasons] = [None] * len(tickets)
        if not tickets or self._clock() < self._quiet_until:
            return nothing
        page = ExplainRequest(tickets=list(tickets)).model_dump_json().encode()
        url, headers = f"{self._classifier}/explain", {"Content-Type": "application/json"}
        try:
            answer = await self._client.post(
                url, content=page, headers=headers, timeout=EXPLAIN_SECONDS
            )
            if answer.status_code == 404:
                return nothing  # a batch model, which cannot tell
            found = Explanations.model_validate_json(answer.raise_for_status().content)
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError):
            # One reader waits for a classifier that hangs, not every one.
            self._quiet_until = self._clock() + PAUSE_SECONDS
            return nothing
        return found.explanations if len(found.explanations) == len(tickets) else nothing
