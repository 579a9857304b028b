"""One class of tests for the gateway's port to the models: the fake, and the services' own ports.

The real one speaks HTTP with ingest, a learning classifier and the radar, in this process; what
ingest writes is folded by both, as a broker would bring it to them.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.state_snapshots import StateSnapshots
from services.classifier.domain.log_records import LogRecord
from services.classifier.emerging import EmergingTopics
from services.classifier.learning import LearningLabeller
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.routes import learning_router
from services.classifier.semantic.proposals import proposals_router
from services.gateway.adapters.brain import Brain, HttpBrain
from services.gateway.domain.acceptance import (
    Acceptance,
    corrections_of,
    dismissal_of,
    topic_of,
)
from services.ingest.adapters.publisher import InMemoryPublisher
from services.ingest.adapters.ticket_texts import InMemoryTicketTexts
from services.ingest.app import create_app
from services.ingest.settings import IngestSettings
from shared.errors import InvalidEvent, NotFound
from shared.events import CORRECTION_RECORD
from shared.http import create_service
from shared.topics import CORRECTED
from tests.builders import NOON
from tests.unit.classifier.domain.radar.sky import NOVEL, Sky
from tests.unit.gateway.fake_brain import FakeBrain, a_proposal

Settle = Callable[[], None]
ACCEPTED = Acceptance("beamer", "kim", "projectors")


class Desk:
    """Ingest, a classifier and the radar over one log."""

    def __init__(self, folder: Path) -> None:
        self.log = InMemoryPublisher(partitions=1)
        self.topics = EmergingTopics(StateSnapshots(LocalDirectory(folder), "radar-", "radar", 1))
        texts = [f"{text} {n}" for n in range(20) for text in ("vpn drops", "wifi is slow")]
        trained = FastLabeller.train(texts, ["vpn", "wifi"] * 20)
        self.learning = LearningLabeller(Fold(lambda: trained, trained), lambda _: None)
        self._folded = 0
        sky = Sky()
        for _ in range(8):
            self.topics.observe(sky.ticket(), sky.near(0), NOVEL)

    def settle(self) -> None:
        """Both learn what ingest has written since."""
        kept = self.log.topics.get(CORRECTED.name, [])
        records = [
            LogRecord(at, CORRECTION_RECORD.validate_json(kept[at].value))
            for at in range(self._folded, len(kept))
        ]
        self._folded = len(kept)
        self.learning.apply(records)
        self.topics.apply(records)

    def transports(self) -> dict[str, httpx.AsyncBaseTransport]:
        classifier = create_service("classifier", title="c", description="c", checks={})
        classifier.include_router(learning_router(self.learning))
        semantic = create_service("semantic", title="s", description="s", checks={})
        semantic.include_router(proposals_router(self.topics))
        ingest = create_app(
            IngestSettings(), self.log, InMemoryTicketTexts(), lambda: NOON, b"k" * 32
        )
        apps = {"classifier": classifier, "semantic": semantic, "ingest": ingest}
        return {f"http://{name}": httpx.ASGITransport(app) for name, app in apps.items()}


@pytest.fixture(params=["fake", "http"])
async def world(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Brain, Settle]]:
    if request.param == "fake":
        yield FakeBrain([a_proposal()]), lambda: None
        return
    desk = Desk(tmp_path)
    async with httpx.AsyncClient(mounts=desk.transports()) as client:
        yield (
            HttpBrain("http://classifier", "http://semantic", "http://ingest", client),
            desk.settle,
        )


class TestBrain:
    """What both must do."""

    async def test_known_topics_and_one_that_emerges(self, world: tuple[Brain, Settle]) -> None:
        brain, _ = world
        known = await brain.topics()
        assert {topic.name for topic in known.topics} == {"vpn", "wifi"}
        [found] = await brain.emerging()
        assert found.fate == "growing"
        assert len(found.examples) == found.tickets == 8
        assert await brain.proposal(found.id) == found

    async def test_an_accepted_one_is_known_and_emerges_no_more(
        self, world: tuple[Brain, Settle]
    ) -> None:
        brain, settle = world
        [found] = await brain.emerging()
        await brain.name(topic_of(found, ACCEPTED), None)
        await brain.correct(corrections_of(found, ACCEPTED))
        settle()
        known = {topic.name: topic.description for topic in (await brain.topics()).topics}
        assert known["beamer"] == "projectors"
        assert await brain.emerging() == []
        named = await brain.proposal(found.id)
        assert named.fate == "named"
        assert all(example.labelled for example in named.examples)
        assert corrections_of(named, ACCEPTED) == []

    async def test_a_dismissed_one_emerges_no_more_but_is_found(
        self, world: tuple[Brain, Settle]
    ) -> None:
        brain, settle = world
        [found] = await brain.emerging()
        for _ in range(2):
            await brain.dismiss(dismissal_of(found, "kim"))
            settle()
        assert await brain.emerging() == []
        assert (await brain.proposal(found.id)).fate == "dismissed"

    async def test_a_topic_named_twice_is_one(self, world: tuple[Brain, Settle]) -> None:
        brain, settle = world
        for description in ("", "screens"):
            await brain.name({"name": "beamer", "actor": "a", "description": description}, None)
        settle()
        known = [topic for topic in (await brain.topics()).topics if topic.name == "beamer"]
        assert [topic.description for topic in known] == ["screens"]

    async def test_nobody_knows_another(self, world: tuple[Brain, Settle]) -> None:
        brain, _ = world
        with pytest.raises(NotFound, match="p-none"):
            await brain.proposal("p-none")


async def test_what_ingest_refuses_is_refused(tmp_path: Path) -> None:
    bad: dict[str, Any] = {"name": "", "actor": "kim"}
    async with httpx.AsyncClient(mounts=Desk(tmp_path).transports()) as client:
        brain = HttpBrain("http://classifier", "http://semantic", "http://ingest", client)
        with pytest.raises(InvalidEvent) as refused:
            await brain.name(bad, None)
    assert [fault.pointer for fault in refused.value.errors] == ["/name"]
