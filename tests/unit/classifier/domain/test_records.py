"""What the hot path writes by hand must read back as the event it claims to be."""

import numpy as np

from services.classifier.domain.decoding import Decoded
from services.classifier.domain.labelling import HeadScores, Labelling, ModelIdentity
from services.classifier.domain.records import BODY_CHARACTERS, labelled, skipped
from shared.events import LABEL_RECORD, TicketLabelled, TicketSkipped
from shared.parking import Refused
from tests.builders import NOON, a_ticket

MODEL = ModelIdentity("m", "7", "abc", log_offset=3)


def scores(*rows: tuple[float, float]) -> HeadScores:
    return HeadScores(("vpn", "printer"), np.array(rows, np.float32))


def test_a_label_reads_back_with_every_score_and_the_model() -> None:
    tickets = [
        Decoded(4, a_ticket()),
        Decoded(5, a_ticket(ticket_id="Т-2", queue="ИТ/Сеть", language="ru")),
    ]
    answer = Labelling(scores((0.9, 0.1), (0.2, 0.8)), scores((0.3, 0.7), (0.6, 0.4)))
    first, second = (LABEL_RECORD.validate_json(v) for v in labelled(tickets, answer, MODEL, NOON))
    assert isinstance(first, TicketLabelled)
    assert isinstance(second, TicketLabelled)
    assert (first.src_offset, first.topic, first.priority) == (4, "vpn", "printer")
    assert first.topic_scores == {"vpn": 0.9, "printer": 0.1}
    assert first.model.log_offset == 3
    assert (second.ticket_id, second.queue, second.topic) == ("Т-2", "ИТ/Сеть", "printer")
    received = first.model_dump(include={"event_id", "created_at", "requester", "subject", "body"})
    assert received == a_ticket().model_dump(include=set(received))


def test_every_label_says_whether_it_is_sure_enough() -> None:
    tickets = [Decoded(0, a_ticket()), Decoded(1, a_ticket(ticket_id="T-2"))]
    thresholds = np.array([0.8, 0.9], np.float32)
    answer = Labelling(scores((0.9, 0.1), (0.2, 0.8)), None, thresholds=thresholds)
    for shadow, expected in ((False, ["applied", "suggested"]), (True, ["shadow", "shadow"])):
        values = labelled(tickets, answer, MODEL, NOON, shadow=shadow)
        records = [LABEL_RECORD.validate_json(value) for value in values]
        assert [r.decision for r in records if isinstance(r, TicketLabelled)] == expected


def test_without_a_priority_head_there_is_no_priority() -> None:
    (value,) = labelled([Decoded(0, a_ticket())], Labelling(scores((1, 0)), None), MODEL, NOON)
    record = LABEL_RECORD.validate_json(value)
    assert isinstance(record, TicketLabelled)
    assert (record.priority, record.priority_scores) == (None, {})


def test_a_long_body_is_cut_so_that_the_label_fits() -> None:
    ticket = a_ticket(body="я" * 100_000)
    (value,) = labelled([Decoded(0, ticket)], Labelling(scores((1, 0)), None), MODEL, NOON)
    record = LABEL_RECORD.validate_json(value)
    assert isinstance(record, TicketLabelled)
    assert len(record.body) == BODY_CHARACTERS


def test_a_skip_keeps_the_offset() -> None:
    record = LABEL_RECORD.validate_json(skipped(Refused(9, None, b"{", "not-json", "eof")))
    assert record == TicketSkipped(src_offset=9, reason="not-json")


def test_an_unsure_leaf_is_labelled_with_its_sure_parent() -> None:
    classes = ("billing/refund", "billing/invoice", "vpn")
    rows = np.array([[0.5, 0.45, 0.05], [0.95, 0.05, 0.0]], np.float32)
    thresholds = np.full(3, 0.9, np.float32)
    answer = Labelling(HeadScores(classes, rows), None, thresholds=thresholds)
    tickets = [Decoded(0, a_ticket()), Decoded(1, a_ticket(ticket_id="T-2"))]
    for shadow, decision in ((False, "applied"), (True, "shadow")):
        values = labelled(tickets, answer, MODEL, NOON, shadow=shadow)
        first, second = (LABEL_RECORD.validate_json(value) for value in values)
        assert isinstance(first, TicketLabelled)
        assert isinstance(second, TicketLabelled)
        assert (first.topic, first.decision, first.topic_scores["billing"]) == (
            "billing", decision, 0.95,
        )  # fmt: skip
        assert (second.topic, second.decision) == ("billing/refund", decision)
        assert "billing" not in second.topic_scores
