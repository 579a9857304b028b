"""Admission: what reaches the log can be read by everyone behind it."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from services.ingest.domain.admission import Admission
from services.ingest.domain.bodies import JSON, NDJSON, BodyReader
from services.ingest.domain.control_posts import ControlPost, TopicPost
from services.ingest.domain.pseudonyms import Pseudonyms
from services.ingest.examples import CORRECTION, SMALL_CORRECTION, SMALL_TICKET, TICKET
from shared.errors import InvalidEvent, TooLarge
from shared.events import TicketCorrected, TicketReceived

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


def admission(max_record_bytes: int = 700_000) -> Admission:
    return Admission(
        pseudonyms=Pseudonyms(b"k" * 32),
        clock=lambda: NOW,
        max_events=500,
        max_record_bytes=max_record_bytes,
    )


def ticket(**change: object) -> dict[str, object]:
    return {"ticket_id": "t1", "created_at": "2026-03-01T10:00:00+03:00", **change}


def received(**change: object) -> TicketReceived:
    [message] = admission().tickets(orjson.dumps(ticket(**change)), JSON)
    assert message.ticket_id == "t1"
    return TicketReceived.model_validate_json(message.value, strict=True)


def test_every_field_of_the_example_arrives() -> None:
    messages = admission().tickets(orjson.dumps([TICKET, SMALL_TICKET]), JSON)
    full, small = (TicketReceived.model_validate_json(m.value, strict=True) for m in messages)
    assert full.model_fields_set == set(TicketReceived.model_fields)
    assert full.created_at.isoformat() == "2026-03-02T07:15:00+00:00"
    assert full.received_at == NOW
    assert (full.subject, full.queue, full.language, full.channel, full.attributes) == (
        TICKET["subject"], TICKET["queue"], TICKET["language"], TICKET["channel"],
        TICKET["attributes"],
    )  # fmt: skip
    assert full.requester == Pseudonyms(b"k" * 32).of(TICKET["requester"])
    assert (small.queue, small.language, small.channel, small.requester) == (
        None, None, "unknown", "",
    )  # fmt: skip


def test_corrections_arrive() -> None:
    desk = admission()
    batch = desk.read_corrections(orjson.dumps([CORRECTION, SMALL_CORRECTION]), JSON)
    messages = desk.corrections(batch, {})
    full, small = (TicketCorrected.model_validate_json(m.value, strict=True) for m in messages)
    assert (full.topic, full.priority, full.queue, full.actor) == ("vpn", "high", None, "agent-7")
    assert small.corrected_at == NOW
    assert small.queue == SMALL_CORRECTION["queue"]


def test_event_id_is_kept_or_made() -> None:
    assert received(event_id="e-1").event_id == "e-1"
    assert received().event_id != received().event_id


class Renaming(TopicPost):
    """A control of another route that happens to have the same fields."""

    kind = "renaming"


def test_an_idempotency_key_is_one_of_its_route() -> None:
    desk, raw = admission(), orjson.dumps({"actor": "kim", "name": "lamps"})
    desk._controls[Renaming] = BodyReader(Renaming, 500)

    def event_id(post: type[ControlPost], key: str) -> str:
        [message] = desk.controls(post, raw, JSON, key)
        return str(orjson.loads(message.value)["event_id"])

    assert event_id(TopicPost, "a") == event_id(TopicPost, "a")
    assert event_id(TopicPost, "a") != event_id(Renaming, "a")


def test_text_is_masked_wherever_it_stands() -> None:
    address = "bob@example.org"
    event = received(subject=address, body=f"x {address}", attributes={"a": address, "n": 5})
    assert address not in event.model_dump_json()
    assert event.attributes["n"] == 5


@pytest.mark.parametrize(
    ("ahead", "fine"), [(timedelta(days=1), True), (timedelta(days=1, seconds=1), False)]
)
def test_the_future_ends_in_a_day(ahead: timedelta, fine: bool) -> None:
    created = (NOW + ahead).isoformat()
    if fine:
        assert received(created_at=created).created_at == NOW + ahead
        return
    with pytest.raises(InvalidEvent) as caught:
        admission().tickets(orjson.dumps([ticket(), ticket(created_at=created)]), JSON)
    assert [error.pointer for error in caught.value.errors] == ["/1/created_at"]


def test_the_end_of_time_is_no_crash() -> None:
    with pytest.raises(InvalidEvent):
        received(created_at="9999-12-31T23:59:59-12:00")


def test_future_faults_of_lines_name_the_line() -> None:
    late = orjson.dumps(ticket(created_at="2030-01-01T00:00:00Z"))
    with pytest.raises(InvalidEvent) as caught:
        admission().tickets(orjson.dumps(ticket()) + b"\n\n" + late, NDJSON[0])
    [error] = caught.value.errors
    assert error.pointer == "/1/created_at"
    assert error.detail.startswith("line 3: ")


def test_an_oversize_record_is_named_and_nothing_enters() -> None:
    small, large = ticket(), ticket(attributes={"k": "v" * 2_000})
    with pytest.raises(TooLarge) as caught:
        admission(max_record_bytes=1_000).tickets(orjson.dumps([small, large]), JSON)
    assert [error.pointer for error in caught.value.errors] == ["/1"]


def test_the_largest_text_there_can_be_fits_the_default_limit() -> None:
    # Control characters are the dearest: six bytes each in JSON.
    event = received(subject="\x01" * 1_000, body="\x01" * 100_000)
    assert len(event.body) == 100_000
