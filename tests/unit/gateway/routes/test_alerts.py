"""Alerts over HTTP: the latest first, by state, queue and topic, page by page."""

from datetime import timedelta

import pytest

from services.gateway.adapters.memory_views import MemoryViews
from shared.windows import Dimension
from tests.builders import an_alert
from tests.unit.gateway.builders import NOON, client

ALERTS = "/api/v1/alerts"


@pytest.fixture
def surging() -> MemoryViews:
    """a-0 to a-4 an hour apart; a-1 of one queue and many topics, a-3 is over."""
    views = MemoryViews()
    for number in range(5):
        views.put_alert(an_alert(alert_id=f"a-{number}", started_at=NOON + number * HOUR))
    views.put_alert(
        an_alert(alert_id="a-1", started_at=NOON + HOUR, surging="queue", queue="HR", topic=None)
    )
    over = {"state": "closed", "ended_at": NOON + 5 * HOUR, "closed_at": NOON + 7 * HOUR}
    views.put_alert(an_alert(alert_id="a-3", started_at=NOON + 3 * HOUR, **over))
    for queue in ("IT/Network", "HR"):
        views.count(Dimension.QUEUE, queue, NOON)
    return views


HOUR = timedelta(hours=1)


async def ids(views: MemoryViews, **query: object) -> list[str]:
    async with client(views) as http:
        answer = await http.get(ALERTS, params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [alert["id"] for alert in answer.json()["alerts"]]


async def test_the_latest_to_begin_first(surging: MemoryViews) -> None:
    assert await ids(surging) == ["a-4", "a-3", "a-2", "a-1", "a-0"]


async def test_by_state_queue_and_topic(surging: MemoryViews) -> None:
    assert await ids(surging, state="closed") == ["a-3"]
    assert await ids(surging, state="open", queue="IT") == ["a-4", "a-2", "a-0"]
    assert await ids(surging, queue="HR") == ["a-1"]
    assert await ids(surging, queue="0", topic="vpn", limit=2) == ["a-4", "a-3"]
    assert await ids(surging, topic="printer") == []


async def test_page_by_page(surging: MemoryViews) -> None:
    async with client(surging) as http:
        first = await http.get(ALERTS, params={"limit": 2, "state": "open"})
        second = await http.get(first.links["next"]["url"])
    assert [alert["id"] for alert in first.json()["alerts"]] == ["a-4", "a-2"]
    assert [alert["id"] for alert in second.json()["alerts"]] == ["a-1", "a-0"]
    assert second.json()["next"] is None


async def test_what_one_says(surging: MemoryViews) -> None:
    async with client(surging) as http:
        over = (await http.get(f"{ALERTS}/a-3")).json()
        goes_on = (await http.get(f"{ALERTS}/a-1")).json()
        missing = await http.get(f"{ALERTS}/a-9")
    assert (over["topic"], over["queue"], over["state"]) == ("vpn", "IT/Network", "closed")
    assert over["duration_seconds"] == 2 * 3600
    assert over["examples"] == ["T-1", "T-2"]
    assert (goes_on["topic"], goes_on["ended_at"]) == (None, None)
    assert goes_on["duration_seconds"] > 0
    assert missing.status_code == 404
    assert "a-9" in missing.json()["detail"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"limit": 0}, 422),
        ({"state": "ajar"}, 422),
        ({"cursor": "AAAA"}, 400),
        ({"queue": "None"}, 404),
    ],
)
async def test_wrong_questions(surging: MemoryViews, wrong: dict[str, str], status: int) -> None:
    async with client(surging) as http:
        assert (await http.get(ALERTS, params=wrong)).status_code == status


async def test_without_redis_it_is_503(surging: MemoryViews) -> None:
    surging.broken = "away"
    async with client(surging) as http:
        assert (await http.get(ALERTS)).status_code == 503
