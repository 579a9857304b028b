"""Labels as the gateway shows them: the live feed, and single tickets that the feed missed."""

import logging
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import orjson
from pydantic import ValidationError

from shared.read_model import FeedEntry

log = logging.getLogger(__name__)

STREAM = "/api/v1/stream"
TICKETS = "/api/v1/tickets/"
# The gateway sends a comment now and then; silence beyond this is a dead connection.
SILENCE_SECONDS = 60.0


class Gateway:
    """Reads labels over HTTP. Both calls raise httpx.HTTPError while the gateway is away."""

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(10.0, read=SILENCE_SECONDS),
            transport=transport,
        )
        self._last_event_id: str | None = None

    async def feed(self) -> AsyncIterator[FeedEntry]:
        """Entries until the connection ends; a later call resumes after the last one seen."""
        headers = {"Last-Event-ID": self._last_event_id} if self._last_event_id else {}
        async with self._client.stream("GET", STREAM, headers=headers) as answer:
            answer.raise_for_status()
            async for event_id, data in _events(answer.aiter_lines()):
                self._last_event_id = event_id or self._last_event_id
                try:
                    yield FeedEntry.model_validate_json(data)
                except ValidationError:
                    # Other kinds of events may share the stream.
                    log.debug("an event that is no label: %s", data[:200])

    async def predicted_topic(self, ticket_id: str) -> str | None:
        """What the model said; None while the ticket has no label yet."""
        answer = await self._client.get(TICKETS + ticket_id)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        answer.raise_for_status()
        ticket = orjson.loads(answer.content)
        # `topic` itself may be a human's by now.
        return str((ticket.get("predicted") or ticket)["topic"])

    async def close(self) -> None:
        await self._client.aclose()


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str]]:
    """Id and data of each server-sent event (WHATWG HTML, section 9.2)."""
    event_id = ""
    data: list[str] = []
    async for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield event_id, "\n".join(data)
            data = []
        elif name == "data":
            data.append(value)
        elif name == "id":
            event_id = value
