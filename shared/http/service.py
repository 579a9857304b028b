"""A FastAPI application with what every service answers: /health, /ready, /metrics, problems."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel

from shared.http import problems
from shared.metrics import HTTP_SECONDS

# None: it answers. Otherwise the reason why not, in words an operator can act on.
Check = Callable[[], Awaitable[str | None]]
CHECK_SECONDS = 3.0
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Health(BaseModel):
    """The process lives and its event loop turns."""

    status: Literal["healthy"] = "healthy"


class Readiness(BaseModel):
    """`ready` only when everything this service needs answers; `checks` has the reasons.

    A reason that begins with "degraded" is of something it can do without.
    """

    status: Literal["ready", "not ready"]
    checks: dict[str, str]


def create_service(
    name: str,
    *,
    title: str,
    description: str,
    checks: Mapping[str, Check],
    tolerated: Mapping[str, Check] | None = None,
    lifespan: Lifespan | None = None,
    max_body_bytes: int | None = None,
) -> FastAPI:
    """An application that answers /health, /ready and /metrics and turns errors into problems.

    tolerated: what the service can do without; /ready says so and stays ready.
    """
    options: dict[str, Any] = {"max_body_size": max_body_bytes} if max_body_bytes else {}
    app = FastAPI(title=title, description=description, version="1", lifespan=lifespan, **options)
    problems.install(app)
    _observe(app, name)
    _operations(app, checks, tolerated or {})
    return app


def _operations(app: FastAPI, checks: Mapping[str, Check], tolerated: Mapping[str, Check]) -> None:
    @app.get(
        "/health",
        operation_id="read_health",
        tags=["operations"],
        summary="Does the process live?",
    )
    async def health() -> Health:
        return Health()

    @app.get(
        "/ready",
        operation_id="read_readiness",
        tags=["operations"],
        summary="Does everything this service needs answer?",
        responses={503: {"model": Readiness}},
    )
    async def ready() -> Response:
        everything = {**checks, **tolerated}
        reasons = await asyncio.gather(*(_run(check) for check in everything.values()))
        answers = {
            name: "ok" if not why else f"degraded: {why}" if name in tolerated else why
            for name, why in zip(everything, reasons, strict=True)
        }
        good = not any(reasons[: len(checks)])
        body = Readiness(status="ready" if good else "not ready", checks=answers)
        status = 200 if good else 503
        return Response(body.model_dump_json(), status, media_type="application/json")

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(REGISTRY), media_type=content_type)


async def _run(check: Check) -> str | None:
    try:
        return await asyncio.wait_for(check(), CHECK_SECONDS)
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:.0f} s"


Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


class _Timing:
    """Pure ASGI: Starlette's BaseHTTPMiddleware costs a task per request."""

    def __init__(self, app: Asgi, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def observed(message: Scope) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            # The template, never the path: ids in labels would grow without bound.
            route = getattr(scope.get("route"), "path", "unmatched")
            labels = (self._service, scope["method"], route, str(status))
            HTTP_SECONDS.labels(*labels).observe(time.perf_counter() - started)


def _observe(app: FastAPI, name: str) -> None:
    app.add_middleware(_Timing, service=name)
