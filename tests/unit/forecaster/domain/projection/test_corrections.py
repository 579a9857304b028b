"""What humans set is merged field by field, the latest word first."""

from datetime import timedelta

from services.forecaster.domain.projection.corrections import project_corrections
from services.forecaster.domain.projection.labels import Retention
from shared.events import TicketCorrected
from shared.read_model import HumanValues
from tests.builders import NOON, a_correction

RETENTION = Retention(100, 100, 10)


def final(*events: TicketCorrected) -> HumanValues:
    result = project_corrections(events, {}, {}, RETENTION)
    values = [c[2] for c in result.commands if c[0] == "SET"]
    return HumanValues.model_validate_json(str(values[-1]))


def test_fields_left_out_keep_what_was_set_before() -> None:
    later = a_correction(
        event_id="c-2", topic=None, priority="low", corrected_at=NOON + timedelta(1)
    )
    values = final(a_correction(), later)
    assert (values.topic, values.priority) == ("printer", "low")


def test_an_older_word_does_not_overwrite_a_newer_one() -> None:
    newer = a_correction(topic="vpn", corrected_at=NOON + timedelta(hours=1))
    older = a_correction(event_id="c-0", topic="mail")
    result = project_corrections([newer, older], {}, {}, RETENTION)
    assert (result.applied, result.duplicates) == (1, 1)


def test_a_repeated_correction_is_counted_once() -> None:
    result = project_corrections([a_correction(), a_correction()], {}, {}, RETENTION)
    assert ("HINCRBY", "totals", "corrected", 1) in result.commands


def test_the_ticket_is_listed_under_the_topic_a_human_gave_it_at_its_own_time() -> None:
    created = NOON - timedelta(days=2)
    result = project_corrections([a_correction()], {}, {"T-0": created}, RETENTION)
    score = int(created.timestamp() * 1000)
    assert ("ZADD", "index:topic:printer", score, "T-0") in result.commands
