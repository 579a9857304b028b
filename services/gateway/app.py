"""The gateway's application, from its settings and ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.gateway.adapters.probes import named, whole
from services.gateway.dependencies import Ports
from services.gateway.routes import (
    alerts,
    datasets,
    events,
    forecast,
    home,
    load,
    models,
    quality,
    queue_forecasts,
    queues,
    review,
    staffing,
    statistics,
    status,
    stream,
    tickets,
    topics,
)
from shared.errors import Unavailable
from shared.http import create_service

DESCRIPTION = """\
What Deskstream knows of every ticket and every queue, read from the projection in Redis.

Errors are problem documents (RFC 9457). Times are UTC. Lists are paged by `next`, which is opaque.
"""
ROOMS = (
    tickets,
    review,
    quality,
    topics,
    stream,
    queues,
    load,
    statistics,
    forecast,
    models,
    datasets,
    queue_forecasts,
    events,
    staffing,
    alerts,
    status,
    home,
)


def create_app(ports: Ports) -> FastAPI:
    """An application over the ports given; it opens and closes none of them but the feed."""

    async def redis() -> str | None:
        try:
            await ports.views.ping()
        except Unavailable as error:
            return error.detail
        return None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ports.feed.start()
        try:
            yield
        finally:
            await ports.feed.stop()

    app = create_service(
        "gateway",
        title="Deskstream gateway",
        description=DESCRIPTION,
        checks={
            "redis": redis,
            "feed": ports.feed.check,
            "kafka": named(ports.classifier, "kafka"),
            "model": named(ports.classifier, "model"),
            "classifier": whole(ports.classifier),
            "forecaster": whole(ports.forecaster),
        },
        tolerated={"semantic": whole(ports.semantic)},
        lifespan=lifespan,
    )
    app.state.ports = ports
    for routes in ROOMS:
        app.include_router(routes.router)
    return app
