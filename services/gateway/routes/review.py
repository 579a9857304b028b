"""GET /api/v1/review: what the model only suggested, least sure first."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as InQuery

from services.gateway.dependencies import Gateway, QueueName
from services.gateway.domain.listing import UpForReview, read_page
from services.gateway.routes.paging import LINK, PageQuery
from services.gateway.routes.tickets import TicketPage, in_queue, shown
from shared.http.problems import responses

router = APIRouter(prefix="/api/v1/review", tags=["tickets"])


class ReviewQuery(PageQuery):
    """Whose tickets, and which page of them."""

    queue: QueueName | None = None


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
    before = query.before
    wanted = await in_queue(query.queue, gateway) if query.queue is not None else []
    page = await read_page(gateway.views, wanted, before, query.limit, order=UpForReview())
    following = query.link(response, router.prefix, page.next)
    return TicketPage(tickets=await shown(page.tickets, gateway), next=following)
