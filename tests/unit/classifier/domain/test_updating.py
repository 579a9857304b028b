"""When a second look is news."""

import numpy as np
import pytest

from services.classifier.domain.updating import Opinion, better, update
from shared.events import Decision, LabelUpdated, ModelStamp, SimilarTicket, TicketLabelled
from tests.builders import NOON, a_label

STAMP = ModelStamp(name="semantic", version="1", digest="d", log_offset=7)
TOPICS = ("vpn", "mail", "printer", "wifi")


def opinion(*scores: float, threshold: float = 0.8) -> Opinion:
    row = np.array([*scores, *[0.0] * (4 - len(scores))], np.float32)
    return Opinion(TOPICS, row, np.full(4, threshold, np.float32))


def label(sure: float, decision: Decision = "suggested", topic: str = "vpn") -> TicketLabelled:
    return a_label(topic=topic, topic_scores={topic: sure}, decision=decision)


@pytest.mark.parametrize(
    ("first", "second", "news"),
    [
        (label(0.4), opinion(0.2, 0.7), "suggested"),  # another topic
        (label(0.4), opinion(0.1, 0.9), "applied"),
        (label(0.4), opinion(0.7, 0.2), None),  # the same, still unsure
        (label(0.4), opinion(0.9, 0.1), "applied"),  # the same, now sure
        (label(0.9, "applied"), opinion(0.95, 0.0), None),
        (label(0.9, "applied"), opinion(0.3, 0.6), None),  # sure, against a mere suggestion
        (label(0.9, "applied"), opinion(0.05, 0.9), "applied"),
        (label(0.4, "applied"), opinion(0.3, 0.6), "suggested"),  # it never was sure enough
        (label(0.4, "shadow"), opinion(0.05, 0.9), "shadow"),
        (label(0.4, "shadow"), opinion(0.9, 0.05), None),
        (label(1.0, "applied", "unsorted"), opinion(0.3, 0.6), "suggested"),
    ],
)
def test_news(first: TicketLabelled, second: Opinion, news: Decision | None) -> None:
    assert better(first, second) == news


def test_the_three_likeliest_are_suggested_the_likeliest_first() -> None:
    told = update(label(0.4), opinion(0.1, 0.2, 0.4, 0.3), [], STAMP, NOON)
    assert told is not None
    assert told.topic == "printer"
    assert list(told.topic_scores.items()) == [("printer", 0.4), ("wifi", 0.3), ("mail", 0.2)]
    assert (told.event_id, told.decision, told.model) == ("e-0", "suggested", STAMP)


def test_a_link_alone_leaves_the_label_as_it_is() -> None:
    alike = SimilarTicket(ticket_id="T-9", similarity=0.9)
    told = update(label(0.9, "applied"), None, [alike], STAMP, NOON)
    assert told == LabelUpdated(
        ticket_id="T-0", event_id="e-0", updated_at=NOON, decision="applied", similar=(alike,),
        model=STAMP,
    )  # fmt: skip


def test_nothing_new_is_nothing_to_write() -> None:
    assert update(label(0.9, "applied"), opinion(0.9), [], STAMP, NOON) is None
    assert update(label(0.4), None, [], STAMP, NOON) is None


TREE = ("billing/refund", "billing/invoice", "vpn")


def of_tree(*scores: float) -> Opinion:
    return Opinion(TREE, np.array(scores, np.float32), np.full(3, 0.8, np.float32))


@pytest.mark.parametrize(
    ("first", "second", "news", "topic"),
    [
        (label(0.4), of_tree(0.5, 0.4, 0.1), "applied", "billing"),  # sure of the parent alone
        (label(0.4), of_tree(0.4, 0.3, 0.3), "suggested", "billing/refund"),
        (label(0.9, "applied", "billing"), of_tree(0.9, 0.1, 0.0), "applied", "billing/refund"),
        (label(0.9, "applied", "billing"), of_tree(0.2, 0.2, 0.6), None, None),
        (label(0.9, "applied", "billing/refund"), of_tree(0.4, 0.5, 0.1), None, None),
        (label(0.4, "shadow"), of_tree(0.5, 0.4, 0.1), "shadow", "billing"),
    ],
)
def test_a_leaf_backs_off_to_its_parent_and_a_parent_gives_way_to_a_leaf(
    first: TicketLabelled, second: Opinion, news: Decision | None, topic: str | None
) -> None:
    assert better(first, second) == news
    told = update(first, second, [], STAMP, NOON)
    assert (told and told.topic) == topic
    if told is not None and topic == "billing":
        assert told.topic_scores["billing"] == pytest.approx(0.9)
