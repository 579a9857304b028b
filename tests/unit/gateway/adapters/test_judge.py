"""Quality and reasons over HTTP, and what becomes of a page when the other side does not answer."""

import json
from collections.abc import Callable

import httpx
import pytest

from services.gateway.adapters.judge import PAUSE_SECONDS, HttpJudge
from shared.errors import NotFound, Unavailable
from shared.quality import Term, TextToExplain
from tests.unit.gateway.builders import a_report

Handler = Callable[[httpx.Request], httpx.Response]
PAGE = [TextToExplain(subject="VPN", body="drops", topic="vpn"), TextToExplain(topic="new")]


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def judge(handler: Handler, clock: Clock | None = None) -> HttpJudge:
    client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return HttpJudge("http://classifier/", client, clock or Clock())


def away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


async def test_quality_is_asked_for_with_the_query() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://classifier/quality?topic=vpn"
        return httpx.Response(200, content=a_report().model_dump_json())

    assert await judge(answer).quality({"topic": "vpn"}) == a_report()


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (away, Unavailable),
        (lambda _: httpx.Response(500), Unavailable),
        (lambda _: httpx.Response(200, json={"topics": 1}), Unavailable),
        (lambda _: httpx.Response(404), NotFound),
    ],
)
async def test_quality_that_cannot_be_had(handler: Handler, error: type[Exception]) -> None:
    with pytest.raises(error):
        await judge(handler).quality({})


async def test_a_page_is_explained_in_one_question() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        terms = [{"term": "vpn", "weight": 3.5}]
        return httpx.Response(200, json={"explanations": [terms, None]})

    assert await judge(answer).explain(PAGE) == [[Term(term="vpn", weight=3.5)], None]
    [request] = seen
    assert str(request.url) == "http://classifier/explain"
    assert [t["topic"] for t in json.loads(request.content)["tickets"]] == ["vpn", "new"]


@pytest.mark.parametrize(
    "handler",
    [
        away,
        lambda _: httpx.Response(404),
        lambda _: httpx.Response(503),
        lambda _: httpx.Response(200, json={"explanations": "none"}),
        lambda _: httpx.Response(200, json={"explanations": [None]}),
    ],
    ids=["away", "batch", "broken", "foreign", "too-few"],
)
async def test_without_an_answer_there_are_no_reasons_and_no_error(handler: Handler) -> None:
    assert await judge(handler).explain(PAGE) == [None, None]


async def test_one_reader_waits_for_a_classifier_that_hangs_and_the_next_do_not() -> None:
    calls: list[httpx.Request] = []

    def hang(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        raise httpx.ReadTimeout("late", request=request)

    clock = Clock()
    asked = judge(hang, clock)
    for _ in range(3):
        assert await asked.explain(PAGE) == [None, None]
    assert len(calls) == 1
    clock.now += PAUSE_SECONDS
    await asked.explain(PAGE)
    assert len(calls) == 2


async def test_no_tickets_no_question() -> None:
    assert await judge(away).explain([]) == []
