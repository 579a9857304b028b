"""A whole run against a made-up ingest and gateway."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from services.simulator.adapters.http_client import Reply
from services.simulator.app import Run
from services.simulator.corrections import Corrections
from services.simulator.domain.helpdesk import Agents
from services.simulator.follower import Follower
from services.simulator.load import OpenLoop
from services.simulator.plan import Planned
from services.simulator.status import Status
from shared.read_model import FeedEntry
from tests.deadlines import eventually

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class FakeIngest:
    """Accepts after `busy` times 503; refuses bodies that contain `hated`."""

    def __init__(self, busy: int = 0, hated: bytes = b"\0") -> None:
        self.busy = busy
        self.hated = hated
        self.events: list[dict[str, Any]] = []
        self.corrections: list[dict[str, Any]] = []

    async def post_json(self, path: str, body: bytes) -> Reply:
        if self.busy:
            self.busy -= 1
            return Reply(503, {"retry-after": "0"}, b"")
        if self.hated in body:
            return Reply(422, {}, b"")
        given = orjson.loads(body)
        kept = self.events if path == "/v1/events" else self.corrections
        kept += given if isinstance(given, list) else [given]
        return Reply(202, {}, b"")


class FakeLabels:
    """Labels everything that ingest has as vpn; every other one only when asked."""

    def __init__(self, ingest: FakeIngest) -> None:
        self.ingest = ingest
        self.outages = 1
        self.shown = 0

    async def feed(self) -> AsyncIterator[FeedEntry]:
        if self.outages:
            self.outages -= 1
            raise httpx.ConnectError("away")
        while self.shown < len(self.ingest.events):
            event = self.ingest.events[self.shown]
            self.shown += 1
            if self.shown % 2:
                yield FeedEntry(
                    ticket_id=event["ticket_id"],
                    created_at=NOW,
                    queue="q",
                    topic="vpn",
                    confidence=1,
                )

    async def predicted_topic(self, ticket_id: str) -> str | None:
        known = any(event["ticket_id"] == ticket_id for event in self.ingest.events)
        return "vpn" if known else None


def plan(count: int) -> list[Planned]:
    topics = ("vpn", "vpn", "wifi")
    return [Planned(0, f"T-{n}", topics[n % 3], "low", {"body": f"text {n}"}) for n in range(count)]


def a_run(ingest: FakeIngest, *, batch: int = 1, share: float = 0.0, follow: bool = False) -> Run:
    loop = OpenLoop(ingest)
    status = Status()
    # A clock that runs ahead, so that nothing waits for labels missed or corrections due.
    later = iter(range(0, 10**9, 10))
    return Run(
        run_id="run",
        loop=loop,
        status=status,
        corrections=Corrections(
            loop, status, name=lambda n: f"run-{n}", now=lambda: NOW, clock=lambda: next(later)
        ),
        agents=Agents(1, share=share, wrong=0, delay=1),
        topics=("vpn", "wifi"),
        now=lambda: NOW,
        follower=Follower(FakeLabels(ingest), status, lambda: next(later)) if follow else None,
        batch=batch,
    )


async def test_every_ticket_arrives_once_whatever_the_batch() -> None:
    for batch in (1, 4):
        ingest = FakeIngest()
        run = a_run(ingest, batch=batch)
        await run.post(plan(10))
        assert sorted(e["ticket_id"] for e in ingest.events) == sorted(
            f"run-T-{n}" for n in range(10)
        )
        assert ingest.events[0].keys() == {"event_id", "ticket_id", "created_at", "body"}
        assert len({e["event_id"] for e in ingest.events}) == 10
        assert (run.status.sent, run.status.accepted, run.status.done) == (10, 10, True)


async def test_busy_servers_lose_nothing() -> None:
    ingest = FakeIngest(busy=3)
    run = a_run(ingest)
    await run.post(plan(5))
    assert len(ingest.events) == 5
    assert run.status.accepted == 5
    assert 1 <= run.status.retried <= 3


async def test_refused_tickets_are_counted() -> None:
    run = a_run(FakeIngest(hated=b"text 3"))
    await run.post(plan(5))
    assert (run.status.accepted, run.status.rejected) == (4, 1)


async def test_corrections_follow_their_tickets() -> None:
    ingest = FakeIngest()
    run = a_run(ingest, share=1.0)
    await run.post(plan(6))
    truth = {f"run-{p.ticket_id}": p.topic for p in plan(6)}
    assert {c["ticket_id"]: c["topic"] for c in ingest.corrections} == truth
    assert len({c["event_id"] for c in ingest.corrections}) == 6
    assert run.status.corrections == 6


async def test_labels_are_compared_with_the_truth() -> None:
    run = a_run(FakeIngest(), follow=True)
    await run.post(plan(9))
    assert (run.status.checked, run.status.correct) == (9, 6)
    assert run.status.majority_accuracy == 6 / 9


async def test_stop_ends_a_run_that_ingest_does_not_answer() -> None:
    run = a_run(FakeIngest(busy=10**9), follow=True)
    ended = asyncio.create_task(run.post(plan(3)))
    await eventually(lambda: run.status.sent)
    run.stop()
    await ended
    assert run.status.undelivered + run.status.accepted == run.status.sent
    assert run.status.done
