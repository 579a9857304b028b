"""What senders do: poison, oversize, repetition, disorder, other versions of the schema."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import orjson

from shared import redis_keys as keys
from shared import topics
from shared.events import PARKING_RECORD, RecordParked
from shared.read_model import TicketRecord
from tests.chaos import logbook
from tests.chaos.feeder import Ticket
from tests.chaos.row import Row
from tests.chaos.world import Setup, World, received

GARBAGE = 2_000
EXIT_SECONDS = 120.0


def poison_values() -> dict[str, bytes | None]:
    """Every kind of record that is no ticket, by what is wrong with it."""
    ticket: dict[str, object] = {
        "event_id": "e",
        "ticket_id": "poison",
        "created_at": "2026-01-01T00:00:00Z",
        "received_at": "2026-01-01T00:00:00Z",
    }
    return {
        "no value": None,
        "empty": b"",
        "not JSON": b"{ticket: 1",
        "cut": orjson.dumps(ticket)[:-10],
        "an array": orjson.dumps([ticket]),
        "a number": b"12",
        "wrong types": orjson.dumps(ticket | {"subject": {"a": 1}, "attributes": []}),
        "missing fields": orjson.dumps({"event_id": "e"}),
        "no offset": orjson.dumps(ticket | {"created_at": "2026-01-01T00:00:00"}),
        "no such day": orjson.dumps(ticket | {"created_at": "2026-02-30T00:00:00Z"}),
        "deep nesting": b'{"attributes":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
        "huge number": b'{"event_id":' + b"9" * 5_000 + b"}",
        "NUL bytes": b"\x00" * 64,
        "not UTF-8": orjson.dumps(ticket)[:-1] + b',"subject":"\xff\xfe"}',
        "lone surrogate": orjson.dumps(ticket)[:-1] + b',"subject":"\\ud800"}',
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
    }


def poison(world: World) -> None:
    """Each is parked with its reason, where it lay; what comes after is not disturbed."""
    before = asyncio.run(parked(world))
    placed: set[tuple[int, int]] = set()
    with world.feeding(600):
        for number, value in enumerate(poison_values().values()):
            partition = number % world.setup.partitions
            placed |= {(partition, offset) for offset in world.append([value], partition)}
    world.recover()
    world.until(world.at_rest, "everything is labelled or parked")
    found = asyncio.run(parked(world))
    for place in placed:
        assert found[place] - before[place] == 1, f"{place} was parked {found[place]} times"
    assert sum((found - before).values()) == len(placed), "something else was parked"


def only_poison(world: World) -> None:
    """Nothing but garbage: the classifier stops instead of emptying the topic; then repaired."""
    world.stop("classifier-0")
    for partition in range(world.setup.partitions):
        world.append([b"garbage"] * (GARBAGE // world.setup.partitions), partition)
    for attempt in range(2):
        worker = world.process(f"strict-{attempt}", world.setup.classifier)
        worker.start()
        code = worker.wait(EXIT_SECONDS)
        worker.kill()
        assert code, f"the classifier ended with {code} on garbage only"
        assert "cannot be processed" in worker.log.read_text(), "it does not say why it ended"
    waiting = asyncio.run(parked(world)).total()
    assert waiting < GARBAGE / 2, f"{waiting} records were parked although the limit tripped"
    # What an operator does who has looked: let them pass, and go on.
    world.run("classifier-0", world.setup.classifier, CLASSIFIER_PARKING_SHARE="1")
    world.recover()
    found = asyncio.run(parked(world))
    everything = GARBAGE // world.setup.partitions * world.setup.partitions
    assert len(found) == everything, f"{len(found)} of {everything} records are parked"


def oversize(world: World) -> None:
    """Too large for a request, for an event, and for a label: refused or parked, never stuck."""
    refused = {
        "an event of 1 MB": [_large(world, attributes=50)],
        "a request of 8 MB": [_large(world, attributes=8) for _ in range(50)],
    }
    for what, batch in refused.items():
        answer = httpx.post(f"{world.url('ingest')}/v1/events", json=batch, timeout=30)
        assert answer.status_code == 413, f"{what}: {answer.status_code} {answer.text[:200]}"
    ticket = world.tickets(1)[0]
    world.append([b"x" * 1_000_000], 0)
    for field in ("subject", "channel", "requester"):
        world.append(
            [received(ticket | {"ticket_id": f"large-{field}", field: "x" * 1_030_000})], 1
        )
    world.append([b"not a ticket"], 2, key=b"k" * 1_000_000)
    with world.feeding(300):
        pass
    world.recover()
    world.until(world.at_rest, "everything is labelled or parked")
    records = asyncio.run(parked_records(world))
    assert [r for r in records if r.size == 1_000_000 and r.value is None], "not by reference"


def _large(world: World, attributes: int) -> dict[str, object]:
    ticket: dict[str, object] = {**world.tickets(1)[0]}
    return ticket | {"attributes": {f"a{n}": "x" * 20_000 for n in range(attributes)}}


def repeated(world: World) -> None:
    """The same batches from four clients at once, and again after ingest was killed."""
    work = world.tickets(600)
    batches = [work[at : at + 30] for at in range(0, len(work), 30)]
    with ThreadPoolExecutor(4) as clients:
        list(clients.map(world.post, [batch for batch in batches for _ in range(4)]))
    world.services["ingest"].kill()
    world.recover()
    with world.feeding(work):
        pass
    assert {ticket["ticket_id"] for ticket in work} <= world.ledger.tickets()


def disordered(world: World) -> None:
    """Four versions of each ticket in any order, some weeks late, some a little ahead."""
    now = datetime.now(UTC)
    ages = (timedelta(days=20), timedelta(hours=30), timedelta(minutes=5), timedelta(hours=-20))
    base = world.tickets(150)
    versions: list[Ticket] = []
    for ticket in base:
        for number, age in enumerate(ages):
            stamp = (now - age).isoformat(timespec="milliseconds")
            event = f"{ticket['event_id']}-{number}"
            ids = {"ticket_id": ticket["ticket_id"], "event_id": event, "created_at": stamp}
            # Another text and queue each time: what moves must not be counted again.
            versions.append(world.rng.choice(base) | ids)
    world.rng.shuffle(versions)
    with world.feeding(versions):
        pass
    world.until(world.at_rest, "everything is in Redis")
    latest = (now - ages[-1]).isoformat(timespec="milliseconds")
    for ticket in base:
        value = world.store.get(keys.ticket(ticket["ticket_id"]))
        record = TicketRecord.model_validate_json(value)
        assert record.updated_at == datetime.fromisoformat(latest), f"{record} is not the latest"


def mixed_versions(world: World) -> None:
    """Records of an older and of a newer writer are labelled like any other."""
    before = asyncio.run(parked(world)).total()
    with world.feeding(300):
        for ticket in world.tickets(60):
            partition = topics.partition_of(ticket["ticket_id"], world.setup.partitions)
            bare = {k: ticket[k] for k in ("event_id", "ticket_id", "created_at")}
            newer = received(ticket, schema=3, sla={"hours": 4}, tags=["a", "b"])
            world.append([world.rng.choice([received(bare), newer])], partition)
    world.until(world.at_rest, "everything is labelled")
    assert asyncio.run(parked(world)).total() == before, "a compatible record was parked"


async def parked_records(world: World) -> list[RecordParked]:
    """Everything on tickets.parked.v1 that is no decision."""
    entries = await logbook.read(world.bootstrap, topics.PARKED)
    read = (PARKING_RECORD.validate_json(e.value or b"") for part in entries.values() for e in part)
    return [record for record in read if isinstance(record, RecordParked)]


async def parked(world: World) -> Counter[tuple[int, int]]:
    """How often each received record was parked, by partition and offset."""
    return Counter(
        (record.source_partition, record.source_offset)
        for record in await parked_records(world)
        if record.source_topic == topics.RECEIVED.name
    )


ROWS = (
    Row("poison", "records of every kind that are no tickets", poison, quick=True),
    Row(
        "only-poison",
        "nothing but garbage: the limit trips, nothing is dropped",
        only_poison,
        Setup(classifiers=1),
        spoils=True,
    ),
    Row("oversize", "too large for a request, an event, a label", oversize),
    Row("repeated-posts", "the same posts at once and after a restart", repeated),
    Row("out-of-order", "versions out of order, late and ahead of time", disordered),
    Row("mixed-schemas", "records of older and newer writers", mixed_versions),
)
