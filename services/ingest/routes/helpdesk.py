"""POST /v1/events and /v1/corrections: what happened at the helpdesk."""

from fastapi import FastAPI, Request, Response

from services.ingest import examples
from services.ingest.adapters.ticket_texts import TicketTexts
from services.ingest.domain.admission import Admission, Message, wants_text
from services.ingest.domain.posts import CorrectionPost, TicketPost
from services.ingest.routes.document import ANSWERS, IDEMPOTENT, request_body
from services.ingest.routes.intake import Intake
from shared import topics


def add_helpdesk_routes(
    app: FastAPI, intake: Intake, admission: Admission, texts: TicketTexts, *, max_events: int
) -> None:
    """`texts` are for corrections that teach and bring none.

    Straight on the application: FastAPI matches the routes of an included router twice.
    """

    async def admit_tickets(raw: bytes, content_type: str, _: str | None) -> list[Message]:
        return admission.tickets(raw, content_type)

    async def admit_corrections(raw: bytes, content_type: str, key: str | None) -> list[Message]:
        batch = admission.read_corrections(raw, content_type)
        ids = dict.fromkeys(post.ticket_id for post in batch.posts if wants_text(post))
        return admission.corrections(batch, await texts.of(ids), key)

    @app.post(
        "/v1/events",
        summary="Post ticket events",
        openapi_extra=request_body(TicketPost, max_events, examples.TICKET, examples.SMALL_TICKET),
        **ANSWERS,
    )
    async def post_events(request: Request) -> Response:
        return await intake.take(request, "ticket", topics.RECEIVED, admit_tickets)

    @app.post(
        "/v1/corrections",
        summary="Post what humans set",
        openapi_extra=IDEMPOTENT
        | request_body(CorrectionPost, max_events, examples.CORRECTION, examples.SMALL_CORRECTION),
        **ANSWERS,
    )
    async def post_corrections(request: Request) -> Response:
        return await intake.take(
            request, "correction", topics.CORRECTED, admit_corrections, teaches=True
        )
