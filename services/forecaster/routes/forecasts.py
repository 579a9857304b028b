"""What is made of one series by POST: a forecast, a judgement, a plan of staff."""

from fastapi import APIRouter, Response

from services.forecaster.dependencies import Forecaster
from shared.forecast_result import ForecastResult, QueueForecast
from shared.forecasting import (
    Accuracy,
    Backtest,
    BacktestOrder,
    Comparison,
    ForecastOrder,
    SeriesName,
    StaffingOrder,
    StaffingPlan,
    TrainedModel,
    TrainOrder,
)
from shared.http.problems import responses

# Operations are named after their functions and described by their docstrings: the gateway is the
# only client, and has the words that people read.
router = APIRouter(tags=["series"])
REFUSED = responses(400, 404, 422, 503)


@router.post("/forecasts", response_model=QueueForecast | ForecastResult, responses=REFUSED)
async def make_forecast(order: ForecastOrder, forecaster: Forecaster) -> Response:
    """Forecast one series from nothing but what lies before its first day."""
    body = await forecaster.forecasting.forecast(order)
    return Response(body, media_type="application/json")


@router.post("/backtests", responses=REFUSED)
async def run_backtest(order: BacktestOrder, forecaster: Forecaster) -> Backtest:
    """Judge forecasts by rolling origins, by the code that serves."""
    return await forecaster.judging.backtest(order)


@router.post("/accuracy", responses=REFUSED)
async def read_accuracy(series: SeriesName, forecaster: Forecaster) -> Accuracy:
    """How published forecasts of a queue turned out, on the days that have closed since."""
    return await forecaster.publishing.accuracy(series)


@router.post("/models", responses=REFUSED)
async def train_model(order: TrainOrder, forecaster: Forecaster) -> TrainedModel:
    """Judge a method on held-out days and keep it for the queue; a backtest settles `auto`."""
    return await forecaster.judging.train(order)


@router.post("/models/comparison", responses=REFUSED)
async def compare_models(order: TrainOrder, forecaster: Forecaster) -> Comparison:
    """Judge every method on the same held-out days; nothing is kept."""
    return await forecaster.judging.compare(order)


@router.post("/staffing", responses=REFUSED)
async def plan_staffing(order: StaffingOrder, forecaster: Forecaster) -> StaffingPlan:
    """Positions per hour: Erlang C or A for calls, a draining backlog for mail."""
    return await forecaster.staffing.plan(order)
