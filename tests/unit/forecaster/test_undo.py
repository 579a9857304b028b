"""However a log of corrections is cut into batches, its values are those of what stands."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from services.forecaster.domain.projection.corrections import HumanEvent
from services.forecaster.domain.projection.labels import Retention
from services.forecaster.handlers import CorrectionProjection
from shared.events import CorrectionsUndone, TicketCorrected
from shared.streaming import Chunk
from shared.topics import CORRECTED
from tests.builders import NOON, a_correction, an_undo
from tests.fakes import InMemoryOutbox, InMemoryReadSide
from tests.unit.forecaster.test_handlers import FakeRecord

HOUR = timedelta(hours=1)


ACTORS, TICKETS, TOPICS = ("kim", "eve"), ("T-0", "T-1"), (None, "vpn", "mail")


@st.composite
def logs(draw: st.DrawFn) -> list[HumanEvent]:
    events: list[HumanEvent] = []
    for number in range(draw(st.integers(1, 12))):
        if draw(st.integers(0, 3)):
            moment = NOON + draw(st.integers(0, 5)) * HOUR
            events.append(
                a_correction(
                    event_id=f"c-{draw(st.integers(0, number))}",
                    ticket_id=draw(st.sampled_from(TICKETS)),
                    actor=draw(st.sampled_from(ACTORS)),
                    topic=draw(st.sampled_from(TOPICS)),
                    priority=draw(st.sampled_from((None, "low"))),
                    corrected_at=moment,
                )
            )
        elif draw(st.booleans()):
            events.append(an_undo(corrector=draw(st.sampled_from(ACTORS))))
        else:
            events.append(an_undo(correction=f"c-{draw(st.integers(0, number))}"))
    return events


def stated(log: Sequence[HumanEvent]) -> dict[str, tuple[str | None, str | None]]:
    """The values in force by the plainest reading of the log."""
    heard: set[str] = set()
    standing: list[TicketCorrected] = []
    for event in log:
        if isinstance(event, CorrectionsUndone):
            standing = [
                each
                for each in standing
                if each.event_id != event.correction and each.actor != event.corrector
            ]
        elif event.event_id not in heard:
            heard.add(event.event_id)
            standing.append(event)
    found: dict[str, tuple[str | None, str | None]] = {}
    for event in sorted(standing, key=lambda each: each.corrected_at):
        topic, priority = found.get(event.ticket_id, (None, None))
        found[event.ticket_id] = (event.topic or topic, event.priority or priority)
    return found


async def in_batches(log: Sequence[HumanEvent], cuts: Sequence[int]) -> InMemoryReadSide:
    """What the stage makes of the log, cut before these places."""
    read_side = InMemoryReadSide()
    retention = Retention(100, 100, 10)
    stage = CorrectionProjection(read_side, InMemoryOutbox(), lambda: NOON, retention)
    edges = sorted({0, *(min(cut, len(log)) for cut in cuts), len(log)})
    for start, end in pairwise(edges):
        records = [
            FakeRecord(start + n, event.model_dump_json().encode())
            for n, event in enumerate(log[start:end])
        ]
        chunk = Chunk(TopicPartition(CORRECTED.name, 0), start, records, None)
        await stage.deliver(chunk, await stage.prepare(chunk))
    return read_side


@given(log=logs(), cuts=st.lists(st.integers(0, 12), max_size=3))
async def test_the_values_in_force_are_those_of_the_corrections_that_stand(
    log: list[HumanEvent], cuts: list[int]
) -> None:
    found = await (await in_batches(log, cuts)).humans(TICKETS)
    values = {ticket: (human.topic, human.priority) for ticket, human in found.items()}
    assert values == stated(log)


@given(log=logs(), cuts=st.lists(st.integers(0, 12), max_size=3))
async def test_a_rebuilt_read_side_is_the_same_to_the_byte(
    log: list[HumanEvent], cuts: list[int]
) -> None:
    assert (await in_batches(log, cuts)).strings == (await in_batches(log, [])).strings
