"""Whatever lies on the topic becomes a ticket or a refusal, never an exception."""

import pytest

from services.classifier.domain.decoding import Decoded, decode, split
from shared.parking import Refused
from tests.builders import a_ticket

GOOD = a_ticket().model_dump_json().encode()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "not-json"),
        (b"\xff{bad", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b"null", "invalid-event"),
        (b"{}", "invalid-event"),
        (GOOD.replace(b'"T-1"', b"17"), "invalid-event"),
        (GOOD.replace(b"2026-03-02T12:00:00Z", b"2026-03-02T12:00:00"), "invalid-event"),
        (GOOD.replace(b'"attributes":{}', b'"attributes":{"a":[1]}'), "invalid-event"),
    ],
)
def test_poison_is_refused_with_its_reason(value: bytes | None, reason: str) -> None:
    outcome = decode(7, b"k", value)
    assert isinstance(outcome, Refused)
    assert (outcome.offset, outcome.reason, outcome.value) == (7, reason, value)
    assert outcome.detail


def test_a_newer_writer_may_add_fields() -> None:
    outcome = decode(0, None, GOOD[:-1] + b',"mood":"angry"}')
    assert isinstance(outcome, Decoded)
    assert outcome.ticket == a_ticket()


def test_the_detail_names_the_field_but_never_the_customers_text() -> None:
    value = GOOD.replace(b'"subject":"VPN"', b'"subject":{"my password":"is hunter2"}')
    outcome = decode(0, None, value)
    assert isinstance(outcome, Refused)
    assert "subject" in outcome.detail
    assert "hunter2" not in outcome.detail


def test_splitting_keeps_the_order() -> None:
    tickets, refused = split([decode(n, None, GOOD if n % 2 else b"x") for n in range(5)])
    assert ([t.offset for t in tickets], [r.offset for r in refused]) == ([1, 3], [0, 2, 4])
