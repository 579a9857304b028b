"""The judge finds what is wrong and names it; a judge that sees nothing proves nothing."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from deploy.local.broker import LocalBroker
from services.forecaster.adapters.read_side import Position, RedisReadSide
from services.forecaster.domain.projection.corrections import (
    HumanEvent,
    Standing,
    project_corrections,
)
from services.forecaster.domain.projection.labels import Retention, project
from shared.clock import utc_now
from shared.events import (
    CorrectionsUndone,
    LabelEvent,
    Ticket,
    TicketCorrected,
    TicketLabelled,
    TicketSkipped,
)
from shared.provisioning import create_topics
from shared.queues import QueueDirectory
from shared.settings import KafkaSettings
from shared.topics import CORRECTED, LABELLED, PARKED, RECEIVED
from tests.builders import a_correction, a_label, a_ticket, an_update
from tests.chaos.checker import Store, Verdict, judge
from tests.chaos.ledger import Ledger

pytestmark = [pytest.mark.integration]

NOW = utc_now().replace(microsecond=0)
RETENTION = Retention(30 * 86_400, 8 * 86_400, 10_000)
Labels = Sequence[LabelEvent]


def _label(offset: int, **changes: Any) -> TicketLabelled:
    return a_label(offset, **{"created_at": NOW, "received_at": NOW} | changes)


LABELS: Labels = [
    _label(0, queue="IT/VPN"),
    _label(1, created_at=NOW - timedelta(days=20), priority=None),
    _label(1),  # labelled again after a crash
    _label(2, ticket_id="T-0", event_id="e-2", created_at=NOW + timedelta(hours=1)),
    _label(3, ticket_id="T-0", event_id="e-3", created_at=NOW - timedelta(hours=1)),
    _label(4, ticket_id="T-0", event_id="e-2"),
    an_update(event_id="e-2"),
    an_update(event_id="e-0"),  # of a label that was overtaken
]


class Log:
    """One partition of each topic and a Redis, filled as the services fill them."""

    def __init__(self, bootstrap: str, store: Store) -> None:
        self.bootstrap = bootstrap
        self.store = store
        self.ledger = Ledger()

    async def receive(self, count: int, labels: Labels = ()) -> None:
        """So many events, those that `labels` are of where these say so."""
        told: dict[int, TicketLabelled] = {}
        for each in labels:
            if isinstance(each, TicketLabelled):
                told.setdefault(each.src_offset, each)
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for offset in range(count):
                label = told.get(offset) or _label(offset)
                ticket = a_ticket(**label.model_dump(include=set(Ticket.model_fields)))
                name = ticket.ticket_id
                value = ticket.model_dump_json().encode()
                await producer.send_and_wait(RECEIVED.name, value, key=name.encode(), partition=0)
                self.ledger.accept([{"ticket_id": name, "event_id": ticket.event_id}])

    async def label(self, labels: Labels) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for label in labels:
                value = label.model_dump_json().encode()
                await producer.send_and_wait(LABELLED.name, value, key=b"k", partition=0)

    async def project(self, url: str, labels: Labels) -> None:
        async with AsyncRedis.from_url(url) as client:
            side = RedisReadSide(client)
            ids = sorted({each.ticket_id for each in labels if isinstance(each, TicketLabelled)})
            known = await side.tickets(ids)
            done = project(labels, -1, known, QueueDirectory(), RETENTION)
            after = Position(len(labels), done.source)
            await side.apply(LABELLED.name, 0, 0, after, done.commands(RETENTION, NOW))

    async def correct(self, said: Sequence[HumanEvent]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for event in said:
                value = event.model_dump_json().encode()
                await producer.send_and_wait(CORRECTED.name, value, partition=0)

    async def project_corrections(self, url: str, said: Sequence[HumanEvent]) -> None:
        async with AsyncRedis.from_url(url) as client:
            result = project_corrections(said, Standing(), RETENTION)
            after = Position(len(said), len(said) - 1)
            await RedisReadSide(client).apply(CORRECTED.name, 0, 0, after, result.commands)

    async def judged(self) -> Verdict:
        return await judge(self.bootstrap, self.store, self.ledger)


@pytest.fixture
async def log(broker: LocalBroker, own_url: str) -> AsyncIterator[Log]:
    settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=1)
    await create_topics(settings)
    with Redis.from_url(own_url) as store:
        store.flushdb()
        yield Log(broker.bootstrap_servers, store)
        store.flushdb()


@pytest.fixture
def own_url(redis_url: str) -> str:
    return redis_url.rsplit("/", 1)[0] + "/9"


def _add_to_mix(store: Store) -> None:
    store.set("mix:2020:IT/VPN\x1fvpn\x1fhigh", b"\0\0\0\1")


FORGERIES: dict[str, tuple[str, Callable[[Store], object]]] = {
    "a window counts one more": ("doubled", lambda s: _add_to_day(s, 1)),
    "a window counts one less": ("mismatched", lambda s: _add_to_day(s, -1)),
    "a window of nobody": ("mismatched", lambda s: s.set("load:h:2020:topic:x", b"\0\0\0\1")),
    "a ticket is gone": ("lost", lambda s: s.delete("ticket:T-0")),
    "a ticket that never was": ("mismatched", lambda s: s.copy("ticket:T-0", "ticket:T-9")),
    "a ticket of another": ("mismatched", lambda s: s.copy("ticket:T-1", "ticket:T-0", None, True)),
    "an update lost": ("mismatched", lambda s: s.zrem("index:topic:printer", "T-0")),
    "a total": ("mismatched", lambda s: s.hincrby("totals", "updated", 1)),
    "a gap that was seen": ("gaps", lambda s: s.hset("totals", "gaps", 1)),
    "an index entry": ("mismatched", lambda s: s.zrem("index:all", "T-0")),
    "a series": ("mismatched", lambda s: s.sadd("series:queue", "nowhere")),
    "a mix counts one more": ("mismatched", _add_to_mix),
    "a note of nobody": ("mismatched", lambda s: s.rpush("mix-notes", b'[["IT","x","",9,1]]')),
    "a ticket to review": ("mismatched", lambda s: s.zadd("review", {"T-0": 7})),
    "a position": ("mismatched", lambda s: s.hset("position:tickets.labelled.v1:0", "offset", 3)),
}  # fmt: skip


def _add_to_day(store: Store, surplus: int) -> None:
    (name,) = store.keys("load:d:*:queue:IT/VPN")
    cell = NOW.timetuple().tm_yday - 1
    store.execute_command("BITFIELD", name, "INCRBY", "u32", f"#{cell}", surplus)


async def test_every_forgery_is_found_by_its_name(log: Log, own_url: str) -> None:
    await log.receive(5, LABELS)
    await log.label(LABELS)
    await log.project(own_url, LABELS)
    clean = await log.judged()
    assert clean.good, clean.findings
    assert (clean.counted, clean.replayed) == (2, 1)
    for what, (kind, forge) in FORGERIES.items():
        forge(log.store)
        verdict = await log.judged()
        assert getattr(verdict, kind) > 0, f"{what}: {verdict}"
        log.store.flushdb()
        await log.project(own_url, LABELS)
    assert (await log.judged()).good


async def test_what_humans_set_is_judged(log: Log, own_url: str) -> None:
    said: list[TicketCorrected | CorrectionsUndone] = [
        a_correction(event_id="c-1", ticket_id="T-0", topic="mail", corrected_at=NOW),
        a_correction(event_id="c-2", ticket_id="T-0", topic="vpn", corrected_at=NOW, actor="ana"),
        a_correction(event_id="c-3", ticket_id="T-1", topic="vpn", corrected_at=NOW),
        a_correction(event_id="c-1", ticket_id="T-0", topic="mail", corrected_at=NOW),
        CorrectionsUndone(event_id="u-1", received_at=NOW, actor="lead", corrector="ana"),
        CorrectionsUndone(event_id="u-2", received_at=NOW, actor="lead", correction="c-3"),
    ]
    await log.correct(said)
    await log.project_corrections(own_url, said)
    clean = await log.judged()
    assert clean.good, clean.findings
    kept = log.store.get("human:T-0")
    assert b"mail" in kept
    log.store.delete("human:T-0")
    assert (await log.judged()).lost == 1
    log.store.set("human:T-0", kept.replace(b"mail", b"vpn"))
    assert (await log.judged()).mismatched == 1
    log.store.set("human:T-0", kept)
    log.store.set("human:T-1", kept)
    assert (await log.judged()).mismatched == 1


async def test_what_the_topics_lack_is_lost(log: Log, own_url: str) -> None:
    labels: Labels = [_label(0), _label(2), TicketSkipped(src_offset=3, reason="not-json")]
    await log.receive(5)
    await log.label(labels)
    await log.project(own_url, labels)
    log.ledger.accept([{"ticket_id": "T-99", "event_id": "e-99"}])
    verdict = await log.judged()
    # 1 and 4 have no label, 3 was skipped without being parked; T-99 is not there at all.
    assert verdict.lost == 3 + 1
    assert verdict.gaps == 2  # the topic's own and the projection's count of it


async def test_an_event_of_a_known_ticket_may_not_be_lost_either(log: Log, own_url: str) -> None:
    await log.receive(1)
    await log.label([_label(0)])
    await log.project(own_url, [_label(0)])
    assert (await log.judged()).good
    log.ledger.accept([{"ticket_id": "T-0", "event_id": "e-later"}])
    assert (await log.judged()).lost == 1


@pytest.mark.parametrize("change", [{"ticket_id": "T-7"}, {"event_id": "e-7"}, {"subject": "7"}])
async def test_a_label_must_be_of_the_record_it_names(
    log: Log, own_url: str, change: dict[str, Any]
) -> None:
    labels = [_label(0, **change), _label(1)]
    await log.receive(2)
    await log.label(labels)
    await log.project(own_url, labels)
    verdict = await log.judged()
    assert (verdict.mismatched, verdict.lost) == (1, 0), verdict.findings


async def test_a_parked_ticket_is_not_lost(log: Log, own_url: str) -> None:
    labels: Labels = [_label(0), TicketSkipped(src_offset=1, reason="model-error")]
    await log.receive(2)
    await log.label(labels)
    await log.project(own_url, labels)
    async with AIOKafkaProducer(bootstrap_servers=log.bootstrap) as producer:
        place = f'"source_topic":"{RECEIVED.name}","source_partition":0,"source_offset":1'
        rest = f'"parked_at":"{NOW.isoformat()}","reason":"model-error","detail":"d","size":0'
        value = f'{{"kind":"parked",{place},{rest}}}'.encode()
        await producer.send_and_wait(PARKED.name, value, partition=0)
    verdict = await log.judged()
    assert verdict.good, verdict.findings
    assert verdict.skipped == 1
