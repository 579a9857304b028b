"""Parked records: one contract for memory and Kafka, and the command on a real broker."""

import asyncio
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.broker import LocalBroker
from deploy.local.workspace import CHECKOUT
from services.classifier.adapters.parked_topic import (
    MemoryParkingLot,
    ParkingLot,
    Place,
    connect,
)
from shared.clock import utc_now
from shared.errors import Unavailable
from shared.events import RecordParked, TicketReceived
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import PARKED, RECEIVED, partition_of
from tests.chaos import logbook

pytestmark = pytest.mark.integration

NOW = utc_now()
PARTITIONS = 4
TICKET = TicketReceived(event_id="e1", ticket_id="T-1", created_at=NOW, received_at=NOW)
Lot = AbstractAsyncContextManager[ParkingLot]


def _parked(offset: int, value: bytes | None) -> RecordParked:
    return RecordParked(
        source_topic=RECEIVED.name,
        source_partition=2,
        source_offset=offset,
        parked_at=NOW,
        reason="not-json",
        detail="record: Invalid JSON",
        key=b64encode(b"T-1").decode(),
        value=None if value is None else b64encode(value).decode(),
        size=7 if value is None else len(value),
    )


EVENTS = [_parked(5, b"{broken"), _parked(6, TICKET.model_dump_json().encode()), _parked(8, None)]


class Contract:
    """What every ParkingLot does."""

    async def test_records_and_originals(self, lot: Lot) -> None:
        async with lot as parking:
            records = await parking.records()
            assert [(r.place.offset, r.kept, r.resolution) for r in records] == [
                (5, True, None),
                (6, True, None),
                (8, False, None),
            ]
            assert await parking.original(Place(RECEIVED.name, 2, 5)) == b"{broken"
            assert await parking.original(Place(RECEIVED.name, 2, 8)) is None
            assert await parking.original(Place(RECEIVED.name, 2, 99)) is None

    async def test_a_decision_is_kept_and_is_final(self, lot: Lot) -> None:
        async with lot as parking:
            first, second, third = await parking.records()
            await parking.resolve(first, "discarded", NOW)
            await parking.resolve(second, "replayed", NOW)
            await parking.resolve(second, "discarded", NOW)
            found = {r.place.offset: r.resolution for r in await parking.records()}
            assert found == {5: "discarded", 6: "replayed", third.place.offset: None}

    async def test_what_is_put_back_leaves_the_parked_records_alone(self, lot: Lot) -> None:
        async with lot as parking:
            await parking.put_back(TICKET)
            assert len(await parking.records()) == len(EVENTS)


class TestMemory(Contract):
    @pytest.fixture
    def lot(self) -> Lot:
        @asynccontextmanager
        async def memory() -> AsyncIterator[ParkingLot]:
            yield MemoryParkingLot(EVENTS)

        return memory()


class TestKafka(Contract):
    @pytest.fixture
    def lot(self, parked_broker: str) -> Lot:
        return connect(KafkaSettings(bootstrap_servers=parked_broker))


@pytest.fixture
async def parked_broker(broker: LocalBroker) -> str:
    """A broker whose parked topic holds EVENTS."""
    bootstrap = broker.bootstrap_servers
    await create_topics(KafkaSettings(bootstrap_servers=bootstrap, partitions=PARTITIONS))
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for event in EVENTS:
            value = event.model_dump_json().encode()
            await producer.send_and_wait(PARKED.name, value, key=b"T-1", partition=2)
    return bootstrap


async def test_a_broker_that_is_away_is_said_in_one_sentence() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 does not answer .*KAFKA_BOOTSTRAP"):
        async with connect(KafkaSettings(bootstrap_servers="127.0.0.1:1")):
            pytest.fail("there is no broker")


async def test_the_command_puts_a_ticket_back_where_it_belongs(
    parked_broker: str, tmp_path: Path
) -> None:
    file = tmp_path / "repaired.json"
    file.write_text(TICKET.model_copy(update={"ticket_id": "T-2"}).model_dump_json())
    assert await _command(parked_broker, "replay", "2@6") == (0, "1 put back, 0 stay parked\n")
    code, text = await _command(parked_broker, "replay", "2@8", "--repaired", str(file))
    assert (code, text) == (0, "2@8 was put back, repaired\n")
    code, text = await _command(parked_broker, "replay", "--all")
    assert code == 1
    assert "2@5 stays" in text
    received = await logbook.read(parked_broker, RECEIVED)
    found = {
        (partition, TicketReceived.model_validate_json(entry.value or b"").ticket_id)
        for partition, entries in received.items()
        for entry in entries
    }
    assert found == {(partition_of(name, PARTITIONS), name) for name in ("T-1", "T-2")}
    code, text = await _command(parked_broker, "list")
    assert (code, "2@5" in text, "2@6" in text) == (0, True, False)


async def _command(bootstrap: str, *words: str) -> tuple[int, str]:
    def run() -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "services.classifier", "parked", *words],
            cwd=CHECKOUT,
            env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return await asyncio.to_thread(run)
