"""Contract A over HTTP: queues and historical, exactly as written."""

from typing import Any

import pytest

from services.gateway.adapters.memory_views import MemoryViews
from shared.queues import QueueDirectory
from tests.unit.gateway.builders import client, small_helpdesk

DIRECTORY = QueueDirectory(ids={"IT": 10, "IT/Network": 11, "IT/Network/VPN": 12, "HR": 20})


async def historical(**query: Any) -> dict[str, Any]:
    async with client(small_helpdesk(), directory=DIRECTORY) as http:
        answer = await http.get("/api/historical", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_queues_by_level_with_true_sums() -> None:
    async with client(small_helpdesk(), directory=DIRECTORY) as http:
        body = (await http.get("/api/queues")).json()
    assert body == {
        "queues_by_level": {
            "1": [
                {"id": 20, "name": "HR", "load": 9, "level": 1},
                {"id": 10, "name": "IT", "load": 5, "level": 1},
            ],
            "2": [{"id": 11, "name": "IT/Network", "load": 5, "level": 2}],
            "3": [{"id": 12, "name": "IT/Network/VPN", "load": 3, "level": 3}],
        },
        "total_load": 14,
    }


async def test_no_queues_yet() -> None:
    async with client(MemoryViews()) as http:
        assert (await http.get("/api/queues")).json() == {"queues_by_level": {}, "total_load": 0}
        body = (await http.get("/api/historical?queue_id=0&granularity=hourly")).json()
    assert body == {"queue_id": 0, "values": [], "timestamps": [], "granularity": "hourly"}


async def test_all_of_the_data_by_default() -> None:
    assert await historical(queue_id=0) == {
        "queue_id": 0,
        "values": [4, 10],
        "timestamps": ["2026-03-01", "2026-03-02"],
        "granularity": "daily",
    }


async def test_one_queue_with_gaps_as_zeros() -> None:
    body = await historical(
        queue_id=10, granularity="daily", start_date="2026-02-27", end_date="2026-03-03"
    )
    assert body["values"] == [0, 0, 2, 3, 0]
    assert body["timestamps"][0] == "2026-02-27"
    assert len(body["timestamps"]) == 5


async def test_hours_are_moments() -> None:
    body = await historical(
        queue_id=12, granularity="hourly", start_date="2026-03-02", end_date="2026-03-02"
    )
    assert len(body["values"]) == 24
    assert (body["timestamps"][12], body["values"][12]) == ("2026-03-02T12:00:00Z", 2)
    assert sum(body["values"]) == 2


@pytest.mark.parametrize(
    ("granularity", "values", "timestamps"),
    [
        ("weekly", [4, 10], ["2026-02-23", "2026-03-02"]),
        ("monthly", [14], ["2026-03-01"]),
        ("quarterly", [14], ["2026-01-01"]),
        ("yearly", [14], ["2026-01-01"]),
    ],
)
async def test_coarser(granularity: str, values: list[int], timestamps: list[str]) -> None:
    body = await historical(queue_id=0, granularity=granularity)
    assert (body["values"], body["timestamps"]) == (values, timestamps)
    assert body["granularity"] == granularity


async def test_the_older_spelling_of_the_dates() -> None:
    body = await historical(queue_id=0, date_start="2026-03-02", date_end="2026-03-02")
    assert body["values"] == [10]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("", 422, "/queue_id"),
        ("queue_id=x", 422, "/queue_id"),
        ("queue_id=-1", 422, "/queue_id"),
        ("queue_id=999", 404, "999"),
        ("queue_id=0&granularity=minutely", 422, "/granularity"),
        ("queue_id=0&start_date=01.02.2026", 422, "YYYY-MM-DD"),
        ("queue_id=0&start_date=0", 422, "YYYY-MM-DD"),
        ("queue_id=0&start_date=2026-02-30", 422, "/start_date"),
        ("queue_id=0&start_date=2026-03-02&end_date=2026-03-01", 400, "after"),
        ("queue_id=0&granularity=hourly&start_date=1900-01-01", 400, "coarser"),
        ("queue_id=0&start=2026-01-01", 422, "/start"),
    ],
)
async def test_refusals(query: str, status: int, says: str) -> None:
    async with client(small_helpdesk()) as http:
        answer = await http.get(f"/api/historical?{query}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.text
