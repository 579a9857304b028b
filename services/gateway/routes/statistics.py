"""Contract A's statistics: averages per weekday and week, and what is known of one queue."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.adapters.load_reader import LoadReader
from services.gateway.dependencies import DatasetId, Gateway, Query, QueueId
from services.gateway.domain.load import Span
from services.gateway.domain.statistics import (
    WEEKDAYS,
    LoadStatistics,
    TimeStatistics,
    load_statistics,
    time_statistics,
    week_averages,
    weekday_averages,
    within_data,
)
from services.gateway.routes.load import DatedQuery
from shared.errors import BadRequest
from shared.granularity import Granularity, resample
from shared.http.problems import responses
from shared.queues import QueueNode
from shared.windows import Counts, Grain

router = APIRouter(prefix="/api", tags=["load"])


class QueueDatedQuery(DatedQuery):
    """Both dates are needed."""

    queue_id: QueueId


class StatisticsQuery(QueueDatedQuery):
    """The same, and the interval the load is judged by."""

    granularity: Granularity = Granularity.DAILY


class DataQuery(Query):
    """Live data, or an uploaded dataset."""

    dataset_id: DatasetId | None = None


class DataStatus(BaseModel):
    """Whether any ticket has been counted, and from when to when."""

    status: bool
    message: str = Field(examples=["tickets from 2026-01-01 to 2026-03-31"])


class DailyAverage(BaseModel):
    """Mean tickets of each weekday."""

    queue_id: int
    weekdays: list[str] = Field(examples=[list(WEEKDAYS)])
    average_load: list[float] = Field(examples=[[120.5, 98, 97, 101, 88.5, 20, 12]])


class WeeklyAverage(BaseModel):
    """Mean tickets of each ISO week; a week cut by a date counts as its mean day times seven."""

    queue_id: int
    week: list[str] = Field(examples=[["week 1", "week 2"]])
    average_load: list[float] = Field(examples=[[610.0, 587.5]])


class Structure(BaseModel):
    """Where the queue stands. Leaves and depth are of what lies below it; queue 0 is level 0."""

    model_config = ConfigDict(from_attributes=True)

    level: int
    direct_children: int
    all_descendants: int
    leaf_nodes: int
    depth: int
    parent_id: int | None


class QueueStatistics(BaseModel):
    """Of the days asked for that have data."""

    queue_id: int
    start_date: date
    end_date: date
    granularity: Granularity
    structure: Structure
    load: LoadStatistics
    time: TimeStatistics


@router.get(
    "/data-status",
    operation_id="read_data_status",
    summary="Is there any data, and from when to when?",
    responses=responses(404, 422, 503),
)
async def data_status(query: Annotated[DataQuery, InQuery()], gateway: Gateway) -> DataStatus:
    """False until the first ticket is counted."""
    extent = await (await gateway.load_of(query.dataset_id)).extent()
    if extent is None:
        return DataStatus(status=False, message="no tickets yet")
    return DataStatus(status=True, message=f"tickets from {extent.first} to {extent.last}")


@router.get(
    "/daily_average",
    operation_id="read_daily_average",
    summary="Mean tickets of each weekday",
    responses=responses(400, 404, 422, 503),
)
async def daily_average(
    query: Annotated[QueueDatedQuery, InQuery()], gateway: Gateway
) -> DailyAverage:
    """Over the days asked for that have data; 400 where none has."""
    load = await gateway.load_of(query.dataset_id)
    node = (await load.tree()).find_id(query.queue_id)
    span = within_data(_required(query), await load.extent())
    daily = await load.counts(node, Grain.DAY, span)
    return DailyAverage(
        queue_id=query.queue_id,
        weekdays=list(WEEKDAYS),
        average_load=weekday_averages(daily, span.first),
    )


@router.get(
    "/weekly_average/{queue_id}",
    operation_id="read_weekly_average",
    summary="Mean tickets of each week of the year",
    responses=responses(400, 404, 422, 503),
)
async def weekly_average(
    queue_id: QueueId, query: Annotated[DatedQuery, InQuery()], gateway: Gateway
) -> WeeklyAverage:
    """Without dates: all data; 400 for a date outside the data."""
    load = await gateway.load_of(query.dataset_id)
    node = (await load.tree()).find_id(queue_id)
    extent = await load.extent()
    span = query.span(extent)
    if span is None or extent is None:
        raise BadRequest("no data yet")
    if within_data(span, extent) != span:
        raise BadRequest(f"a date is outside the data, from {extent.first} to {extent.last}")
    averages = week_averages(await load.counts(node, Grain.DAY, span), span.first)
    return WeeklyAverage(queue_id=queue_id, **asdict(averages))


@router.get(
    "/queue_stats",
    operation_id="read_queue_statistics",
    summary="Structure, load and busy days of one queue",
    responses=responses(400, 404, 422, 503),
)
async def queue_stats(
    query: Annotated[StatisticsQuery, InQuery()], gateway: Gateway
) -> QueueStatistics:
    """Over the days asked for that have data; 400 where none has."""
    load = await gateway.load_of(query.dataset_id)
    tree = await load.tree()
    node = tree.find_id(query.queue_id)
    asked = _required(query)
    span = within_data(asked, await load.extent())
    span.require_at_most(query.granularity)
    daily = await load.counts(node, Grain.DAY, span)
    return QueueStatistics(
        queue_id=query.queue_id,
        start_date=asked.first,
        end_date=asked.last,
        granularity=query.granularity,
        structure=Structure.model_validate(tree.structure(node)),
        load=load_statistics(await _intervals(load, node, query.granularity, span, daily)),
        time=time_statistics(daily, span.first),
    )


async def _intervals(
    load: LoadReader, node: QueueNode | None, granularity: Granularity, span: Span, daily: Counts
) -> Counts:
    if granularity is Granularity.HOURLY:
        return await load.counts(node, Grain.HOUR, span)
    return resample(daily, span.first, granularity)[0]


def _required(query: DatedQuery) -> Span:
    span = query.span(None)
    if span is None:
        raise BadRequest("start_date and end_date are needed, as YYYY-MM-DD")
    return span
