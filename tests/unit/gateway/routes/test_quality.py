"""GET /api/v1/quality."""

import pytest

from services.gateway.adapters.memory_views import MemoryViews
from tests.unit.gateway.builders import FakeJudge, client

QUALITY = "/api/v1/quality"


async def test_figures_and_thresholds_are_shown() -> None:
    async with client(MemoryViews()) as http:
        body = (await http.get(QUALITY)).json()
    assert body["window"] == {
        "tickets": 4,
        "accuracy": 0.75,
        "macro_f1": 0.7,
        "majority_accuracy": 0.5,
    }
    [topic] = body["topics"]
    assert (topic["threshold"], topic["measured_precision"], topic["coverage"]) == (0.9, 0.99, 0.6)
    assert body["history"][0]["at"] == "2026-03-02T12:00:00Z"


async def test_topic_and_period_are_passed_on() -> None:
    judge = FakeJudge()
    query = {"topic": "vpn", "start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00+01:00"}
    async with client(MemoryViews(), judge=judge) as http:
        assert (await http.get(QUALITY, params=query)).status_code == 200
    assert judge.queries == [query]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"start": "yesterday"}, 422),
        ({"start": "1772442845"}, 422),
        ({"start": "2026-03-02T00:00:00"}, 422),
        ({"start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}, 400),
        ({"topic": ""}, 422),
        ({"colour": "red"}, 422),
    ],
)
async def test_what_makes_no_sense_is_a_problem(query: dict[str, str], status: int) -> None:
    async with client(MemoryViews()) as http:
        answer = await http.get(QUALITY, params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_classifier_that_is_away_is_a_503() -> None:
    judge = FakeJudge()
    judge.away = "the classifier is gone"
    async with client(MemoryViews(), judge=judge) as http:
        assert (await http.get(QUALITY)).status_code == 503
