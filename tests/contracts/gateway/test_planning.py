"""/api/v1 over HTTP: forecasts by path, backtest, accuracy, planned events, staffing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from redis.asyncio import Redis

from services.forecaster.adapters.archive import ForecastArchive
from services.forecaster.adapters.store import RedisStore
from services.forecaster.app import create_services
from services.forecaster.domain.forecasting.series import day_number
from services.forecaster.settings import ForecasterSettings
from tests.contracts.gateway.helpdesk import DIRECTORY, FIRST, NOW, TODAY, fill, hours_of, running

CALLS = {
    "contacts": 100,
    "interval_minutes": 30,
    "handling_seconds": 180,
    "answer_seconds": 20,
    "service_level": 0.8,
    "shrinkage": 0.3,
}


@pytest.fixture
async def http(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with Redis.from_url(url) as client:
        await fill(client)
    async with running(url) as gateway:
        yield gateway


async def get(http: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await http.get(f"/api/v1{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_queue_by_path_and_by_id(http: httpx.AsyncClient) -> None:
    by_path = await get(http, "/forecasts/IT/Network/VPN", horizon=3)
    assert by_path == await get(http, "/forecasts/3", horizon=3)
    assert by_path["queue_id"] == 3
    assert len(by_path["confidence_intervals"]) == 3
    assert (await http.get("/api/v1/forecasts/Nobody")).status_code == 404


async def test_a_topic_over_all_queues(http: httpx.AsyncClient) -> None:
    topic = await get(http, "/forecasts/0", topic="about HR", horizon=5)
    assert topic["values"] == (await get(http, "/forecasts/HR", horizon=5))["values"]
    answer = await http.get("/api/v1/forecasts/0?topic=nothing")
    assert (answer.status_code, "nothing" in answer.text) == (404, True)


async def test_topics_and_priorities_within_a_queue_share_its_forecast(
    http: httpx.AsyncClient,
) -> None:
    whole = await get(http, "/forecasts/HR", horizon=30)
    urgent = await get(http, "/forecasts/HR", horizon=30, priority="urgent")
    both = await get(http, "/forecasts/HR", horizon=30, topic="about HR", priority="urgent")
    assert both["values"] == urgent["values"]
    assert urgent["model"] == f"share of {whole['model']}"
    shares = np.array(urgent["values"]) / whole["values"]
    assert np.allclose(shares, shares[0], atol=0.01)
    assert 0.15 < shares[0] < 0.25
    topic = await get(http, "/forecasts/HR", horizon=30, topic="about HR")
    assert np.allclose(topic["values"], whole["values"], atol=0.01)
    for row in urgent["confidence_intervals"]:
        assert row["lower_80"] <= row["median"] <= row["upper_80"] <= row["upper_95"]
    hourly = await get(http, "/forecasts/IT", horizon=2, priority="urgent", granularity="hourly")
    assert len(hourly["values"]) == 48
    everywhere = await get(http, "/forecasts/0", horizon=7, topic="about HR", priority="urgent")
    assert 0.5 < sum(everywhere["values"]) / sum(urgent["values"][:7]) < 2


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/forecasts/HR?topic=about IT", 404, "about IT"),
        ("/forecasts/HR?priority=urgent&topic=nothing", 404, "nothing"),
        ("/forecasts/HR/backtest?priority=urgent", 400, "judge the queue"),
    ],
)
async def test_shares_that_cannot_be(
    http: httpx.AsyncClient, path: str, status: int, words: str
) -> None:
    answer = await http.get(f"/api/v1{path}")
    assert (answer.status_code, words in answer.text) == (status, True)


async def test_history_of_a_topic_and_a_priority(http: httpx.AsyncClient) -> None:
    async def days(**query: Any) -> list[int]:
        span = {"start_date": "2020-03-02", "end_date": "2020-03-08", "granularity": "daily"}
        answer = await http.get("/api/historical", params=span | query)
        assert answer.status_code == 200, answer.text
        found: list[int] = answer.json()["values"]
        return found

    hr = await days(queue_id=5)
    assert await days(queue_id=5, topic="about HR") == hr
    urgent = await days(queue_id=5, priority="urgent")
    assert urgent == [day // 4 for day in hr]
    assert await days(queue_id=0, topic="about HR") == hr
    assert await days(queue_id=0, topic="about HR", priority="urgent") == urgent
    assert await days(queue_id=1, priority="urgent", topic="about HR") == [0] * 7
    hourly = "/api/historical?queue_id=5&priority=urgent&granularity=hourly"
    answer = await http.get(hourly)
    assert (answer.status_code, "by day" in answer.text) == (400, True)


async def test_the_day_moves_as_its_hours_close(url: str, http: httpx.AsyncClient) -> None:
    """Half past nine: nine hours are closed. Had they been ten times as busy, so is the day."""
    quiet = await get(http, "/forecasts/HR", horizon=2)
    async with Redis.from_url(url) as client:
        before = int((TODAY - FIRST).total_seconds() // 3600)
        counts = hours_of("HR")[before : before + 9]
        cell = int((TODAY.timestamp() - 1577836800) // 3600)  # hours of 2020
        for hour, count in enumerate(counts):
            bits: Any = client.bitfield("load:h:2020:queue:HR")
            await bits.incrby("u32", f"#{cell + hour}", int(9 * count) + 5).execute()
    async with running(url) as anew:
        busy = await get(anew, "/forecasts/HR", horizon=2)
    assert busy["values"][0] > quiet["values"][0] + 9 * counts.sum()
    assert busy["values"][1] == pytest.approx(quiet["values"][1])
    assert busy["confidence_intervals"][0]["lower_95"] >= 10 * counts.sum()


async def test_a_backtest_beats_the_naive_one(http: httpx.AsyncClient) -> None:
    body = await get(http, "/forecasts/IT/Network/VPN/backtest", horizon=28, origins=3)
    assert body["forecasts"] == 3
    assert body["leads"].keys() == {"1-7", "8-28"}
    for scores in body["leads"].values():
        assert 0 < scores["relative_mase"] < 1
        assert 0.5 <= scores["coverage_80"] <= 1
        assert scores["cpu_ms_per_fit"] > 0
    answer = await http.get("/api/v1/forecasts/3/backtest?horizon=300&origins=20")
    assert answer.status_code == 200
    assert answer.json()["forecasts"] < 20, "only origins with two weeks of past are judged"


async def test_published_forecasts_are_held_to_what_happened(
    url: str, http: httpx.AsyncClient
) -> None:
    empty = await get(http, "/forecasts/HR/accuracy")
    assert empty == {
        "queue_id": 5,
        "published": 0,
        "first_origin": None,
        "last_origin": None,
        "leads": {},
    }
    async with Redis.from_url(url) as client:
        store = RedisStore(client)
        for back in (60, 30, 1):
            moment = NOW - timedelta(days=back)
            services = create_services(ForecasterSettings(), store, DIRECTORY, lambda: moment)  # noqa: B023
            assert await services.publishing.publish() == 6
            assert await services.publishing.publish() == 0, "once a day"
    body = await get(http, "/forecasts/HR/accuracy")
    assert body["published"] == 3
    assert (body["first_origin"], body["last_origin"]) == ("2020-08-01", "2020-09-29")
    assert body["leads"].keys() == {"1-7", "8-28", "29-84"}
    assert body["leads"]["1-7"]["forecasts"] == 3
    assert body["leads"]["8-28"]["forecasts"] == 2
    assert all(scores["mase"] > 0 for scores in body["leads"].values())
    assert (await get(http, "/forecasts/0/accuracy"))["published"] == 3


async def test_the_archive_forgets_what_is_old(url: str, http: httpx.AsyncClient) -> None:
    async with Redis.from_url(url) as client:
        store = RedisStore(client)
        services = create_services(ForecasterSettings(), store, DIRECTORY, lambda: NOW)
        await services.publishing.publish()
        archive = ForecastArchive(store, kept=10)
        [made] = await archive.all(5)
        assert made.start == day_number(TODAY.date())
        await archive.put(5, replace(made, start=made.start + 10))
        await archive.put(5, replace(made, start=made.start + 11))
        kept = await archive.all(5)
    assert [each.start - made.start for each in kept] == [10, 11]
    np.testing.assert_array_equal(kept[0].quantiles, made.quantiles)
    assert (await http.get("/health")).status_code == 200


async def test_events_are_planned_used_and_taken_back(http: httpx.AsyncClient) -> None:
    plain = await get(http, "/forecasts/HR", horizon=20)
    plan = {
        "kind": "release",
        "first_day": "2020-10-12",
        "last_day": "2020-10-13",
        "expected_change": 1.0,
        "queue": "5",
    }
    answer = await http.post("/api/v1/events", json=plan)
    assert answer.status_code == 201, answer.text
    event = answer.json()
    assert event == plan | {"id": event["id"], "queue": "HR"}
    assert await get(http, "/events") == [event]
    changed = await get(http, "/forecasts/HR", horizon=20)
    days = changed["timestamps"].index("2020-10-12")
    ratio = np.array(changed["values"]) / np.array(plain["values"])
    assert ratio[days : days + 2].min() > 1.5
    assert ratio[:days] == pytest.approx(1.0, abs=0.05)
    other = await get(http, "/forecasts/IT/Mail", horizon=20)
    whole = await get(http, "/forecasts/0", horizon=20)
    it = await get(http, "/forecasts/IT", horizon=20)
    assert whole["values"] == pytest.approx(np.add(it["values"], changed["values"]), abs=0.01)
    assert (await http.delete(f"/api/v1/events/{event['id']}")).status_code == 204
    assert (await http.delete(f"/api/v1/events/{event['id']}")).status_code == 404
    assert await get(http, "/events") == []
    assert (await get(http, "/forecasts/HR", horizon=20)) == plain
    assert (await get(http, "/forecasts/IT/Mail", horizon=20)) == other


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"last_day": "2020-10-11"}, 400),
        ({"expected_change": -1}, 422),
        ({"queue": "Nobody"}, 404),
        ({"kind": ""}, 422),
        ({"colour": "red"}, 422),
    ],
)
async def test_impossible_events(
    http: httpx.AsyncClient, change: dict[str, Any], status: int
) -> None:
    plan = {"kind": "release", "first_day": "2020-10-12", "last_day": "2020-10-13"} | change
    assert (await http.post("/api/v1/events", json=plan)).status_code == status


async def test_the_well_known_staffing_value(http: httpx.AsyncClient) -> None:
    body = await get(http, "/staffing", **CALLS)
    [interval] = body["intervals"]
    assert (interval["raw"], interval["scheduled"]) == (14, 20)
    assert interval["service_level"] == pytest.approx(0.888, abs=0.001)
    impatient = await get(http, "/staffing", **CALLS, patience_seconds=60)
    assert impatient["intervals"][0]["raw"] < 14
    assert impatient["intervals"][0]["abandonment"] > 0


async def test_positions_per_hour_of_the_forecast(http: httpx.AsyncClient) -> None:
    wanted = {"queue": "IT/Network/VPN", "handling_seconds": 600, "answer_seconds": 60}
    body = await get(http, "/staffing", **wanted, days=2, open_from=8, open_to=18)
    intervals = body["intervals"]
    assert len(intervals) == 48
    assert intervals[0]["begins"] == "2020-10-01T09:00:00Z"
    for interval in intervals:
        hour = int(interval["begins"][11:13])
        assert (interval["raw"] > 0) == (8 <= hour < 18), interval
        assert interval["service_level"] >= 0.8


async def test_mail_may_wait_but_not_for_ever(http: httpx.AsyncClient) -> None:
    wanted: dict[str, Any] = {
        "queue": "IT",
        "channel": "mail",
        "handling_seconds": 900,
        "service_level": 0.9,
        "open_from": 8,
        "open_to": 18,
        "days": 7,
    }
    patient = await get(http, "/staffing", **wanted, answer_seconds=86_400)
    hurried = await get(http, "/staffing", **wanted, answer_seconds=14 * 3600)
    assert patient["breach_probability"] <= 0.05
    assert max(i["raw"] for i in patient["intervals"]) <= max(
        i["raw"] for i in hurried["intervals"]
    )
    behind = await get(http, "/staffing", **wanted, answer_seconds=86_400, backlog=500)
    assert max(i["raw"] for i in behind["intervals"]) > max(i["raw"] for i in patient["intervals"])


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"handling_seconds": 0}, 422, "/handling_seconds"),
        ({"handling_seconds": 2e-304}, 422, "/handling_seconds"),
        ({"patience_seconds": 1e-9}, 422, "/patience_seconds"),
        ({"service_level": 1}, 422, "/service_level"),
        ({"contacts": 1e6, "handling_seconds": 604800}, 400, "beyond"),
        ({"channel": "mail"}, 400, "channel calls"),
        ({"queue": "Nobody"}, 404, "Nobody"),
    ],
)
async def test_impossible_staffing(
    http: httpx.AsyncClient, change: dict[str, Any], status: int, says: str
) -> None:
    answer = await http.get("/api/v1/staffing", params=CALLS | change)
    assert answer.status_code == status, answer.text
    assert says in answer.text
