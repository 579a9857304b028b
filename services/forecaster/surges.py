"""The watch for surges: every hour of every queue and topic, by the windows that Redis holds.

What is told goes to alerts.raised.v1 first; Redis has it from there (`AlertProjection`). So
neither a restart nor an empty Redis makes anyone tell it again.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from mode import Service

from services.forecaster.adapters.surge_windows import SurgeWindows
from services.forecaster.calendars import Calendars
from services.forecaster.domain.forecasting.calendar import HOURS_PER_WEEK
from services.forecaster.domain.forecasting.series import FloatArray, IntArray, hour_number
from services.forecaster.domain.surges.incidents import (
    Series,
    SurgeRule,
    SurgeWatch,
    Told,
    Window,
)
from services.forecaster.domain.surges.monitor import WATCHED_HOURS, SurgeMonitor
from services.forecaster.domain.surges.sightings import described, explained
from services.forecaster.domain.surges.telling import told
from shared import metrics
from shared.clock import Clock
from shared.errors import DeskstreamError
from shared.events import AlertRaised
from shared.streaming.producer import Outbox
from shared.topics import ALERTS
from shared.windows import Dimension

log = logging.getLogger(__name__)

# How long after its end an hour is taken for complete: labels need a moment.
GRACE = timedelta(minutes=1)
Judged = tuple[FloatArray, FloatArray]
OffLoop = Callable[[Callable[[], Judged]], Awaitable[Judged]]


@dataclass(frozen=True, slots=True, eq=False)
class Hour:
    """One hour of every series watched, shape (S,) each."""

    step: int
    tickets: IntArray
    expected: FloatArray
    scores: FloatArray


class SurgeAlerts(Service):  # type: ignore[misc]
    """Tells each incident once, when it begins and when it is over.

    not_ready: why this process must not judge now, None if it may: the read side is being
    rebuilt, what was told is not all read yet, or another process has the partition of alerts.
    """

    def __init__(
        self,
        windows: SurgeWindows,
        outbox: Outbox,
        calendars: Calendars,
        clock: Clock,
        *,
        not_ready: Callable[[], Awaitable[str | None]],
        off_loop: OffLoop,
        rule: SurgeRule | None = None,
        fresh_hours: int = 3,
        look_seconds: float = 10.0,
    ) -> None:
        super().__init__()
        self._windows = windows
        self._outbox = outbox
        self._calendars = calendars
        self._clock = clock
        self._not_ready = not_ready
        self._off_loop = off_loop
        self._rule = rule or SurgeRule()
        self._fresh_hours = fresh_hours
        self._look_seconds = look_seconds
        self._watch: SurgeWatch | None = None
        self._steady = False
        self._monitor = SurgeMonitor(0)

    @Service.task  # type: ignore[untyped-decorator]
    async def _look_often(self) -> None:
        while not self.should_stop:
            try:
                await self.look()
            except DeskstreamError as error:
                log.warning("surges not looked for: %s", error.detail)
                # Some hours may be learned and not judged; begin anew from what was told.
                self.forget()
            await self.sleep(self._look_seconds)

    def forget(self) -> None:
        """Begin anew at the next look, from what was told by then."""
        self._watch, self._steady = None, False

    async def look(self) -> None:
        """Judge the hours closed since the last look, and what the hour under way has so far."""
        if await self._not_ready() is not None:
            # Whoever watches next may tell more; start again from what was told by then.
            self.forget()
            return
        if not self._steady:
            # A log that is nearly read may be one that is nearly read from its beginning.
            self._steady = True
            return
        now = self._clock()
        closed = hour_number(now - GRACE)
        if self._watch is None:
            watch = SurgeWatch(self._rule)
            watch.restore(*await self._windows.remembered())
            self._monitor = SurgeMonitor(closed - WATCHED_HOURS)
            self._watch = watch
        await self._join()
        await self._close_hours(self._watch, closed, now)
        await self._outlook(self._watch, hour_number(now), now)
        metrics.OPEN_ALERTS.set(len(self._watch.open_incidents))

    async def _join(self) -> None:
        """Watch every queue and topic that there is by now."""
        known, first = set(self._monitor.series), self._monitor.step
        new = [each for each in await self._windows.series() if each not in known]
        if not new:
            return
        end = max(hour_number(self._clock()) + 1, first + 1)
        busy = await self._windows.counts(new, first, end) > 0
        # One without a ticket so far begins when this hour is over at the earliest.
        begins = np.where(busy.any(axis=1), first + busy.argmax(axis=1), end)
        self._monitor.join(new, begins)

    async def _close_hours(self, watch: SurgeWatch, closed: int, now: datetime) -> None:
        while self._monitor.step < closed:
            first, series = self._monitor.step, self._monitor.series
            # A week at a time: forecasts that are asked for need the same thread.
            end = min(closed, first + HOURS_PER_WEEK)
            counts = await self._windows.counts(series, first, end)
            cells = self._cells(series, np.arange(first, end))
            expected, scores = await self._off_loop(
                partial(_replayed, self._monitor, cells, counts)
            )
            for at, step in enumerate(range(first, end)):
                hour = Hour(step, counts[:, at], expected[:, at], scores[:, at])
                fresh = step >= closed - self._fresh_hours
                await self._observe(watch, hour, now, fresh=fresh)

    async def _outlook(self, watch: SurgeWatch, step: int, now: datetime) -> None:
        if self._monitor.step != step:
            return  # in the minute of grace the hour before is still open
        series = self._monitor.series
        counts = (await self._windows.counts(series, step, step + 1))[:, 0]
        cells = self._cells(series, np.array([step]))[:, 0]
        expected, scores = self._monitor.outlook(cells, counts.astype(np.float64))
        await self._observe(watch, Hour(step, counts, expected, scores), now, under_way=True)

    async def _observe(
        self,
        watch: SurgeWatch,
        hour: Hour,
        now: datetime,
        *,
        fresh: bool = True,
        under_way: bool = False,
    ) -> None:
        tell: list[Told] = []
        for window in self._worth_a_look(watch, hour, fresh=fresh, under_way=under_way):
            full = window
            if watch.suspicious(window.score, window.tickets):
                seen = await self._windows.sightings(window.series, window.step)
                full = described(window, seen)
                told_before = watch.follows(window.series)
                if not told_before and explained(full, seen, watch.open_incidents):
                    continue
            tell += watch.observe(full, now, may_begin=fresh)
        await self._tell([told(phase, incident, now) for phase, incident in tell])

    def _worth_a_look(
        self, watch: SurgeWatch, hour: Hour, *, fresh: bool, under_way: bool
    ) -> list[Window]:
        """Windows that may begin an incident, and closed ones that one goes on in or not.

        Topics first: an outage fills its queue as well, but has its name from the topic.
        """
        rows = np.zeros(len(hour.scores), np.bool_)
        if fresh:
            rows = (hour.scores >= self._rule.threshold) & (hour.tickets >= self._rule.min_tickets)
        for incident in watch.open_incidents:
            row = self._monitor.row_of(incident.series)
            if row is not None:
                rows[row] = not under_way
        windows = [
            Window(
                series=self._monitor.series[row],
                step=hour.step,
                tickets=int(hour.tickets[row]),
                expected=float(hour.expected[row]),
                score=float(hour.scores[row]),
            )
            for row in np.flatnonzero(rows)
        ]
        return sorted(windows, key=_topics_then_score)

    async def _tell(self, alerts: Sequence[AlertRaised]) -> None:
        if not alerts:
            return
        entries = [(a.alert_id.encode(), a.model_dump_json().encode()) for a in alerts]
        await self._outbox.send(ALERTS.name, 0, entries)
        for alert in alerts:
            log.warning(
                "surge %s: %s, topic %s, queue %s, %s tickets where %s were expected",
                alert.state,
                alert.alert_id,
                alert.topic,
                alert.queue,
                alert.tickets,
                alert.expected,
            )

    def _cells(self, series: Sequence[Series], steps: IntArray) -> IntArray:
        """Local hour of the week of every step, shape (series, steps)."""
        clocks = [
            self._calendars.of(each.name if each.dimension is Dimension.QUEUE else "")
            for each in series
        ]
        by_zone = {each.timezone: each.hour_of_week(steps) for each in clocks}
        rows = [by_zone[each.timezone] for each in clocks]
        return np.array(rows, np.int64).reshape(len(series), len(steps))


def _topics_then_score(window: Window) -> tuple[bool, float]:
    return window.series.dimension is not Dimension.TOPIC, -window.score


def _replayed(monitor: SurgeMonitor, cells: IntArray, counts: IntArray) -> Judged:
    hours = [
        monitor.close(cells[:, at], counts[:, at].astype(np.float64))
        for at in range(counts.shape[1])
    ]
    expected, scores = zip(*hours, strict=True)
    return np.stack(expected, axis=1), np.stack(scores, axis=1)
