"""From a forecast and what is promised to positions per hour."""

from math import ceil

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar, weekday
from services.forecaster.domain.forecasting.series import FloatArray, IntArray, hour_of
from services.forecaster.domain.staffing.drain import positions_to_drain, sampled_arrivals
from services.forecaster.domain.staffing.positions import (
    ServiceTarget,
    Staffing,
    StaffingError,
    positions_for,
)
from services.forecaster.forecasting import Forecasting
from shared.errors import BadRequest
from shared.forecasting import (
    Channel,
    ForecastOrder,
    StaffedInterval,
    StaffingNeed,
    StaffingOrder,
    StaffingPlan,
)
from shared.granularity import Granularity

HOUR_SECONDS = 3600.0
SAMPLES = 500
SATURDAY = 5


class StaffPlanning:
    """Answers how many people are needed."""

    def __init__(self, forecasting: Forecasting) -> None:
        self._forecasting = forecasting

    async def plan(self, order: StaffingOrder) -> StaffingPlan:
        """Raises BadRequest for a promise nobody can keep."""
        try:
            return await self._plan(order)
        except StaffingError as error:
            raise BadRequest(str(error)) from error

    async def _plan(self, order: StaffingOrder) -> StaffingPlan:
        if order.contacts is not None:
            if order.need.channel is Channel.MAIL:
                raise BadRequest("contacts of one interval are a question for channel calls")
            subject = await self._forecasting.subject(order.series)
            found = positions_for(
                order.contacts, 60.0 * order.interval_minutes, _target(order.need)
            )
            interval = _answered(None, order.contacts, found)
            return StaffingPlan(
                queue_id=subject.target.queue_id, channel=Channel.CALLS, intervals=[interval]
            )
        wanted = ForecastOrder(
            series=order.series, horizon=order.days, granularity=Granularity.HOURLY
        )
        subject, schedule, made = await self._forecasting.steps(wanted)
        hours = np.arange(schedule.first, schedule.first + schedule.steps)
        opened = _open_share(hours, subject.calendar, order.need)
        begins = [f"{hour_of(int(hour)):%Y-%m-%dT%H:00:00Z}" for hour in hours]
        queue_id = subject.target.queue_id
        if order.need.channel is Channel.CALLS:
            rows = _line(begins, made.mean * opened, order.need)
            return StaffingPlan(queue_id=queue_id, channel=Channel.CALLS, intervals=rows)
        arrivals = sampled_arrivals(made.quantiles, SAMPLES, seed=0)
        return await self._forecasting.off_loop(
            lambda: _drained(queue_id, begins, arrivals, opened, order.need)
        )


def _target(need: StaffingNeed) -> ServiceTarget:
    return ServiceTarget(
        handling_seconds=need.handling_seconds,
        answer_within=need.answer_seconds,
        service_level=need.service_level,
        shrinkage=need.shrinkage,
        max_occupancy=need.max_occupancy,
        patience=need.patience_seconds,
    )


def _open_share(hours: IntArray, calendar: Calendar, need: StaffingNeed) -> FloatArray:
    local = calendar.local_hours(hours)
    opened = (local % 24 >= need.open_from) & (local % 24 < need.open_to)
    if not need.weekends:
        opened &= weekday(local // 24) < SATURDAY
    if not opened.any():
        raise BadRequest("nobody works in these hours: widen open_from, open_to or weekends")
    return opened.astype(np.float64)


def _line(begins: list[str], contacts: FloatArray, need: StaffingNeed) -> list[StaffedInterval]:
    target = _target(need)
    return [
        _answered(begin, float(mean), positions_for(float(mean), HOUR_SECONDS, target))
        for begin, mean in zip(begins, contacts, strict=True)
    ]


def _answered(begins: str | None, contacts: float, found: Staffing) -> StaffedInterval:
    return StaffedInterval(
        begins=begins,
        contacts=round(contacts, 3),
        raw=found.raw,
        scheduled=found.scheduled,
        service_level=found.line.service_level,
        occupancy=found.line.occupancy,
        mean_wait_seconds=found.line.mean_wait,
        abandonment=found.line.abandonment,
    )


def _drained(
    queue_id: int, begins: list[str], arrivals: FloatArray, opened: FloatArray, need: StaffingNeed
) -> StaffingPlan:
    positions, found = positions_to_drain(
        arrivals,
        opened,
        tickets_per_position=HOUR_SECONDS / need.handling_seconds,
        backlog=need.backlog,
        due_intervals=ceil(need.answer_seconds / HOUR_SECONDS),
        service_level=need.service_level,
        breach_limit=need.breach_limit,
    )
    scheduled = ceil(positions / (1.0 - need.shrinkage))
    means = arrivals.mean(axis=0)
    return StaffingPlan(
        queue_id=queue_id,
        channel=Channel.MAIL,
        breach_probability=found.breach_probability,
        intervals=[
            StaffedInterval(
                begins=begin,
                contacts=round(float(means[i]), 3),
                raw=positions if opened[i] else 0,
                scheduled=scheduled if opened[i] else 0,
                backlog=round(float(found.backlog[i]), 3),
                late_share=round(float(found.late_share[i]), 6),
            )
            for i, begin in enumerate(begins)
        ],
    )
