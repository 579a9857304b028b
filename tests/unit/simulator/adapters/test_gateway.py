"""Reading labels from the gateway: server-sent events and single tickets."""

from datetime import UTC, datetime

import httpx
import pytest

from services.simulator.adapters.gateway import Gateway
from shared.read_model import FeedEntry


def entry(ticket_id: str, topic: str = "vpn") -> str:
    return FeedEntry(
        ticket_id=ticket_id,
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        queue="IT",
        topic=topic,
        confidence=0.9,
    ).model_dump_json()


def gateway(*streams: str, tickets: dict[str, object] | None = None) -> tuple[Gateway, list[str]]:
    """A gateway whose stream gives `streams` one after another, and what was asked of it."""
    asked: list[str] = []
    rest = iter(streams)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/stream":
            asked.append(request.headers.get("last-event-id", ""))
            return httpx.Response(200, text=next(rest))
        name = request.url.path.rsplit("/", 1)[1]
        if tickets is None:
            return httpx.Response(503)
        if name not in tickets:
            return httpx.Response(404)
        return httpx.Response(200, json=tickets[name])

    return Gateway("http://gateway", httpx.MockTransport(answer)), asked


async def test_reads_entries_and_resumes_after_the_last() -> None:
    first = (
        f": hello\n\nid: 7-1\nevent: label\ndata: {entry('a')}\n\n"
        f"data: not ours\n\nid: 7-2\ndata: {entry('b')}\n\n"
    )
    source, asked = gateway(first, f"id:7-3\ndata:{entry('c')}\n\n")
    seen = [e.ticket_id async for e in source.feed()]
    seen += [e.ticket_id async for e in source.feed()]
    assert seen == ["a", "b", "c"]
    assert asked == ["", "7-2"]
    await source.close()


async def test_joins_the_lines_of_an_event() -> None:
    data = entry("a")
    half = data.index(",") + 1
    source, _ = gateway(f"data: {data[:half]}\ndata: {data[half:]}\n\n")
    assert [e.ticket_id async for e in source.feed()] == ["a"]
    await source.close()


async def test_asks_for_what_the_model_said() -> None:
    corrected = {"topic": "wifi", "predicted": {"topic": "vpn"}}
    source, _ = gateway(tickets={"a": corrected, "b": {"topic": "refund"}})
    assert await source.predicted_topic("a") == "vpn"
    assert await source.predicted_topic("b") == "refund"
    assert await source.predicted_topic("c") is None
    await source.close()


async def test_an_outage_is_an_error() -> None:
    source, _ = gateway()
    with pytest.raises(httpx.HTTPError):
        await source.predicted_topic("a")
    await source.close()
