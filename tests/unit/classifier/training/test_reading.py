"""What a reading of the logs keeps, and that it keeps no more than it may."""

from datetime import timedelta

import pytest

from services.classifier.models.fast.untrained import UNSORTED
from services.classifier.training.reading import (
    Answer,
    CorrectionsRead,
    LabelsRead,
    Sample,
    Served,
)
from shared.events import (
    CorrectionLogEvent,
    CorrectionsUndone,
    LabelUpdated,
    LearningReset,
    ModelPromoted,
    TicketSkipped,
    TopicCreated,
)
from tests.builders import NOON, a_correction
from tests.unit.classifier.training.journal import STAMP, Ticket, at, label

VPN = Ticket("vpn drops", "net")


def read(*events: CorrectionLogEvent | None) -> CorrectionsRead:
    found = CorrectionsRead()
    for offset, event in enumerate(events):
        found.add(offset, event)
    return found


def correction(number: int, actor: str = "kim", **more: object) -> CorrectionLogEvent:
    return a_correction(
        event_id=f"c-{number}", ticket_id=f"t-{number}", actor=actor, body=f"text {number}", **more
    )


def promotion(version: str, log_offset: int) -> ModelPromoted:
    return ModelPromoted(
        event_id=f"p-{version}", received_at=NOON, actor="night", version=version,
        digest="d" * 64, log_offset=log_offset,
    )  # fmt: skip


def test_decisions_are_those_that_stand() -> None:
    undone = CorrectionsUndone(event_id="u", received_at=NOON, actor="boss", corrector="eve")
    found = read(correction(1), correction(2, "eve"), None, correction(3), correction(1), undone)
    assert [each.ticket_id for each in found.decisions()] == ["t-1", "t-3"]
    assert [each.offset for each in found.decisions()] == [0, 3]
    assert found.end == 6


def test_a_decision_on_nothing_that_is_learned_is_none() -> None:
    textless = a_correction(event_id="c-9", body="", subject="")
    queue = a_correction(event_id="c-8", topic=None, queue="IT/Network")
    assert read(textless, queue).decisions() == []


def test_a_reset_forgets_decisions_and_topics_but_no_promotion() -> None:
    named = TopicCreated(event_id="t", received_at=NOON, actor="kim", name="coffee")
    reset = LearningReset(event_id="x", received_at=NOON, actor="boss")
    found = read(correction(1), named, promotion("v2", 1), reset, correction(2), reset)
    assert [each.ticket_id for each in found.decisions()] == ["t-2"]
    assert found.topics == {}
    assert [each.version for each in found.promotions] == ["v2"]


def test_a_promotion_that_the_workers_refuse_does_not_count() -> None:
    reset = LearningReset(event_id="x", received_at=NOON, actor="boss")
    found = read(correction(1), reset, promotion("v2", 1), promotion("v3", 2), promotion("v4", 0))
    assert [each.version for each in found.promotions] == ["v3", "v4"]


def test_a_repeated_promotion_counts_once() -> None:
    assert len(read(promotion("v2", 0), promotion("v2", 0)).promotions) == 1


def test_older_decisions_are_left_out_on_demand() -> None:
    old = correction(1, received_at=NOON - timedelta(days=2))
    found = read(old, correction(2, received_at=NOON))
    assert [each.ticket_id for each in found.decisions(NOON)] == ["t-2"]


def test_the_ledger_before_a_cut_has_what_stands_of_it() -> None:
    undone = CorrectionsUndone(event_id="u", received_at=NOON, actor="boss", correction="c-1")
    found = read(correction(1), correction(2), correction(3), undone)
    assert [each.text for each in found.ledger_before(2).standing()] == ["text 2"]


def served(number: int) -> Served:
    return Served(f"text {number}", at(number), {"topic": Answer("net", 0.9)})


def test_a_sample_is_the_same_in_whatever_order_it_is_read() -> None:
    forth, back = Sample(50, seed=3), Sample(50, seed=3)
    for number in range(1_000):
        forth.offer(f"t-{number}", served(number))
        back.offer(f"t-{999 - number}", served(999 - number))
    assert len(forth) == 50
    assert forth.tickets() == back.tickets()


def test_another_seed_draws_another_sample() -> None:
    one, other = Sample(20, seed=1), Sample(20, seed=2)
    for number in range(1_000):
        one.offer(f"t-{number}", served(number))
        other.offer(f"t-{number}", served(number))
    assert one.tickets() != other.tickets()


@pytest.fixture
def labels() -> LabelsRead:
    return LabelsRead(at(10), {"t-11", "t-3"}, Sample(100, 0), Sample(100, 0))


def test_labels_fall_before_or_after_the_cut_or_were_touched(labels: LabelsRead) -> None:
    for number in (3, 4, 11, 12, 13):
        labels.add(label(number, VPN, "net", 0.8))
    labels.add(TicketSkipped(src_offset=99, reason="poison"))
    assert (len(labels.earlier), len(labels.later), sorted(labels.decided)) == (
        1, 2, ["t-11", "t-3"],
    )  # fmt: skip
    assert labels.expected["topic"].labels == 3
    assert labels.expected["topic"].right == pytest.approx(2.4)
    assert labels.expected["priority"].labels == 0


def test_the_latest_label_is_what_people_saw(labels: LabelsRead) -> None:
    labels.add(label(12, VPN, "mail", 0.4))
    labels.add(
        LabelUpdated(
            ticket_id="t-12", event_id="e-12", updated_at=NOON, topic="net",
            topic_scores={"net": 0.9}, model=STAMP,
        )
    )  # fmt: skip
    found = labels.later.get("t-12")
    assert found is not None
    assert found.answers["topic"] == Answer("net", 0.9)


def test_an_update_of_neighbours_alone_changes_no_label(labels: LabelsRead) -> None:
    labels.add(label(12, VPN, "mail", 0.4))
    labels.add(LabelUpdated(ticket_id="t-12", event_id="e", updated_at=NOON, model=STAMP))
    found = labels.later.get("t-12")
    assert found is not None
    assert found.answers["topic"].label == "mail"


def test_what_an_untrained_model_says_is_no_label(labels: LabelsRead) -> None:
    labels.add(label(12, VPN, UNSORTED, 1.0))
    found = labels.later.get("t-12")
    assert found is not None
    assert found.answers == {}
    assert labels.expected["topic"].labels == 0
