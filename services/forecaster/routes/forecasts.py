"""Forecasts on demand and how good they would have been."""

from fastapi import APIRouter, Response

from services.forecaster.dependencies import Forecaster
from shared.forecasting import (
    Accuracy,
    Backtest,
    BacktestOrder,
    Forecast,
    ForecastOrder,
    SeriesName,
)
from shared.http.problems import responses

router = APIRouter(tags=["forecasts"])


@router.post(
    "/forecasts",
    operation_id="make_forecast",
    summary="Forecast one series",
    response_model=Forecast,
    responses=responses(400, 404, 422, 503),
)
async def make_forecast(order: ForecastOrder, forecaster: Forecaster) -> Response:
    """From nothing but what lies before its first day."""
    made = await forecaster.forecasting.forecast(order)
    # Straight to bytes: FastAPI would validate up to 43,200 numbers a second time.
    return Response(made.model_dump_json(), media_type="application/json")


@router.post(
    "/backtests",
    operation_id="run_backtest",
    summary="Judge forecasts of one series by rolling origins",
    responses=responses(400, 404, 422, 503),
)
async def run_backtest(order: BacktestOrder, forecaster: Forecaster) -> Backtest:
    """By the code that serves, each origin seeing only its past."""
    return await forecaster.judging.backtest(order)


@router.post(
    "/accuracy",
    operation_id="read_accuracy",
    summary="How the published forecasts of a queue turned out",
    responses=responses(404, 422, 503),
)
async def read_accuracy(series: SeriesName, forecaster: Forecaster) -> Accuracy:
    """Against the days that have closed since."""
    return await forecaster.publishing.accuracy(series)
