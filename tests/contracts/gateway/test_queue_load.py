"""Contract A's queue half over HTTP, live; each known defect of the original is a test."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pytest
from redis.asyncio import Redis

from shared.windows import Counts
from tests.contracts.gateway.helpdesk import FIRST, RATES, TODAY, forecast, hours_of, running

DAYS = (TODAY.date() - FIRST.date()).days


def daily(queue: str) -> Counts:
    counts: Counts = hours_of(queue)[: DAYS * 24].reshape(-1, 24).sum(axis=1)
    return counts


@pytest.mark.parametrize("model", ["naive", "es", "linear", "catboost", "auto", "weekly-mean"])
async def test_a_forecast_starts_on_the_day_asked_for(http: httpx.AsyncClient, model: str) -> None:
    body = await forecast(
        http, forecast_start_date="2020-07-01", forecast_horizon=7, model_type=model
    )
    assert body["timestamps"] == [f"2020-07-{day:02d}" for day in range(1, 8)]
    assert len(body["values"]) == 7
    assert body["trained_until"] == "2020-06-30"


async def test_the_window_asked_for_is_not_learned_from(filled: str) -> None:
    """Whatever happens after the start changes nothing; the dates are not just re-labelled."""
    wanted = {"forecast_start_date": "2020-07-01", "forecast_horizon": 28, "queue_id": 5}
    async with running(filled) as http, Redis.from_url(filled) as client:
        before = await forecast(http, **wanted)
        key = "load:h:2020:queue:HR"
        raw = await client.get(key)
        assert isinstance(raw, bytes)
        cut = 4 * 24 * (date(2020, 7, 1) - date(2020, 1, 1)).days
        await client.set(key, raw[:cut] + b"\x00\x00\x01\x00" * ((len(raw) - cut) // 4))
        async with running(filled) as anew:
            changed = await forecast(anew, **wanted)
            later = await forecast(anew, queue_id=5, forecast_horizon=1)
        await client.set(key, raw)
    assert changed == before
    assert later["values"][0] > 5 * max(before["values"])


async def test_a_year_back_the_week_is_told_right(http: httpx.AsyncClient) -> None:
    body = await forecast(http, forecast_start_date="2020-06-01", forecast_horizon=28)
    actual = daily("IT/Network/VPN")[(date(2020, 6, 1) - FIRST.date()).days :][:28]
    assert np.abs(np.array(body["values"]) - actual).mean() < 0.25 * actual.mean()


async def test_intervals_on_request(http: httpx.AsyncClient) -> None:
    assert (await forecast(http))["confidence_intervals"] is None
    body = await forecast(http, include_confidence_intervals=True, forecast_horizon=300)
    intervals = body["confidence_intervals"]
    assert [each["timestamp"] for each in intervals] == body["timestamps"]
    assert len(intervals) == 300
    for each in intervals:
        numbers = [
            each[name] for name in ("lower_95", "lower_80", "median", "upper_80", "upper_95")
        ]
        assert numbers == sorted(numbers)
        assert numbers[0] >= 0


@pytest.mark.parametrize(
    ("granularity", "count", "first"),
    [
        ("hourly", 48, "2020-07-01T00:00:00Z"),
        ("daily", 2, "2020-07-01"),
        ("weekly", 1, "2020-06-29"),
        ("monthly", 1, "2020-07-01"),
        ("quarterly", 1, "2020-07-01"),
        ("yearly", 1, "2020-01-01"),
    ],
)
async def test_every_granularity(
    http: httpx.AsyncClient, granularity: str, count: int, first: str
) -> None:
    body = await forecast(
        http,
        granularity=granularity,
        forecast_start_date="2020-07-01",
        forecast_horizon=2,
        include_confidence_intervals=True,
    )
    assert body["granularity"] == granularity
    assert (len(body["values"]), body["timestamps"][0]) == (count, first)
    two_days = await forecast(http, forecast_start_date="2020-07-01", forecast_horizon=2)
    assert sum(body["values"]) == pytest.approx(sum(two_days["values"]), rel=0.25)
    width = body["confidence_intervals"][0]
    assert width["lower_95"] <= body["values"][0] <= width["upper_95"]


async def test_a_parent_is_the_sum_of_what_is_below(http: httpx.AsyncClient) -> None:
    whole = await forecast(http, queue_id=0, forecast_horizon=14)
    roots = [await forecast(http, queue_id=queue, forecast_horizon=14) for queue in (1, 5)]
    summed = np.sum([each["values"] for each in roots], axis=0)
    assert whole["values"] == pytest.approx(summed, abs=0.01)


async def test_by_default_it_begins_where_the_data_ends(http: httpx.AsyncClient) -> None:
    assert (await forecast(http))["timestamps"][0] == "2020-10-01"
    assert len((await forecast(http))["values"]) == 30
    ahead = await forecast(http, forecast_start_date="2020-11-15", forecast_horizon=3)
    assert ahead["timestamps"] == ["2020-11-15", "2020-11-16", "2020-11-17"]
    assert ahead["trained_until"] == "2020-09-30"


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"forecast_horizon": 0}, 422, "/forecast_horizon"),
        ({"forecast_horizon": 301}, 422, "/forecast_horizon"),
        ({"queue_id": 99}, 404, "99"),
        ({"queue_id": -1}, 422, "/queue_id"),
        ({"model_type": "prophet"}, 422, "/model_type"),
        ({"granularity": "minutely"}, 422, "/granularity"),
        ({"forecast_start_date": "2018-01-01"}, 400, "there is data from 2019-01-01"),
        ({"forecast_start_date": "2022-01-01"}, 400, "more than 300 days"),
        (
            {"train_start_date": "2020-05-01", "train_end_date": "2020-04-01"},
            400,
            "lies before train_start_date",
        ),
        (
            {"train_start_date": "2020-07-01", "forecast_start_date": "2020-07-01"},
            400,
            "nothing to learn from",
        ),
        ({"forecast_start_date": "01.07.2020"}, 422, "YYYY-MM-DD"),
        ({"dataset_id": "nobody's"}, 404, "dataset"),
        ({"horizon": 3}, 422, "/horizon"),
    ],
)
async def test_refusals(
    http: httpx.AsyncClient, body: dict[str, Any], status: int, says: str
) -> None:
    answer = await http.post("/api/forecast", json={"queue_id": 3} | body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.text


async def test_horizons_of_1_and_300(http: httpx.AsyncClient) -> None:
    assert len((await forecast(http, forecast_horizon=1))["values"]) == 1
    assert len((await forecast(http, forecast_horizon=300))["values"]) == 300


async def test_dates_to_learn_from(http: httpx.AsyncClient) -> None:
    body = await forecast(
        http, train_start_date="2019-06-01", train_end_date="2019-12-31", forecast_horizon=2
    )
    assert body["timestamps"] == ["2020-01-01", "2020-01-02"]
    assert body["trained_until"] == "2019-12-31"


async def test_days_begin_at_the_midnight_of_the_queue(filled: str) -> None:
    """Auckland is a day ahead of UTC by noon: its first of October is over half past nine UTC."""
    async with running(filled, places={"HR": {"timezone": "Pacific/Auckland"}}) as http:
        assert (await forecast(http, queue_id=3))["timestamps"][0] == "2020-10-01"
        hourly = await forecast(
            http,
            queue_id=5,
            granularity="hourly",
            forecast_start_date="2020-09-27",
            forecast_horizon=1,
        )
    assert hourly["timestamps"][0] == "2020-09-26T12:00:00Z"
    assert len(hourly["values"]) == 23, "the clock is set forward that night"


async def test_as_many_weeks_as_averages(http: httpx.AsyncClient) -> None:
    query = "start_date=2020-01-01&end_date=2020-02-01"
    body = (await http.get(f"/api/weekly_average/3?{query}")).json()
    assert body["week"] == [f"week {number}" for number in range(1, 6)]
    assert len(body["average_load"]) == 5


async def test_a_leaf_is_not_its_own_leaf_and_has_a_parent(http: httpx.AsyncClient) -> None:
    query = "start_date=2020-01-01&end_date=2020-02-01"
    root = (await http.get(f"/api/queue_stats?queue_id=1&{query}")).json()["structure"]
    assert (root["leaf_nodes"], root["direct_children"], root["all_descendants"]) == (2, 2, 3)
    leaf = (await http.get(f"/api/queue_stats?queue_id=3&{query}")).json()["structure"]
    assert (leaf["leaf_nodes"], leaf["parent_id"], leaf["level"]) == (0, 2, 3)


async def test_no_ticket_is_counted_twice(http: httpx.AsyncClient) -> None:
    body = (await http.get("/api/queues")).json()
    true = sum(int(hours_of(queue).sum()) for queue in RATES)
    assert body["total_load"] == true
    level_one = {queue["name"]: queue["load"] for queue in body["queues_by_level"]["1"]}
    assert sum(level_one.values()) == true
    assert level_one["HR"] == hours_of("HR").sum()


@pytest.mark.parametrize("granularity", ["weekly", "hourly", "monthly", "quarterly", "yearly"])
async def test_history_is_of_the_granularity_it_says(
    http: httpx.AsyncClient, granularity: str
) -> None:
    query = f"queue_id=3&granularity={granularity}&start_date=2020-01-01&end_date=2020-03-31"
    answer = await http.get(f"/api/historical?{query}")
    assert answer.status_code == 200
    body = answer.json()
    assert body["granularity"] == granularity
    begin = (date(2020, 1, 1) - FIRST.date()).days
    assert sum(body["values"]) == daily("IT/Network/VPN")[begin : begin + 91].sum()
    starts = [date.fromisoformat(stamp[:10]) for stamp in body["timestamps"]]
    if granularity == "weekly":
        assert {b - a for a, b in pairwise(starts)} == {timedelta(days=7)}


@pytest.mark.parametrize(
    "path",
    [
        "/api/historical?queue_id=999",
        "/api/daily_average?queue_id=999&start_date=2020-01-01&end_date=2020-02-01",
        "/api/weekly_average/999",
        "/api/queue_stats?queue_id=999&start_date=2020-01-01&end_date=2020-02-01",
    ],
)
async def test_an_unknown_queue_is_not_our_fault(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


async def test_rows_to_look_at(http: httpx.AsyncClient) -> None:
    body = (await http.get("/api/sample_data?df_type=tickets&rows=4")).json()
    assert body["columns"] == ["queueId", "date", "new_tickets"]
    assert body["shape"] == [4, 3]
    assert len(body["data"]) == 4
    assert body["data"][0]["date"] == "01.10.2020"
    body = (await http.get("/api/sample_data?df_type=hierarchy")).json()
    rows = {row["queueId"]: row for row in body["data"]}
    assert rows[1] == {
        "queueId": 1,
        "level": 1,
        "immediateDescendants": [4, 2],
        "allDescendants": [4, 2, 3],
    }
    assert (await http.get("/api/sample_data")).status_code == 422


async def test_reload_says_so(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/reload_local_data")
    assert answer.json() == {"status": "data reloaded", "message": "success"}
