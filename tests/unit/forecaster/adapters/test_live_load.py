"""Live load: read again and again, and still as it is by now."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.forecaster.adapters.live_load import LiveLoad
from services.forecaster.adapters.recent import FRESH
from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.series import Frequency, History, day_of
from shared import redis_keys
from shared.errors import NotFound
from shared.forecasting import SeriesName
from shared.queues import QueueDirectory
from shared.windows import Dimension, Grain, cell_of
from tests.fakes import InMemoryStore

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KOLKATA = Calendar("Asia/Kolkata")  # half past an hour
CALENDARS = [Calendar(), Calendar("Europe/London"), KOLKATA, Calendar("America/St_Johns")]


class Helpdesk:
    """Tickets in the windows of one queue and its topic, put there as they come."""

    def __init__(self) -> None:
        self.now = NOON
        self.store = InMemoryStore()
        self.load = LiveLoad(self.store, QueueDirectory(), lambda: self.now)
        # A source that is silent for a week has no days after its last ticket.
        self.count(NOON - timedelta(hours=1), queue="Desk")

    def count(self, moment: datetime, tickets: int = 1, queue: str = "HR") -> None:
        self.now += FRESH
        for dimension, name in ((Dimension.QUEUE, queue), (Dimension.TOPIC, "pay")):
            self.store.sets.setdefault(redis_keys.series(dimension), set()).add(name)
            for grain in (Grain.HOUR, Grain.DAY):
                key = redis_keys.load(grain, f"{moment.year}", dimension, name)
                cell = cell_of(grain, moment)
                packed = np.zeros(max(cell + 1, len(self.store.stored.get(key, b"")) // 4), ">u4")
                stored = np.frombuffer(self.store.stored.get(key, b""), ">u4")
                packed[: len(stored)] = stored
                packed[cell] += tickets
                self.store.stored[key] = packed.tobytes()

    async def history(
        self, calendar: Calendar = CALENDARS[0], frequency: Frequency = Frequency.DAILY
    ) -> History:
        target = await self.load.resolve(SeriesName(queue="HR"))
        return await self.load.history(target, target.parts, frequency, calendar)


@pytest.mark.parametrize("calendar", CALENDARS, ids=lambda each: each.timezone)
async def test_every_closed_hour_counts_however_late_it_was_counted(calendar: Calendar) -> None:
    desk = Helpdesk()
    desk.count(NOON - timedelta(days=400))
    before = await desk.history(calendar)
    for hours in (36, 40 * 24, 14, 20, 17, 18, 15, 16, 399 * 24):
        desk.count(NOON - timedelta(hours=hours))
        found = await desk.history(calendar)
        today = calendar.local_days(np.array([int(NOON.timestamp()) // 3600]))[0]
        day = calendar.local_days(np.array([int(NOON.timestamp()) // 3600 - hours]))[0]
        assert found.values.sum() == before.values.sum() + (day < today)
        before = found
    assert await desk.history(calendar) is before


async def test_what_comes_today_moves_the_hours_and_not_the_days() -> None:
    desk = Helpdesk()
    for moment in (NOON - timedelta(days=30), NOON - timedelta(hours=1)):
        desk.count(moment)
    days = await desk.history()
    desk.count(NOON - timedelta(hours=2), 7)
    assert await desk.history() is days
    assert (await desk.history(frequency=Frequency.HOURLY)).values[-2] == 7


async def test_older_tickets_than_any_so_far_are_found_a_minute_later() -> None:
    desk = Helpdesk()
    desk.count(NOON - timedelta(days=30))
    await desk.history()
    first = NOON - timedelta(days=3 * 365)
    desk.count(first)
    desk.now += timedelta(minutes=1)
    assert day_of((await desk.history()).start) == first.date()


async def test_a_new_day_is_learned_from() -> None:
    desk = Helpdesk()
    desk.count(NOON - timedelta(days=30))
    before = await desk.history()
    desk.now += timedelta(days=1)
    assert (await desk.history()).end == before.end + 1


async def test_a_queue_is_known_with_its_first_ticket_by_path_and_by_id() -> None:
    desk = Helpdesk()
    desk.count(NOON)
    await desk.history()
    with pytest.raises(NotFound, match="IT"):
        await desk.load.resolve(SeriesName(queue="IT/Network"))
    desk.count(NOON, queue="IT/Network")
    found = await desk.load.resolve(SeriesName(queue="IT/Network"))
    assert found.parts == ("IT/Network",)
    again = await desk.load.resolve(SeriesName(queue=str(found.queue_id)))
    assert again == found
    desk.now += timedelta(seconds=1)
    assert (await desk.load.resolve(SeriesName(queue="IT"))).parts == ("IT/Network",)
    assert (await desk.load.resolve(SeriesName(queue="0"))).parts == ("Desk", "HR", "IT/Network")


async def test_a_sum_is_of_all_below_from_the_first_of_them_on() -> None:
    desk = Helpdesk()
    for number in range(40):
        desk.count(NOON - timedelta(days=40 - number), number, queue=f"IT/{number}")
    for name, tickets in (("IT", sum(range(40))), ("0", 1 + sum(range(40)))):
        target = await desk.load.resolve(SeriesName(queue=name))
        days, hours = [
            await desk.load.history(target, target.parts, frequency, CALENDARS[0])
            for frequency in (Frequency.DAILY, Frequency.HOURLY)
        ]
        assert day_of(days.start) == (NOON - timedelta(days=39)).date()
        assert hours.values.sum() == tickets
        assert days.values.tolist() == list(range(1, 40))


async def test_a_queue_without_tickets_has_no_days() -> None:
    desk = Helpdesk()
    desk.load = LiveLoad(desk.store, QueueDirectory(ids={"HR": 5}), lambda: desk.now)
    assert len((await desk.history()).values) == 0
    assert len((await desk.history(frequency=Frequency.HOURLY)).values) == 0
