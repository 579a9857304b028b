"""Which tickets come first, and which may be labelled anew."""

from services.classifier.domain.candidates import Candidates, LatelyCorrected
from shared.events import RefitDue, TicketLabelled, TopicCreated
from tests.builders import NOON, a_correction, a_label


def label(offset: int, sure: float, topic: str = "vpn", second: str = "printer") -> TicketLabelled:
    return a_label(offset, topic=topic, topic_scores={topic: sure, second: 1 - sure, "other": 0.0})


def ordered(candidates: Candidates, *labels: TicketLabelled) -> tuple[list[int], int]:
    found = candidates.order(labels)
    return [each.src_offset for each in found.tickets], found.candidates


def test_the_least_sure_come_first_and_all_others_after() -> None:
    sure = [0.9, 0.6, 0.8, 0.7]
    found = ordered(Candidates(0.5, LatelyCorrected()), *(label(n, p) for n, p in enumerate(sure)))
    assert found == ([1, 3, 0, 2], 2)


def test_topics_lately_corrected_are_candidates_too() -> None:
    corrected = LatelyCorrected()
    corrected.hear(
        [
            a_correction(topic="printer"),
            a_correction(topic=None, priority="high"),
            TopicCreated(event_id="t", received_at=NOON, actor="kim", name="beamer"),
            RefitDue(event_id="r", received_at=NOON),
            None,
        ]
    )
    found = ordered(
        Candidates(0.0, corrected),
        label(0, 0.9, "vpn", "mail"),
        label(1, 0.9, "printer", "vpn"),
        label(2, 0.9, "vpn", "beamer"),
        label(3, 0.9, "mail", "vpn"),
    )
    assert found == ([1, 2, 0, 3], 2)


def test_only_the_latest_corrections_count() -> None:
    corrected = LatelyCorrected()
    corrected.hear([a_correction(topic="old"), *[a_correction(topic="new")] * 50])
    assert "old" not in corrected
    assert "new" in corrected


def test_before_anything_was_taught_all_are_candidates() -> None:
    found = Candidates(0.0, LatelyCorrected()).order(
        [label(0, 1.0), label(1, 1.0)], everything=True
    )
    assert found.candidates == 2


def test_a_label_without_scores_is_the_least_sure() -> None:
    bare = a_label(9, topic_scores={})
    assert ordered(Candidates(0.5, LatelyCorrected()), label(0, 0.5), bare)[0] == [9, 0]
