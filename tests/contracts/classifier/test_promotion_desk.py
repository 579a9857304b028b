"""One contract for every PromotionDesk: ingest itself, and the one in memory."""

import asyncio
from abc import ABC, abstractmethod
from datetime import UTC, datetime

import httpx
import pytest

from services.classifier.adapters.promotion_desk import (
    IngestPromotionDesk,
    MemoryPromotionDesk,
    PromotionDesk,
)
from services.classifier.domain.labelling import ModelIdentity
from services.ingest.adapters.publisher import InMemoryPublisher
from services.ingest.adapters.ticket_texts import InMemoryTicketTexts
from services.ingest.app import create_app
from services.ingest.settings import IngestSettings
from shared.errors import Misconfigured, Unavailable
from shared.events import CORRECTION_RECORD, ModelPromoted
from shared.topics import CORRECTED

MODEL = ModelIdentity("fast", "20260301T020000Z-0123456789ab", "ab" * 32, 412)
NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)


class PromotionDeskContract(ABC):
    """What `retrain` relies on."""

    @pytest.fixture
    @abstractmethod
    def desk(self) -> PromotionDesk:
        """A desk that takes promotions."""

    @pytest.fixture
    @abstractmethod
    def closed(self) -> PromotionDesk:
        """One that does not answer."""

    @abstractmethod
    def written(self, desk: PromotionDesk) -> list[ModelIdentity]:
        """What different promotions the log has, in its order."""

    def test_a_promotion_is_written_whole(self, desk: PromotionDesk) -> None:
        desk.promote(MODEL, "gate")
        assert self.written(desk) == [MODEL]

    def test_the_same_again_changes_nothing(self, desk: PromotionDesk) -> None:
        desk.promote(MODEL, "gate")
        desk.promote(MODEL, "gate")
        assert self.written(desk) == [MODEL]

    def test_for_another_reason_it_is_another(self, desk: PromotionDesk) -> None:
        desk.promote(MODEL, "gate")
        desk.promote(MODEL, "20260302T080000Z")
        assert self.written(desk) == [MODEL, MODEL]

    def test_where_it_is_away_it_says_so(self, closed: PromotionDesk) -> None:
        with pytest.raises(Unavailable):
            closed.promote(MODEL, "gate")


class TestMemoryPromotionDesk(PromotionDeskContract):
    @pytest.fixture
    def desk(self) -> PromotionDesk:
        return MemoryPromotionDesk()

    @pytest.fixture
    def closed(self) -> PromotionDesk:
        return MemoryPromotionDesk("closed")

    def written(self, desk: PromotionDesk) -> list[ModelIdentity]:
        assert isinstance(desk, MemoryPromotionDesk)
        return list(desk.promoted.values())


class Ingest(httpx.BaseTransport):
    """The real application, asked in this process."""

    def __init__(self) -> None:
        self.log = InMemoryPublisher(partitions=1)
        texts = InMemoryTicketTexts()
        self.app = create_app(IngestSettings(), self.log, texts, lambda: NOW, b"k" * 32)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._ask(request))

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        async with (
            self.app.router.lifespan_context(self.app),
            httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as client,
        ):
            found = await client.post(
                str(request.url), content=request.read(), headers=dict(request.headers)
            )
        return httpx.Response(found.status_code, content=found.content)


class TestIngestPromotionDesk(PromotionDeskContract):
    @pytest.fixture
    def desk(self) -> PromotionDesk:
        return IngestPromotionDesk("http://ingest", Ingest())

    @pytest.fixture
    def closed(self) -> PromotionDesk:
        return IngestPromotionDesk("http://127.0.0.1:1")

    def written(self, desk: PromotionDesk) -> list[ModelIdentity]:
        assert isinstance(desk, IngestPromotionDesk)
        transport = desk._transport
        assert isinstance(transport, Ingest)
        events: dict[str, ModelPromoted] = {}
        for record in transport.log.topics[CORRECTED.name]:
            event = CORRECTION_RECORD.validate_json(record.value)
            assert isinstance(event, ModelPromoted)
            assert event.actor == "retrain"
            events.setdefault(event.event_id, event)
        return [
            ModelIdentity("fast", event.version, event.digest, event.log_offset)
            for event in events.values()
        ]

    def test_a_refusal_of_the_request_is_a_mistake_of_ours(self) -> None:
        desk = IngestPromotionDesk("http://ingest", Ingest())
        with pytest.raises(Misconfigured, match="422"):
            desk.promote(ModelIdentity("fast", "../elsewhere", "d", 0), "gate")

    def test_a_failure_of_ingest_is_worth_another_try(self) -> None:
        broken = httpx.MockTransport(lambda _: httpx.Response(503, text="Kafka is away"))
        with pytest.raises(Unavailable, match="Kafka is away"):
            IngestPromotionDesk("http://ingest", broken).promote(MODEL, "gate")
