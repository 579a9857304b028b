"""Where a promotion is asked for: ingest, the only writer of the correction log."""

from http import HTTPStatus
from typing import Protocol

import httpx

from services.classifier.domain.labelling import ModelIdentity
from shared.errors import Misconfigured, Unavailable

TIMEOUT_SECONDS = 10.0
ATTEMPTS = 4
ACTOR = "retrain"


class PromotionDesk(Protocol):
    """Takes promotions. Implementations pass one contract test class."""

    def promote(self, model: ModelIdentity, reason: str) -> None:
        """Write the control record; `model.log_offset` is what the model was trained up to.

        reason: tells two promotions of one version apart; the same again changes nothing. Raises
        Unavailable, Misconfigured.
        """
        ...


class MemoryPromotionDesk:
    """A PromotionDesk in this process. `outage` is the reason why it is away."""

    def __init__(self, outage: str | None = None) -> None:
        self.promoted: dict[str, ModelIdentity] = {}
        self.outage = outage

    def promote(self, model: ModelIdentity, reason: str) -> None:
        if self.outage is not None:
            raise Unavailable(self.outage)
        self.promoted.setdefault(f"{model.version}-{reason}", model)


class IngestPromotionDesk:
    """The ingest service at `url`. `transport` is for tests."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url
        self._transport = transport

    def promote(self, model: ModelIdentity, reason: str) -> None:
        body: dict[str, str | int] = {
            "event_id": f"{model.version}-{reason}"[:128],
            "actor": ACTOR,
            "version": model.version,
            "digest": model.digest,
            "log_offset": model.log_offset,
        }
        answer = self._post(body)
        if answer.status_code == HTTPStatus.ACCEPTED:
            return
        detail = f"{self._url} answered {answer.status_code}: {answer.text[:300]}"
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(detail)
        raise Misconfigured(detail)

    def _post(self, body: dict[str, str | int]) -> httpx.Response:
        transport = self._transport or httpx.HTTPTransport(retries=ATTEMPTS)
        try:
            with httpx.Client(transport=transport, timeout=TIMEOUT_SECONDS) as client:
                return client.post(f"{self._url}/v1/promotions", json=body)
        except httpx.HTTPError as away:
            raise Unavailable(
                f"ingest at {self._url} does not answer ({str(away) or type(away).__name__}); "
                "CLASSIFIER_INGEST_URL or --ingest names another one"
            ) from away
