"""Words met live go into the correction log, and an outage of it ends nothing."""

from collections.abc import Iterable

import pytest
from aiokafka.errors import KafkaTimeoutError

from services.classifier.adapters.correction_log import decoded
from services.classifier.adapters.met_words import MetWords
from shared.events import WordsMet
from shared.streaming.producer import Entry
from shared.topics import CORRECTED
from tests.builders import NOON
from tests.deadlines import eventually
from tests.fakes import InMemoryOutbox
from tests.unit.classifier.adapters.test_correction_log import a_record


class NoOutbox:
    """A broker that is away."""

    def __init__(self) -> None:
        self.asked = 0

    async def send(self, topic: str, partition: int, entries: Iterable[Entry]) -> None:
        self.asked += 1
        raise KafkaTimeoutError


async def test_words_are_told_as_a_record_that_every_worker_reads() -> None:
    words, outbox = [["gizmotron", "принтер"], []], InMemoryOutbox()
    service = MetWords(lambda: words.pop(0) if words else [], outbox, lambda: NOON, every=0.001)
    async with service:
        await eventually(lambda: not words, 10, what="all words are told")
    [(_, value)] = outbox.sent[CORRECTED.name, 0]
    event = decoded(a_record(value)).event
    assert isinstance(event, WordsMet)
    assert event.words == ("gizmotron", "принтер")


async def test_an_outage_loses_the_words_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outbox = NoOutbox()
    async with MetWords(lambda: ["gizmotron"], outbox, lambda: NOON, every=0.001) as service:
        await eventually(lambda: outbox.asked > 1, 10, what="it goes on asking")
        assert not service.crashed
    assert "1 words met were not told of" in caplog.text
