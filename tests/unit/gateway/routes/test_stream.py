"""The stream over HTTP: framing, ids, filters and refusals."""

import httpx
import pytest

from services.gateway.adapters.memory_views import MemoryViews
from services.gateway.app import create_app
from services.gateway.domain.feed import FeedId
from shared.read_model import FeedEntry
from tests.unit.gateway.builders import an_entry, client, ports, small_helpdesk

STREAM = "/api/v1/stream"


async def events(views: MemoryViews, **request: dict[str, str]) -> list[dict[str, str]]:
    """What a stream of a closing gateway says: all there is, then its end."""
    parts = ports(views)
    parts.feed.close()
    transport = httpx.ASGITransport(create_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        answer = await http.get(STREAM, **request)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    frames = [frame for frame in answer.text.split("\n\n") if frame]
    return [dict(line.split(": ", 1) for line in frame.splitlines()) for frame in frames]


async def fed(*entries: FeedEntry) -> tuple[MemoryViews, list[FeedId]]:
    views = small_helpdesk()
    return views, [await views.feed(entry) for entry in entries]


async def test_events_are_labels_with_the_id_to_resume_from() -> None:
    views, ids = await fed(an_entry(1), an_entry(2, subject="две\nстроки"))
    told = await events(views, params={"last_event_id": "0"})
    assert [event["id"] for event in told] == [str(at) for at in ids]
    assert all("event" not in event for event in told)
    labels = [FeedEntry.model_validate_json(event["data"]) for event in told]
    assert labels == [an_entry(1), an_entry(2, subject="две\nстроки")]


async def test_the_header_is_what_browsers_send_again() -> None:
    views, ids = await fed(an_entry(1), an_entry(2))
    told = await events(
        views, headers={"Last-Event-ID": str(ids[0])}, params={"last_event_id": "0"}
    )
    assert [event["id"] for event in told] == [str(ids[1])]


async def test_a_trimmed_id_is_told_first() -> None:
    views, ids = await fed(an_entry(1), an_entry(2), an_entry(3))
    views.trim_feed(1)
    gap, label = await events(views, params={"last_event_id": str(ids[0])})
    assert gap["event"] == "gap"
    assert str(ids[0]) in gap["data"]
    assert "id" not in gap
    assert label["id"] == str(ids[2])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"topic": "wifi"}, ["T-2"]),
        ({"queue": "IT"}, ["T-1", "T-2"]),
        ({"queue": "HR"}, ["T-3"]),
        ({"queue": "0"}, ["T-1", "T-2", "T-3"]),
        ({"queue": "HR", "topic": "wifi"}, []),
    ],
)
async def test_filters(filters: dict[str, str], expected: list[str]) -> None:
    views, _ = await fed(an_entry(1), an_entry(2, topic="wifi"), an_entry(3, queue="HR"))
    told = await events(views, params={"last_event_id": "0", **filters})
    assert [FeedEntry.model_validate_json(e["data"]).ticket_id for e in told] == expected


@pytest.mark.parametrize(
    ("query", "header", "status"),
    [
        ("last_event_id=x", None, 422),
        ("last_event_id=99999999999999999999", None, 400),
        ("", "$", 422),
        ("queue=Nowhere", None, 404),
        ("since=5", None, 422),
    ],
)
async def test_refusals_come_before_the_stream(query: str, header: str | None, status: int) -> None:
    headers = {"Last-Event-ID": header} if header else {}
    async with client(small_helpdesk()) as http:
        answer = await http.get(f"{STREAM}?{query}", headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_one_fault_is_told_once() -> None:
    async with client(small_helpdesk()) as http:
        answer = await http.get(f"{STREAM}?last_event_id=x")
    assert len(answer.json()["errors"]) == 1


async def test_without_redis_503() -> None:
    views = small_helpdesk()
    views.broken = "gone"
    async with client(views) as http:
        answer = await http.get(STREAM)
    assert answer.status_code == 503
