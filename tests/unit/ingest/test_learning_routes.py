"""What the models learn from: texts beside corrections, topics, undoing, and when to refit."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import orjson
import pytest

from services.ingest import examples
from services.ingest.adapters.publisher import InMemoryPublisher
from services.ingest.adapters.ticket_texts import InMemoryTicketTexts, Text
from services.ingest.app import create_app
from services.ingest.settings import IngestSettings
from shared.events import (
    CORRECTION_RECORD,
    CorrectionLogEvent,
    CorrectionsUndone,
    ModelPromoted,
    ProposalDismissed,
    RefitDue,
    TicketCorrected,
    TopicCreated,
)
from shared.topics import CORRECTED
from tests.deadlines import eventually

NOW = datetime(2026, 3, 5, tzinfo=UTC)
PLAIN = {"ticket_id": "t1", "actor": "kim", "topic": "vpn"}


class Desk:
    """Ingest in this process: its log, what it knows of tickets, and a client."""

    def __init__(self) -> None:
        self.log = InMemoryPublisher(partitions=4)
        self.texts = InMemoryTicketTexts({"t1": Text("VPN", "the tunnel drops")})
        settings = IngestSettings(refit_pause=0.02)
        self.app = create_app(settings, self.log, self.texts, lambda: NOW, b"k" * 32)

    async def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
            return await client.post(path, json=body, headers=headers)

    def written(self) -> list[CorrectionLogEvent]:
        kept = self.log.topics[CORRECTED.name]
        return [CORRECTION_RECORD.validate_json(record.value) for record in kept]

    def corrections(self) -> list[TicketCorrected]:
        return [event for event in self.written() if isinstance(event, TicketCorrected)]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    async with made.app.router.lifespan_context(made.app):
        yield made


async def test_a_correction_without_text_gets_the_tickets(desk: Desk) -> None:
    assert (await desk.post("/v1/corrections", PLAIN)).status_code == 202
    [event] = desk.corrections()
    assert (event.subject, event.body) == ("VPN", "the tunnel drops")


async def test_text_that_came_along_is_kept(desk: Desk) -> None:
    await desk.post("/v1/corrections", PLAIN | {"body": "mine"})
    [event] = desk.corrections()
    assert (event.subject, event.body) == ("", "mine")


async def test_an_unknown_ticket_is_corrected_without_text(desk: Desk) -> None:
    answer = await desk.post("/v1/corrections", PLAIN | {"ticket_id": "nobody"})
    assert answer.status_code == 202
    [event] = desk.corrections()
    assert (event.topic, event.subject, event.body) == ("vpn", "", "")


async def test_without_redis_what_needs_no_text_is_accepted(desk: Desk) -> None:
    desk.texts.outage = "Redis is away"
    queue_only = {"ticket_id": "t1", "actor": "kim", "queue": "IT"}
    assert (await desk.post("/v1/corrections", queue_only)).status_code == 202
    assert (await desk.post("/v1/corrections", PLAIN | {"body": "mine"})).status_code == 202
    refused = await desk.post("/v1/corrections", PLAIN)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert len(desk.corrections()) == 2


async def test_the_same_key_gives_the_same_event_ids(desk: Desk) -> None:
    two = [PLAIN, PLAIN | {"ticket_id": "t2"}]
    for key in ("a", "a", "b"):
        await desk.post("/v1/corrections", two, **{"Idempotency-Key": key})
    ids = [event.event_id for event in desk.corrections()]
    assert ids[:2] == ids[2:4]
    assert len(set(ids)) == 4


async def test_another_request_under_a_used_key_is_not_lost(desk: Desk) -> None:
    for body in (PLAIN, PLAIN | {"actor": "eve"}):
        await desk.post("/v1/corrections", body, **{"Idempotency-Key": "a"})
    assert len({event.event_id for event in desk.corrections()}) == 2


async def test_a_used_key_says_nothing_on_another_route_or_of_another_element(desk: Desk) -> None:
    first, second = PLAIN, PLAIN | {"ticket_id": "t2"}
    posts: list[tuple[str, object]] = [
        ("/v1/corrections", [first, second]),
        ("/v1/corrections", [first, second | {"actor": "eve"}]),
        ("/v1/topics", examples.SMALL_TOPIC),
        ("/v1/undo", examples.UNDO_ALL),
    ]
    for path, body in posts:
        answer = await desk.post(path, body, **{"Idempotency-Key": "a"})
        assert answer.status_code == 202
    ids = [event.event_id for event in desk.written() if not isinstance(event, RefitDue)]
    assert ids[0] == ids[2]
    assert len(set(ids)) == len(ids) - 1 == 5


async def test_an_event_id_of_ones_own_is_stronger_than_a_key(desk: Desk) -> None:
    await desk.post("/v1/corrections", PLAIN | {"event_id": "mine"}, **{"Idempotency-Key": "a"})
    assert desk.corrections()[0].event_id == "mine"


async def test_corrections_are_followed_by_one_mark_to_refit(desk: Desk) -> None:
    for _ in range(3):
        await desk.post("/v1/corrections", PLAIN)
    await eventually(lambda: isinstance(desk.written()[-1], RefitDue), what="the mark is there")
    assert sum(isinstance(event, RefitDue) for event in desk.written()) <= 3
    before = len(desk.written())
    await desk.post("/v1/corrections", PLAIN)
    await eventually(lambda: len(desk.written()) == before + 2, what="another correction, another")


async def test_a_mark_waits_for_the_log_to_come_back(desk: Desk) -> None:
    await desk.post("/v1/corrections", PLAIN)
    desk.log.outage = "Kafka is away"
    assert (await desk.post("/v1/corrections", PLAIN)).status_code == 503
    desk.log.outage = None
    await eventually(lambda: isinstance(desk.written()[-1], RefitDue), what="the mark is there")


async def test_a_topic_is_named(desk: Desk) -> None:
    answer = await desk.post("/v1/topics", [examples.TOPIC, examples.SMALL_TOPIC])
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2})
    full, small = desk.written()
    assert isinstance(full, TopicCreated)
    assert (full.name, full.description, full.actor) == (
        "beamer", examples.TOPIC["description"], "lead-2",
    )  # fmt: skip
    assert isinstance(small, TopicCreated)
    assert (small.name, small.description) == ("coffee machine", "")


@pytest.mark.parametrize("body", [examples.UNDO, examples.UNDO_ALL])
async def test_learning_is_undone(desk: Desk, body: dict[str, str]) -> None:
    assert (await desk.post("/v1/undo", body)).status_code == 202
    event = desk.written()[0]
    assert isinstance(event, CorrectionsUndone)
    assert (event.correction, event.corrector) == (body.get("correction"), body.get("corrector"))


async def test_a_proposal_is_dismissed(desk: Desk) -> None:
    answer = await desk.post("/v1/proposals/dismissals", examples.DISMISSAL)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    [event] = desk.written()
    assert event == ProposalDismissed(**examples.DISMISSAL, received_at=NOW)


async def test_a_model_is_promoted(desk: Desk) -> None:
    answer = await desk.post("/v1/promotions", examples.PROMOTION)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    [event] = desk.written()
    assert event == ModelPromoted(**examples.PROMOTION, received_at=NOW)


CONTROLS = [
    ("/v1/topics", examples.SMALL_TOPIC),
    ("/v1/undo", examples.UNDO_ALL),
    ("/v1/proposals/dismissals", examples.SMALL_DISMISSAL),
    ("/v1/promotions", examples.SMALL_PROMOTION),
]


@pytest.mark.parametrize(("path", "body"), CONTROLS)
async def test_a_repeated_key_repeats_the_event_id_of_a_control(
    desk: Desk, path: str, body: dict[str, object]
) -> None:
    for key in ("a", "a", "b"):
        assert (await desk.post(path, body, **{"Idempotency-Key": key})).status_code == 202
    first, second, other = [e.event_id for e in desk.written() if not isinstance(e, RefitDue)]
    assert first == second != other


async def test_only_undoing_is_followed_by_a_mark_to_refit(desk: Desk) -> None:
    for path, body in CONTROLS:
        await desk.post(path, body)
    await eventually(lambda: isinstance(desk.written()[-1], RefitDue), what="the mark is there")
    assert [event.kind for event in desk.written()] == [
        "topic", "undo", "dismissal", "promotion", "refit",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/topics", {"actor": "kim"}),
        ("/v1/topics", {"actor": "kim", "name": ""}),
        ("/v1/topics", {"actor": "kim", "name": "x" * 101}),
        ("/v1/undo", {"actor": "kim"}),
        ("/v1/undo", {"actor": "kim", "correction": "a", "corrector": "b"}),
        ("/v1/proposals/dismissals", {"actor": "kim"}),
        ("/v1/proposals/dismissals", {"proposal": "p-1"}),
        ("/v1/proposals/dismissals", {"actor": "kim", "proposal": "x" * 129}),
        ("/v1/promotions", {"actor": "kim"}),
        ("/v1/promotions", examples.SMALL_PROMOTION | {"log_offset": -1}),
        ("/v1/promotions", examples.SMALL_PROMOTION | {"log_offset": "12"}),
        ("/v1/promotions", examples.SMALL_PROMOTION | {"version": "../elsewhere"}),
        ("/v1/promotions", examples.SMALL_PROMOTION | {"digest": ""}),
    ],
)
async def test_what_says_too_little_or_too_much_is_refused(
    desk: Desk, path: str, body: dict[str, object]
) -> None:
    answer = await desk.post(path, body)
    assert answer.status_code == 422
    assert orjson.loads(answer.content)["errors"]
    assert desk.written() == []
