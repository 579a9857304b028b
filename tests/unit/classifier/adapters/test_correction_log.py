"""Bytes of the correction log into events, or into nothing."""

import pytest
from aiokafka import ConsumerRecord

from services.classifier.adapters.correction_log import decoded
from shared.events import Event, RefitDue
from tests.builders import NOON, a_correction


def a_record(value: bytes | None) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord("log", 0, 7, 0, 0, b"k", value, None, 0, len(value or b""), ())


@pytest.mark.parametrize("event", [a_correction(), RefitDue(event_id="r", received_at=NOON)])
def test_an_event_is_read(event: Event) -> None:
    value = event.model_dump_json().encode()
    found = decoded(a_record(value))
    assert (found.offset, found.event) == (7, event)


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b'{"kind": "of tomorrow"}', b'{"kind": "correction"}', b"\xff"]
)
def test_what_is_no_event_is_a_record_all_the_same(value: bytes | None) -> None:
    found = decoded(a_record(value))
    assert (found.offset, found.event) == (7, None)
