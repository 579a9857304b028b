"""One contract for every TrainingLog: a broker, and the one in memory."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.broker import LocalBroker
from services.classifier.adapters.training_log import MemoryTrainingLog, TrainingLog, connect
from shared.errors import Unavailable
from shared.events import CorrectionLogEvent, LabelEvent, TicketSkipped
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import CORRECTED, LABELLED
from tests.builders import NOON
from tests.unit.classifier.training.journal import at, correction, label, tickets

DESK = tickets(30)
CORRECTIONS = [correction(n, ticket) for n, ticket in enumerate(DESK[:7])]
LABELS = [label(n, ticket, ticket.topic, 0.9) for n, ticket in enumerate(DESK)]


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
            async with connect(self.bootstrap) as log:
                yield log

        return made()

    async def test_without_a_broker_it_says_so(self) -> None:
        with pytest.raises(Unavailable, match="KAFKA_BOOTSTRAP_SERVERS"):
            async with connect("127.0.0.1:1"):
                pytest.fail("it connected")
