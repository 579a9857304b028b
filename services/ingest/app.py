"""Wires ingest: settings and ports in, a FastAPI application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.ingest.adapters.publisher import Publisher
from services.ingest.adapters.ticket_texts import TicketTexts
from services.ingest.domain.admission import Admission
from services.ingest.domain.pseudonyms import Pseudonyms
from services.ingest.refits import RefitMarks
from services.ingest.routes.controls import add_control_routes
from services.ingest.routes.helpdesk import add_helpdesk_routes
from services.ingest.routes.intake import Intake
from services.ingest.settings import IngestSettings
from shared.clock import Clock
from shared.http import create_service

DESCRIPTION = "Takes ticket events and corrections, and answers 202 once Kafka has them."


def create_app(
    settings: IngestSettings,
    publisher: Publisher,
    texts: TicketTexts,
    clock: Clock,
    pseudonym_key: bytes,
) -> FastAPI:
    """The application; its lifespan starts and stops `publisher` and lets go of `texts`."""
    marks = RefitMarks(publisher, clock, settings.refit_pause)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await publisher.start()
        try:
            yield
        finally:
            await marks.stop()
            await publisher.stop()
            await texts.stop()

    app = create_service(
        "ingest",
        title="Deskstream ingest",
        description=DESCRIPTION,
        checks={"kafka": publisher.check},
        lifespan=lifespan,
    )
    admission = Admission(
        pseudonyms=Pseudonyms(pseudonym_key),
        clock=clock,
        max_events=settings.max_events,
        max_record_bytes=settings.max_record_bytes,
    )
    intake = Intake(publisher, marks.due, settings.max_body_bytes)
    limit = settings.max_events
    add_helpdesk_routes(app, intake, admission, texts, max_events=limit)
    add_control_routes(app, intake, admission, max_events=limit)
    return app
