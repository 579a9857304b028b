"""The parked command on a parking lot in memory: what it chooses, does, says and answers."""

import argparse
import io
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from services.classifier.adapters.parked_topic import MemoryParkingLot
from services.classifier.commands import parked
from shared.clock import utc_now
from shared.errors import BadRequest, NotFound
from shared.events import RecordParked, TicketReceived

NOW = utc_now()
TICKET = TicketReceived(
    event_id="e1", ticket_id="T-1", created_at=NOW, received_at=NOW, subject="VPN"
)


def _parked(
    offset: int,
    value: bytes | None,
    reason: str = "not-json",
    topic: str = "tickets.received.v1",
    age: timedelta = timedelta(0),
) -> RecordParked:
    return RecordParked(
        source_topic=topic,
        source_partition=2,
        source_offset=offset,
        parked_at=NOW - age,
        reason=reason,
        detail="record: Invalid JSON [at line 1]",
        key=b64encode(b"T-1").decode(),
        value=None if value is None else b64encode(value).decode(),
        size=900_000 if value is None else len(value),
    )


def _lot() -> MemoryParkingLot:
    return MemoryParkingLot(
        [
            _parked(1, b"{broken", age=timedelta(hours=5)),
            _parked(2, TICKET.model_dump_json().encode(), "model-error"),
            _parked(3, None, "too-large"),
            _parked(4, b"?", "invalid-event", "tickets.labelled.v1"),
        ]
    )


async def _perform(lot: MemoryParkingLot, *words: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    parked.configure(parser)
    out = io.StringIO()
    console = Console(file=out, width=200, highlight=False)
    code = await parked.perform(lot, parser.parse_args(words), console)
    return code, out.getvalue()


async def test_list_shows_what_waits() -> None:
    code, text = await _perform(_lot(), "list")
    assert code == 0
    assert "2@1" in text
    assert "tickets.labelled.v1:2@4" in text
    assert "[at line 1]" in text
    assert "4 records" in text


async def test_list_by_reason_and_time() -> None:
    _, by_reason = await _perform(_lot(), "list", "--reason", "model-error")
    assert "2@2" in by_reason
    assert "2@1" not in by_reason
    _, by_time = await _perform(_lot(), "list", "--since", "2h")
    assert "2@2" in by_time
    assert "2@1" not in by_time


async def test_an_empty_list_says_so() -> None:
    assert await _perform(MemoryParkingLot(), "list") == (
        0,
        "No parked record waits for a decision.\n",
    )


async def test_show_has_the_whole_value() -> None:
    _, text = await _perform(_lot(), "show", "2@1")
    assert "{broken" in text
    assert "not-json" in text


async def test_show_says_that_a_large_value_was_not_kept() -> None:
    _, text = await _perform(_lot(), "show", "2@3")
    assert "900,000 bytes, not kept" in text


async def test_replay_puts_back_what_decodes_and_only_once() -> None:
    lot = _lot()
    code, text = await _perform(lot, "replay", "--reason", "model-error")
    assert (code, lot.received) == (0, [TICKET])
    assert "1 put back, 0 stay" in text
    code, text = await _perform(lot, "replay", "2@2")
    assert (code, lot.received) == (0, [TICKET])
    assert "2@2 was replayed at" in text


async def test_replay_names_what_stays_and_what_to_do() -> None:
    lot = _lot()
    code, text = await _perform(lot, "replay", "--all")
    assert (code, lot.received) == (1, [TICKET])
    assert "2@1 stays: record: Invalid JSON" in text
    assert "--repaired FILE" in text
    assert "post the ticket's event again" in text
    assert "1 put back, 3 stay" in text


async def test_replay_with_a_repaired_content(tmp_path: Path) -> None:
    lot, file = _lot(), tmp_path / "ticket.json"
    file.write_text(TICKET.model_dump_json())
    code, _ = await _perform(lot, "replay", "2@1", "--repaired", str(file))
    assert (code, lot.received) == (0, [TICKET])
    assert "2@1" not in (await _perform(lot, "list"))[1]


async def test_a_repaired_content_must_be_a_ticket(tmp_path: Path) -> None:
    file = tmp_path / "ticket.json"
    file.write_text('{"event_id": "e"}')
    with pytest.raises(BadRequest, match="ticket_id: Field required"):
        await _perform(_lot(), "replay", "2@1", "--repaired", str(file))
    with pytest.raises(BadRequest, match="cannot be read"):
        await _perform(_lot(), "replay", "2@1", "--repaired", str(tmp_path / "none"))
    with pytest.raises(BadRequest, match="exactly one"):
        await _perform(_lot(), "replay", "--all", "--repaired", str(file))


async def test_discard_decides_and_list_all_remembers() -> None:
    lot = _lot()
    code, text = await _perform(lot, "discard", "2@1", "2@3")
    assert (code, text) == (0, "2 discarded\n")
    assert lot.received == []
    _, shown = await _perform(lot, "list")
    assert "2@1" not in shown
    _, everything = await _perform(lot, "list", "--all")
    assert everything.count("discarded") == 2


@pytest.mark.parametrize("verb", ["replay", "discard"])
async def test_nothing_is_decided_by_omission(verb: str) -> None:
    with pytest.raises(BadRequest, match="name the records"):
        await _perform(_lot(), verb)


async def test_an_unknown_record_is_named() -> None:
    with pytest.raises(NotFound, match="7@7"):
        await _perform(_lot(), "show", "7@7")
