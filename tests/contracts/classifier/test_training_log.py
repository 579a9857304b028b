"""One contract for every TrainingLog: a broker, and the one in memory."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.broker import LocalBroker
from services.classifier.adapters.training_log import MemoryTrainingLog, Read, TrainingLog, connect
from shared.errors import Unavailable
from shared.events import CorrectionLogEvent, LabelEvent, TicketSkipped
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import CORRECTED, LABELLED
from tests.builders import NOON, a_correction
from tests.chaos.logbook import append, make_anew
from tests.unit.classifier.training.journal import at, correction, label, tickets

DESK = tickets(30)
CORRECTIONS = [correction(n, ticket) for n, ticket in enumerate(DESK[:7])]
LABELS = [label(n, ticket, ticket.topic, 0.9) for n, ticket in enumerate(DESK)]
# So large that one answer of the broker holds one of them: most are unread when the first is.
LARGE = [a_correction(event_id=f"old-{n}", body="x" * 900_000) for n in range(12)]


def at_the_first(act: Callable[[], None]) -> Read:
    """Does it after the first record, while the reader is held up and asks the broker nothing."""
    acting = threading.Thread(target=act)

    def read(done: int, _: int) -> None:
        if done and acting.ident is None:
            acting.start()
            acting.join()

    return read


async def delete(bootstrap: str) -> None:
    """The log of corrections, without making it again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([CORRECTED.name])
    finally:
        await admin.close()


class TrainingLogContract(ABC):
    """What training relies on."""

    @abstractmethod
    def log(
        self, corrections: Sequence[CorrectionLogEvent | None], labels: Sequence[LabelEvent]
    ) -> AbstractAsyncContextManager[TrainingLog]:
        """Logs of this content; None is a record that cannot be read."""

    async def test_corrections_come_in_their_order_with_their_offsets(self) -> None:
        found: list[tuple[int, CorrectionLogEvent | None]] = []
        told: list[tuple[int, int]] = []
        written = [*CORRECTIONS[:3], None, *CORRECTIONS[3:]]
        async with self.log(written, []) as log:
            await log.corrections(lambda *each: found.append(each), lambda *each: told.append(each))
        assert found == list(enumerate(written))
        assert told[-1] == (8, 8)

    async def test_every_label_comes_once(self) -> None:
        found: list[LabelEvent] = []
        async with self.log([], [*LABELS, TicketSkipped(src_offset=30, reason="poison")]) as log:
            await log.labels(None, found.append, lambda *_: None)
        assert len(found) == 31
        ids = sorted(each.ticket_id for each in found if not isinstance(each, TicketSkipped))
        assert ids == sorted(each.ticket_id for each in LABELS)

    async def test_older_labels_are_left_out(self) -> None:
        found: list[LabelEvent] = []
        async with self.log([], LABELS) as log:
            await log.labels(at(20), found.append, lambda *_: None)
        assert {getattr(each, "ticket_id", "") for each in found} == {
            each.ticket_id for each in LABELS[20:]
        }

    async def test_later_than_everything_leaves_nothing(self) -> None:
        found: list[LabelEvent] = []
        async with self.log([], LABELS) as log:
            await log.labels(NOON + timedelta(days=9), found.append, lambda *_: None)
        assert found == []

    async def test_empty_logs_have_nothing(self) -> None:
        async with self.log([], []) as log:
            await log.corrections(lambda *_: pytest.fail("a record"), lambda *_: None)
            await log.labels(None, lambda _: pytest.fail("a record"), lambda *_: None)

    async def test_it_can_be_read_twice(self) -> None:
        offsets: list[int] = []
        async with self.log(CORRECTIONS, LABELS) as log:
            for _ in range(2):
                await log.corrections(lambda offset, _: offsets.append(offset), lambda *_: None)
                await log.labels(None, lambda _: None, lambda *_: None)
        assert offsets == [*range(7), *range(7)]


class TestMemoryTrainingLog(TrainingLogContract):
    def log(
        self, corrections: Sequence[CorrectionLogEvent | None], labels: Sequence[LabelEvent]
    ) -> AbstractAsyncContextManager[TrainingLog]:
        @asynccontextmanager
        async def made() -> AsyncIterator[TrainingLog]:
            yield MemoryTrainingLog(corrections, labels)

        return made()


@pytest.mark.integration
class TestKafkaTrainingLog(TrainingLogContract):
    @pytest.fixture(autouse=True)
    async def _broker(self, broker: LocalBroker) -> None:
        self.bootstrap = broker.bootstrap_servers
        await create_topics(KafkaSettings(bootstrap_servers=self.bootstrap, partitions=3))

    def log(
        self, corrections: Sequence[CorrectionLogEvent | None], labels: Sequence[LabelEvent]
    ) -> AbstractAsyncContextManager[TrainingLog]:
        @asynccontextmanager
        async def made() -> AsyncIterator[TrainingLog]:
            async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all") as producer:
                for each in corrections:
                    value = b"\xff" if each is None else each.model_dump_json().encode()
                    await producer.send_and_wait(CORRECTED.name, value, partition=0)
                for number, label in enumerate(labels):
                    written = getattr(label, "labelled_at", NOON)
                    await producer.send_and_wait(
                        LABELLED.name, label.model_dump_json().encode(), partition=number % 3,
                        timestamp_ms=int(written.timestamp() * 1000),
                    )  # fmt: skip
            async with connect(KafkaSettings(bootstrap_servers=self.bootstrap)) as log:
                yield log

        return made()

    @pytest.mark.timeout(300)
    @pytest.mark.parametrize("length", [None, 0, 1, 5])
    async def test_a_log_deleted_or_made_anew_shorter_while_it_is_read_ends_the_reading(
        self, length: int | None
    ) -> None:
        async def make_shorter() -> None:
            if length is None:
                await delete(self.bootstrap)
                return
            await make_anew(self.bootstrap, CORRECTED, 3)
            values = [each.model_dump_json().encode() for each in CORRECTIONS[:length]]
            await append(self.bootstrap, CORRECTED, list(values), 0, b"k")

        found: list[int] = []
        meanwhile = at_the_first(lambda: asyncio.run(make_shorter()))
        async with asyncio.timeout(120), self.log(LARGE, []) as log:
            with pytest.raises(Unavailable, match=r"tickets\.corrected\.v1 was .* retrain again"):
                await log.corrections(lambda offset, _: found.append(offset), meanwhile)
        assert found == sorted(found)
        assert len(found) < len(LARGE)

    @pytest.mark.timeout(300)
    async def test_the_same_log_is_read_on_over_a_death_of_its_broker(
        self, broker: LocalBroker
    ) -> None:
        def die_and_return() -> None:
            broker.kill()
            broker.start()

        found: list[int] = []
        async with asyncio.timeout(200), self.log(LARGE, []) as log:
            await log.corrections(
                lambda offset, _: found.append(offset), at_the_first(die_and_return)
            )
        assert found == list(range(len(LARGE)))

    async def test_without_a_broker_it_says_so(self) -> None:
        with pytest.raises(Unavailable, match="KAFKA_BOOTSTRAP_SERVERS"):
            async with connect(KafkaSettings(bootstrap_servers="127.0.0.1:1")):
                pytest.fail("it connected")
