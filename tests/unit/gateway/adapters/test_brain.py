"""Topics over HTTP, and what the other side may answer."""

import json
from collections.abc import Callable

import httpx
import pytest

from services.gateway.adapters.brain import HttpBrain
from shared.errors import InvalidEvent, NotFound, Unavailable

Handler = Callable[[httpx.Request], httpx.Response]
MODEL = {"topics": [{"name": "vpn", "description": ""}], "log_offset": 3, "digest": "d"}


def brain(handler: Handler) -> HttpBrain:
    client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return HttpBrain("http://classifier/", "http://semantic/", "http://ingest/", client)


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
        await brain(handler).emerging()
    with pytest.raises(Unavailable):
        await brain(handler).proposal("p-1")
    with pytest.raises(Unavailable):
        await brain(handler).name({"name": "x"}, None)
    with pytest.raises(Unavailable):
        await brain(handler).correct([{"ticket_id": "T-1"}])
    with pytest.raises(Unavailable):
        await brain(handler).dismiss({"proposal": "p-1"})


async def test_an_answer_that_is_no_model_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await brain(lambda _: httpx.Response(200, json={"topics": 1})).topics()


async def test_what_ingest_refuses_names_the_field() -> None:
    problem = {
        "type": "about:blank", "title": "x", "status": 422, "detail": "1 fault in the body",
        "code": "invalid-event", "errors": [{"pointer": "/name", "detail": "is too long"}],
    }  # fmt: skip
    with pytest.raises(InvalidEvent) as refused:
        await brain(lambda _: httpx.Response(422, json=problem)).name({"name": "x"}, None)
    assert [fault.pointer for fault in refused.value.errors] == ["/name"]


async def test_no_corrections_are_no_request() -> None:
    await brain(away).correct([])


async def test_a_semantic_worker_without_a_radar_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="no radar"):
        await brain(lambda _: httpx.Response(404)).emerging()


@pytest.mark.parametrize("name", ["", "../model", "p-1/x", "p 1", "п-1", "p-1?x=1"])
async def test_an_id_that_is_none_is_asked_of_nobody(name: str) -> None:
    with pytest.raises(NotFound):
        await brain(away).proposal(name)
