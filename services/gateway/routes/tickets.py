"""GET /api/v1/tickets: one ticket, and pages of them newest first."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi import Query as InQuery
from pydantic import BaseModel, Field

from services.gateway.dependencies import Gateway, Name, QueueName
from services.gateway.domain.listing import Wanted, read_page
from services.gateway.domain.tickets import StoredTicket, Ticket, overlay, to_explain
from services.gateway.routes.paging import LINK, PageQuery
from shared.errors import NotFound
from shared.http.problems import responses
from shared.windows import Dimension

router = APIRouter(prefix="/api/v1/tickets", tags=["tickets"])


class TicketQuery(PageQuery):
    """Which tickets, and which page of them."""

    topic: Name | None = Field(default=None, examples=["vpn"])
    queue: QueueName | None = None
    priority: Name | None = Field(default=None, examples=["high"])


class TicketPage(BaseModel):
    """Newest first by creation time. `next` is null on the last page."""

    tickets: list[Ticket]
    next: str | None = Field(examples=["MTc3MjQ0Mjg0NTAwMDpULTEwNDI"])


@router.get(
    "",
    operation_id="list_tickets",
    summary="Tickets newest first, by topic, queue and priority",
    responses={200: {"headers": LINK}, **responses(400, 404, 422, 503)},
)
async def list_tickets(
    query: Annotated[TicketQuery, InQuery()], gateway: Gateway, response: Response
) -> TicketPage:
    """By the values in force: a human's where one set them, else the model's.

    Pages hold still: what arrives meanwhile never shifts a later page.
    """
    before = query.before
    page = await read_page(gateway.views, await _wanted(query, gateway), before, query.limit)
    following = query.link(response, router.prefix, page.next)
    return TicketPage(tickets=await shown(page.tickets, gateway), next=following)


@router.get(
    "/{ticket_id:path}",
    operation_id="get_ticket",
    summary="One ticket: labels, every score, the model, and what a human set",
    responses=responses(404, 422, 503),
)
async def get_ticket(
    ticket_id: Annotated[str, Path(min_length=1, max_length=128, examples=["T-1042"])],
    gateway: Gateway,
) -> Ticket:
    """404 until the ticket is labelled, and after its record expired."""
    [stored] = await gateway.views.tickets([ticket_id])
    if stored is None:
        raise NotFound(f"no ticket {ticket_id!r}: not labelled yet, expired or never received")
    [ticket] = await shown([stored], gateway)
    return ticket


async def shown(stored: Sequence[StoredTicket], gateway: Gateway) -> list[Ticket]:
    """Tickets with the reasons of their topics, which are asked for together."""
    reasons = await gateway.judge.explain([to_explain(ticket) for ticket in stored])
    return [overlay(ticket, why) for ticket, why in zip(stored, reasons, strict=True)]


async def in_queue(queue: str, gateway: Gateway) -> list[Wanted]:
    """A queue and everything below it; nothing where it is all queues. Raises NotFound."""
    tree = await gateway.load.tree()
    if (node := tree.find(queue)) is None:
        return []
    return [Wanted(Dimension.QUEUE, frozenset((node.path, *node.descendants)))]


async def _wanted(query: TicketQuery, gateway: Gateway) -> list[Wanted]:
    wanted: list[Wanted] = []
    if query.queue is not None:
        wanted += await in_queue(query.queue, gateway)
    if query.topic is not None:
        wanted.append(Wanted(Dimension.TOPIC, frozenset({query.topic})))
    if query.priority is not None:
        wanted.append(Wanted(Dimension.PRIORITY, frozenset({query.priority})))
    return wanted
