"""What humans set is merged field by field, the latest word first, and can be taken back."""

from datetime import timedelta

import pytest

from services.forecaster.domain.projection.corrections import (
    MOST_WORDS,
    Corrections,
    HumanEvent,
    Standing,
    project_corrections,
)
from services.forecaster.domain.projection.labels import Known, Retention
from shared.read_model import HumanValues, TicketRecord
from tests.builders import NOON, a_correction, a_label, an_undo

RETENTION = Retention(100, 100, 10)
HOUR = timedelta(hours=1)


def human(text: object) -> HumanValues:
    return HumanValues.model_validate_json(str(text))


def projected(*events: HumanEvent, standing: Standing | None = None) -> Corrections:
    return project_corrections(events, standing or Standing(), RETENTION)


def values(result: Corrections) -> dict[str, HumanValues]:
    """What a batch leaves of each ticket it touched."""
    named = [(str(c[1]).partition("human:"), c[2]) for c in result.commands if c[0] == "SET"]
    return {ticket_id: human(text) for (_, prefix, ticket_id), text in named if prefix}


def final(*events: HumanEvent) -> HumanValues:
    return values(projected(*events))["T-0"]


def test_fields_left_out_keep_what_was_set_before() -> None:
    later = a_correction(event_id="c-2", topic=None, priority="low", corrected_at=NOON + HOUR)
    found = final(a_correction(), later)
    assert (found.topic, found.priority, found.event_id) == ("printer", "low", "c-2")


def test_an_older_word_that_comes_late_does_not_overwrite_a_newer_one() -> None:
    newer = a_correction(topic="vpn", corrected_at=NOON + HOUR)
    older = a_correction(event_id="c-0", topic="mail", priority="low")
    found = final(newer, older)
    assert (found.topic, found.priority, found.event_id) == ("vpn", "low", "c-1")


def test_a_repeated_correction_is_counted_once() -> None:
    result = projected(a_correction(), a_correction())
    assert (result.applied, result.duplicates) == (1, 1)
    assert ("HINCRBY", "totals", "corrected", 1) in result.commands


def test_the_ticket_is_listed_under_the_topic_a_human_gave_it_at_its_own_time() -> None:
    created = NOON - timedelta(days=2)
    result = projected(
        a_correction(), standing=Standing(tickets={"T-0": known(created_at=created)})
    )
    score = int(created.timestamp() * 1000)
    assert ("ZADD", "index:topic:printer", score, "T-0") in result.commands


def known(**changes: object) -> Known:
    label = a_label(0)
    values = label.model_dump() | {"updated_at": NOON, "queue": "IT"} | changes
    return Known.of(TicketRecord.model_validate(values))


def test_without_its_correction_the_label_is_in_force_again() -> None:
    result = projected(a_correction(), an_undo(correction="c-1"))
    assert ("DEL", "human:T-0") in result.commands
    assert values(result) == {}
    assert (result.applied, result.undone) == (1, 1)
    assert ("HINCRBY", "totals", "undone", 1) in result.commands


def test_without_the_latest_the_one_before_is_in_force_again() -> None:
    later = a_correction(
        event_id="c-2", actor="eve", topic="vpn", queue="HR", corrected_at=NOON + HOUR
    )
    found = final(a_correction(), later, an_undo(correction="c-2"))
    assert (found.topic, found.queue, found.actor, found.event_id) == (
        "printer",
        None,
        "kim",
        "c-1",
    )


def test_without_an_earlier_one_the_latest_stays() -> None:
    later = a_correction(event_id="c-2", topic=None, priority="low", corrected_at=NOON + HOUR)
    found = final(a_correction(), later, an_undo(correction="c-1"))
    assert (found.topic, found.priority) == (None, "low")


def test_all_of_one_person_are_taken_back_and_no_others() -> None:
    events = [
        a_correction(event_id="c-1", actor="eve"),
        a_correction(event_id="c-2", actor="kim", topic="vpn", ticket_id="T-1"),
        a_correction(event_id="c-3", actor="eve", ticket_id="T-1", corrected_at=NOON + HOUR),
        a_correction(event_id="c-4", actor="eve", ticket_id="T-2"),
    ]
    result = projected(*events, an_undo(corrector="eve"))
    assert {ticket: found.topic for ticket, found in values(result).items()} == {"T-1": "vpn"}
    assert result.undone == 3
    assert ("DEL", "corrector:eve") in result.commands


def test_what_somebody_corrects_after_it_was_all_taken_back_stands() -> None:
    again = a_correction(event_id="c-2", topic="vpn")
    assert final(a_correction(), an_undo(corrector="kim"), again).topic == "vpn"


def test_an_undone_correction_does_not_come_back_by_repetition() -> None:
    result = projected(a_correction(), an_undo(correction="c-1"), a_correction())
    assert values(result) == {}
    assert result.duplicates == 1


@pytest.mark.parametrize("what", [{"correction": "c-404"}, {"corrector": "nobody"}])
def test_undoing_what_never_was_changes_nothing(what: dict[str, str]) -> None:
    assert final(a_correction(), an_undo(**what)).topic == "printer"


def test_a_ticket_whose_topic_nobody_set_any_more_awaits_review_again() -> None:
    unsure = known(decision="suggested", topic_scores={"vpn": 0.4})
    before = values(projected(a_correction()))
    standing = Standing(before, {"T-0": unsure}, {"c-1": "T-0"})
    result = projected(an_undo(correction="c-1"), standing=standing)
    assert ("ZADD", "review", 600_000, "T-0") in result.commands
    sure = Standing(before, {"T-0": known()}, {"c-1": "T-0"})
    result = projected(an_undo(correction="c-1"), standing=sure)
    assert not any(command[1] == "review" for command in result.commands)


def test_values_kept_before_corrections_could_be_undone_count_as_one() -> None:
    old = HumanValues(
        ticket_id="T-0", event_id="c-0", corrected_at=NOON, actor="kim", topic="mail", queue="HR"
    )
    later = a_correction(corrected_at=NOON + HOUR)
    standing = Standing({"T-0": old})
    result = projected(later, a_correction(event_id="c-0"), standing=standing)
    found = values(result)["T-0"]
    assert (found.topic, found.queue, result.duplicates) == ("printer", "HR", 1)
    back = projected(later, an_undo(correction="c-1"), standing=standing)
    assert values(back)["T-0"].topic == "mail"


def test_a_ticket_keeps_its_latest_corrections_and_the_values_of_the_first() -> None:
    events = [
        a_correction(
            event_id=f"c-{n}", topic=f"t-{n}", queue="HR" if n == 0 else None,
            corrected_at=NOON + n * HOUR,
        )
        for n in range(3 * MOST_WORDS)
    ]  # fmt: skip
    found = final(*events)
    assert len(found.words) == MOST_WORDS
    assert (found.topic, found.queue) == (f"t-{3 * MOST_WORDS - 1}", "HR")
    last = [an_undo(correction=f"c-{3 * MOST_WORDS - 1 - n}") for n in range(5)]
    assert final(*events, *last).topic == f"t-{3 * MOST_WORDS - 6}"
