"""Contract A's POST /api/forecast."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.dependencies import DatasetId, Gateway, QueueId
from shared.dates import Day
from shared.forecast_result import ForecastResult
from shared.forecasting import MAX_HORIZON_DAYS, ForecastOrder, Method, SeriesName
from shared.granularity import Granularity
from shared.http.problems import responses

router = APIRouter(prefix="/api", tags=["forecasts"])


class ModelType(StrEnum):
    """Ours, and the names that contract A's clients send."""

    AUTO = "auto"
    POOL = "pool"
    INTERMITTENT = "intermittent"
    WEEKLY_MEAN = "weekly-mean"
    SEASONAL_NAIVE = "seasonal-naive"
    NAIVE = "naive"
    ES = "es"
    LINEAR = "linear"
    CATBOOST = "catboost"

    @property
    def method(self) -> Method:
        """Smoothing and regression are both parts of the pool, which outdoes each alone."""
        if self is ModelType.NAIVE:
            return Method.SEASONAL_NAIVE
        if self in (ModelType.ES, ModelType.LINEAR, ModelType.CATBOOST):
            return Method.POOL
        return Method(self.value)


ModelChoice = Annotated[
    ModelType,
    Field(
        description="`auto` is the model trained for the queue, else the one fit for its volume. "
        "The original's `naive` is `seasonal-naive`; `es`, `linear` and `catboost` are answered by "
        "`pool`. `model` of the answer names what was used."
    ),
]
HorizonDays = Annotated[
    int, Field(ge=1, le=MAX_HORIZON_DAYS, description="Days ahead, whatever the granularity.")
]


class Body(BaseModel):
    """Base of every request body: an unknown field is a mistake worth a 422."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class ForecastRequest(Body):
    """Of which queue, from when on, how far, by what."""

    queue_id: QueueId
    forecast_horizon: HorizonDays = 30
    granularity: Granularity = Granularity.DAILY
    include_confidence_intervals: bool = False
    model_type: ModelChoice = ModelType.AUTO
    train_start_date: Day | None = None
    train_end_date: Day | None = Field(default=None, description="The last day learned from.")
    forecast_start_date: Day | None = Field(
        default=None,
        description="The first day forecast, learned from nothing but the days before it. Without "
        "it the forecast begins after `train_end_date`, or where the data ends.",
    )
    dataset_id: DatasetId | None = None

    def order(self) -> ForecastOrder:
        """The same as the forecaster's port wants it."""
        return ForecastOrder(
            series=SeriesName(queue=str(self.queue_id), dataset_id=self.dataset_id),
            horizon=self.forecast_horizon,
            granularity=self.granularity,
            method=self.model_type.method,
            train_start=self.train_start_date,
            train_end=self.train_end_date,
            start=self.forecast_start_date,
            intervals=self.include_confidence_intervals,
            champion=False,
        )


@router.post(
    "/forecast",
    operation_id="forecast_queue",
    summary="Forecast a queue up to 300 days ahead",
    response_model=ForecastResult,
    responses=responses(400, 404, 422, 503),
)
async def forecast(request: ForecastRequest, gateway: Gateway) -> Response:
    """Live queues, or those of an uploaded dataset. The sum of the queues below a queue."""
    return await made(request.order(), gateway)


async def made(order: ForecastOrder, gateway: Gateway) -> Response:
    """The forecaster's answer as it is: reading and writing it again would cost as much."""
    content = order.model_dump_json().encode()
    body = await gateway.forecasts.ask("POST", "/forecasts", content=content)
    return Response(body, media_type="application/json")
