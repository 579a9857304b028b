"""Read at most once a second, and at once where it was changed here."""

import asyncio
from datetime import UTC, datetime, timedelta

from services.forecaster.adapters.recent import FRESH, Recent

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Counted:
    """Answers how often it was read, once the gate is open."""

    def __init__(self) -> None:
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self) -> int:
        self.reads += 1
        found = self.reads
        await self.gate.wait()
        return found


async def test_read_anew_when_a_second_has_passed() -> None:
    now, counted = [NOON], Counted()
    recent = Recent(counted.read, lambda: now[0])
    assert [await recent.get(), await recent.get()] == [1, 1]
    now[0] += FRESH - timedelta(milliseconds=1)
    assert await recent.get() == 1
    now[0] = NOON + FRESH
    assert await recent.get() == 2


async def test_a_clock_that_steps_back_does_not_keep_it_for_ever() -> None:
    now, counted = [NOON], Counted()
    recent = Recent(counted.read, lambda: now[0])
    await recent.get()
    now[0] -= timedelta(hours=1)
    assert await recent.get() == 2


async def test_what_was_changed_here_is_read_anew() -> None:
    counted = Counted()
    recent = Recent(counted.read, lambda: NOON)
    await recent.get()
    recent.forget()
    assert [await recent.get(), await recent.get()] == [2, 2]


async def test_what_was_changed_while_it_was_read_is_not_kept() -> None:
    counted = Counted()
    recent = Recent(counted.read, lambda: NOON)
    counted.gate.clear()
    reading = asyncio.create_task(recent.get())
    await asyncio.sleep(0)
    recent.forget()
    counted.gate.set()
    assert await reading == 1
    assert await recent.get() == 2
