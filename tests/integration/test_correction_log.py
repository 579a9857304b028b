"""The correction log on a real broker: read whole, followed, and left where it is another one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, nullcontext

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from deploy.local.broker import LocalBroker
from services.classifier.adapters import correction_log
from services.classifier.adapters.correction_log import Busy, CorrectionLog, LogSoFar
from services.classifier.domain.log_records import LogRecord, Place
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.streaming.watchdog import EXIT_OTHER_LOG
from shared.topics import CORRECTED
from tests.builders import a_correction
from tests.chaos.logbook import append, make_anew
from tests.deadlines import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

OLD = 8
# As large as a batch may be, so that two of them fill an answer.
LARGE = 1_000_000


class Ended(Exception):
    """What a worker's process does instead."""


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The exit codes with which readers ended."""
    codes: list[int] = []

    def die(_: str, code: int) -> None:
        codes.append(code)
        raise Ended

    monkeypatch.setattr(correction_log, "die", die)
    monkeypatch.setattr(correction_log, "LOOK_SECONDS", 0.1)
    return codes


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A broker of this module, whose topics it may delete."""
    with LocalBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def kafka(own: LocalBroker) -> KafkaSettings:
    """With an empty log."""
    settings = KafkaSettings(bootstrap_servers=own.bootstrap_servers, partitions=1)
    asyncio.run(create_topics(settings))
    asyncio.run(make_anew(settings.bootstrap_servers, CORRECTED, 1))
    return settings


def told(word: str, count: int) -> list[bytes | None]:
    made = [a_correction(event_id=f"{word}-{n}") for n in range(count)]
    return [event.model_dump_json().encode() for event in made]


async def write(kafka: KafkaSettings, values: list[bytes | None]) -> None:
    await append(kafka.bootstrap_servers, CORRECTED, values, 0, b"k")


@asynccontextmanager
async def reading(
    kafka: KafkaSettings,
    begin: Callable[[LogSoFar], Place] = lambda _: Place(),
    busy: Busy = nullcontext,
) -> AsyncIterator[list[LogRecord]]:
    """What is folded while inside; first of all what is there already."""
    folded: list[LogRecord] = []
    reader = CorrectionLog(kafka, begin, folded.extend, busy)
    try:
        await reader.start()
        yield folded
    finally:
        await reader.stop()


def ids(folded: list[LogRecord]) -> list[str]:
    return [record.event_id for record in folded]


@pytest.mark.parametrize("length", [0, 3, OLD - 1, OLD, OLD + 4])
async def test_nothing_of_another_log_is_folded(
    kafka: KafkaSettings, ends: list[int], length: int
) -> None:
    await write(kafka, told("old", OLD))
    async with reading(kafka) as folded:
        assert ids(folded) == [f"old-{n}" for n in range(OLD)]
        await make_anew(kafka.bootstrap_servers, CORRECTED, 1)
        await write(kafka, told("new", length))
        await eventually(lambda: ends, 60, what="the reader ends its process")
    assert set(ends) == {EXIT_OTHER_LOG}
    assert ids(folded) == [f"old-{n}" for n in range(OLD)]
    async with reading(kafka) as folded:
        assert ids(folded) == [f"new-{n}" for n in range(length)]


async def test_a_log_made_anew_before_a_snapshot_is_taken_up(
    kafka: KafkaSettings, ends: list[int]
) -> None:
    await write(kafka, told("new", OLD))
    with pytest.raises(Ended):
        async with reading(kafka, lambda _: Place(OLD - 1, "old")):
            pass
    assert ends == [EXIT_OTHER_LOG]


async def test_catching_up_counts_as_work(kafka: KafkaSettings) -> None:
    await write(kafka, told("one", 3))
    seen: list[str] = []

    @asynccontextmanager
    async def busy() -> AsyncIterator[None]:
        seen.append("begins")
        yield
        seen.append("ends")

    def begin(_: LogSoFar) -> Place:
        seen.append("reads")
        return Place()

    async with reading(kafka, begin, busy) as folded:
        assert (len(folded), seen) == (3, ["begins", "reads", "ends"])


async def test_the_same_log_is_followed_over_a_death_of_its_broker(
    own: LocalBroker, kafka: KafkaSettings, ends: list[int]
) -> None:
    # The last of them is no event: it has no id to be known by, and stands all the same.
    await write(kafka, [*told("one", 3), b"{"])
    async with reading(kafka) as folded:
        own.kill()
        own.start()
        await write(kafka, told("two", 2))
        await eventually(lambda: len(folded) == 6, 60, what="what came after is folded")
    assert ids(folded) == ["one-0", "one-1", "one-2", "", "two-0", "two-1"]
    assert ends == []


async def test_records_as_large_as_may_be_go_on(kafka: KafkaSettings, ends: list[int]) -> None:
    for _ in range(4):
        await write(kafka, [b"x" * LARGE])
    async with reading(kafka) as folded:
        assert len(folded) == 4
        await write(kafka, [b"x" * LARGE])
        await eventually(lambda: len(folded) == 5, 60, what="one more")
    assert ends == []


async def test_a_log_whose_beginning_was_deleted_is_read_from_there(
    kafka: KafkaSettings, ends: list[int]
) -> None:
    await write(kafka, told("gone", 3))
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        place = TopicPartition(CORRECTED.name, 0)
        await admin.delete_records({place: RecordsToDelete(before_offset=3)})
    finally:
        await admin.close()
    seen: list[str | None] = []

    def begin(written: LogSoFar) -> Place:
        seen.append(written.event_at(1))
        return Place()

    async with reading(kafka, begin) as folded:
        assert (seen, folded) == ([None], [])
        await write(kafka, told("kept", 2))
        await eventually(lambda: len(folded) == 2, 60, what="what came after is folded")
    assert [record.offset for record in folded] == [3, 4]
    assert ends == []
