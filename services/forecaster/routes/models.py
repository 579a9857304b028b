"""Trained choices of method: judge, compare, list, clear."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.forecaster.dependencies import Forecaster
from shared.forecasting import Comparison, SeriesName, TrainedModel, TrainOrder
from shared.http.problems import responses

router = APIRouter(prefix="/models", tags=["models"])
DatasetId = Annotated[str | None, Query(min_length=1, max_length=64)]


@router.get(
    "",
    operation_id="list_models",
    summary="Models, the oldest first",
    responses=responses(422, 503),
)
async def list_models(forecaster: Forecaster, dataset_id: DatasetId = None) -> list[TrainedModel]:
    """Of live load, or of one dataset."""
    return await forecaster.forecasting.shelf.all(dataset_id)


@router.post(
    "",
    operation_id="train_model",
    summary="Judge a method on held-out days and keep it for the queue",
    responses=responses(400, 404, 422, 503),
)
async def train_model(order: TrainOrder, forecaster: Forecaster) -> TrainedModel:
    """`auto` is settled by a backtest."""
    return await forecaster.judging.train(order)


@router.post(
    "/comparison",
    operation_id="compare_models",
    summary="Judge every method on the same held-out days",
    responses=responses(400, 404, 422, 503),
)
async def compare_models(order: TrainOrder, forecaster: Forecaster) -> Comparison:
    """Nothing is kept."""
    return await forecaster.judging.compare(order)


@router.delete(
    "",
    operation_id="clear_models",
    summary="Forget the models of a queue, or all",
    responses=responses(404, 422, 503),
)
async def clear_models(
    forecaster: Forecaster,
    queue: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    dataset_id: DatasetId = None,
) -> int:
    """Answers how many there were."""
    queue_id = None
    if queue is not None:
        series = SeriesName(queue=queue, dataset_id=dataset_id)
        queue_id = (await forecaster.forecasting.subject(series)).target.queue_id
    return await forecaster.forecasting.shelf.clear(dataset_id, queue_id)
