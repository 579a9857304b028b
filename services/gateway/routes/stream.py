"""GET /api/v1/stream: labels as server-sent events, the moment they are readable."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi import Query as InQuery
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field

from services.gateway.adapters.feed import Gap
from services.gateway.dependencies import Gateway, Name, Query, QueueName
from services.gateway.domain.feed import FeedFilter, FeedId
from shared.errors import Unavailable
from shared.http.problems import responses

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/v1", tags=["tickets"])

EventId = Annotated[str, Field(pattern="^[0-9]{1,20}(-[0-9]{1,20})?$")]
EXAMPLE = """\
id: 1772442845231-0
data: {"ticket_id":"T-1042","created_at":"2026-03-02T09:14:05Z","queue":"IT/Network",\
"topic":"vpn","confidence":0.94,"priority":"high","subject":"VPN drops every ten minutes"}

: ping

event: gap
data: {"after":"1772442845231-0","detail":"labels after this id are gone from the feed"}

"""
STREAM: dict[str, Any] = {
    "description": "Labels until the client leaves. A comment every 15 s keeps idle links open.",
    "content": {"text/event-stream": {"example": EXAMPLE}},
}


class StreamQuery(Query):
    """Which labels, and from where on."""

    topic: Name | None = Field(default=None, examples=["vpn"])
    queue: QueueName | None = None
    last_event_id: EventId | None = Field(
        default=None,
        description="As the header Last-Event-ID, for clients that cannot set one. 0: all kept.",
    )


# Empty is what a client sends that has seen no event yet.
LastEventId = Annotated[
    str,
    Header(
        alias="Last-Event-ID",
        pattern="^([0-9]{1,20}(-[0-9]{1,20})?)?$",
        examples=["1772442845231-0"],
    ),
]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a client asked for."""

    wanted: FeedFilter
    resume: FeedId | None


async def _subscription(
    query: Annotated[StreamQuery, InQuery()], gateway: Gateway, last_event_id: LastEventId = ""
) -> Subscription:
    # Asked here, where a 503 can still be answered; the stream's head is sent before its body.
    await gateway.views.ping()
    node = None if query.queue is None else (await gateway.load.tree()).find(query.queue)
    last = last_event_id or query.last_event_id
    return Subscription(
        wanted=FeedFilter(query.topic, node.path if node else None),
        resume=FeedId.parse(last) if last else None,
    )


@router.get(
    "/stream",
    operation_id="stream_labels",
    summary="Live labels (server-sent events), resumable",
    response_class=EventSourceResponse,
    responses={200: STREAM, **responses(400, 404, 422, 503)},
)
async def stream(
    gateway: Gateway,
    asked: Annotated[Subscription, Depends(_subscription)],
) -> AsyncIterator[ServerSentEvent]:
    """Every event has an `id`; a client that comes back with it misses nothing.

    A first event `gap` says when that is impossible, because the feed no longer goes back so far.
    """
    try:
        async for found in gateway.feed.follow(asked.resume, asked.wanted):
            yield (
                _event(found.after)
                if isinstance(found, Gap)
                else ServerSentEvent(raw_data=found.raw, id=str(found.id))
            )
    except Unavailable as error:
        # The client's next try gets the 503; it resumes from its last id.
        log.warning("a stream ended: %s", error.detail)


def _event(after: FeedId) -> ServerSentEvent:
    detail = "labels after this id are gone from the feed"
    return ServerSentEvent(event="gap", data={"after": str(after), "detail": detail})
