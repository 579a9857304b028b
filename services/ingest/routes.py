"""POST /v1/events, /v1/corrections, /v1/topics, /v1/undo: read, admit, publish, answer."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field

from services.ingest import examples
from services.ingest.adapters.publisher import Publisher
from services.ingest.adapters.ticket_texts import TicketTexts
from services.ingest.domain.admission import Admission, Message, wants_text
from services.ingest.domain.bodies import JSON, NDJSON
from services.ingest.domain.posts import CorrectionPost, TicketPost, TopicPost, UndoPost
from shared import topics
from shared.errors import DeskstreamError, TooLarge
from shared.http.problems import responses
from shared.metrics import ACCEPTED, ACK_SECONDS, REJECTED
from shared.topics import Topic

# Body, content type and Idempotency-Key into records.
Admit = Callable[[bytes, str, str | None], Awaitable[list[Message]]]


class Accepted(BaseModel):
    """All of the request's events are in Kafka, acknowledged by every replica in sync."""

    accepted: int = Field(ge=1, description="Events of this request.", examples=[2])


class Intake:
    """One kind of event from request to acknowledgement."""

    def __init__(
        self,
        kind: str,
        topic: Topic,
        admit: Admit,
        publisher: Publisher,
        max_body_bytes: int,
        *,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        """`taken` is told of every request that was accepted."""
        self._taken = taken
        self._topic = topic
        self._admit = admit
        self._publisher = publisher
        self._max_body_bytes = max_body_bytes
        self._accepted = ACCEPTED.labels(kind)

    async def take(self, request: Request) -> Response:
        """202 with the count, or the problem that the error becomes."""
        try:
            raw = await _body(request, self._max_body_bytes)
            headers = request.headers
            messages = await self._admit(
                raw, headers.get("content-type", ""), headers.get("idempotency-key")
            )
            started = time.perf_counter()
            await self._publisher.publish(self._topic, messages)
        except DeskstreamError as error:
            REJECTED.labels(error.code).inc()
            raise
        ACK_SECONDS.observe(time.perf_counter() - started)
        self._accepted.inc(len(messages))
        self._taken()
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


class Takers:
    """The four kinds of requests, each bound to what it needs."""

    def __init__(
        self,
        admission: Admission,
        publisher: Publisher,
        texts: TicketTexts,
        corrected: Callable[[], None],
        max_body_bytes: int,
    ) -> None:
        """`corrected` is told of every request that changes what the models are to learn."""
        self._admission = admission
        self._texts = texts

        def taker(kind: str, topic: Topic, admit: Admit) -> Intake:
            told = corrected if kind in {"correction", "undo"} else lambda: None
            return Intake(kind, topic, admit, publisher, max_body_bytes, taken=told)

        self.events = taker("ticket", topics.RECEIVED, self._tickets)
        self.corrections = taker("correction", topics.CORRECTED, self._corrections)
        self.topics = taker("topic", topics.CORRECTED, self._topics)
        self.undos = taker("undo", topics.CORRECTED, self._undos)

    async def _tickets(self, raw: bytes, content_type: str, _: str | None) -> list[Message]:
        return self._admission.tickets(raw, content_type)

    async def _corrections(self, raw: bytes, content_type: str, key: str | None) -> list[Message]:
        batch = self._admission.read_corrections(raw, content_type)
        ids = dict.fromkeys(post.ticket_id for post in batch.posts if wants_text(post))
        return self._admission.corrections(batch, await self._texts.of(ids), key)

    async def _topics(self, raw: bytes, content_type: str, key: str | None) -> list[Message]:
        return self._admission.topics(raw, content_type, key)

    async def _undos(self, raw: bytes, content_type: str, key: str | None) -> list[Message]:
        return self._admission.undos(raw, content_type, key)


def add_routes(app: FastAPI, takers: Takers, *, max_events: int) -> None:
    """The four routes.

    Straight on the application: FastAPI matches the routes of an included router twice.
    """

    @app.post(
        "/v1/events",
        summary="Post ticket events",
        openapi_extra=_request_body(TicketPost, max_events, examples.TICKET, examples.SMALL_TICKET),
        **_ANSWERS,
    )
    async def post_events(request: Request) -> Response:
        return await takers.events.take(request)

    @app.post(
        "/v1/corrections",
        summary="Post what humans set",
        openapi_extra=_IDEMPOTENT
        | _request_body(CorrectionPost, max_events, examples.CORRECTION, examples.SMALL_CORRECTION),
        **_ANSWERS,
    )
    async def post_corrections(request: Request) -> Response:
        return await takers.corrections.take(request)

    @app.post(
        "/v1/topics",
        summary="Name topics",
        openapi_extra=_IDEMPOTENT
        | _request_body(TopicPost, max_events, examples.TOPIC, examples.SMALL_TOPIC),
        **_ANSWERS,
    )
    async def post_topics(request: Request) -> Response:
        return await takers.topics.take(request)

    @app.post(
        "/v1/undo",
        summary="Take back what was learned from corrections",
        openapi_extra=_IDEMPOTENT
        | _request_body(UndoPost, max_events, examples.UNDO, examples.UNDO_ALL),
        **_ANSWERS,
    )
    async def post_undo(request: Request) -> Response:
        return await takers.undos.take(request)


_IDEMPOTENT: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "Repeat a request with the same key and body, and elements without an "
            "event id get the same ones: nothing counts twice.",
        }
    ]
}
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
