"""The forecaster's internal port: everything that has to be computed."""

from collections.abc import AsyncIterable, Mapping
from typing import Any, Protocol

import httpx
from pydantic import TypeAdapter, ValidationError

from shared.errors import (
    BadRequest,
    DeskstreamError,
    FieldError,
    InvalidEvent,
    NotFound,
    TooLarge,
    Unavailable,
)
from shared.http.problems import Problem

# Long enough for a backtest of many origins; a forecast takes milliseconds.
ANSWER_SECONDS = 120.0
CONNECT_SECONDS = 2.0
REFUSALS: Mapping[int, type[DeskstreamError]] = {
    400: BadRequest,
    404: NotFound,
    413: TooLarge,
    422: InvalidEvent,
}


class Forecasts(Protocol):
    """Asks; raises what the forecaster refuses with, and Unavailable where it does not answer."""

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | None] | None = None,
        content: bytes | AsyncIterable[bytes] | None = None,
    ) -> bytes:
        """The body of the answer."""
        ...


class HttpForecasts:
    """Over HTTP."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url.rstrip("/")
        self._client = client
        self._timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | None] | None = None,
        content: bytes | AsyncIterable[bytes] | None = None,
    ) -> bytes:
        given = {name: value for name, value in (params or {}).items() if value is not None}
        options: dict[str, Any] = {"params": given, "content": content, "timeout": self._timeout}
        if isinstance(content, bytes):
            options["headers"] = {"Content-Type": "application/json"}
        try:
            answer = await self._client.request(method, self._url + path, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = error or type(error).__name__
            raise Unavailable(f"the forecaster does not answer: {reason}") from error
        if answer.is_success:
            return answer.content
        raise _refusal(answer)


def _refusal(answer: httpx.Response) -> DeskstreamError:
    try:
        problem = TypeAdapter(Problem).validate_json(answer.content)
    except ValidationError:
        return Unavailable(f"the forecaster answered {answer.status_code}")
    kind = REFUSALS.get(answer.status_code)
    if kind is None:
        return Unavailable(f"the forecaster cannot answer: {problem.detail}")
    return kind(problem.detail, [FieldError(e.pointer, e.detail) for e in problem.errors])
