"""Contract A's statistics over HTTP, with the defects of the original as tests."""

from typing import Any

import pytest

from services.gateway.adapters.memory_views import MemoryViews
from services.gateway.domain.statistics import WEEKDAYS
from shared.queues import QueueDirectory
from tests.unit.gateway.builders import client, small_helpdesk

DIRECTORY = QueueDirectory(ids={"IT": 10, "IT/Network": 11, "IT/Network/VPN": 12, "HR": 20})
BOTH_DAYS = "start_date=2026-03-01&end_date=2026-03-02"


async def get(url: str, views: MemoryViews | None = None) -> tuple[int, Any]:
    async with client(views or small_helpdesk(), directory=DIRECTORY) as http:
        answer = await http.get(f"/api/{url}")
    return answer.status_code, answer.json()


async def test_data_status() -> None:
    assert await get("data-status") == (
        200,
        {"status": True, "message": "tickets from 2026-03-01 to 2026-03-02"},
    )
    assert await get("data-status", MemoryViews()) == (
        200,
        {"status": False, "message": "no tickets yet"},
    )


@pytest.mark.parametrize("dates", [BOTH_DAYS, "date_start=2026-03-01&date_end=2026-03-02"])
async def test_daily_average_in_either_spelling(dates: str) -> None:
    status, body = await get(f"daily_average?queue_id=10&{dates}")
    assert status == 200
    assert body == {
        "queue_id": 10,
        "weekdays": list(WEEKDAYS),
        "average_load": [3, 0, 0, 0, 0, 0, 2],
    }


@pytest.mark.parametrize("url", ["weekly_average/0", f"weekly_average/0?{BOTH_DAYS}"])
async def test_weekly_average_has_a_name_for_every_number(url: str) -> None:
    status, body = await get(url)
    assert status == 200
    assert body == {"queue_id": 0, "week": ["week 9", "week 10"], "average_load": [28, 70]}


async def test_queue_stats() -> None:
    status, body = await get(f"queue_stats?queue_id=10&{BOTH_DAYS}")
    assert status == 200
    assert body == {
        "queue_id": 10,
        "start_date": "2026-03-01",
        "end_date": "2026-03-02",
        "granularity": "daily",
        "structure": {
            "level": 1,
            "direct_children": 1,
            "all_descendants": 2,
            "leaf_nodes": 1,
            "depth": 2,
            "parent_id": None,
        },
        "load": {
            "total_tickets": 5,
            "avg_tickets": 2.5,
            "peak_load": 3,
            "min_load": 2,
            "median_load": 2.5,
            "std_dev": pytest.approx(0.7071, abs=1e-4),
            "percentile_90": 2.9,
            "percentile_95": 2.95,
        },
        "time": {
            "busiest_day": "Monday",
            "quietest_day": "Sunday",
            "weekend_avg": 2.0,
            "weekday_avg": 3.0,
        },
    }


@pytest.mark.parametrize(("granularity", "peak"), [("hourly", 3), ("weekly", 3), ("monthly", 5)])
async def test_queue_stats_by_interval(granularity: str, peak: int) -> None:
    _, body = await get(f"queue_stats?queue_id=10&{BOTH_DAYS}&granularity={granularity}")
    assert (body["granularity"], body["load"]["peak_load"]) == (granularity, peak)
    assert body["load"]["total_tickets"] == 5


async def test_a_child_knows_its_parent() -> None:
    _, body = await get(f"queue_stats?queue_id=12&{BOTH_DAYS}")
    assert body["structure"]["parent_id"] == 11
    assert body["structure"]["leaf_nodes"] == 0


@pytest.mark.parametrize(
    ("url", "status", "says"),
    [
        ("daily_average?queue_id=0", 400, "needed"),
        (f"daily_average?queue_id=999&{BOTH_DAYS}", 404, "999"),
        ("daily_average?queue_id=0&start_date=2020-01-01&end_date=2020-01-02", 400, "no data"),
        ("weekly_average/0?start_date=2020-01-01", 400, "outside the data"),
        ("weekly_average/0?end_date=2026-03-03", 400, "outside the data"),
        ("weekly_average/999", 404, "999"),
        ("weekly_average/x", 422, "/queue_id"),
        ("queue_stats?queue_id=0", 400, "needed"),
        (f"queue_stats?queue_id=0&{BOTH_DAYS}&granularity=minutely", 422, "/granularity"),
    ],
)
async def test_refusals(url: str, status: int, says: str) -> None:
    answered, body = await get(url)
    assert answered == status, body
    assert says in str(body)


@pytest.mark.parametrize("url", ["daily_average?queue_id=0&", "queue_stats?queue_id=0&"])
async def test_no_data_yet_is_said(url: str) -> None:
    status, body = await get(url + BOTH_DAYS, MemoryViews())
    assert (status, body["detail"]) == (400, "no data yet")
    assert (await get("weekly_average/0", MemoryViews()))[0] == 400
