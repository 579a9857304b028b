"""Combinations of queue, topic and priority: noted by batches, folded once."""

import orjson

from services.forecaster.adapters.read_side import Position
from services.forecaster.domain.projection.labels import Retention, project
from services.forecaster.domain.projection.mixes import fold_commands
from services.forecaster.folding import NOTES_AT_ONCE, MixFolding
from shared import redis_keys as keys
from shared.mixes import Mix
from shared.queues import QueueDirectory
from tests.builders import NOON, a_label
from tests.fakes import InMemoryReadSide

RETENTION = Retention(100, 100, 10)


async def project_batch(read_side: InMemoryReadSide, first: int, count: int) -> None:
    labels = [a_label(n, priority=None if n % 2 else "high") for n in range(first, first + count)]
    projection = project(labels, first - 1, {}, QueueDirectory(), RETENTION)
    commands = projection.commands(RETENTION, NOON)
    at = (await read_side.position("labels", 0)).offset
    await read_side.apply("labels", 0, at, Position(first + count), commands)


def test_a_mix_is_read_back_whatever_it_is_called() -> None:
    for mix in (Mix("vpn", "high"), Mix("a:b/c d", ""), Mix("", "low"), Mix("\x1f", "x")):
        assert Mix.of(mix.member) == mix
    assert Mix("vpn", "high").matches(None, "high")
    assert Mix("vpn", "high").matches("vpn", None)
    assert not Mix("vpn", "").matches("vpn", "high")


async def test_a_batch_leaves_one_note_and_notes_are_added_up() -> None:
    read_side = InMemoryReadSide()
    for first in (0, 4, 8):
        await project_batch(read_side, first, 4)
    assert len(read_side.notes) == 3
    assert orjson.loads(read_side.notes[0])[0] == ["Unrouted", "vpn", "high", 20514, 2]
    read_side.applied.clear()
    assert await MixFolding(read_side).fold() == 3
    assert read_side.notes == []
    counted = {c[1]: c[-2:] for c in read_side.applied if c[0] == "BITFIELD"}
    day = NOON.timetuple().tm_yday - 1
    assert counted == {
        keys.mix("2026", "Unrouted", Mix("vpn", each).member): (f"#{day}", 6)
        for each in ("high", "")
    }
    [members] = [command for command in read_side.applied if command[0] == "SADD"]
    assert members[1] == keys.mixes("Unrouted")
    assert await MixFolding(read_side).fold() == 0


async def test_notes_that_another_process_folded_are_not_folded_again() -> None:
    read_side = InMemoryReadSide()
    await project_batch(read_side, 0, 4)
    notes = list(read_side.notes)
    assert await MixFolding(read_side).fold() == 1
    before = len(read_side.applied)
    stale = await read_side.apply(keys.MIX_NOTES, 0, 0, Position(1), fold_commands(notes))
    assert stale == 1
    assert len(read_side.applied) == before


async def test_many_notes_are_folded_in_portions() -> None:
    read_side = InMemoryReadSide()
    for first in range(NOTES_AT_ONCE + 7):
        await project_batch(read_side, first, 1)
    folding = MixFolding(read_side)
    assert [await folding.fold() for _ in range(3)] == [NOTES_AT_ONCE, 7, 0]
    assert (await read_side.position(keys.MIX_NOTES, 0)).offset == NOTES_AT_ONCE + 7
