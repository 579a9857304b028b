"""The forecaster's port as a client sees it: refusals are passed on, silence is a 503."""

import httpx
import pytest

from services.gateway.adapters.forecasts import HttpForecasts
from shared.errors import (
    BadRequest,
    DeskstreamError,
    FieldError,
    InvalidEvent,
    NotFound,
    TooLarge,
    Unavailable,
)
from shared.http.problems import problem


def answering(status: int, body: bytes) -> HttpForecasts:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    return HttpForecasts("http://forecaster/", httpx.AsyncClient(transport=transport))


async def test_the_body_of_an_answer() -> None:
    assert await answering(200, b"[1]").ask("GET", "/models") == b"[1]"


async def test_parameters_left_out_are_not_sent() -> None:
    transport = httpx.MockTransport(lambda r: httpx.Response(200, content=str(r.url)))
    forecasts = HttpForecasts("http://forecaster/", httpx.AsyncClient(transport=transport))
    sent = await forecasts.ask("GET", "/models", params={"a": "1 2", "b": None})
    assert httpx.URL(sent.decode()).params == httpx.QueryParams({"a": "1 2"})


@pytest.mark.parametrize(
    ("status", "kind"), [(400, BadRequest), (404, NotFound), (413, TooLarge), (422, InvalidEvent)]
)
async def test_a_refusal_keeps_its_reason(status: int, kind: type[DeskstreamError]) -> None:
    fault = FieldError("/file/3", "not a date")
    body = bytes(problem(status, "any", "why not", [fault]).body)
    with pytest.raises(kind) as refused:
        await answering(status, body).ask("POST", "/forecasts", content=b"{}")
    assert refused.value.detail == "why not"
    assert refused.value.errors == (fault,)


@pytest.mark.parametrize(("status", "body"), [(500, b"oh"), (404, b"<html>"), (503, b"{}")])
async def test_anything_else_is_no_answer(status: int, body: bytes) -> None:
    with pytest.raises(Unavailable, match=str(status)):
        await answering(status, body).ask("GET", "/models")


async def test_what_ails_the_forecaster_is_told() -> None:
    body = bytes(problem(503, "unavailable", "Redis does not answer").body)
    with pytest.raises(Unavailable, match="Redis does not answer"):
        await answering(503, body).ask("GET", "/models")


async def test_nobody_there() -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(Unavailable, match="the forecaster does not answer"):
            await HttpForecasts("http://127.0.0.1:9", client).ask("GET", "/models")
