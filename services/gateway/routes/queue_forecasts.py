"""Forecasts by queue path, how good they would have been, and how published ones turned out."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi import Query as InQuery
from pydantic import ConfigDict, Field

from services.gateway.dependencies import DatasetId, Gateway, Name, Query
from services.gateway.routes.forecast import (
    HorizonDays,
    ModelChoice,
    ModelType,
    made,
)
from shared.dates import Day
from shared.forecast_result import QueueForecast
from shared.forecasting import (
    Accuracy,
    Backtest,
    BacktestOrder,
    ForecastOrder,
    SeriesName,
)
from shared.granularity import Granularity
from shared.http.problems import responses

router = APIRouter(prefix="/api/v1/forecasts", tags=["forecasts"])
QueuePath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=200,
        description="A queue's path or id, with everything below it; 0 is all queues.",
        examples=["IT/Network"],
    ),
]


class SeriesQuery(Query):
    """Of a queue's tickets only those of one topic, of one priority, or of both together."""

    topic: Name | None = None
    priority: Name | None = None
    dataset_id: DatasetId | None = None

    def series(self, queue: str) -> SeriesName:
        """The same as the forecaster's port wants it."""
        return SeriesName(
            queue=queue, topic=self.topic, priority=self.priority, dataset_id=self.dataset_id
        )


class ForecastQuery(SeriesQuery):
    """How far, in which intervals, from when on."""

    model_config = ConfigDict(protected_namespaces=())

    horizon: HorizonDays = 30
    granularity: Granularity = Granularity.DAILY
    model_type: ModelChoice = ModelType.AUTO
    start_date: Day | None = Field(
        default=None, description="The first day forecast, from nothing but the days before it."
    )


class BacktestQuery(SeriesQuery):
    """How far each forecast looks, and how many are judged."""

    horizon: HorizonDays = 28
    origins: int = Field(default=4, ge=1, le=20)


@router.get(
    "/{queue:path}/backtest",
    operation_id="read_backtest",
    summary="How good forecasts of a queue would have been",
    responses=responses(400, 404, 422, 503),
)
async def backtest(
    queue: QueuePath, query: Annotated[BacktestQuery, InQuery()], gateway: Gateway
) -> Backtest:
    """Rolling origins over its days, each seeing only its past, by the code that serves."""
    order = BacktestOrder(series=query.series(queue), horizon=query.horizon, origins=query.origins)
    content = order.model_dump_json().encode()
    return Backtest.model_validate_json(
        await gateway.forecasts.ask("POST", "/backtests", content=content)
    )


@router.get(
    "/{queue:path}/accuracy",
    operation_id="read_accuracy",
    summary="How the published forecasts of a queue turned out",
    responses=responses(404, 422, 503),
)
async def accuracy(queue: QueuePath, gateway: Gateway) -> Accuracy:
    """Every day one is published for every queue, and held to what happened for 84 days."""
    content = SeriesName(queue=queue).model_dump_json().encode()
    return Accuracy.model_validate_json(
        await gateway.forecasts.ask("POST", "/accuracy", content=content)
    )


@router.get(
    "/{queue:path}",
    operation_id="read_forecast",
    summary="The forecast of a queue, a topic or a priority, with intervals",
    response_model=QueueForecast,
    responses=responses(400, 404, 422, 503),
)
async def read_forecast(
    queue: QueuePath, query: Annotated[ForecastQuery, InQuery()], gateway: Gateway
) -> Response:
    """The day that has begun moves as its hours close.

    A topic or priority within a queue has its share of the queue's forecast, by the mix of the
    last eight weeks.
    """
    order = ForecastOrder(
        series=query.series(queue),
        horizon=query.horizon,
        granularity=query.granularity,
        method=query.model_type.method,
        start=query.start_date,
    )
    return await made(order, gateway)
