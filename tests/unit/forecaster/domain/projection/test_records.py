"""What the projection reads from the correction log, and what it leaves to the models."""

from services.forecaster.domain.projection.records import corrections
from shared.events import RefitDue, TopicCreated
from tests.builders import NOON, a_correction


def test_control_records_are_passed_over_and_not_refused() -> None:
    events = [
        RefitDue(event_id="r", received_at=NOON),
        a_correction(),
        TopicCreated(event_id="t", received_at=NOON, actor="kim", name="coffee"),
    ]
    read = corrections((n, b"k", e.model_dump_json().encode()) for n, e in enumerate(events))
    assert (read.events, read.refused) == ([a_correction()], [])


def test_what_is_no_event_is_refused() -> None:
    read = corrections([(0, b"k", b"{}"), (1, b"k", None)])
    assert sorted(refusal.offset for refusal in read.refused) == [0, 1]
