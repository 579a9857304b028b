"""POST /v1/events and /v1/corrections: read, admit, publish, answer."""

import time
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field

from services.ingest import examples
from services.ingest.adapters.publisher import Publisher
from services.ingest.domain.admission import Admission, Message
from services.ingest.domain.bodies import JSON, NDJSON
from services.ingest.domain.posts import CorrectionPost, TicketPost
from shared import topics
from shared.errors import DeskstreamError, TooLarge
from shared.http.problems import responses
from shared.metrics import ACCEPTED, ACK_SECONDS, REJECTED
from shared.topics import Topic

Admit = Callable[[bytes, str], list[Message]]


class Accepted(BaseModel):
    """All of the request's events are in Kafka, acknowledged by every replica in sync."""

    accepted: int = Field(ge=1, description="Events of this request.", examples=[2])


class Intake:
    """One kind of event from request to acknowledgement."""

    def __init__(
        self, kind: str, topic: Topic, admit: Admit, publisher: Publisher, max_body_bytes: int
    ) -> None:
        self._topic = topic
        self._admit = admit
        self._publisher = publisher
        self._max_body_bytes = max_body_bytes
        self._accepted = ACCEPTED.labels(kind)

    async def take(self, request: Request) -> Response:
        """202 with the count, or the problem that the error becomes."""
        try:
            raw = await _body(request, self._max_body_bytes)
            messages = self._admit(raw, request.headers.get("content-type", ""))
            started = time.perf_counter()
            await self._publisher.publish(self._topic, messages)
        except DeskstreamError as error:
            REJECTED.labels(error.code).inc()
            raise
        ACK_SECONDS.observe(time.perf_counter() - started)
        self._accepted.inc(len(messages))
        return Response(orjson.dumps({"accepted": len(messages)}), 202, media_type=JSON)


async def _body(request: Request, limit: int) -> bytes:
    # FastAPI's max_body_size answers a declared oversize in plain text, not as a problem.
    too_large = f"the request is larger than {limit} bytes; send fewer events at once"
    declared = request.headers.get("content-length")
    if declared is not None:
        if int(declared) > limit:
            raise TooLarge(too_large)
        return await request.body()
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > limit:
            raise TooLarge(too_large)
    return bytes(chunks)


def add_routes(
    app: FastAPI,
    admission: Admission,
    publisher: Publisher,
    *,
    max_events: int,
    max_body_bytes: int,
) -> None:
    """The two routes, bound to what they need.

    Straight on the application: FastAPI matches the routes of an included router twice.
    """
    events = Intake("ticket", topics.RECEIVED, admission.tickets, publisher, max_body_bytes)
    corrections = Intake(
        "correction", topics.CORRECTED, admission.corrections, publisher, max_body_bytes
    )

    @app.post(
        "/v1/events",
        summary="Post ticket events",
        openapi_extra=_request_body(TicketPost, max_events, examples.TICKET, examples.SMALL_TICKET),
        **_ANSWERS,
    )
    async def post_events(request: Request) -> Response:
        return await events.take(request)

    @app.post(
        "/v1/corrections",
        summary="Post what humans set",
        openapi_extra=_request_body(
            CorrectionPost, max_events, examples.CORRECTION, examples.SMALL_CORRECTION
        ),
        **_ANSWERS,
    )
    async def post_corrections(request: Request) -> Response:
        return await corrections.take(request)


_DESCRIPTION = (
    "One JSON object, a JSON array or NDJSON. All or nothing: 202 means that Kafka "
    "acknowledged every event, any other answer that none should be counted on. After a 503 "
    "repeat the request with the same event ids; what arrived twice is counted once."
)
_ANSWERS: dict[str, Any] = {
    "tags": ["ingest"],
    "description": _DESCRIPTION,
    "status_code": 202,
    "response_model": Accepted,
    "responses": responses(413, 415, 422, 503),
}


def _request_body(
    model: type[BaseModel], max_events: int, full: dict[str, Any], small: dict[str, Any]
) -> dict[str, Any]:
    """The three forms of a body for OpenAPI; the handler reads raw bytes, parsed once."""
    one = model.model_json_schema()
    lines = "\n".join(orjson.dumps(example).decode() for example in (full, small)) + "\n"
    content: dict[str, Any] = {
        JSON: {
            "schema": {
                "anyOf": [
                    one,
                    {"type": "array", "items": one, "minItems": 1, "maxItems": max_events},
                ]
            },
            "examples": {
                "one": {"summary": "One, with every field", "value": full},
                "least": {"summary": "One, with what is required", "value": small},
                "array": {"summary": "Several", "value": [full, small]},
            },
        }
    }
    for media_type in NDJSON:
        content[media_type] = {"schema": {"type": "string"}, "example": lines}
    return {"requestBody": {"required": True, "content": content}}
