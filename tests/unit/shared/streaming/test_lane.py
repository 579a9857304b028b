"""Only the unbroken run of finished chunks may be committed, and nothing of a void one."""

from dataclasses import dataclass

from aiokafka import TopicPartition

from shared.streaming.chunk import Chunk
from shared.streaming.lane import Lane, cut

TP = TopicPartition("t", 0)


@dataclass
class FakeRecord:
    offset: int
    key: bytes | None = None
    value: bytes | None = b""


def a_chunk(lane: Lane, start: int, size: int) -> Chunk:
    records = [FakeRecord(offset) for offset in range(start, start + size)]
    chunk = Chunk(TP, start, records, lane.pending[-1].done if lane.pending else None)
    lane.append(chunk)
    return chunk


async def test_a_later_chunk_does_not_commit_past_an_unfinished_one() -> None:
    lane = Lane()
    first, second = a_chunk(lane, 0, 10), a_chunk(lane, 10, 5)
    second.finish()
    lane.settle()
    assert not lane.idle
    first.finish()
    lane.settle()
    assert lane.applied == 15
    assert lane.idle


async def test_an_unfinished_head_leaves_nothing_to_commit() -> None:
    lane = Lane()
    a_chunk(lane, 0, 10)
    a_chunk(lane, 10, 5).finish()
    lane.settle()
    assert lane.applied is None


async def test_a_chunk_waits_for_its_predecessor() -> None:
    lane = Lane()
    first, second = a_chunk(lane, 0, 1), a_chunk(lane, 1, 1)
    first.finish()
    assert await second.turn()


async def test_closing_voids_what_is_under_way_and_wakes_who_waits() -> None:
    lane = Lane()
    a_chunk(lane, 0, 10)
    second = a_chunk(lane, 10, 10)
    lane.close()
    assert not await second.turn()
    assert not lane.idle
    lane.settle()
    assert lane.applied is None


async def test_reopening_goes_on_at_the_given_position() -> None:
    lane = Lane()
    a_chunk(lane, 0, 10).finish()
    lane.settle()
    lane.close()
    lane.reopen(3)
    assert (lane.next, lane.applied, lane.reached, lane.idle) == (3, 3, 10, True)


def test_cutting_keeps_every_record_in_order() -> None:
    records = [FakeRecord(offset) for offset in range(7)]
    runs = cut(records, 3)
    assert [len(run) for run in runs] == [3, 3, 1]
    assert [r.offset for run in runs for r in run] == list(range(7))
