"""The stage: it may leave out any ticket, and never disturbs a label."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest
from aiokafka import TopicPartition

from services.classifier.domain.candidates import Candidates, LatelyCorrected
from services.classifier.domain.labelling import ModelIdentity
from services.classifier.domain.pacing import Pace
from services.classifier.domain.updating import Opinion
from services.classifier.semantic.looking import Cost, Seen
from services.classifier.semantic.stage import SecondLookStage
from shared import metrics
from shared.events import Event, SimilarTicket, TicketLabelled, TicketSkipped
from shared.streaming import Chunk
from shared.topics import LABELLED
from tests.builders import NOON, a_label, an_update
from tests.fakes import InMemoryOutbox

PARTITION = 5
MODEL = ModelIdentity("fast", "v1", "d", 7)


class Eyes:
    """A Looker to whom every ticket is about mail, and like the one it was told."""

    cost = Cost(0.001)

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.alike: dict[str, str] = {}
        self.blind = False

    async def look(self, tickets: Sequence[TicketLabelled]) -> list[Seen]:
        if self.blind:
            raise OSError("no encoder")
        self.asked += [each.ticket_id for each in tickets]
        opinion = Opinion(
            ("vpn", "mail"), np.array([0.3, 0.7], np.float32), np.array([0.9, 0.9], np.float32)
        )
        return [Seen(each, opinion, self._similar(each.ticket_id), MODEL) for each in tickets]

    def _similar(self, ticket_id: str) -> tuple[SimilarTicket, ...]:
        other = self.alike.get(ticket_id)
        return (SimilarTicket(ticket_id=other, similarity=0.9),) if other else ()


@dataclass
class World:
    """A stage and everything around it."""

    eyes: Eyes
    outbox: InMemoryOutbox
    pace: Pace
    now: float = 0.0
    untaught: bool = False
    share: float = 0.5

    def stage(self) -> SecondLookStage:
        return SecondLookStage(
            self.eyes,
            Candidates(self.share, LatelyCorrected()),
            self.pace,
            self.outbox,
            lambda: NOON + timedelta(seconds=self.now),
            untaught=lambda: self.untaught,
        )

    @property
    def written(self) -> list[dict[str, object]]:
        return self.outbox.values(LABELLED.name, PARTITION)


@pytest.fixture
def world() -> World:
    return World(Eyes(), InMemoryOutbox(), Pace(1.0, 30.0, lambda: 0.0))


@dataclass
class FakeRecord:
    offset: int
    value: bytes | None
    key: bytes | None = b"k"


def chunk(*events: Event | bytes) -> Chunk:
    values = [e if isinstance(e, bytes) else e.model_dump_json().encode() for e in events]
    records = [FakeRecord(n, value) for n, value in enumerate(values)]
    return Chunk(TopicPartition(LABELLED.name, PARTITION), 0, records, None)


def label(number: int, sure: float = 0.5) -> TicketLabelled:
    return a_label(number, topic_scores={"vpn": sure, "mail": 1 - sure}, decision="suggested")


def unreadable() -> float:
    found: float = metrics.SEMANTIC_SKIPPED.labels("unreadable")._value.get()
    return found


async def run(world: World, *events: Event | bytes) -> None:
    stage, given = world.stage(), chunk(*events)
    await stage.deliver(given, await stage.prepare(given))


async def test_the_least_sure_are_relabelled_in_their_partition(world: World) -> None:
    await run(world, label(0, 0.9), label(1, 0.4))
    [told] = world.written
    assert world.eyes.asked == ["T-1", "T-0"]
    assert (told["kind"], told["ticket_id"], told["event_id"]) == ("updated", "T-1", "e-1")
    assert (told["topic"], told["decision"]) == ("mail", "suggested")
    assert told["topic_scores"] == {"mail": 0.7, "vpn": 0.3}
    assert told["model"] == {"name": "semantic", "version": "v1", "digest": "d", "log_offset": 7}
    assert world.outbox.sent[LABELLED.name, PARTITION][0][0] == b"T-1"


async def test_others_are_only_linked(world: World) -> None:
    world.eyes.alike = {"T-0": "T-77"}
    await run(world, label(0, 0.9), label(1, 0.4))
    linked = next(told for told in world.written if told["ticket_id"] == "T-0")
    assert linked["topic"] is None
    assert linked["similar"] == [{"ticket_id": "T-77", "similarity": 0.9}]


async def test_before_anything_was_taught_everything_is_looked_at(world: World) -> None:
    world.untaught, world.share = True, 0.0
    await run(world, label(0, 1.0), label(1, 1.0))
    assert [told["topic"] for told in world.written] == ["mail", "mail"]


async def test_its_own_updates_and_what_is_no_label_are_passed_over(world: World) -> None:
    await run(world, an_update(), TicketSkipped(src_offset=3, reason="x"), b"{poison", b"")
    assert world.eyes.asked == []
    assert world.written == []


async def test_it_passes_over_what_is_old_until_it_has_caught_up(world: World) -> None:
    stage = world.stage()
    for age, looked in ((31, False), (16, False), (14, True)):
        world.eyes.asked.clear()
        world.now = age
        await stage.prepare(chunk(label(0), an_update()))
        assert bool(world.eyes.asked) is looked


async def test_a_spent_budget_leaves_out_the_surest(world: World) -> None:
    world.pace = Pace(0.00035, 30.0, lambda: 0.0)  # 3.5 ms in ten seconds
    await run(world, *(label(n, 0.9 - n / 10) for n in range(6)))
    assert world.eyes.asked == ["T-5", "T-4", "T-3"]


async def test_without_a_budget_nothing_is_even_decoded(world: World) -> None:
    world.pace.spent(0, 60.0)
    before = unreadable()
    await run(world, label(0), b"{poison")
    assert world.eyes.asked == []
    assert unreadable() == before


async def test_a_look_that_fails_leaves_the_labels_alone(world: World) -> None:
    world.eyes.blind = True
    await run(world, label(0))
    assert world.written == []
