"""RFC 9457 problem documents for every error a service answers with."""

import logging
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import Match

from shared.errors import DeskstreamError, FieldError, Unavailable

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:deskstream:problem:"


class FieldProblem(BaseModel):
    """One fault: an RFC 6901 pointer into the body, or a parameter's name, and what is wrong."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """The body of every error answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:deskstream:problem:invalid-event",
                    "title": "Unprocessable Content",
                    "status": 422,
                    "detail": "1 of 2 events is invalid; nothing was accepted",
                    "errors": [{"pointer": "/1/created_at", "detail": "needs a UTC offset"}],
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the problems a route can answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"model": Problem, "description": TITLES[status], "content": content}
        for status in statuses
    }


def problem(
    status: int,
    code: str,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """One problem document as a response."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in errors]
    return Response(orjson.dumps(body), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document, and say no more than that in its OpenAPI."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        for item in document["paths"].values():
            for operation in item.values():
                for answer in operation["responses"].values():
                    # FastAPI adds the route's own media type to every answer with a model.
                    if problem_only := answer.get("content", {}).get(MEDIA_TYPE):
                        answer["content"] = {MEDIA_TYPE: problem_only}
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents

    @app.exception_handler(DeskstreamError)
    async def known(_: Request, error: DeskstreamError) -> Response:
        headers = (
            {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable) else None
        )
        return problem(error.status, error.code, error.detail, error.errors, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        errors = [FieldError(_pointer(e["loc"]), str(e["msg"])) for e in error.errors()]
        return problem(422, "invalid-request", "the request is not valid; see errors", errors)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        headers = _headers(app, request, error)
        return problem(error.status_code, "http", str(error.detail), headers=headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("unexpected error in %s", request.url.path, exc_info=error)
        return problem(500, "internal", "an unexpected error; the log of the service has it")


def _headers(app: FastAPI, request: Request, error: HTTPException) -> dict[str, str] | None:
    """The error's own, except that Starlette allows the methods of a path's first route only."""
    if error.status_code != 405:
        return dict(error.headers) if error.headers else None
    methods: set[str] = set()
    for route in app.routes:
        if route.matches(request.scope)[0] is Match.PARTIAL:
            methods |= getattr(route, "methods", None) or set()
    return {"Allow": ", ".join(sorted(methods))}


def _pointer(location: Sequence[object]) -> str:
    """A pydantic location as an RFC 6901 pointer; ("body", "x", 0) is /x/0."""
    parts = location[1:] if location and location[0] in {"body", "query", "path"} else location
    return "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in parts)
