"""Topics over HTTP, and what the other side may answer."""

import json
from collections.abc import Callable

import httpx
import pytest

from services.gateway.adapters.brain import HttpBrain
from shared.errors import NotFound, Unavailable

Handler = Callable[[httpx.Request], httpx.Response]
MODEL = {"topics": [{"name": "vpn", "description": ""}], "log_offset": 3, "digest": "d"}


def brain(handler: Handler) -> HttpBrain:
    client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return HttpBrain("http://classifier/", "http://ingest/", client)


async def test_topics_come_from_the_classifier() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://classifier/model"
        return httpx.Response(200, json=MODEL)

    found = await brain(answer).topics()
    assert [topic.name for topic in found.topics] == ["vpn"]
    assert found.log_offset == 3


async def test_a_name_goes_to_ingest_with_its_key() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202, json={"accepted": 1})

    await brain(answer).name({"name": "beamer", "actor": "a", "description": ""}, "k-1")
    [request] = seen
    assert str(request.url) == "http://ingest/v1/topics"
    assert request.headers["idempotency-key"] == "k-1"
    assert json.loads(request.content)["name"] == "beamer"


async def test_a_batch_model_has_fixed_topics() -> None:
    with pytest.raises(NotFound, match="batch model"):
        await brain(lambda _: httpx.Response(404)).topics()


def away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


@pytest.mark.parametrize(
    "handler", [away, lambda _: httpx.Response(503), lambda _: httpx.Response(500, text="oops")]
)
async def test_a_side_that_is_away_is_unavailable(handler: Handler) -> None:
    with pytest.raises(Unavailable):
        await brain(handler).topics()
    with pytest.raises(Unavailable):
        await brain(handler).name({"name": "x"}, None)


async def test_an_answer_that_is_no_model_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await brain(lambda _: httpx.Response(200, json={"topics": 1})).topics()
