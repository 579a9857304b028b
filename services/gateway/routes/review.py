"""GET /api/v1/review: what the model only suggested, least sure first."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from fastapi import Query as InQuery
from pydantic import Field

from services.gateway.dependencies import Gateway, Query, QueueName
from services.gateway.domain.listing import UpForReview, read_page
from services.gateway.domain.paging import Position
from services.gateway.routes.tickets import LINK, Cursor, TicketPage, in_queue, shown
from shared.http.problems import responses

router = APIRouter(prefix="/api/v1/review", tags=["tickets"])


class ReviewQuery(Query):
    """Whose tickets, and which page of them."""

    queue: QueueName | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: Cursor | None = Field(default=None, description="`next` of the page before, unchanged.")


@router.get(
    "",
    operation_id="list_review",
    summary="Tickets that await a human's word, least sure first, by queue",
    responses={200: {"headers": LINK}, **responses(400, 404, 422, 503)},
)
async def list_review(
    query: Annotated[ReviewQuery, InQuery()], gateway: Gateway, response: Response
) -> TicketPage:
    """A ticket leaves the list when somebody sets its topic, or the model becomes sure.

    With a queue that few of the unsure tickets are in, a page may be short and still have a `next`.
    """
    before = Position.parse(query.cursor) if query.cursor else None
    wanted = await in_queue(query.queue, gateway) if query.queue is not None else []
    page = await read_page(gateway.views, wanted, before, query.limit, order=UpForReview())
    following = page.next.cursor() if page.next else None
    if following:
        parameters = query.model_dump(exclude_none=True) | {"cursor": following}
        response.headers["Link"] = f'<{router.prefix}?{urlencode(parameters)}>; rel="next"'
    return TicketPage(tickets=await shown(page.tickets, gateway), next=following)
