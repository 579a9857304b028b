"""From a request to the log's acknowledgement: read, admit, publish, answer."""

import time
from collections.abc import Awaitable, Callable

import orjson
from fastapi import Request, Response

from services.ingest.adapters.publisher import Publisher
from services.ingest.domain.admission import Message
from services.ingest.domain.bodies import JSON
from shared.errors import DeskstreamError, TooLarge
from shared.metrics import ACCEPTED, ACK_SECONDS, REJECTED
from shared.topics import Topic

# Body, content type and Idempotency-Key into records.
Admit = Callable[[bytes, str, str | None], Awaitable[list[Message]]]


class Intake:
    """Takes requests into the log, within the limit of a body's size."""

    def __init__(
        self, publisher: Publisher, corrected: Callable[[], None], max_body_bytes: int
    ) -> None:
        """`corrected` is told of every request that changes what the models are to learn."""
        self._corrected = corrected
        self._publisher = publisher
        self._max_body_bytes = max_body_bytes

    async def take(
        self, request: Request, kind: str, topic: Topic, admit: Admit, *, teaches: bool = False
    ) -> Response:
        """202 with the count, or the problem that the error becomes.

        kind: under which the records are counted; teaches: whether the models are to learn anew.
        """
        try:
            raw = await _body(request, self._max_body_bytes)
            headers = request.headers
            messages = await admit(
                raw, headers.get("content-type", ""), headers.get("idempotency-key")
            )
            started = time.perf_counter()
            await self._publisher.publish(topic, messages)
        except DeskstreamError as error:
            REJECTED.labels(error.code).inc()
            raise
        ACK_SECONDS.observe(time.perf_counter() - started)
        ACCEPTED.labels(kind).inc(len(messages))
        if teaches:
            self._corrected()
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
