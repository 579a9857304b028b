"""The radar in its worker: from the log and from tickets, over restarts."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.correction_log import LogSoFar
from services.classifier.adapters.state_snapshots import KEPT, StateSnapshots
from services.classifier.domain.log_records import LogRecord
from services.classifier.domain.radar.cluster import Fate
from services.classifier.emerging import (
    SNAPSHOT_BASE,
    SNAPSHOT_FORMAT,
    SNAPSHOT_PREFIX,
    EmergingTopics,
)
from shared.events import ProposalDismissed
from tests.builders import NOON, a_correction
from tests.unit.classifier.domain.radar.sky import NOVEL, Sky


@pytest.fixture
def store(tmp_path: Path) -> LocalDirectory:
    return LocalDirectory(tmp_path)


def started(store: LocalDirectory, events: Sequence[str] = ()) -> EmergingTopics:
    """events: ids of what the log holds."""
    snapshots = StateSnapshots(store, SNAPSHOT_PREFIX, SNAPSHOT_BASE, SNAPSHOT_FORMAT)
    topics = EmergingTopics(snapshots)
    log = LogSoFar(len(events), lambda at: events[at] if at < len(events) else None)
    topics.resume(log)
    return topics


def show(topics: EmergingTopics, sky: Sky, direction: int, count: int) -> None:
    for _ in range(count):
        topics.observe(sky.ticket(), sky.near(direction), NOVEL)


def dismissal(proposal: str, offset: int) -> LogRecord:
    event = ProposalDismissed(event_id="d", received_at=NOON, actor="kim", proposal=proposal)
    return LogRecord(offset, event)


def test_nothing_is_there_at_the_beginning(store: LocalDirectory) -> None:
    topics = started(store)
    assert topics.proposals() == []
    assert topics.offset == 0
    topics.save()
    assert store.versions() == ()


def test_a_restart_goes_on_where_it_was(store: LocalDirectory) -> None:
    sky, topics = Sky(), started(store)
    show(topics, sky, 0, 10)
    topics.apply([LogRecord(1, a_correction(event_id="c"))])
    topics.save()
    again = started(store, ["b", "c"])
    assert again.offset == 2
    assert again.proposals() == topics.proposals()
    show(again, sky, 0, 1)
    assert again.proposals()[0].tickets == 11


def test_only_what_changed_is_saved_and_the_oldest_go(store: LocalDirectory) -> None:
    sky, topics = Sky(), started(store)
    for count in range(KEPT + 2):
        show(topics, sky, 0, 1)
        topics.save()
        topics.save()
        assert len(store.versions()) == min(count + 1, KEPT)
    assert started(store).find("p-nothing") is None


def test_a_dismissal_survives_a_restart(store: LocalDirectory) -> None:
    sky, topics = Sky(), started(store)
    show(topics, sky, 0, 10)
    [found] = topics.proposals()
    topics.apply([dismissal(found.id, 0)])
    topics.save()
    again = started(store, ["d"])
    show(again, sky, 0, 20)
    assert again.proposals() == []
    kept = again.find(found.id)
    assert kept is not None
    assert kept.fate is Fate.DISMISSED


def test_a_damaged_snapshot_is_passed_over(store: LocalDirectory, tmp_path: Path) -> None:
    sky, topics = Sky(), started(store)
    show(topics, sky, 0, 9)
    topics.save()
    show(topics, sky, 0, 1)
    topics.save()
    (tmp_path / store.versions()[-1] / "arrays.npz").write_bytes(b"none")
    assert started(store).proposals()[0].tickets == 9


def test_another_log_is_read_whole_and_the_clusters_stay(store: LocalDirectory) -> None:
    sky, topics = Sky(), started(store)
    show(topics, sky, 0, 9)
    topics.apply([LogRecord(1, a_correction(event_id="c"))])
    topics.save()
    for other in ([], ["b"], ["c", "b"]):
        again = started(store, other)
        assert again.offset == 0
        assert again.proposals() == topics.proposals()
    again.apply([LogRecord(0, None)])
    again.save()
    assert started(store, [""]).offset == 1


def test_what_another_log_said_is_forgotten(store: LocalDirectory) -> None:
    sky, topics = Sky(), started(store)
    show(topics, sky, 0, 10)
    show(topics, sky, 1, 10)
    dismissed, named = topics.proposals()
    topics.apply([dismissal(dismissed.id, 0)])
    ids = [example.ticket_id for example in named.examples]
    told = [a_correction(event_id=f"c{n}", ticket_id=name) for n, name in enumerate(ids)]
    topics.apply([LogRecord(1 + n, event) for n, event in enumerate(told)])
    assert topics.proposals() == []
    topics.save()
    assert started(store, ["d", *(event.event_id for event in told)]).proposals() == []
    again = started(store, ["other"])
    assert {each.id for each in again.proposals()} == {dismissed.id, named.id}
    show(again, sky, 0, 1)
    assert {each.tickets for each in again.proposals()} == {11, 10}


def test_a_store_that_is_full_stops_nothing(store: LocalDirectory, tmp_path: Path) -> None:
    sky = Sky()
    blocked = LocalDirectory(tmp_path / "file")
    (tmp_path / "file").write_text("not a folder")
    topics = started(blocked)
    show(topics, sky, 0, 9)
    topics.save()
    assert len(topics.proposals()) == 1
